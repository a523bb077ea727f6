"""Which functions have a derivative: a table made from the registry, so that it cannot be wrong.

In: nothing. Out: text, in Markdown.

    python -m s2sad coverage > docs/coverage.md

"Second order" is tried out: the derivative at the rule's first sample is differentiated again.
"""

from __future__ import annotations

import builtins
import cmath
import math
import operator
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..ir.kinds import carries_derivative
from ..rules.apply import cotangents, tangent
from ..rules.derived import Recorder, pull_back
from ..rules.eager import EagerBuilder
from ..rules.optional import load_all
from ..rules.registry import KindError, Primitive, Sample, callables, home, primitives

__all__ = ["coverage", "coverage_text"]

#: The modules of the rules and what their functions have in common, in the order of the page.
_FAMILIES = {
    "ufuncs": "Elementwise functions",
    "reductions": "Reductions",
    "spreads": "Averages and deviations",
    "statistics": "Order statistics, and reductions without nan",
    "covariances": "Covariances",
    "scans": "Products and scans",
    "shape": "Shapes",
    "diagonals": "Diagonals and triangles",
    "joins": "Joining and splitting",
    "gathers": "Functions that gather elements",
    "unique": "Functions that gather elements",
    "selection": "Choosing and ordering",
    "grids": "Differences, gradients, integrals, interpolation",
    "gradients": "Differences, gradients, integrals, interpolation",
    "padding": "Padding",
    "creation": "Making arrays",
    "conversions": "Conversions",
    "polynomials": "Polynomials",
    "histograms": "Histograms",
    "products": "Products",
    "convolutions": "Convolutions",
    "draws": "Random numbers",
    "scalars": "The module math",
    "builtin_functions": "Built-in functions",
    "sequence_sums": "Built-in functions",
    "structural": "Operators",
}
_YES, _ZERO, _NO = "yes", "zero", "–"


def coverage() -> None:
    """Print which functions have derivatives, by family.

    >>> import s2sad
    >>> s2sad.coverage()  # doctest: +ELLIPSIS
    # What s2sad differentiates
    ...
    """
    print(coverage_text(), end="")


def coverage_text() -> str:
    """The table as one text, which is also the page ``docs/coverage.md``."""
    load_all()
    names = _public_names()
    sections: dict[str, list[str]] = {}
    for name, shown in sorted(names.items(), key=lambda item: item[1][0]):
        sections.setdefault(_title(name), []).append(_row(primitives()[name], shown))
    lines = [
        "# What s2sad differentiates",
        "",
        "`python -m s2sad coverage` makes this page from the rules themselves. *zero* is a",
        "function whose derivative is zero wherever it has one; it may be called on anything.",
        "What the Numba backend compiles of these: [numba.md](numba.md).",
    ]
    for title in sorted(sections, key=_place):
        lines += ["", f"## {title}", "", *_HEAD, *sections[title]]
    lines += ["", f"## {_WRITTEN_OUT}", "", *_written_out()]
    return "\n".join(lines) + "\n"


_HEAD = ("| function | reverse | forward | second order |", "|---|---|---|---|")
_WRITTEN_OUT = "Functions that the compiler writes out"


def _row(p: Primitive, shown: Sequence[str]) -> str:
    if p.zero:
        columns = [_ZERO] * 3
    else:
        columns = [_YES if c else _NO for c in (p.differentiable, _has_forward(p), _second(p))]
    return f"| {', '.join(f'`{n}`' for n in shown)} | {' | '.join(columns)} |"


def _title(name: str) -> str:
    module = home(name)
    own = module.rpartition(".")[2]
    if ".scipy." in module:
        return f"SciPy: {name.split('.')[1]}"
    if name.startswith(("np.linalg.", "np.fft.")):
        return name.rpartition(".")[0].replace("np.", "numpy.")
    if own in _FAMILIES:
        return _FAMILIES[own]
    return "Further functions" if module.startswith("s2sad.") else f"Rules of {module}"


def _place(title: str) -> tuple[int, str]:
    order = list(_FAMILIES.values())
    return (order.index(title) if title in order else len(order), title)


# -- names ---------------------------------------------------------------------------------------


def _public_names() -> dict[str, list[str]]:
    """For each primitive that a program can call, every name it goes by."""
    found: dict[str, list[str]] = {}
    spellings = _spellings()
    for f, name in callables().items():
        shown = spellings.get(f, [])
        if not shown and "." in name:
            shown = [name]
        if shown:
            known = found.setdefault(name, [])
            known += [s for s in shown if s not in known]
    return {name: sorted(shown, key=len) for name, shown in found.items()}


def _spellings() -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {}
    modules = (
        ("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft), ("np.random", np.random),
        ("math", math), ("cmath", cmath), ("operator", operator), ("", vars(builtins)),
    )  # fmt: skip
    for prefix, module in modules:
        content = module if isinstance(module, dict) else vars(module)
        for name, value in sorted(content.items()):
            if name.startswith("_") or not callable(value):
                continue
            try:
                found.setdefault(value, []).append(f"{prefix}.{name}" if prefix else name)
            except TypeError:
                continue
    return found


def _written_out() -> Iterator[str]:
    """Functions without a rule, because they are lowered to others that have one."""
    from ..frontend import lower_calls  # noqa: F401 (enters the handlers)
    from ..frontend.handlers import handlers

    spellings = _spellings()
    known = callables()
    shown = sorted(
        {min(spellings[f], key=len) for f in handlers if f in spellings and f not in known}
    )
    text = ", ".join(f"`{n}`" for n in [*shown, "np.r_", "np.c_"])
    yield from _wrapped(text, 99)


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


# -- what a rule can do --------------------------------------------------------------------------


def _has_forward(p: Primitive) -> bool:
    return p.jvp is not None or p.partials is not None


def _second(p: Primitive) -> bool:
    """Whether the derivative has a derivative: tried at the first samples that will do."""
    if not p.differentiable:
        return False
    points = p.samples() if callable(p.samples) else p.samples
    smooth = [s for s in points if not s.edge][:2]
    if not smooth:
        return True  # a structural operation, which the transforms know
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return all(_differentiates_twice(p, s) for s in smooth)


def _differentiates_twice(p: Primitive, s: Sample) -> bool:
    try:
        return _again(p, s)
    except KindError:
        return False


def _again(p: Primitive, s: Sample) -> bool:
    inner = EagerBuilder()
    recorder: Any = Recorder(inner)
    atoms = tuple(map(inner.const, s.args))
    value = p.fun(*s.args, **s.attrs)
    many = isinstance(p.kind(atoms, s.attrs), tuple)
    out: Any = tuple(map(inner.const, value)) if many else inner.const(value)
    g: Any = out
    active = [a for a in atoms if carries_derivative(a.kind)]
    bars = cotangents(recorder, p.name, s.attrs, atoms, out, g)
    for bar in bars:
        if bar is not None:
            pull_back(inner, recorder.steps, [bar], [bar], active)
    tangent(inner, p.name, s.attrs, atoms, out, [a if a in active else None for a in atoms])  # type: ignore[arg-type]
    return True
