"""``sorted``, ``min`` and ``max``, with ``key=`` too.

In: references. Out: the element that is best, or a list in order. The order is found at run time
by the keys alone, and is no part of the derivative.

    sorted(xs, key=f)      keys = [f(x) for x in xs]; [xs[i] for i in order_of(keys)]
"""

from __future__ import annotations

import builtins
from collections.abc import Callable

from ..ir.nodes import Const
from . import comprehensions, indexing, iteration, lower_calls
from .contents import Items
from .context import Lowerer
from .handlers import Handler, handles
from .refs import IterRef, Ref, TupleRef, Val


def _key(cx: Lowerer, kwargs: dict[str, Ref]) -> Ref | None:
    """The key function, if there is one."""
    key = kwargs.get("key")
    return None if key is None or cx.known(key) and cx.value(key) is None else key


def _keys(cx: Lowerer, ref: Ref, key: Ref) -> Ref:
    return comprehensions.collect(cx, ref, lambda x: lower_calls.apply(cx, key, [x], {}))


def _best(cx: Lowerer, name: str, ref: Ref, key: Ref | None) -> Ref:
    """The best element of a list or an array whose length is known only when it runs."""
    if key is None:
        return cx.ref(cx.op(name, cx.atom(ref)))
    largest = [Const.of(True)] if name == "max" else []
    place = cx.op("place_of_best", cx.atom(_keys(cx, ref, key)), *largest)
    return indexing.item(cx, ref, Val(place))


def _or_default(cx: Lowerer, ref: Ref, default: Ref, best: Callable[[Ref], Ref]) -> Ref:
    some = cx.op("gt", iteration.length(cx, ref), Const.of(0))
    found = cx.branch(some, lambda: best(ref), lambda: default)
    assert found is not None
    return found


def _extreme(name: str) -> Handler:
    better = "lt" if name == "min" else "gt"

    def run(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
        key = _key(cx, kwargs)
        default = kwargs.get("default")
        if len(args) == 1:
            items = iteration.static_items(cx, args[0])
            if items is None:
                ref = args[0]
                if isinstance(ref, IterRef):
                    ref = comprehensions.to_list(cx, ref)
                if default is not None:
                    return _or_default(cx, ref, default, lambda r: _best(cx, name, r, key))
                return _best(cx, name, ref, key)
            if not items:
                if default is not None:
                    return default
                cx.fail(f"{name}() of nothing")
        else:
            items = args
        if all(map(cx.known, items)) and key is None:
            chosen = (min if name == "min" else max)(map(cx.value, items))
            return next(r for r in items if cx.value(r) is chosen or cx.value(r) == chosen)
        if key is None:
            if len(items) == 1:
                return items[0]
            return cx.ref(cx.op(name, *map(cx.atom, items)))
        best = items[0]
        best_key = lower_calls.apply(cx, key, [best], {})
        for item in items[1:]:
            k = lower_calls.apply(cx, key, [item], {})
            cond = cx.op(better, cx.atom(k), cx.atom(best_key))
            pair = cx.branch(
                cond,
                lambda item=item, k=k: TupleRef((item, k)),  # type: ignore[misc]
                lambda b=best, bk=best_key: TupleRef((b, bk)),  # type: ignore[misc]
            )
            assert isinstance(pair, TupleRef)
            best, best_key = pair.items
        return best

    return run


handles(builtins.min)(_extreme("min"))
handles(builtins.max)(_extreme("max"))


@handles(builtins.sorted)
def _sorted(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    key = _key(cx, kwargs)
    items = iteration.static_items(cx, args[0])
    if items is not None and all(map(cx.known, items)) and not kwargs:
        return cx.new(Items(tuple(map(cx.constant, sorted(map(cx.value, items))))))
    ref = comprehensions.to_list(cx, args[0]) if items is None else cx.new(Items(tuple(items)))
    reverse = "reverse" in kwargs and cx.static(kwargs["reverse"], "the 'reverse' of sorted")
    if key is None:
        atom = cx.atom(ref)
        return cx.ref(cx.op("sorted", atom, reverse=True) if reverse else cx.op("sorted", atom))
    flag = [Const.of(True)] if reverse else []
    order = cx.ref(cx.op("order_of", cx.atom(_keys(cx, ref, key)), *flag))
    return comprehensions.collect(cx, order, lambda i: indexing.item(cx, ref, i))
