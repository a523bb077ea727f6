"""Builtins that act on references: ``len``, ``range``, ``zip``, ``isinstance``, ``sorted`` ...

In: references. Out: references. What acts on values (``abs``, ``float``) is in the registry.

    len((a, b))   ->   2          isinstance(x, float)   ->   True, by x's kind
"""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..ir.kinds import (
    Array,
    FixedList,
    ListOf,
    Num,
)
from ..ir.nodes import FALSE, TRUE, Atom, Const
from ..rules.registry import has_primitive
from . import (
    attributes,
    comprehensions,
    conditions,
    indexing,
    iteration,
    lower_calls,
    lower_expr,
    operators,
    primitives,
)
from .context import Lowerer
from .describe import describe_ref
from .refs import (
    ArrayRef,
    BoundRef,
    Choice,
    Consumed,
    Entries,
    Fields,
    FuncRef,
    HeapRef,
    Items,
    IterRef,
    PartialRef,
    Ref,
    Root,
    Static,
    TupleRef,
    Val,
)

Handler: TypeAlias = Callable[[Lowerer, list[Ref], dict[str, Ref]], Ref]
_handlers: dict[Any, Handler] = {}


def handles(*objects: Any) -> Callable[[Handler], Handler]:
    def enter(h: Handler) -> Handler:
        for obj in objects:
            _handlers[obj] = h
        return h

    return enter


def handler(obj: Any) -> Handler | None:
    """The function that lowers calls of ``obj``, if there is one."""
    try:
        return _handlers.get(obj)
    except TypeError:
        return None


def lazy(cx: Lowerer, func: Ref, node: ast.Call) -> Ref | None:
    """Calls whose arguments must not be evaluated as usual."""
    return None


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
    kwargs.pop("strict", None)
    return _one_shot(cx, "zip", tuple(args))


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
        return cx.new(Items(()))
    return comprehensions.to_list(cx, args[0])


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
    return cx.new(Items(tuple(map(cx.constant, found))))


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
    return cx.new(Entries(found))


