"""Iteration: what a ``for`` goes through, as a range and a way to get the element at an index.

In: a reference to an iterable. Out: a `Looper`, or the list of its elements where their number is
known now.

    zip(x, range(5))     range(min(len(x), 5)),  k -> (item x k, k)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..ir.kinds import Array, Dict, FixedList, ListOf, Num, Opaque
from ..ir.nodes import Atom, Const, is_int
from . import counts, indexing, lower_calls, tables
from .contents import Consumed, Data, Entries, Fields, Items, Table
from .context import Lowerer
from .describe import describe_ref
from .refs import ArrayRef, HeapRef, IterRef, Ref, Root, TupleRef, Val

ZERO, ONE, MINUS = Const.of(0), Const.of(1), Const.of(-1)


@dataclass(frozen=True, slots=True)
class Looper:
    """``for i in range(start, stop, step)``, ``get(i)`` being the element.

    ``lists`` are gone through by index, and must not grow.
    """

    start: Atom
    stop: Atom
    step: Atom
    get: Callable[[Atom], Ref]
    lists: tuple[Root, ...] = ()
    #: how many elements there are, where that is not what the bounds say at once
    count: Atom | None = None

    @property
    def plain(self) -> bool:
        return is_int(self.start, 0) and is_int(self.step, 1)


def arith(cx: Lowerer, fn: str, a: Atom, b: Atom) -> Atom:
    """Integer arithmetic on indices, constants folded."""
    if isinstance(a, Const) and isinstance(b, Const):
        return Const.of({"add": a.value + b.value, "sub": a.value - b.value,
                         "mul": a.value * b.value}[fn])  # fmt: skip
    if is_int(b, 0) and fn in ("add", "sub"):
        return a
    if is_int(a, 0) and fn == "add":
        return b
    if fn == "mul" and is_int(b, 1):
        return a
    return cx.op(fn, a, b)


def consume(cx: Lowerer, ref: IterRef) -> None:
    """Iterators give their elements once."""
    if ref.root is None:
        return
    content = cx.state.content(ref.root)
    if isinstance(content, Consumed) and content.done:
        cx.fail(
            f"this {ref.form} may have been used up before",
            "make a list of it first: list(...)",
        )
    cx.state.heap[ref.root] = Consumed(True)


def static_items(cx: Lowerer, ref: Ref) -> list[Ref] | None:
    """The elements, where their number is known now; None otherwise."""
    match ref:
        case TupleRef():
            return list(ref.items)
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Items():
                    return list(content.items)
                case Entries():
                    return [cx.constant(k) for k in content.items]
            return None
        case ArrayRef():
            kind = cx.kind(ref)
            if isinstance(kind, Array) and kind.dims and isinstance(kind.dims[0], int):
                return [indexing.item(cx, ref, Val(Const.of(n))) for n in range(kind.dims[0])]
            return None
        case Val():
            if isinstance(ref.atom, Const) and isinstance(ref.atom.value, str | range | frozenset):
                return [cx.constant(v) for v in ref.atom.value]
            return None
        case IterRef():
            found = _static_iter(cx, ref)
            if found is not None:
                consume(cx, ref)
            return found
    return None


def _static_iter(cx: Lowerer, ref: IterRef) -> list[Ref] | None:
    match ref.form:
        case "range":
            if all(map(cx.known, ref.args)):
                return [cx.constant(n) for n in range(*map(cx.value, ref.args))]
            return None
        case "zip":
            parts = [peek(cx, r) for r in ref.args]
            if any(p is None for p in parts):
                return None
            lists = [p for p in parts if p is not None]
            if ref.extra and len({len(p) for p in lists}) > 1:
                cx.fail(
                    "this raises ValueError: zip() is strict, and its arguments differ in length"
                )
            return [TupleRef(tuple(row)) for row in zip(*lists, strict=False)]
        case "enumerate":
            inner = peek(cx, ref.args[0])
            if inner is None or not cx.known(ref.args[1]):
                return None
            first = cx.value(ref.args[1])
            return [TupleRef((cx.constant(first + n), r)) for n, r in enumerate(inner)]
        case "reversed":
            inner = peek(cx, ref.args[0])
            return None if inner is None else inner[::-1]
        case "map":
            parts = [peek(cx, r) for r in ref.args]
            if any(p is None for p in parts):
                return None
            rows = zip(*[p for p in parts if p is not None], strict=False)
            return [lower_calls.apply(cx, ref.extra, list(row), {}) for row in rows]
        case "keys" | "values" | "items":
            content = cx.content(ref.args[0])  # type: ignore[arg-type]
            if isinstance(content, Entries):
                return dict_view(cx, content, ref.form)
            return None
        case "generator" | "list":
            return static_items(cx, ref.args[0])
        case _:
            return None


def parts(ref: Ref) -> tuple[Ref, ...]:
    """The elements of a tuple."""
    assert isinstance(ref, TupleRef)
    return ref.items


def peek(cx: Lowerer, ref: Ref) -> list[Ref] | None:
    return static_items(cx, ref)


def dict_view(cx: Lowerer, content: Entries, form: str) -> list[Ref]:
    match form:
        case "keys":
            return [cx.constant(k) for k in content.items]
        case "values":
            return list(content.items.values())
        case _:
            return [TupleRef((cx.constant(k), v)) for k, v in content.items.items()]


def length(cx: Lowerer, ref: Ref) -> Atom:
    """``len(ref)``."""
    match ref:
        case TupleRef():
            return Const.of(len(ref.items))
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Items() | Entries():
                    return Const.of(len(content.items))
                case Data():
                    return cx.op("len", content.atom)
                case Table():
                    return tables.size(cx, ref)
                case Fields():
                    from .attributes import attribute

                    return cx.atom(lower_calls.apply(cx, attribute(cx, ref, "__len__"), [], {}))
        case ArrayRef():
            kind = cx.kind(ref)
            if isinstance(kind, Array) and kind.dims and isinstance(kind.dims[0], int):
                return Const.of(kind.dims[0])
            return cx.op("len", cx.read(ref))
        case Val():
            if isinstance(ref.atom, Const):
                try:
                    return Const.of(len(ref.atom.value))
                except TypeError as error:
                    cx.fail(f"this raises TypeError: {error}")
            return cx.op("len", ref.atom)
        case IterRef("range"):
            looper = loop_over(cx, ref)
            return trips(cx, looper)
    if isinstance(ref, IterRef) and ref.form in ("keys", "values", "items"):
        return length(cx, ref.args[0])
    cx.fail(f"{describe_ref(ref)} has no len()")


def trips(cx: Lowerer, looper: Looper) -> Atom:
    """How many elements a looper has."""
    if looper.plain:
        return looper.stop
    if looper.count is not None:
        return looper.count
    bounds = (looper.start, looper.stop, looper.step)
    if all(isinstance(b, Const) for b in bounds):
        return Const.of(len(range(*[b.value for b in bounds if isinstance(b, Const)])))
    if not isinstance(looper.step, Const):
        cx.fail("the number of steps of this range cannot be told", "use a step that is constant")
    step = looper.step.value
    low, high = (looper.start, looper.stop) if step > 0 else (looper.stop, looper.start)
    span = arith(cx, "sub", high, low)
    if abs(step) > 1:
        span = cx.op(
            "floordiv", arith(cx, "add", span, Const.of(abs(step) - 1)), Const.of(abs(step))
        )
    return cx.op("max", Const.of(0), span)


def split_first(cx: Lowerer, ref: Ref) -> tuple[Ref, Ref]:
    """The first element, and an iterable over the others."""
    if isinstance(ref, IterRef):
        from .comprehensions import to_list

        ref = to_list(cx, ref)
    zero, rest = Val(ZERO), Val(Const.of(slice(1, None, None)))
    return indexing.item(cx, ref, zero), indexing.item(cx, ref, rest)


def from_zero(cx: Lowerer, looper: Looper) -> tuple[Atom, Callable[[Atom], Ref]]:
    """The same elements counted from 0: how many, and the one at ``k``."""
    if looper.plain:
        return looper.stop, looper.get
    count = trips(cx, looper)

    def get(k: Atom) -> Ref:
        return looper.get(arith(cx, "add", looper.start, arith(cx, "mul", k, looper.step)))

    return count, get


def loop_over(cx: Lowerer, ref: Ref) -> Looper:
    """How to go through an iterable whose length is not known now."""
    match ref:
        case ArrayRef():
            kind = cx.kind(ref)
            if isinstance(kind, Array) and kind.dims == ():
                cx.fail("a 0-d array cannot be iterated over")
            stop = length(cx, ref)
            return Looper(ZERO, stop, ONE, lambda i: indexing.item(cx, ref, Val(i)))
        case HeapRef():
            content = cx.content(ref)
            if isinstance(content, Table) and tables.is_set(cx, ref):
                cx.fail("the order of a set that only the run knows is not known", "use a list")
            if isinstance(content, Table):
                return loop_over(cx, content.keys)
            if isinstance(content, Data) and isinstance(content.atom.kind, ListOf | FixedList):
                stop = cx.op("len", content.atom)
                return Looper(ZERO, stop, ONE, lambda i: indexing.element(cx, ref, i), (ref.root,))
            if isinstance(content, Items):
                stop = Const.of(len(content.items))
                return Looper(
                    ZERO, stop, ONE, lambda i: indexing.item(cx, ref, Val(i)), (ref.root,)
                )
        case TupleRef():
            stop = Const.of(len(ref.items))
            return Looper(ZERO, stop, ONE, lambda i: indexing.item(cx, ref, Val(i)))
        case IterRef():
            consume(cx, ref)
            return _loop_iter(cx, ref)
        case Val():
            if isinstance(ref.kind, Opaque | Num | Dict):
                cx.fail(f"{describe_ref(ref)} cannot be iterated over")
            stop = cx.op("len", ref.atom)
            return Looper(ZERO, stop, ONE, lambda i: cx.ref(cx.op("item", ref.atom, i)))
    cx.fail(f"{describe_ref(ref)} cannot be iterated over")


def _loop_iter(cx: Lowerer, ref: IterRef) -> Looper:
    match ref.form:
        case "range":
            atoms = [cx.atom(r) for r in ref.args]
            start: Atom = ZERO
            step: Atom = ONE
            stop = atoms[0]
            if len(atoms) > 1:
                start, stop = atoms[0], atoms[1]
            if len(atoms) > 2:
                step = atoms[2]
            return Looper(start, stop, step, Val)
        case "zip":
            loopers = [loop_over(cx, r) for r in ref.args]
            counted = [from_zero(cx, looper) for looper in loopers]
            if ref.extra:
                counts.demand_same(cx, [n for n, _ in counted])
            return Looper(
                ZERO,
                counts.least(cx, [n for n, _ in counted]),
                ONE,
                lambda k: TupleRef(tuple(get(k) for _, get in counted)),
                tuple(r for looper in loopers for r in looper.lists),
            )
        case "enumerate":
            looper = loop_over(cx, ref.args[0])
            count, get = from_zero(cx, looper)
            first = cx.atom(ref.args[1])
            return Looper(
                ZERO,
                count,
                ONE,
                lambda k: TupleRef((Val(arith(cx, "add", k, first)), get(k))),
                looper.lists,
            )
        case "reversed":
            return _reversed(cx, loop_over(cx, ref.args[0]))
        case "map":
            loopers = [loop_over(cx, r) for r in ref.args]
            if len(loopers) == 1:
                (one,) = loopers
                return Looper(
                    one.start,
                    one.stop,
                    one.step,
                    lambda k: lower_calls.apply(cx, ref.extra, [one.get(k)], {}),
                    one.lists,
                )
            counted = [from_zero(cx, looper) for looper in loopers]
            return Looper(
                ZERO,
                counts.least(cx, [n for n, _ in counted]),
                ONE,
                lambda k: lower_calls.apply(cx, ref.extra, [get(k) for _, get in counted], {}),
                tuple(r for looper in loopers for r in looper.lists),
            )
        case "generator" | "list":
            return loop_over(cx, ref.args[0])
        case "checkpointed":
            looper = loop_over(cx, ref.args[0])
            given = [cx.atom(r) for r in ref.args[1:]]
            stop = cx.op("checkpointed", looper.stop, *given, memory=ref.extra)
            return Looper(looper.start, stop, looper.step, looper.get)
        case _:
            cx.fail(f"a {ref.form} cannot be iterated over here")


def _reversed(cx: Lowerer, looper: Looper) -> Looper:
    if is_int(looper.step, 1):
        return Looper(
            arith(cx, "sub", looper.stop, ONE),
            arith(cx, "sub", looper.start, ONE),
            MINUS,
            looper.get,
            looper.lists,
            looper.stop if looper.plain else None,
        )
    if is_int(looper.step, -1):
        return Looper(
            arith(cx, "add", looper.stop, ONE),
            arith(cx, "add", looper.start, ONE),
            ONE,
            looper.get,
            looper.lists,
        )
    count, get = from_zero(cx, looper)
    return Looper(arith(cx, "sub", count, ONE), MINUS, MINUS, get, looper.lists)
