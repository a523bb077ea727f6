"""Calls of ``itertools``.

In: references to iterables. Out: the list of what they give, in the order in which they give it;
where lengths are known only when the program runs, loops that append.

    itertools.product(v, w)      t = []; for a in v: for b in w: t.append((a, b))
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence

from ..ir.nodes import Const
from . import comprehensions, indexing, iteration, loops, lower_calls, operators
from .contents import Items
from .context import Lowerer
from .handlers import handles
from .refs import HeapRef, IterRef, Ref, TupleRef, Val


def _nested(
    cx: Lowerer, iterables: Sequence[Callable[[list[Ref]], Ref]], result: HeapRef
) -> HeapRef:
    """Append the tuple of every choice of elements; each iterable may depend on those before."""
    frame = cx.frame

    def visit(n: int, chosen: list[str]) -> None:
        row = [cx.state.get(frame, slot) for slot in chosen]
        if n == len(iterables):
            lower_calls.method(cx, result, "append", [TupleRef(tuple(row))], {})
            return
        slot = f"$x{cx.fresh_id()}"
        loops.for_loop(
            cx,
            iterables[n](row),
            lambda r: cx.state.set(frame, slot, r),
            lambda: visit(n + 1, [*chosen, slot]),
        )
        cx.state.frames[frame].pop(slot, None)

    visit(0, [])
    return result


def _lasting(cx: Lowerer, ref: Ref) -> Ref:
    """The iterable as something that can be gone through more than once."""
    again = isinstance(ref, IterRef) and ref.root is not None
    return comprehensions.to_list(cx, ref) if again else ref


@handles(itertools.product)
def _product(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    repeat = cx.static(kwargs["repeat"], "the 'repeat'") if "repeat" in kwargs else 1
    lasting = [_lasting(cx, a) for a in args] * repeat
    known = [iteration.static_items(cx, a) for a in lasting]
    parts = [k for k in known if k is not None]
    if len(parts) == len(known):
        rows = [TupleRef(tuple(row)) for row in itertools.product(*parts)]
        return cx.new(Items(tuple(rows)))
    return _nested(cx, [lambda row, a=a: a for a in lasting], cx.new(Items(()), fresh=True))  # type: ignore[misc]


@handles(itertools.chain)
def _chain(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    result = cx.new(Items(()), fresh=True)
    for a in args:
        lower_calls.method(cx, result, "extend", [a], {})
    return result


@handles(itertools.chain.from_iterable)
def _from_iterable(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    items = iteration.static_items(cx, args[0])
    if items is None:
        cx.fail("chain.from_iterable needs a number of parts that is known now", "write a loop")
    return _chain(cx, items, {})


@handles(itertools.combinations)
def _combinations(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    size = cx.static(args[1], "the size of the combinations")
    lasting = _lasting(cx, args[0])
    items = iteration.static_items(cx, lasting)
    if items is not None:
        rows = [TupleRef(tuple(row)) for row in itertools.combinations(items, size)]
        return cx.new(Items(tuple(rows)))
    if isinstance(lasting, IterRef):
        lasting = comprehensions.to_list(cx, lasting)
    stop = Val(iteration.length(cx, lasting))

    def later(row: list[Ref]) -> Ref:
        start = Val(iteration.arith(cx, "add", cx.atom(row[-1]), Const.of(1))) if row else zero
        return IterRef("range", (start, stop))

    zero = cx.constant(0)
    places = _nested(cx, [later] * size, cx.new(Items(()), fresh=True))

    def chosen(row: Ref) -> Ref:
        return TupleRef(tuple(indexing.item(cx, lasting, i) for i in iteration.parts(row)))

    return comprehensions.collect(cx, places, chosen)


@handles(itertools.pairwise)
def _pairwise(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    lasting = _lasting(cx, args[0])
    items = iteration.static_items(cx, lasting)
    if items is not None:
        return cx.new(Items(tuple(map(TupleRef, itertools.pairwise(items)))))
    rest = indexing.item(cx, lasting, Val(Const.of(slice(1, None))))
    return IterRef("zip", (lasting, rest), False)


@handles(itertools.starmap)
def _starmap(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func = args[0]

    def called(row: Ref) -> Ref:
        parts = iteration.static_items(cx, row)
        if parts is None:
            cx.fail("starmap needs tuples of known length", "write a loop")
        return lower_calls.apply(cx, func, parts, {})

    return comprehensions.collect(cx, args[1], called)


@handles(itertools.repeat)
def _repeat(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    times = args[1] if len(args) > 1 else kwargs.get("times")
    if times is None:
        cx.fail("itertools.repeat without 'times' never ends", "give 'times'")
    return comprehensions.collect(cx, IterRef("range", (times,)), lambda i: args[0])


@handles(itertools.islice)
def _islice(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    ref = args[0]
    if isinstance(ref, IterRef):
        ref = comprehensions.to_list(cx, ref)
    bounds = [cx.static(a, "a bound of islice") for a in args[1:]]
    return indexing.item(cx, ref, Val(Const.of(slice(*bounds))))


@handles(itertools.takewhile)
def _takewhile(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    cx.fail("itertools.takewhile is not supported", "write a loop that breaks")


@handles(itertools.accumulate)
def _accumulate(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func = args[1] if len(args) > 1 else kwargs.get("func")
    initial = kwargs.get("initial")
    if initial is not None and cx.known(initial) and cx.value(initial) is None:
        initial = None

    def combine(a: Ref, b: Ref) -> Ref:
        if func is None:
            return operators.operate(cx, "add", operator.add, a, b)
        return lower_calls.apply(cx, func, [a, b], {})

    items = iteration.static_items(cx, args[0])
    if items is not None:
        found: list[Ref] = [] if initial is None else [initial]
        for item in items:
            found.append(combine(found[-1], item) if found else item)
        return cx.new(Items(tuple(found)))
    first, rest = iteration.split_first(cx, args[0]) if initial is None else (initial, args[0])
    result = cx.new(Items((first,)))

    def step(total: Ref, x: Ref) -> Ref:
        new = combine(total, x)
        lower_calls.method(cx, result, "append", [new], {})
        return new

    comprehensions.fold(cx, rest, first, step)
    return result
