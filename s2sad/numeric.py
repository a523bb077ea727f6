"""Derivatives of plain Python by differences: they know nothing of rules, IR or tapes.

In: a function and its arguments. Out: its gradient, with an estimate of the error.

    finite_difference(f, (2.0,))   ->   Estimate(gradient=12.000000000003, error=3e-12)

Central differences are extrapolated to step zero by Richardson's scheme as Ridders arranged it
(C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering
Software 4 (1982) 75-76); for the weights of such formulas in general see B. Fornberg, "Generation
of finite difference formulas on arbitrarily spaced grids", Math. Comp. 51 (1988) 699-706.

The complex step (W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real
functions", SIAM Review 40 (1998) 110-112) has no subtraction and hence no cancellation: it is
exact to rounding, where the program is analytic and runs on complex numbers at all.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import ArgumentError, OutputError
from .ir.tree import flatten, gradient_tree, leaves_like, unflatten

__all__ = [
    "Estimate",
    "NotAnalyticError",
    "complex_step",
    "directional_difference",
    "dot_product_gap",
    "finite_difference",
    "inner",
]

COMPLEX_STEP = 1e-30  # so small that its square is lost against anything
_LEVELS = 8
_STEP = 0.02  # the first step, as a part of the size of what is moved


class NotAnalyticError(ValueError):
    """The program does not run on complex numbers, or is another program there."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A gradient built like the arguments, the largest absolute error in it, and calls made."""

    gradient: Any
    error: float
    calls: int


def finite_difference(
    f: Callable[..., Any],
    args: Sequence[Any],
    argnums: int | Sequence[int] = 0,
    *,
    cotangent: Any = None,
    levels: int = _LEVELS,
) -> Estimate:
    """The gradient of ``f`` at ``args`` by extrapolated central differences.

    Every float element of ``args[n]``, n in ``argnums``, is moved by itself: 2 * ``levels`` calls
    each. The result must be a real number (or size one), unless a ``cotangent`` built like it
    gives the weights of a sum. float32 is widened, since differences need the digits. The gradient
    is a tuple where ``argnums`` is a sequence.

    Raises OutputError where there is no cotangent and the result is not a number.

    >>> estimate = finite_difference(lambda x: x**3, (2.0,))
    >>> abs(estimate.gradient - 12.0) < 1e-9 and estimate.error < 1e-8
    True
    """
    probe = _Probe(f, args, argnums, cotangent)
    worst = 0.0
    found: list[Any] = []
    for n, leaf in enumerate(probe.leaves):
        slope = np.zeros(np.shape(leaf))
        for index in np.ndindex(slope.shape):
            size = abs(np.asarray(leaf)[index])
            step = _STEP * max(float(size), 0.1)
            slope[index], error = ridders(_along(probe, n, index), step, levels)
            worst = max(worst, error)
        found.append(_like(slope, leaf))
    return Estimate(probe.gradient(found), worst, probe.calls)


def complex_step(
    f: Callable[..., Any],
    args: Sequence[Any],
    argnums: int | Sequence[int] = 0,
    *,
    cotangent: Any = None,
) -> Estimate:
    """The gradient of ``f`` at ``args`` from imaginary parts; one call for each element.

    Raises NotAnalyticError where the program refuses complex numbers, drops imaginary parts with
    a warning, or gives another value on them. It cannot see an ``abs`` or a comparison that
    quietly does something else: believe it where it agrees with differences.

    >>> complex_step(lambda x: x**3, (2.0,)).gradient
    12.0
    """
    probe = _Probe(f, args, argnums, cotangent)
    found: list[Any] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")  # a cast that drops imaginary parts only warns
        for n, leaf in enumerate(probe.leaves):
            slope = np.zeros(np.shape(leaf))
            for index in np.ndindex(slope.shape):
                try:
                    out = probe.moved(n, index, 1j * COMPLEX_STEP)
                except Exception as error:  # any failure: not a program on complex numbers
                    raise NotAnalyticError(str(error)) from error
                if not np.isclose(np.real(out), probe.value, rtol=1e-9, atol=0.0):
                    raise NotAnalyticError("the value differs on complex numbers")
                slope[index] = np.imag(out) / COMPLEX_STEP
            found.append(_like(slope, leaf))
    return Estimate(probe.gradient(found), 0.0, probe.calls)


def directional_difference(
    f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any], *, levels: int = _LEVELS
) -> tuple[Any, float]:
    """How the result moves when ``args`` move along ``tangents``, and an estimate of the error.

    ``tangents`` are built like ``args``; None stands for no movement. The result is flat: one
    array for each float leaf of ``f(*args)``.

    >>> (slope,), error = directional_difference(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    >>> round(float(slope), 9)
    23.0
    """
    leaves, struct = flatten(_widened(tuple(args)))
    moves = leaves_like(struct, tuple(tangents))

    def outputs(t: float) -> list[Any]:
        moved = [x if d is None else x + t * d for x, d in zip(leaves, moves, strict=True)]
        found, _ = flatten(f(*unflatten(struct, moved, _fresh)))
        return [np.asarray(leaf, dtype=float) for leaf in found]

    slopes, worst = [], 0.0
    for n in range(len(outputs(0.0))):
        slope, error = ridders(lambda t, n=n: outputs(t)[n], _STEP, levels)  # type: ignore[misc]
        slopes.append(slope)
        worst = max(worst, error)
    return slopes, worst


