"""Builtins that act on references: ``len``, ``range``, ``zip``, ``isinstance``, ``sorted`` ...

In: references. Out: references. What acts on values (``abs``, ``float``) is in the registry.

    len((a, b))   ->   2          isinstance(x, float)   ->   True, by x's kind
"""

from __future__ import annotations

import ast
import builtins
import collections
import operator
from typing import Any

from ..ir.kinds import FixedList, ListOf, Num
from ..ir.nodes import FALSE, TRUE, Atom, Const
from ..rules.registry import has_primitive
from . import (
    comprehensions,
    conditions,
    counts,
    indexing,
    iteration,
    lower_calls,
    lower_expr,
    operators,
    tables,
)
from .contents import Consumed, Entries, Items
from .context import Lowerer
from .handlers import handles
from .refs import ArrayRef, HeapRef, IterRef, Ref, Root, TupleRef, Val


def _one_shot(cx: Lowerer, form: str, args: tuple[Ref, ...], extra: Any = None) -> IterRef:
    root = Root(form)
    cx.state.heap[root] = Consumed(False)
    return IterRef(form, args, extra, root)


@handles(builtins.len)
def _len(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return Val(iteration.length(cx, args[0]))


@handles(builtins.range)
def _range(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    for a in args:
        kind = cx.kind(a)
        if isinstance(kind, Num) and kind.dtype[0] not in "iub":
            cx.fail("the bounds of a range must be ints")
    return IterRef("range", tuple(args))


@handles(builtins.zip)
def _zip(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    strict = "strict" in kwargs and cx.static(kwargs["strict"], "the 'strict' of zip")
    return _one_shot(cx, "zip", tuple(args), bool(strict))


@handles(builtins.enumerate)
def _enumerate(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    start = args[1] if len(args) > 1 else kwargs.get("start", cx.constant(0))
    return _one_shot(cx, "enumerate", (args[0], start))


@handles(builtins.reversed)
def _reversed(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return _one_shot(cx, "reversed", (args[0],))


@handles(builtins.map)
def _map(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return _one_shot(cx, "map", tuple(args[1:]), args[0])


@handles(builtins.filter)
def _filter(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    def keep(ref: Ref) -> Ref:
        if cx.known(args[0]) and cx.value(args[0]) is None:
            return ref
        return lower_calls.apply(cx, args[0], [ref], {})

    return comprehensions.collect(cx, args[1], lambda r: r, keep)


@handles(builtins.iter)
def _iter(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return _one_shot(cx, "list", (args[0],))


@handles(builtins.list)
def _list(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if not args:
        return cx.new(Items(()), fresh=True)
    return comprehensions.to_list(cx, args[0])


@handles(collections.deque)
def _deque(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """A list, with methods for its left end."""
    if len(args) > 1 or kwargs:
        cx.fail("deque(maxlen=...) is not supported", "drop the oldest element with popleft()")
    return _list(cx, args, kwargs)


@handles(builtins.tuple)
def _tuple(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if not args:
        return TupleRef(())
    items = iteration.static_items(cx, args[0])
    if items is not None:
        return TupleRef(tuple(items))
    return comprehensions.to_list(cx, args[0])


@handles(builtins.set, builtins.frozenset)
def _set(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    items = iteration.static_items(cx, args[0]) if args else []
    if items is None or not all(map(cx.known, items)):
        cx.fail("a set of values computed at run time is not supported", "use a list")
    found = dict.fromkeys(map(cx.value, items))
    if cx.node in cx.tables:
        return tables.made_at(cx, cx.node, Entries({k: cx.constant(None) for k in found}))
    made = cx.new(Items(tuple(map(cx.constant, found))), fresh=True)
    made.root.site = cx.node
    return made


@handles(builtins.dict)
def _dict(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    found: dict[Any, Ref] = {}
    if args:
        content = cx.content(args[0]) if isinstance(args[0], HeapRef) else None
        if isinstance(content, Entries):
            found.update(content.items)
        else:
            items = iteration.static_items(cx, args[0])
            if items is None:
                cx.fail("the keys of a dict must be known when the derivative is built")
            for pair in items:
                parts = iteration.static_items(cx, pair)
                if parts is None or len(parts) != 2:
                    cx.fail("dict() needs pairs")
                found[cx.static(parts[0], "a key")] = parts[1]
    found.update(kwargs)
    return tables.made_at(cx, cx.node, Entries(found))


@handles(collections.defaultdict)
def _defaultdict(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """A dict whose missing keys have the value that a function makes."""
    if len(args) != 1 or kwargs:
        cx.fail("defaultdict() is supported with a function only, and no entries")
    return tables.made_at(cx, cx.node, Entries({}), args[0])


@handles(builtins.print)
def _print(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    attrs = {k: cx.static(v, f"the '{k}' of print") for k, v in kwargs.items() if k != "file"}
    if "file" in kwargs:
        cx.fail("print(file=...) is not supported")
    cx.ops("print", *[lower_expr.printable(cx, a) for a in args], **attrs)
    return cx.constant(None)


@handles(builtins.sum)
def _sum(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    start = args[1] if len(args) > 1 else kwargs.get("start")
    ref = args[0]
    items = None if isinstance(ref, ArrayRef) else iteration.static_items(cx, ref)
    numbers = items is not None and all(isinstance(cx.kind(r), Num) for r in items)
    if items is not None and not (numbers and has_primitive("sum")):
        total = start if start is not None else cx.constant(0)
        for item in items:
            total = operators.operate(cx, "add", operator.add, total, item)
        return total
    if items is not None:
        ref = cx.new(Items(tuple(items)))
    elif isinstance(ref, IterRef):
        ref = comprehensions.to_list(cx, ref)
    if isinstance(ref, HeapRef) and isinstance(cx.kind(ref), ListOf | FixedList):
        kind = cx.kind(ref)
        elem = kind.elem if isinstance(kind, ListOf) else None
        if (
            isinstance(kind, ListOf)
            and not isinstance(elem, Num | None)
            or not has_primitive("sum")
        ):
            return comprehensions.fold(
                cx,
                ref,
                start if start is not None else cx.constant(0),
                lambda total, x: operators.operate(cx, "add", operator.add, total, x),
            )
    atoms = [cx.atom(ref)] + ([] if start is None else [cx.atom(start)])
    return cx.ref(cx.op("sum", *atoms))


@handles(builtins.any)
def _any(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return _quantifier(cx, args[0], "any", "or", TRUE, FALSE)


@handles(builtins.all)
def _all(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return _quantifier(cx, args[0], "all", "and", FALSE, TRUE)


def _quantifier(cx: Lowerer, ref: Ref, name: str, fn: str, decides: Const, empty: Const) -> Ref:
    items = iteration.static_items(cx, ref)
    if items is None:
        if isinstance(ref, IterRef):
            ref = comprehensions.to_list(cx, ref)
        if has_primitive(name):
            return Val(cx.op(name, cx.atom(ref)))
        return Val(
            cx.op("call", Const.of(getattr(builtins, name)), cx.atom(ref), result=FALSE.kind)
        )
    out: Atom | None = None
    for item in items:
        cond = conditions.truth(cx, item)
        if isinstance(cond, Const):
            if cond.value == decides.value:
                return Val(decides)
            continue
        out = cond if out is None else cx.op(fn, out, cond)
    return Val(empty if out is None else out)


@handles(builtins.str, builtins.repr)
def _str(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if not args:
        return cx.constant("")
    if cx.known(args[0]) and not isinstance(cx.value(args[0]), float):
        return cx.constant(str(cx.value(args[0])))
    return Val(cx.op("format", lower_expr.printable(cx, args[0]), template="{}"))


@handles(builtins.format)
def _format(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    spec = cx.static(args[1], "a format") if len(args) > 1 else ""
    return Val(cx.op("format", lower_expr.printable(cx, args[0]), template="{:" + spec + "}"))


@handles(builtins.id, builtins.hash, builtins.input, builtins.open, builtins.eval)
@handles(builtins.exec, builtins.globals, builtins.locals, builtins.vars, builtins.compile)
def _refused(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    cx.fail("this builtin has no derivative", "compute what it gives outside, and pass it in")


@handles(builtins.next)
def _next(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """``next(generator)``, ``next(generator, default)``: the first element, if there is one."""
    if not (isinstance(args[0], HeapRef) and cx.fresh_generator is args[0].root):
        cx.fail("next() is supported for a generator in its place only", "use an index")
    items = iteration.static_items(cx, args[0])
    if items:
        return items[0]

    def first() -> Ref:
        return indexing.item(cx, args[0], cx.constant(0))

    if items is None and len(args) > 1:
        some = cx.op("gt", iteration.length(cx, args[0]), Const.of(0))
        found = cx.branch(some, first, lambda: args[1])
        assert found is not None
        return found
    if len(args) > 1:
        return args[1]
    if items is None:
        some = cx.op("gt", iteration.length(cx, args[0]), Const.of(0))
        counts.demand(cx, some, StopIteration, "")
        return first()
    cx.fail("this raises StopIteration")


@handles(builtins.pow)
def _pow(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if len(args) == 2 and not kwargs:
        return operators.binary(cx, ast.Pow(), *args)
    return cx.constant(pow(*[cx.static(a, "an argument of pow()") for a in args]))


@handles(builtins.slice)
def _slice(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if len(args) == 1:
        args = [cx.constant(None), args[0]]
    args = [*args, *[cx.constant(None)] * (3 - len(args))]
    if all(map(cx.known, args)):
        return Val(Const.of(slice(*map(cx.value, args))))
    return Val(cx.op("slice", *map(cx.atom, args)))


@handles(builtins.bool)
def _bool(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if not args:
        return cx.constant(False)
    cond = conditions.truth(cx, args[0])
    if isinstance(cond, Const) or cond.kind == TRUE.kind:
        return Val(cond)
    if has_primitive("bool"):
        return Val(cx.op("bool", cond))
    return Val(cx.op("not", cx.op("not", cond)))
