"""The reverse of structural operations: reads, writes, containers.

In: a node whose result has an adjoint. Out: contributions to its operands. These are the
operations whose reverse is bookkeeping, not calculus; all others go through ``rules.apply``.

    y  = item x i           ->   x_bar = accumulate x_bar i y_bar
    a1 = setitem a0 i v     ->   v_bar = item a1_bar i ;  a0_bar = setitem a1_bar i 0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..analysis.distinct import repeats_nothing
from ..ir.kinds import SAVED, Array, Dict, FixedList, Kind, ListOf, Mixed, Num, Record, Tuple
from ..ir.nodes import Atom, Const, Op, Value
from ..rules.apply import cotangents
from ..rules.registry import primitive
from .adjoints import adjoint_kind, bar

if TYPE_CHECKING:
    from .adjoints import Adjoint, Env
    from .reverse import Reverse

Handler = Callable[["Reverse", Op, "Env"], None]

_STATIC = (Tuple, FixedList, Dict, Record)


def _item(rev: Reverse, node: Op, env: Env) -> None:
    (y,) = node.results
    x, i = node.args
    if x.kind == SAVED and isinstance(i, Const):
        rev.contribute(env, x, {i.value: env.pop(y)})
        return
    if isinstance(x.kind, _STATIC) and isinstance(i, Const):
        if isinstance(x.kind, Tuple | FixedList) and isinstance(i.value, slice):
            g = rev.take(env, y)
            assert g is not None
            picked = range(len(x.kind.items))[i.value]
            parts: dict[object, Adjoint] = {
                n: rev.builder.op("item", g, Const.of(k)) for k, n in enumerate(picked)
            }
            rev.contribute(env, x, parts)
            return
        key = i.value
        if isinstance(x.kind, Tuple | FixedList) and key < 0:
            key += len(x.kind.items)
        rev.contribute(env, x, {key: env.pop(y)})
        return
    g = rev.take(env, y)
    assert g is not None
    if not isinstance(x, Value):
        return
    if x in rev.active:
        _accumulate(rev, env, x, i, g)


def _accumulate(rev: Reverse, env: Env, x: Value, i: Atom, g: Atom) -> None:
    buffer = env.get(x)
    whole = rev.zero(x) if buffer is None else rev.whole(x, buffer)
    name = f"{x.name}_bar" if x.name else None
    mask = isinstance(i.kind, Array) and i.kind.dtype == "bool"
    # a mask repeats nothing: what it picks of zeros need not be read
    fn = "setitem" if mask and buffer is None and isinstance(x.kind, Array) else "accumulate"
    new = env[x] = rev.builder.op(fn, whole, i, g, name=name)
    if isinstance(new, Value):
        rev.builder.label(new, None, bar(x.hint), x)


def _attr(rev: Reverse, node: Op, env: Env) -> None:
    (y,) = node.results
    rev.contribute(env, node.args[0], {node.attrs["name"]: env.pop(y)})


def _setitem(rev: Reverse, node: Op, env: Env) -> None:
    b = rev.builder
    (after,) = node.results
    before, i, v = node.args
    g = rev.take(env, after)
    assert g is not None
    if isinstance(g, Value) and isinstance(before, Value) and isinstance(before.kind, Array):
        b.shaped_like[g] = before
    if isinstance(before.kind, Array) and isinstance(i, Const) and i.value is ...:
        if isinstance(v, Value) and isinstance(before, Value) and _is_in_place(rev, before, v):
            b.shaped_like[v] = before
        rev.contribute(env, v, rev.conform(g, v))  # nothing is left of what was there before
        return
    if _update_in_place(rev, node, env, g):
        return
    if v in rev.active:
        is_once = is_basic(i) or repeats_nothing(i, rev.definition)
        fn = "item" if is_once else "gather_written"
        rev.contribute(env, v, rev.conform(b.op(fn, g, i), v))
    if before in rev.active:
        name = f"{before.name}_bar" if isinstance(before, Value) and before.name else None
        rest = b.op("setitem", g, i, _zero_element(rev, before, i, v), name=name)
        rev.contribute(env, before, rest)


def _is_in_place(rev: Reverse, before: Value, v: Value) -> bool:
    """``v`` is ``before op w``: written over the whole of ``before``, it has its shape."""
    update = rev.definition.get(v)
    ranks = {getattr(k, "rank", None) for k in (before.kind, v.kind)}
    return (
        update is not None
        and is_elementwise(update.fn)
        and before in update.args
        and len(ranks) == 1
        and None not in ranks
    )


def _zero_element(rev: Reverse, before: Atom, i: Atom, v: Atom) -> Atom:
    """A zero of what ``v`` took the place of."""
    if isinstance(before.kind, Array | Mixed):
        return Const.of(0.0)
    if isinstance(v.kind, Num):
        return rev.zero_of(v.kind, v)
    return rev.builder.op("zeros_like", rev.builder.op("item", before, i))


def _update_in_place(rev: Reverse, node: Op, env: Env, g: Atom) -> bool:
    """``a[i] = a[i] op w``: the reverse updates the same elements of the adjoint."""
    before, i, v = node.args
    update = rev.definition.get(v) if isinstance(v, Value) else None
    if (
        update is None
        or not isinstance(before.kind, Array)
        or before not in rev.active
        or not is_basic(i)
        or not is_elementwise(update.fn)
        or rev.use_count.get(v) != 1  # type: ignore[arg-type]
        or rev.scope[node.results[0]] is not rev.scope[v]  # type: ignore[index]
    ):
        return False
    old = next(
        (
            a
            for a in update.args
            if isinstance(a, Value)
            and (read := rev.definition.get(a)) is not None
            and read.fn == "item"
            and read.args[0] is before
            and _same_index(read.args[1], i)
            and a.kind == v.kind
        ),
        None,
    )
    if old is None or update.args.count(old) > 1:  # x[i] * x[i] has two contributions
        return False
    b = rev.builder
    assert isinstance(v, Value)
    v_bar = rev.conform(b.op("item", g, i), v)
    wanted = [n for n, a in enumerate(update.args) if a in rev.active]
    parts = cotangents(b, update.fn, update.attrs, update.args, v, v_bar, wanted)
    for a, part in zip(update.args, parts, strict=True):
        if a is not old:
            rev.contribute(env, a, part)
        elif part is v_bar or part is None:
            rev.contribute(env, before, g)
        else:
            assert isinstance(before, Value)
            name = f"{before.name}_bar" if before.name else None
            rev.contribute(env, before, b.op("setitem", g, i, part, name=name))
    rev.handled.add(update)
    return True


def is_elementwise(fn: str) -> bool:
    """True for functions that work element by element on arrays."""
    return primitive(fn).partials is not None or fn in ("add", "mul", "div", "pow")


def _same_index(a: Atom, b: Atom) -> bool:
    return a is b or (
        isinstance(a, Const)
        and isinstance(b, Const)
        and type(a.value) is type(b.value)
        and is_basic(a)
        and bool(a.value == b.value)
    )


def is_basic(index: Atom) -> bool:
    """True unless an array or list (fancy or boolean index) is part of the index."""

    def basic(k: Kind, value: Any) -> bool:
        match k:
            case Array(dims=()):
                return True
            case Array() | ListOf() | FixedList() | Mixed():
                return False
            case Tuple():
                return all(basic(item, None) for item in k.items)
            case _:
                return not isinstance(value, list)

    return basic(index.kind, index.value if isinstance(index, Const) else None)


def _add_to(rev: Reverse, node: Op, env: Env) -> None:
    g = rev.take(env, node.results[0])
    assert g is not None
    for a in node.args:
        if a in rev.active:
            rev.contribute(env, a, rev.conform(g, a))


def _accumulate_reverse(rev: Reverse, node: Op, env: Env) -> None:
    g = rev.take(env, node.results[0])
    assert g is not None
    buffer, i, v = node.args
    if v in rev.active:
        rev.contribute(env, v, rev.conform(rev.builder.op("item", g, i), v))
    rev.contribute(env, buffer, g)


def _copy(rev: Reverse, node: Op, env: Env) -> None:
    rev.contribute(env, node.args[0], env.pop(node.results[0]))


def _tuple(rev: Reverse, node: Op, env: Env) -> None:
    (out,) = node.results
    g = env.pop(out)
    keys: list[Any]
    match node.fn:
        case "dict":
            keys = list(node.attrs["keys"])
        case "record" if isinstance(out.kind, Record):
            keys = [name for name, _ in out.kind.fields]
        case _:
            keys = list(range(len(node.args)))
    for key, a in zip(keys, node.args, strict=True):
        if a not in rev.active:
            continue
        if isinstance(g, dict):
            rev.contribute(env, a, g.get(key))
        elif g.kind == SAVED:
            part = Value(adjoint_kind(a.kind, rev.weak))
            b = rev.builder
            b.append(Op((part,), "item", (g, Const.of(key)), {}, b.span))
            rev.contribute(env, a, part)
        elif isinstance(g.kind, Record):
            (part,) = rev.builder.ops("attr", g, name=key)
            rev.contribute(env, a, rev.conform(part, a))
        else:
            rev.contribute(env, a, rev.conform(rev.builder.op("item", g, Const.of(key)), a))


def _append(rev: Reverse, node: Op, env: Env) -> None:
    (after,) = node.results
    before, x = node.args
    g = rev.take(env, after)
    assert g is not None
    rest, last = rev.builder.ops("pop", g, names=(f"{after.name}_bar" if after.name else None,))
    rev.contribute(env, before, rest)
    _unpack(rev, env, x, last)


def _unpack(rev: Reverse, env: Env, x: Atom, g: Atom) -> None:
    if x not in rev.active:
        return
    if isinstance(x.kind, _STATIC) and not isinstance(x.kind, Dict | Record):
        parts: dict[object, Adjoint] = {
            n: rev.builder.op("item", g, Const.of(n))
            for n, k in enumerate(x.kind.items)
            if not isinstance(k, Num) or k.dtype[0] in "fc"
        }
        rev.contribute(env, x, parts)
        return
    rev.contribute(env, x, rev.conform(g, x) if isinstance(x.kind, Num | Array) else g)


def _pop(rev: Reverse, node: Op, env: Env) -> None:
    rest, x = node.results
    before = node.args[0]
    rest_bar = rev.take(env, rest)
    if rest_bar is None:
        rest_bar = rev.zero(rest)
    x_bar = rev.take(env, x)
    if x_bar is None:
        x_bar = rev.zero(x)
    name = f"{rest.name}_bar" if rest.name else None
    if len(node.args) == 1 or isinstance(node.args[1], Const) and node.args[1].value == -1:
        back = rev.builder.op("append", rest_bar, x_bar, name=name)
    else:
        position = node.args[1]
        if not (isinstance(position, Const) and position.value >= 0):
            size = rev.builder.op("len", before)
            position = rev.builder.op("mod", position, size)
        back = rev.builder.op("insert", rest_bar, position, x_bar, name=name)
    rev.contribute(env, before, back)


def _insert(rev: Reverse, node: Op, env: Env) -> None:
    (after,) = node.results
    before, i, x = node.args
    g = rev.take(env, after)
    assert g is not None
    if not (isinstance(i, Const) and i.value >= 0):
        # list.insert clips its position
        size = rev.builder.op("len", before)
        i = rev.builder.op("insertion_point", i, size)
    rest, x_bar = rev.builder.ops("pop", g, i)
    rev.contribute(env, before, rest)
    _unpack(rev, env, x, x_bar)


def _extend(rev: Reverse, node: Op, env: Env) -> None:
    (after,) = node.results
    before, other = node.args
    g = rev.take(env, after)
    assert g is not None
    b = rev.builder
    size = b.op("len", before)
    none = Const.of(None)
    if other in rev.active:
        tail = b.op("item", g, b.op("slice", size, none, none))
        if isinstance(other.kind, Array):
            tail = b.op("np.array", tail)
        rev.contribute(env, other, tail)
    if before in rev.active:
        rev.contribute(env, before, b.op("item", g, b.op("slice", none, size, none)))


def _sum(rev: Reverse, node: Op, env: Env) -> None:
    """The cotangent of a whole sum is the same for all elements: no array is made of it."""
    (out,) = node.results
    x = node.args[0]
    if isinstance(x.kind, Array) and isinstance(out.kind, Num) and len(node.args) == 1:
        rev.contribute(env, x, rev.take(env, out))
        return
    g = rev.take(env, out)
    assert g is not None
    rev.spread(node, env, out, g)


HANDLERS: dict[str, Handler] = {
    "np.sum": _sum,
    "item": _item,
    "attr": _attr,
    "setitem": _setitem,
    "accumulate": _accumulate_reverse,
    "add_to": _add_to,
    "copy": _copy,
    "tuple": _tuple,
    "list": _tuple,
    "dict": _tuple,
    "record": _tuple,
    "append": _append,
    "pop": _pop,
    "insert": _insert,
    "extend": _extend,
}