def dot_product_gap(
    f: Callable[..., Any],
    args: Sequence[Any],
    pullback: Callable[[Any], Sequence[Any]],
    tangents: Sequence[Any],
    cotangent: Any,
) -> float:
    """How far ``<J v, w>`` is from ``<v, J' w>``, relative to their size.

    J v comes from differences along ``tangents`` v, J' w from ``pullback`` at ``cotangent`` w, so
    that the two sides share no rule. (Of a forward and a reverse mode with the same wrong partial
    the identity proves nothing: Griewank and Walther, "Evaluating Derivatives", 2008, sec. 3.)

    >>> pullback = lambda w: (3.0 * w, 2.0 * w)
    >>> dot_product_gap(lambda x, y: x * y, (2.0, 3.0), pullback, (1.0, 10.0), 0.5) < 1e-9
    True
    """
    slopes, _ = directional_difference(f, args, tangents)
    _, struct = flatten(f(*_copied(tuple(args))))
    weights = leaves_like(struct, cotangent)
    left = sum(float(np.sum(s * w)) for s, w in zip(slopes, weights, strict=True) if w is not None)
    right = inner(tuple(tangents), tuple(pullback(cotangent)))
    return abs(left - right) / max(abs(left), abs(right), 1e-30)


def inner(a: Any, b: Any) -> float:
    """The sum of products over the float leaves of two trees built alike; None counts as zero.

    >>> inner((1.0, {"w": np.ones(2)}), (2.0, {"w": np.array([3.0, 4.0])}))
    9.0
    """
    leaves, struct = flatten(a)
    pairs = zip(leaves, leaves_like(struct, b), strict=True)
    return float(sum(np.sum(np.asarray(x) * y) for x, y in pairs if y is not None))


def ridders(phi: Callable[[float], Any], step: float, levels: int = _LEVELS) -> tuple[Any, float]:
    """The slope of ``phi`` at 0, and an estimate of its error.

    The best entry of the whole table of extrapolations wins, so that a first step across a branch
    or a kink does no harm: the smaller ones outvote it.

    >>> slope, error = ridders(lambda h: (1.0 + h) ** 3, 0.1)
    >>> round(slope, 9)
    3.0
    """
    best: Any = float("nan")
    least = float("inf")
    row: list[Any] = []
    for _ in range(levels):
        new = [(phi(step) - phi(-step)) / (2.0 * step)]
        for order, before in enumerate(row, start=1):
            factor = 4.0**order
            new.append((factor * new[-1] - before) / (factor - 1.0))
            spread = max(_largest(new[-1] - new[-2]), _largest(new[-1] - before))
            if spread < least:
                best, least = new[-1], spread
        if math.isinf(least):
            best = new[-1]
        row = new
        step /= 2.0
    return best, least


class _Probe:
    """A function with one number to be moved at a time."""

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], argnums: Any, cotangent: Any
    ) -> None:
        self.f = f
        self.many = not isinstance(argnums, int)
        self.nums: tuple[int, ...] = tuple(argnums) if self.many else (argnums,)
        for n in self.nums:
            if not -len(args) <= n < len(args):
                raise ArgumentError(f"argnums={n!r} with {len(args)} arguments")
        self.base = _widened(tuple(args))
        chosen = [self.base[n] for n in self.nums]
        chosen = [float(a) if type(a) is int else a for a in chosen]
        self.leaves, self.struct = flatten(chosen)
        self.cotangent = cotangent
        self.calls = 0
        self.value = self.moved(0, (), 0.0) if self.leaves else 0.0

    def moved(self, n: int, index: tuple[int, ...], shift: complex) -> Any:
        """The result with one element of leaf ``n`` moved, weighed to one number."""
        leaves = list(self.leaves)
        if shift:
            leaves[n] = _shifted(leaves[n], index, shift)
        call = list(self.base)
        for k, part in zip(self.nums, unflatten(self.struct, leaves), strict=True):
            call[k] = part
        self.calls += 1
        return self._number(self.f(*_copied(tuple(call))))

    def _number(self, out: Any) -> Any:
        if self.cotangent is None:
            if not isinstance(out, int | float | complex | np.generic | np.ndarray):
                raise OutputError(f"the result is a {type(out).__name__}, not a number")
            if np.size(out) != 1:
                raise OutputError("the result is an array: give a cotangent")
            return np.asarray(out).reshape(())[()]
        leaves, struct = flatten(out)
        weights = leaves_like(struct, self.cotangent)
        pairs = zip(leaves, weights, strict=True)
        return sum((np.sum(np.asarray(x) * w) for x, w in pairs if w is not None), 0.0)

    def gradient(self, found: list[Any]) -> Any:
        parts: list[Any] = gradient_tree(self.struct, found)
        return tuple(parts) if self.many else parts[0]


def _along(probe: _Probe, n: int, index: tuple[int, ...]) -> Callable[[float], float]:
    return lambda shift: float(np.real(probe.moved(n, index, shift)))


def _shifted(leaf: Any, index: tuple[int, ...], shift: complex) -> Any:
    if not isinstance(leaf, np.ndarray):
        return leaf + shift
    new = leaf.astype(np.complex128) if isinstance(shift, complex) else leaf.copy(order="K")
    new[index] += shift
    return new


def _widened(tree: Any) -> Any:
    """The same tree in double precision."""

    def widen(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray | np.generic) and leaf.dtype in (np.float16, np.float32):
            return leaf.astype(np.float64)
        return leaf

    leaves, struct = flatten(tree)
    return unflatten(struct, [widen(leaf) for leaf in leaves])


def _fresh(value: Any) -> Any:
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


def _copied(tree: Any) -> Any:
    """A tree that may be written: the program must not spoil the next call's arguments."""
    leaves, struct = flatten(tree)
    return unflatten(struct, [_fresh(leaf) for leaf in leaves], _fresh)


def _like(slope: Any, leaf: Any) -> Any:
    return slope if isinstance(leaf, np.ndarray) else float(slope)


def _largest(x: Any) -> float:
    return float(np.max(np.abs(x), initial=0.0))
