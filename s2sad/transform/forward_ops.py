"""The tangents of structural operations: reads, writes, containers.

In: a node one of whose operands has a tangent. Out: the tangents of its results, which is
bookkeeping, not calculus: what happens to the values happens to their tangents. A handler gives
False where a rule does it better.

    y  = item x i           ->   y_dot = item x_dot i
    a1 = setitem a0 i v     ->   a1_dot = setitem a0_dot i v_dot
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..ir.kinds import SAVED, Array, FixedList, Mixed, Num, Tuple, carries_derivative
from ..ir.nodes import Atom, Const, Op, Value
from ..rules.apply import spread
from .adjoints import parts_of
from .forward_values import STATIC, Env, Tangent, tangent_kind, whole

if TYPE_CHECKING:
    from .forward import Forward

Handler = Callable[["Forward", Op, Env], bool]


def _key(x: Atom, i: Atom) -> Any:
    """The key of the one part of ``x`` that ``i`` means; None if it is not one known part."""
    if not isinstance(x.kind, STATIC) or not isinstance(i, Const) or isinstance(i.value, slice):
        return None
    if isinstance(x.kind, Tuple | FixedList):
        return range(len(x.kind.items))[i.value]
    return i.value


def _parts(run: Forward, env: Env, x: Atom) -> dict[object, Tangent] | None:
    """The tangents of the parts of ``x`` where they are held apart; None where they are not."""
    t = run.get(env, x)
    if t is None and isinstance(x.kind, STATIC):
        return {}
    return t if isinstance(t, dict) else None


def _item(run: Forward, node: Op, env: Env) -> bool:
    (y,) = node.results
    x, i = node.args
    t = run.get(env, x)
    if t is None:
        return True
    b = run.builder
    if isinstance(t, dict):
        key = _key(x, i)
        if key is not None:
            run.set(env, y, t.get(key))
            return True
        t = whole(b, x, t)
    if x.kind == SAVED:
        result = Value(tangent_kind(y.kind, run.weak))
        b.append(Op((result,), "item", (t, i), {}, b.span))
        run.set(env, y, result)
        return True
    run.set(env, y, b.op("item", t, i))
    return True


def _attr(run: Forward, node: Op, env: Env) -> bool:
    (y,) = node.results
    t = run.get(env, node.args[0])
    name = node.attrs["name"]
    if isinstance(t, dict):
        run.set(env, y, t.get(name))
    elif t is not None:
        run.set(env, y, run.builder.ops("attr", t, name=name)[0])
    return True


def _setitem(run: Forward, node: Op, env: Env) -> bool:
    (after,) = node.results
    before, i, v = node.args
    b = run.builder
    key = _key(before, i)
    parts = _parts(run, env, before)
    if key is not None and parts is not None:
        new = {k: t for k, t in parts.items() if k != key}
        if (t := run.get(env, v)) is not None:
            new[key] = t
        run.set(env, after, new)
        return True
    v_dot = run.get(env, v)
    if v_dot is None and isinstance(before.kind, Array | Mixed):
        part: Atom = Const.of(0.0)
    else:
        part = whole(b, v, v_dot)
    run.set(env, after, b.op("setitem", run.whole(env, before), i, part))
    return True


def _accumulate(run: Forward, node: Op, env: Env) -> bool:
    buffer, i, g = node.args
    g_dot = run.get(env, g)
    if g_dot is None:
        run.set(env, node.results[0], run.get(env, buffer))
        return True
    b = run.builder
    t = b.op("accumulate", run.whole(env, buffer), i, whole(b, g, g_dot))
    run.set(env, node.results[0], t)
    return True


def _add_to(run: Forward, node: Op, env: Env) -> bool:
    (out,) = node.results
    buffer, g = node.args
    b = run.builder
    dots = [whole(b, a, t) for a in (buffer, g) if (t := run.get(env, a)) is not None]
    total = dots[0] if len(dots) == 1 else b.op("add_to", *dots)
    run.set(env, out, spread(b, total, out))
    return True


def _copy(run: Forward, node: Op, env: Env) -> bool:
    if isinstance(node.results[0].kind, Array) != isinstance(node.args[0].kind, Array):
        return False  # an array made of a list
    t = run.get(env, node.args[0])
    if isinstance(t, Value) and isinstance(t.kind, Array):
        t = run.builder.op("copy", t)
    run.set(env, node.results[0], t)
    return True


def _pack(run: Forward, node: Op, env: Env) -> bool:
    (out,) = node.results
    if out.kind == SAVED:
        b = run.builder
        packed = Value(SAVED, None)
        b.append(Op((packed,), "tuple", tuple(_saved(run, env, a) for a in node.args), {}, b.span))
        run.set(env, out, packed)
        return True
    if not isinstance(out.kind, STATIC):
        return False
    keys: list[Any] = [key for key, _ in parts_of(out.kind)]
    if len(keys) != len(node.args):
        return False
    found = {k: t for k, a in zip(keys, node.args, strict=True) if (t := run.get(env, a))}
    run.set(env, out, found)
    return True


def _saved(run: Forward, env: Env, a: Atom) -> Atom:
    """What stands for ``a`` in the tangent of what is saved."""
    return run.whole(env, a) if carries_derivative(a.kind) else Const.of(None)


def _append(run: Forward, node: Op, env: Env) -> bool:
    (after,) = node.results
    before, x = node.args
    parts = _parts(run, env, before)
    if isinstance(before.kind, FixedList) and isinstance(after.kind, FixedList):
        if parts is not None:
            new = dict(parts)
            if (t := run.get(env, x)) is not None:
                new[len(before.kind.items)] = t
            run.set(env, after, new)
            return True
    run.set(env, after, run.builder.op("append", run.whole(env, before), run.whole(env, x)))
    return True


def _pop(run: Forward, node: Op, env: Env) -> bool:
    rest, x = node.results
    before, *position = node.args
    t = run.get(env, before)
    if isinstance(t, dict) and isinstance(rest.kind, FixedList):
        assert isinstance(before.kind, FixedList)
        order: list[Any] = list(range(len(before.kind.items)))
        at = position[0].value if position and isinstance(position[0], Const) else -1
        gone = order.pop(at)
        run.set(env, x, t.get(gone))
        run.set(env, rest, {n: t[k] for n, k in enumerate(order) if k in t})
        return True
    b = run.builder
    rest_dot, x_dot = b.ops("pop", run.whole(env, before), *position)
    run.set(env, rest, rest_dot)
    run.set(env, x, x_dot)
    return True


def _insert(run: Forward, node: Op, env: Env) -> bool:
    before, i, x = node.args
    new = run.builder.op("insert", run.whole(env, before), i, run.whole(env, x))
    run.set(env, node.results[0], new)
    return True


def _extend(run: Forward, node: Op, env: Env) -> bool:
    before, other = node.args
    new = run.builder.op("extend", run.whole(env, before), run.whole(env, other))
    run.set(env, node.results[0], new)
    return True


def _joined(run: Forward, node: Op, env: Env) -> bool:
    """``a + b`` of lists and tuples."""
    if isinstance(node.results[0].kind, Num | Array | Mixed):
        return False
    x, y = (run.whole(env, a) for a in node.args)
    run.set(env, node.results[0], run.builder.op("add", x, y))
    return True


HANDLERS: dict[str, Handler] = {
    "item": _item,
    "attr": _attr,
    "setitem": _setitem,
    "accumulate": _accumulate,
    "add_to": _add_to,
    "copy": _copy,
    "np.copy": _copy,
    "copy_with_strides": _copy,
    "tuple": _pack,
    "list": _pack,
    "dict": _pack,
    "record": _pack,
    "append": _append,
    "pop": _pop,
    "insert": _insert,
    "extend": _extend,
    "add": _joined,
}

__all__ = ["HANDLERS"]