@handles(builtins.isinstance)
def _isinstance(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    classes = cx.static(args[1], "the class of isinstance()")
    answer = is_instance(cx, args[0], classes)
    if answer is None:
        cx.fail(
            f"what {describe_ref(args[0])} is an instance of cannot be told here",
            "give it one kind on every path",
        )
    return cx.constant(answer)


def is_instance(cx: Lowerer, ref: Ref, classes: Any) -> bool | None:
    """``isinstance``, by the kind; None where it depends."""
    from .context import python_type

    if isinstance(ref, Static):
        return isinstance(ref.obj, classes)
    if isinstance(ref, FuncRef | PartialRef | BoundRef | Choice):
        return isinstance(is_instance, classes)
    if isinstance(ref, Val) and isinstance(ref.atom, Const):
        return isinstance(ref.atom.value, classes)
    if isinstance(ref, HeapRef):
        content = cx.content(ref)
        if isinstance(content, Fields):
            return issubclass(content.cls, classes)
    cls = python_type(cx.kind(ref))
    if cls is None:
        kind = cx.kind(ref)
        if isinstance(kind, Num):  # Python's or NumPy's: both may agree
            import numpy as np

            a = python_type(Num(kind.dtype, True)) if kind.dtype in _WEAK else None
            b = np.dtype(kind.dtype).type
            if a is not None and issubclass(a, classes) == issubclass(b, classes):
                return issubclass(a, classes)
        return None
    return issubclass(cls, classes)


_WEAK = {"bool", "int64", "float64", "complex128"}


@handles(builtins.issubclass)
def _issubclass(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return cx.constant(issubclass(cx.static(args[0], "a class"), cx.static(args[1], "a class")))


@handles(builtins.callable)
def _callable(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return cx.constant(lower_expr.is_callable(args[0]) or isinstance(args[0], BoundRef))


@handles(builtins.type)
def _type(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    from .context import python_type

    if isinstance(args[0], Static):
        return Static(type(args[0].obj))
    cls = python_type(cx.kind(args[0]))
    if cls is None:
        cx.fail(f"the type of {describe_ref(args[0])} cannot be told here")
    return Static(cls)


@handles(builtins.hasattr)
def _hasattr(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    from .context import python_type

    name = cx.static(args[1], "the name")
    ref = args[0]
    if isinstance(ref, Static):
        return cx.constant(hasattr(ref.obj, name))
    if isinstance(ref, HeapRef):
        content = cx.content(ref)
        if isinstance(content, Fields):
            return cx.constant(name in content.items or hasattr(content.cls, name))
    cls = python_type(cx.kind(ref))
    if cls is None:
        cx.fail(f"what {describe_ref(ref)} has cannot be told here")
    return cx.constant(hasattr(cls, name))


@handles(builtins.getattr)
def _getattr(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    name = cx.static(args[1], "the name")
    if len(args) > 2:
        has = _hasattr(cx, args[:2], {})
        if not cx.value(has):
            return args[2]
    return attributes.attribute(cx, args[0], name)


@handles(builtins.setattr)
def _setattr(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    attributes.set_attribute(cx, args[0], cx.static(args[1], "the name"), args[2])
    return cx.constant(None)


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


def _extreme(name: str) -> Handler:
    better = "lt" if name == "min" else "gt"

    def run(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
        key = kwargs.get("key")
        default = kwargs.get("default")
        if len(args) == 1:
            items = iteration.static_items(cx, args[0])
            if items is None:
                ref = args[0]
                if isinstance(ref, IterRef):
                    ref = comprehensions.to_list(cx, ref)
                if key is not None:
                    cx.fail(f"{name}(key=...) of a list of unknown length is not supported")
                if default is not None:
                    cx.fail(f"{name}(default=...) of a list of unknown length is not supported")
                return cx.ref(cx.op(name, cx.atom(ref)))
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


@handles(builtins.sorted)
def _sorted(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    items = iteration.static_items(cx, args[0])
    if items is not None and all(map(cx.known, items)) and not kwargs:
        return cx.new(Items(tuple(map(cx.constant, sorted(map(cx.value, items))))))
    if "key" in kwargs and not (cx.known(kwargs["key"]) and cx.value(kwargs["key"]) is None):
        cx.fail("sorted(key=...) is not supported", "use np.argsort and index with it")
    ref = comprehensions.to_list(cx, args[0]) if items is None else cx.new(Items(tuple(items)))
    if not has_primitive("sorted"):
        cx.fail("sorted() of values computed at run time is not supported", "use np.sort")
    attrs = {}
    if "reverse" in kwargs:
        attrs["reverse"] = cx.static(kwargs["reverse"], "the 'reverse' of sorted")
    return cx.ref(cx.op("sorted", cx.atom(ref), **attrs))


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
@handles(builtins.next)
def _refused(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    cx.fail("this builtin has no derivative", "compute what it gives outside, and pass it in")


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


@handles(functools.partial)
def _partial(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return PartialRef(args[0], tuple(args[1:]), kwargs)


@handles(functools.reduce)
def _reduce(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func, ref = args[0], args[1]
    items = iteration.static_items(cx, ref)
    if items is None:
        first, rest = (args[2], ref) if len(args) > 2 else iteration.split_first(cx, ref)
        return comprehensions.fold(
            cx, rest, first, lambda total, x: lower_calls.apply(cx, func, [total, x], {})
        )
    if len(args) > 2:
        items = [args[2], *items]
    if not items:
        cx.fail("reduce() of nothing")
    total = items[0]
    for item in items[1:]:
        total = lower_calls.apply(cx, func, [total, item], {})
    return total


@handles(itertools.product)
def _product(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    repeat = cx.static(kwargs["repeat"], "the 'repeat'") if "repeat" in kwargs else 1
    parts = [_known_items(cx, a, "itertools.product") for a in args] * repeat
    rows = [TupleRef(tuple(row)) for row in itertools.product(*parts)]
    return cx.new(Items(tuple(rows)))


@handles(itertools.chain)
def _chain(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    rows = [r for a in args for r in _known_items(cx, a, "itertools.chain")]
    return cx.new(Items(tuple(rows)))


@handles(itertools.combinations)
def _combinations(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    items = _known_items(cx, args[0], "itertools.combinations")
    size = cx.static(args[1], "the size of the combinations")
    rows = [TupleRef(tuple(row)) for row in itertools.combinations(items, size)]
    return cx.new(Items(tuple(rows)))


@handles(itertools.accumulate)
def _accumulate(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func = args[1] if len(args) > 1 else kwargs.get("func")
    if "initial" in kwargs:
        cx.fail("accumulate(initial=...) is not supported", "write it as a loop")

    def combine(a: Ref, b: Ref) -> Ref:
        if func is None:
            return operators.operate(cx, "add", operator.add, a, b)
        return lower_calls.apply(cx, func, [a, b], {})

    items = iteration.static_items(cx, args[0])
    if items is not None:
        found: list[Ref] = []
        for item in items:
            found.append(combine(found[-1], item) if found else item)
        return cx.new(Items(tuple(found)))
    first, rest = iteration.split_first(cx, args[0])
    result = cx.new(Items((first,)))

    def step(total: Ref, x: Ref) -> Ref:
        new = combine(total, x)
        lower_calls.method(cx, result, "append", [new], {})
        return new

    comprehensions.fold(cx, rest, first, step)
    return result


def _known_items(cx: Lowerer, ref: Ref, what: str) -> list[Ref]:
    items = iteration.static_items(cx, ref)
    if items is None:
        cx.fail(f"{what} needs data whose length is known when the derivative is built")
    return items


_OPERATORS = {
    operator.add: ast.Add, operator.sub: ast.Sub, operator.mul: ast.Mult,
    operator.truediv: ast.Div, operator.floordiv: ast.FloorDiv, operator.mod: ast.Mod,
    operator.pow: ast.Pow, operator.matmul: ast.MatMult,
}  # fmt: skip
_COMPARISONS = {
    operator.lt: ast.Lt, operator.le: ast.LtE, operator.gt: ast.Gt, operator.ge: ast.GtE,
    operator.eq: ast.Eq, operator.ne: ast.NotEq, operator.is_: ast.Is, operator.is_not: ast.IsNot,
}  # fmt: skip


def _operator(op: type[ast.operator]) -> Handler:
    return lambda cx, args, kwargs: operators.binary(cx, op(), args[0], args[1])


def _comparison(op: type[ast.cmpop]) -> Handler:
    return lambda cx, args, kwargs: conditions.compare_two(cx, op(), args[0], args[1])


for _f, _op in _OPERATORS.items():
    _handlers[_f] = _operator(_op)
for _f, _cmp in _COMPARISONS.items():
    _handlers[_f] = _comparison(_cmp)
_handlers[operator.getitem] = lambda cx, args, kwargs: indexing.item(cx, args[0], args[1])
_handlers[operator.neg] = lambda cx, args, kwargs: cx.ref(cx.op("neg", cx.atom(args[0])))


@handles(operator.itemgetter, operator.attrgetter)
def _getter(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    cx.fail("operator.itemgetter and attrgetter are not supported", "write a lambda")


@handles(np.fill_diagonal)
def _fill_diagonal(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    kind = cx.kind(args[0])
    if kwargs or not (
        isinstance(args[0], ArrayRef) and isinstance(kind, Array) and kind.rank == 2
    ):
        cx.fail("np.fill_diagonal is supported for matrices, without 'wrap'")
    size = cx.op("min", *[cx.atom(r) for r in iteration.parts(attributes.shape(cx, args[0]))])
    index = cx.ref(cx.op("np.arange", size))
    indexing.set_item(cx, args[0], TupleRef((index, index)), args[1])
    return cx.constant(None)


@handles(np.copyto)
def _copyto(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if kwargs or not isinstance(args[0], ArrayRef):
        cx.fail("np.copyto is supported with two arrays only", "write a[...] = b")
    indexing.set_item(cx, args[0], cx.constant(...), args[1])
    return cx.constant(None)


@handles(np.shape)
def _shape(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return attributes.shape(cx, args[0])


@handles(np.ndim)
def _ndim(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    kind = cx.kind(args[0])
    if isinstance(kind, Num):
        return cx.constant(0)
    return attributes.attribute(cx, args[0], "ndim")


@handles(np.size)
def _size(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if isinstance(cx.kind(args[0]), Num):
        return cx.constant(1)
    if len(args) == 1 and not kwargs and isinstance(args[0], ArrayRef):
        return attributes.size(cx, args[0])
    from ..rules.registry import primitive

    return primitives.call(cx, primitive("np.size"), args, kwargs)
