"""Comparing ways to one derivative: generated code, the tape, differences, the complex step.

In: a function and its arguments. Out: a ``Comparison``, which prints as a table::

    way                   digits       time    values saved
    generated code             -    12.3 us              20
    tape                    15.9     1.2 ms             131
    finite differences      11.4     2.5 ms               0
    complex step            15.7    90.1 us               0

Digits are those in which a gradient agrees with that of the generated code.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import numeric, tape
from .binding import Argnums, layout_of, parse_argnums
from .errors import ArgumentError, S2sadError
from .ir.tree import flatten, is_differentiable, leaves_like, unflatten

__all__ = ["Comparison", "Way", "compare"]

_BUDGET = 0.2  # seconds spent on the time of one way
_PATIENCE = 3.0  # seconds that differences may take
_FULL = 15.95  # digits of a float64


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the derivative.

    ``gradient`` is a tuple, one part per argument differentiated, None where only a slope in one
    direction was found; ``digits`` agree with the generated code (nan: not compared);
    ``seconds`` is the best time of a call; ``saved`` counts the numbers kept between the sweeps
    (None: unknown); ``note`` says what went wrong or was left out.
    """

    name: str
    gradient: Any
    digits: float
    seconds: float
    saved: int | None
    note: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Several ways to one derivative, the generated code first.

    ``agree`` is the least number of digits in which the ways agree with it.
    """

    name: str
    value: Any
    ways: tuple[Way, ...]

    @property
    def agree(self) -> float:
        """The digits that all ways agree on."""
        return min((w.digits for w in self.ways if not math.isnan(w.digits)), default=math.nan)

    def __getitem__(self, name: str) -> Way:
        """The way of that name."""
        for way in self.ways:
            if way.name == name:
                return way
        raise KeyError(name)

    def __str__(self) -> str:
        rows = [_HEAD, *map(_cells, self.ways)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "   ".join(
                cell.rjust(width) if 0 < k < 4 else cell.ljust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        lines.insert(1, "-" * max(map(len, lines)))
        return "\n".join((f"the derivative of {self.name}", *lines))

    def __repr__(self) -> str:
        return str(self)

    def __rich__(self) -> Any:
        """The table for ``rich.print``."""
        from rich.table import Table

        table = Table(title=f"the derivative of {self.name}")
        for k, title in enumerate(_HEAD):
            table.add_column(title, justify="right" if 0 < k < 4 else "left")
        for way in self.ways:
            table.add_row(*_cells(way))
        return table


_HEAD = ("way", "digits", "time", "values saved", "")


def compare(
    f: Callable[..., Any], *args: Any, argnums: Argnums | None = None, **kwargs: Any
) -> Comparison:
    """Find the derivative of ``f`` at ``args`` in every way there is, and compare.

    A result that is not a number is weighed with ones. ``argnums`` defaults to every argument that
    holds a float. Raises what `grad` raises where the generated code fails; a tape that cannot
    follow is listed with the reason. Differences move one element at a time, or, where that would
    take seconds, all along one random direction; the complex step is listed where differences
    confirm it.

    >>> found = compare(lambda x: x * x * x, 2.0)
    >>> found["tape"].gradient, found.agree > 9
    ((12.0,), True)
    """
    layout = layout_of(f)
    nums = _floats(args) if argnums is None else parse_argnums(argnums)[0]
    if not nums and not kwargs:
        raise ArgumentError("no argument holds a float: there is nothing to differentiate")
    places = _positions(nums, layout.free)

    def call(*values: Any) -> Any:
        return f(*values, **kwargs)

    value = call(*_fresh(args))
    scalar = is_differentiable(value) and np.size(value) == 1 and not np.iscomplexobj(value)
    weights = None if scalar else _ones(value)
    if weights is not None and kwargs:
        raise ArgumentError("pass all arguments by position where the result is not a number")
    generated = _generated(f, nums, args, kwargs, weights)
    others = [_tape(f, nums, args, kwargs, weights)]
    if places is not None:
        others += _differences(call, places, args, weights, generated.gradient)
    ways = tuple(_judged(way, generated.gradient) for way in others)
    return Comparison(layout.function.__qualname__, value, (generated, *ways))


def agreement(a: Any, b: Any) -> float:
    """The digits to which two gradients agree, relative to the largest element of each leaf.

    >>> agreement((1.0,), (1.0,)), round(agreement((1.0,), (1.001,)))
    (15.95, 3)
    """
    digits = _FULL
    leaves, struct = flatten(a)
    for mine, other in zip(leaves, leaves_like(struct, b), strict=True):
        mine, other = np.asarray(mine), np.asarray(other)
        if mine.size == 0 or np.array_equal(mine, other, equal_nan=True):
            continue
        if mine.shape != other.shape or not np.all(np.isfinite(other) == np.isfinite(mine)):
            return 0.0
        here = np.isfinite(mine)
        gap = float(np.max(np.abs(mine[here] - other[here]), initial=0.0))
        size = float(np.max(np.abs(mine[here]), initial=0.0))
        if gap > 0.0:
            digits = min(digits, -math.log10(gap / size) if size > 0.0 else -math.log10(gap))
    return max(digits, 0.0)


def count_values(saved: Any) -> int:
    """How many numbers there are in what a sweep has saved; shared memory counts once.

    >>> count_values(([(0, 1.5), (1, 2.5)], np.ones(3)))
    7
    """
    seen: set[int] = set()

    def count(value: Any) -> int:
        if isinstance(value, np.ndarray):
            root = value
            while isinstance(root.base, np.ndarray):
                root = root.base
            if id(root) in seen:
                return 0
            seen.add(id(root))
            return int(value.size)
        if isinstance(value, list | tuple):
            return sum(map(count, value))
        if isinstance(value, dict):
            return sum(map(count, value.values()))
        return 1 if isinstance(value, int | float | complex | np.generic) else 0

    return count(saved)


# -- one way each ---------------------------------------------------------------------------------


def _generated(f: Any, nums: Any, args: Any, kwargs: Any, weights: Any) -> Way:
    from .api import value_and_grad, vjp

    if weights is None:
        derivative: Any = value_and_grad(f, nums)
        gradient = derivative(*args, **kwargs)[1]
        seconds = _best_time(lambda: derivative(*args, **kwargs))
    else:

        def both() -> Any:
            return vjp(f, *args)[1](weights)

        gradient = _chosen(both(), nums, layout_of(f).free)
        seconds = _best_time(both)
    saved = None
    if not kwargs:
        try:
            saved = count_values(getattr(vjp(f, *args)[1], "_saved", None))
        except S2sadError:
            saved = None
    return Way("generated code", gradient, math.nan, seconds, saved)


def _tape(f: Any, nums: Any, args: Any, kwargs: Any, weights: Any) -> Way:
    def both() -> Any:
        if weights is None:
            return tape.value_and_grad(f, nums)(*args, **kwargs)[1]
        return _chosen(tape.vjp(f, *args)[1](weights), nums, layout_of(f).free)

    try:
        gradient = both()
        saved = None if kwargs else tape.entries(f, *args, argnums=nums).values
    except (S2sadError, ArithmeticError) as error:
        return Way("tape", None, math.nan, math.nan, None, _first_line(error))
    return Way("tape", gradient, math.nan, _best_time(both), saved)


def _differences(call: Any, places: tuple[int, ...], args: Any, weights: Any, truth: Any) -> Any:
    """Central differences and, where the program is analytic, the complex step."""
    ways = []
    elements = sum(np.size(leaf) for n in places for leaf in flatten(_as_float(args[n]))[0])
    once = _time(lambda: call(*_fresh(args)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if 16 * elements * once > _PATIENCE:
            ways.append(_one_direction(call, places, args, weights, truth))
            error = math.inf
        else:
            start = time.perf_counter()
            estimate = numeric.finite_difference(call, args, places, cotangent=weights)
            seconds = time.perf_counter() - start
            ways.append(Way("finite differences", estimate.gradient, math.nan, seconds, 0))
            error = estimate.error
        if 2 * elements * once > _PATIENCE or math.isinf(error):
            return ways

        def step() -> Any:
            return numeric.complex_step(call, args, places, cotangent=weights).gradient

        try:
            gradient = step()
        except numeric.NotAnalyticError:
            return ways
        if _confirmed(gradient, ways[0].gradient, error):
            ways.append(Way("complex step", gradient, math.nan, _best_time(step), 0))
    return ways


def _one_direction(call: Any, places: Any, args: Any, weights: Any, truth: Any) -> Way:
    """Too many elements to move one by one: the slope along one random direction."""
    rng = np.random.default_rng(0)
    tangents: list[Any] = [None] * len(args)
    for n in places:
        leaves, struct = flatten(_as_float(args[n]))
        drawn = [rng.standard_normal(np.shape(leaf)) for leaf in leaves]
        drawn = [
            d if isinstance(x, np.ndarray) else float(d)
            for d, x in zip(drawn, leaves, strict=True)
        ]
        tangents[n] = unflatten(struct, drawn, lambda _: None)
    start = time.perf_counter()
    slopes, _ = numeric.directional_difference(call, args, tangents)
    seconds = time.perf_counter() - start
    slope = float(sum(np.sum(s) for s in slopes))
    mine = sum(numeric.inner(tangents[n], g) for n, g in zip(places, truth, strict=True))
    digits = agreement((mine,), (slope,))
    note = "along one random direction"
    return Way("finite differences", None, digits, seconds, 0, note)


def _confirmed(stepped: Any, differences: Any, error: float) -> bool:
    """The complex step counts only where differences confirm it as far as they reach.

    A comparison, ``abs`` or ``max`` on complex numbers may quietly do something else.
    """
    leaves, struct = flatten(stepped)
    for a, b in zip(leaves, leaves_like(struct, differences), strict=True):
        scale = float(np.max(np.abs(b), initial=0.0))
        if not np.all(np.abs(np.asarray(a) - b) <= 1e-7 * scale + 100.0 * error + 1e-12):
            return False
    return True


def _judged(way: Way, truth: Any) -> Way:
    if way.gradient is None:
        return way
    digits = agreement(truth, way.gradient)
    return Way(way.name, way.gradient, digits, way.seconds, way.saved, way.note)


# -- arguments ------------------------------------------------------------------------------------


def _floats(args: Sequence[Any]) -> tuple[int, ...]:
    return tuple(n for n, a in enumerate(args) if flatten(a)[0])


def _positions(nums: tuple[int | str, ...], names: Sequence[str]) -> tuple[int, ...] | None:
    """``argnums`` as positions; None where one is passed by keyword."""
    places = [names.index(n) if isinstance(n, str) and n in names else n for n in nums]
    return tuple(n for n in places if isinstance(n, int)) if _all_ints(places) else None


def _all_ints(places: Sequence[Any]) -> bool:
    return all(isinstance(n, int) for n in places)


def _chosen(parts: Sequence[Any], nums: Any, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(parts[n] for n in _positions(nums, names) or ())


def _as_float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _ones(value: Any) -> Any:
    leaves, struct = flatten(value)
    ones = [np.ones_like(v) if isinstance(v, np.ndarray) else type(v)(1) for v in leaves]
    return unflatten(struct, ones, lambda _: None)


def _fresh(args: Any) -> Any:
    leaves, struct = flatten(tuple(args), lambda v: isinstance(v, np.ndarray))
    return unflatten(struct, [v.copy(order="K") for v in leaves])


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


# -- time -----------------------------------------------------------------------------------------


def _time(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _best_time(run: Callable[[], Any]) -> float:
    """The best time of a call, of as many as fit into the budget (two at least)."""
    best = min(_time(run), _time(run))
    count = max(1, min(10_000, int(_BUDGET / 10 / max(best, 1e-9))))
    deadline = time.perf_counter() + _BUDGET
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        for _ in range(count):
            run()
        best = min(best, (time.perf_counter() - start) / count)
    return best


def _cells(way: Way) -> tuple[str, ...]:
    digits = "-" if math.isnan(way.digits) else f"{way.digits:.1f}"
    saved = "?" if way.saved is None else f"{way.saved:,}"
    return way.name, digits, _duration(way.seconds), saved, way.note


def _duration(seconds: float) -> str:
    """A time with a unit that suits it.

    >>> _duration(1.234e-5)
    '12.3 us'
    """
    if math.isnan(seconds):
        return "-"
    for unit, size in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
