"""The table, what is to be said about its rows, and how the columns compare.

In: rows. Out: Markdown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..kernels.driver import Row, against, table
from .driver import Nothing


def report(rows: Sequence[Row | Nothing], columns: Sequence[str]) -> str:
    timed = [row for row in rows if isinstance(row, Row) and "primal" in row.seconds]
    parts = [table(timed, columns)]
    for row in rows:
        if isinstance(row, Nothing):
            parts.append(f"- {row.name}: nothing to differentiate, {row.reason}")
        elif "check" in row.reasons:
            parts.append(f"- {row.name}, check: {row.reasons['check']}")
    parts += ["", counts(rows), ratios(timed)]
    return "\n".join(parts)


def counts(rows: Sequence[Row | Nothing]) -> str:
    """How many there are of each sort."""
    measured = [row for row in rows if isinstance(row, Row)]
    right = sum("s2sad" in row.seconds for row in measured)
    wrong = sum(row.reasons.get("s2sad", "").startswith("WRONG") for row in measured)
    refused = sum("s2sad" in row.reasons for row in measured) - wrong
    return (
        f"- s2sad: {right} right, {wrong} wrong, {refused} refused of {len(measured)}; "
        f"{len(rows) - len(measured)} have nothing to differentiate"
    )


def ratios(rows: list[Row]) -> str:
    """How s2sad's times compare with JAX's, warm and at the first call, and with the primal's."""
    lines = [against(rows, "s2sad", "JAX")]
    firsts = [
        row.first["s2sad"] / row.first["JAX"]
        for row in rows
        if {"s2sad", "JAX"} <= row.seconds.keys()
    ]
    if firsts:
        within = sum(ratio <= 1.0 for ratio in firsts)
        lines.append(
            f"- first calls: {mean(firsts):.2g} times JAX's in geometric mean, "
            f"no slower on {within} of {len(firsts)}"
        )
    own = [row.seconds["s2sad"] / row.seconds["primal"] for row in rows if "s2sad" in row.seconds]
    if own:
        lines.append(f"- s2sad's gradient takes {mean(own):.2g} times the NumPy program's time")
    return "\n".join(filter(None, lines))


def mean(numbers: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, numbers)) / len(numbers))
