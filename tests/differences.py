"""Derivatives of plain Python programs by differences: what the compiler is judged by.

In: a program, its arguments, which of them to differentiate, a cotangent for its result.
Out: the gradient of ``sum(cotangent * result)``, leaf by leaf, with an error estimate.

Central differences are extrapolated by Ridders' scheme (Ridders 1982, "Accurate computation of
F'(x) and F'(x) F''(x)", Adv. Eng. Software 4, 75-76).  Where the program also runs on complex
numbers and agrees with the differences, the complex step (Squire & Trapp 1998, SIAM Review 40,
110-112) replaces them: it has no cancellation, so the comparison may be far stricter.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.trees import clone, fresh, is_active, leaves, map_leaves, replace_leaves

LEVELS = 10
COMPLEX_STEP = 1e-30


class NotAnalyticError(Exception):
    """The program does not run on complex numbers, or runs differently there."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A gradient by differences.

    ``gradient`` has one entry a leaf (None where the leaf is not a float); ``error`` estimates its
    absolute error; ``exact`` says that the complex step confirmed it to nearly all digits.
    """

    gradient: list[Any]
    error: float
    exact: bool


def weigh(result: Any, cotangent: Any) -> Any:
    """The number ``sum(cotangent * result)`` (real part) over all float leaves."""
    total = 0.0
    for leaf, weight in zip(leaves(result), leaves(cotangent), strict=True):
        if weight is not None:
            total = total + np.sum(np.asarray(leaf) * weight)
    return total


def ridders(phi: Callable[[float], float], step: float) -> tuple[float, float]:
    """The slope of phi at 0 and an estimate of its error.

    The best entry of the whole extrapolation table wins, so a first step that crosses a branch
    or a kink does no harm: the smaller ones outvote it.  A kink at 0 itself, which symmetric
    differences do not see, counts as an error: half the jump of the slope.

    >>> slope, error = ridders(lambda h: (1.0 + h) ** 3, 0.1)
    >>> round(slope, 9)
    3.0
    """
    best, error = float("nan"), float("inf")
    row: list[float] = []
    centre = phi(0.0)
    bend = jump = 0.0
    for _ in range(LEVELS):
        above, below = phi(step), phi(-step)
        new = [(above - below) / (2.0 * step)]
        # Where phi is smooth this goes to zero with the step; the linear part is taken away.
        bend, last_bend = (above - 2.0 * centre + below) / step, bend
        jump = abs(2.0 * bend - last_bend)
        for order, before in enumerate(row, start=1):
            factor = 4.0**order
            new.append((factor * new[-1] - before) / (factor - 1.0))
            spread = max(abs(new[-1] - new[-2]), abs(new[-1] - before))
            if spread < error:
                best, error = new[-1], spread
        row = new
        step /= 2.0
    return best, max(error, 0.5 * jump)


def promoted(tree: Any) -> Any:
    """The same arguments in double precision, where differences are accurate."""

    def promote(leaf: Any) -> Any:
        if isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype == np.float32:
            return leaf.astype(np.float64)
        return leaf

    return map_leaves(promote, fresh(tree))


def reference(
    f: Callable[..., Any], args: tuple[Any, ...], argnums: tuple[int, ...], cotangent: Any
) -> Reference:
    """The gradient of ``weigh(f(*args), cotangent)`` for the leaves of ``args[argnums]``."""
    base = promoted(args)
    chosen = [base[n] for n in argnums]
    slots = leaves(chosen)

    def evaluate(slot: int, index: Any, shift: complex) -> Any:
        moved = list(slots)
        moved[slot] = _shifted(slots[slot], index, shift)
        parts = replace_leaves(chosen, moved)
        call = list(base)
        for n, part in zip(argnums, parts, strict=True):
            call[n] = part
        # No aliasing here: every slot is a variable of its own.
        return weigh(f(*map_leaves(clone, call)), cotangent)

    gradient: list[Any] = []
    worst, scale = 0.0, 0.0
    for slot, leaf in enumerate(slots):
        if not is_active(leaf):
            gradient.append(None)
            continue
        values = np.zeros(np.shape(leaf))
        for index in np.ndindex(values.shape):
            size = abs(float(np.asarray(leaf)[index]))
            # Bound to the current slot and index: called before the loop goes on.
            slope, error = ridders(
                lambda h, s=slot, i=index: float(np.real(evaluate(s, i, h))),
                0.02 * max(size, 0.1),
            )
            values[index] = slope
            worst = max(worst, error)
            scale = max(scale, abs(slope))
        gradient.append(values)
    try:
        stepped = _complex_step(evaluate, slots)
    except NotAnalyticError:
        return Reference(gradient, worst, exact=False)
    near = all(
        a is None or np.all(np.abs(a - b) <= 1e-6 * scale + 100.0 * worst + 1e-9)
        for a, b in zip(gradient, stepped, strict=True)
    )
    return Reference(stepped, 0.0, exact=True) if near else Reference(gradient, worst, exact=False)


def total_slope(
    f: Callable[..., Any], args: tuple[Any, ...], tied: tuple[int, ...], cotangent: Any
) -> tuple[np.ndarray, float]:
    """The gradient of ``z -> f(.., z, .., z, ..)``, z in every ``tied`` place, and its error."""
    base = promoted(args)
    z = np.array(base[tied[0]])

    def evaluate(index: Any, shift: float) -> float:
        shared = _shifted(z, index, shift)
        call = [shared if n in tied else map_leaves(clone, a) for n, a in enumerate(base)]
        return float(np.real(weigh(f(*call), cotangent)))

    slope = np.zeros(z.shape)
    worst = 0.0
    for index in np.ndindex(z.shape):
        step = 0.02 * max(abs(z[index]), 0.1)
        slope[index], error = ridders(lambda h, i=index: evaluate(i, h), step)
        worst = max(worst, error)
    return slope, worst


def _complex_step(evaluate: Callable[[int, Any, complex], Any], slots: list[Any]) -> list[Any]:
    """The gradient from imaginary parts; NotAnalyticError where the program refuses them."""
    gradient: list[Any] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")  # a cast that drops imaginary parts only warns
        for slot, leaf in enumerate(slots):
            if not is_active(leaf):
                gradient.append(None)
                continue
            values = np.zeros(np.shape(leaf))
            for index in np.ndindex(values.shape):
                try:
                    out = evaluate(slot, index, 1j * COMPLEX_STEP)
                    values[index] = np.imag(out) / COMPLEX_STEP
                except Exception as error:  # any failure at all means: not a complex program
                    raise NotAnalyticError from error
            gradient.append(values)
    return gradient


def _shifted(leaf: Any, index: Any, shift: complex) -> Any:
    """The leaf with one element moved: a float stays a float unless the shift is complex."""
    if not isinstance(leaf, np.ndarray):
        moved = leaf + shift
        return type(leaf)(moved) if isinstance(shift, float) else moved
    new = leaf.astype(np.complex128) if isinstance(shift, complex) else clone(leaf)
    if 0 in new.strides:  # broadcast: its elements share memory, and only one is to move
        new = new.copy()
    new.flags.writeable = True
    new[index] += shift
    new.flags.writeable = leaf.flags.writeable
    return new
