"""Rules from definitions: both modes of a function that is a composition of others.

In: a function that builds the definition with a builder. Out: a staged vjp and jvp. The program
still calls the function itself; only its derivative goes through the definition, and only through
the part of it that the derivative needs.

    vjp, jvp = derived(lambda b, x: b.text("sqrt(sum(x * x))", x=x))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..ir.builder import Shorthands
from ..ir.kinds import Array, FixedList, Mixed, Num, Tuple, carries_derivative
from ..ir.nodes import Atom, Const
from .apply import conform, cotangents, tangent

if TYPE_CHECKING:
    from ..ir.builder import Builder

Definition = Callable[..., "Atom | tuple[Atom, ...]"]

_CONTAINERS = ("tuple", "list", "record")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a definition."""

    fn: str
    args: tuple[Atom, ...]
    attrs: Mapping[str, Any]
    results: tuple[Atom, ...]


class Recorder(Shorthands):
    """A builder that also keeps a list of what it was asked for."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.steps: list[Step] = []

    def op(self, fn: str, *args: Atom, name: str | None = None, **attrs: Any) -> Atom:
        result: Atom = self.builder.op(fn, *args, name=name, **attrs)
        self.steps.append(Step(fn, args, attrs, (result,)))
        return result

    def ops(
        self, fn: str, *args: Atom, names: Sequence[str | None] = (), **attrs: Any
    ) -> tuple[Atom, ...]:
        results: tuple[Atom, ...] = self.builder.ops(fn, *args, names=names, **attrs)
        self.steps.append(Step(fn, args, attrs, results))
        return results

    def __getattr__(self, name: str) -> Any:
        return getattr(self.builder, name)


def derived(definition: Definition) -> tuple[Any, Any]:
    """The staged vjp and jvp of the function that ``definition(b, *operands, **attrs)`` builds."""

    def vjp(b: Builder, g: Any, out: Any, *operands: Atom, **attrs: Any) -> list[Any]:
        first = {id(x): n for n, x in reversed(list(enumerate(operands)))}
        made: list[tuple[list[Step], Any]] = []

        def wrt(n: int) -> Atom | None:
            if first[id(operands[n])] != n:
                return None  # the same value twice: its first place has the whole cotangent
            if not made:
                recorder = Recorder(b)
                value = definition(recorder, *operands, **attrs)
                made.append((recorder.steps, value))
            steps, value = made[0]
            results, seeds = _paired(value, g)
            return pull_back(b, steps, results, seeds, [operands[n]])[0]

        return [(lambda n=n: wrt(n)) for n in range(len(operands))]

    def jvp(b: Builder, dots: Sequence[Any], out: Any, *operands: Atom, **attrs: Any) -> Any:
        recorder = Recorder(b)
        value = definition(recorder, *operands, **attrs)
        found = push_forward(b, recorder.steps, operands, dots)
        if isinstance(value, tuple):
            return tuple(found.get(id(v)) for v in value)
        return found.get(id(value))

    return vjp, jvp


def _paired(value: Any, g: Any) -> tuple[list[Atom], list[Any]]:
    if isinstance(value, tuple):
        return list(value), list(g)
    return [value], [g]


# -- reverse -------------------------------------------------------------------------------------


def pull_back(
    b: Any,
    steps: Sequence[Step],
    results: Sequence[Atom],
    seeds: Sequence[Atom | None],
    leaves: Sequence[Atom],
) -> list[Atom | None]:
    """Cotangents of ``leaves`` from those of ``results``, back through straight-line steps."""
    active = _reached(steps, leaves)
    bars: dict[int, Atom] = {}
    for r, g in zip(results, seeds, strict=True):
        if g is not None and id(r) in active:
            _contribute(b, bars, r, g)
    for step in reversed(steps):
        if not any(id(a) in active for a in step.args):
            continue
        seeds_here = [bars.pop(id(r), None) for r in step.results]
        if all(g is None for g in seeds_here):
            continue
        for a, bar in zip(step.args, _backward(b, step, seeds_here, active), strict=False):
            if bar is not None and id(a) in active:
                _contribute(b, bars, a, bar)
    return [bars.get(id(x)) for x in leaves]


def _reached(steps: Iterable[Step], leaves: Iterable[Atom]) -> set[int]:
    """The values that depend on the leaves and carry derivatives."""
    from .registry import primitive

    active = {id(x) for x in leaves}
    for step in steps:
        if not primitive(step.fn).zero and any(id(a) in active for a in step.args):
            active.update(id(r) for r in step.results if carries_derivative(r.kind))
    return active


def _contribute(b: Any, bars: dict[int, Atom], x: Atom, g: Atom) -> None:
    before = bars.get(id(x))
    if before is None:
        bars[id(x)] = g
    else:
        plain = isinstance(g.kind, Num | Array | Mixed)
        bars[id(x)] = b.op("add" if plain else "add_to", before, g)


def _backward(b: Any, step: Step, seeds: list[Atom | None], active: set[int]) -> list[Any]:
    g = seeds[0]
    args = step.args
    if step.fn in _CONTAINERS:
        return [b.op("item", g, Const.of(n)) for n in range(len(args))]
    if step.fn == "item":
        assert g is not None
        return [_item_bar(b, args[0], args[1], g), None]
    if step.fn in ("accumulate", "setitem"):
        _, i, v = args
        read = b.op("item", g, i)
        bar = conform(b, read, v) if carries_derivative(v.kind) else None
        if step.fn == "setitem":
            g = b.op("setitem", g, i, Const.of(0.0))
        return [g, None, bar]
    if step.fn == "add_to":
        return [g, conform(b, g, args[1])] if g is not None else []
    if step.fn == "copy":
        return [g]
    wanted = [n for n, a in enumerate(args) if id(a) in active]
    many = len(step.results) > 1
    out: Any = step.results if many else step.results[0]
    return list(
        cotangents(b, step.fn, step.attrs, args, out, tuple(seeds) if many else g, wanted)  # type: ignore[arg-type]
    )


def _item_bar(b: Any, x: Atom, i: Atom, g: Atom) -> Atom:
    if isinstance(x.kind, Tuple | FixedList):
        assert isinstance(i, Const)
        n = i.value % len(x.kind.items)
        parts = [
            g if k == n else b.op("zeros_like", b.op("item", x, Const.of(k)))
            for k in range(len(x.kind.items))
        ]
        together: Atom = b.op("tuple" if isinstance(x.kind, Tuple) else "list", *parts)
        return together
    bar: Atom = b.op("accumulate", b.op("zeros_like", x), i, g)
    return bar


# -- forward -------------------------------------------------------------------------------------


def push_forward(
    b: Any, steps: Sequence[Step], leaves: Sequence[Atom], dots: Sequence[Atom | None]
) -> dict[int, Atom]:
    """Tangents of every value of straight-line steps, by the identity of the value."""
    known: dict[int, Atom] = {}
    for x, t in zip(leaves, dots, strict=True):
        if t is not None:
            known[id(x)] = t
    for step in steps:
        here = [known.get(id(a)) for a in step.args]
        if all(t is None for t in here):
            continue
        found = _forward(b, step, here)
        for r, t in zip(step.results, found, strict=False):
            if t is None:
                known.pop(id(r), None)
            else:
                known[id(r)] = t
    return known


def _forward(b: Any, step: Step, dots: list[Atom | None]) -> Sequence[Atom | None]:
    args = step.args
    if step.fn in ("item", *_CONTAINERS, "accumulate", "setitem", "add_to", "copy"):
        full = [
            b.op("zeros_like", a) if t is None and carries_derivative(a.kind) else t or a
            for a, t in zip(args, dots, strict=True)
        ]
        return [b.op(step.fn, *full, **step.attrs)]
    many = len(step.results) > 1
    out: Any = step.results if many else step.results[0]
    found = tangent(b, step.fn, step.attrs, args, out, dots)
    return list(found) if many and found is not None else [found]
