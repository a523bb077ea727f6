"""Directions: tangents that a program gives to a derivative it calls.

In: the references of the arguments of ``hvp(f)(*args, v)`` or ``jvp(f, primals, tangents)``. Out:
the same arguments with each tangent under the name of its parameter, as the derivative's layout
has it.

    hvp(f)(x, k, v)   ->   x, k, x_dot=v
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.kinds import NONE, Num
from ..ir.nodes import Const
from .contents import Items
from .context import Lowerer
from .handlers import handles
from .refs import HeapRef, PartialRef, Ref, Static, TupleRef, Val

__all__ = ["directed", "is_jvp", "jvp", "linearize"]

_NOTHING = Val(Const.of(None))


def is_jvp(obj: Any) -> bool:
    """Whether ``obj`` is ``jvp``, which takes arguments and tangents as tuples."""
    return hasattr(obj, "__s2sad_directional__")


def jvp(cx: Lowerer, func: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """``jvp(f, primals, tangents)``."""
    from . import derivatives

    given = dict(zip(("f", "primals", "tangents"), args, strict=False)) | dict(kwargs)
    has_aux = given.pop("has_aux", Static(False))
    if set(given) != {"f", "primals", "tangents"} or len(args) > 3:
        cx.fail("jvp takes a function, its arguments and their tangents, both as tuples")
    primals, tangents = (_items(cx, given[name], name) for name in ("primals", "tangents"))
    if len(primals) != len(tangents):
        cx.fail(f"jvp with {len(primals)} arguments and {len(tangents)} tangents")
    pairs = enumerate(zip(primals, tangents, strict=True))
    chosen = tuple(n for n, (x, t) in pairs if not _is_nothing(cx, x, t))
    if not chosen:
        cx.fail("jvp without a tangent", "call the function itself")
    made = derivatives.made(
        cx, func.__s2sad_directional__, [given["f"], Static(chosen), has_aux], {}
    )
    moved = [tangents[n] for n in chosen]
    return derivatives.called(cx, made, primals, _named(made, moved, len(primals)))


def linearize(cx: Lowerer, func: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """``linearize(f, *primals)``: the value, and the tangent there as a linear function."""
    from . import inner, lower_calls

    if not args or kwargs:
        cx.fail("linearize takes a function and its arguments, by position")
    f, *primals = args
    out = lower_calls.apply(cx, f, [inner.opened(cx, p, None) for p in primals], {})
    point = TupleRef(tuple(inner.opened(cx, p, None) for p in primals))
    return TupleRef((out, PartialRef(Static(_along), (Static(func), f, point))))


def _along() -> None:  # pragma: no cover - stands for calls of what linearize returns
    raise NotImplementedError


@handles(_along)
def _linear(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func, f, point, *tangents = args
    assert isinstance(func, Static)
    both = jvp(cx, func.obj.__s2sad_linearizes__, [f, point, TupleRef(tuple(tangents))], {})
    assert isinstance(both, TupleRef)
    return both.items[1]


def directed(
    cx: Lowerer, derivative: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> tuple[Sequence[Ref], Mapping[str, Ref]]:
    """The arguments of a call of a derivative object, with its direction taken apart."""
    names = getattr(derivative, "__s2sad_directions__", ())
    if not names:
        return args, kwargs
    if not args:
        cx.fail(f"{derivative!r} takes a direction as its last argument")
    *given, direction = args
    parts = [direction]
    if derivative.transform.many:
        parts = list(_items(cx, direction, "direction"))
    if len(parts) != len(derivative.__s2sad_targets__):
        cx.fail(f"{len(parts)} tangents for {len(derivative.__s2sad_targets__)} arguments")
    return given, {**kwargs, **_named(derivative, parts, len(given))}


def _named(derivative: Any, parts: Sequence[Ref], count: int) -> dict[str, Ref]:
    """Tangents by the names of their parameters; those of ``*args`` are one tuple.

    ``count`` is how many arguments are passed by position.
    """
    layout = derivative.__s2sad_layout__
    first = len(layout.positional) - len(layout.bound_args)
    found: dict[int, Ref] = {}
    for target, part in zip(derivative.__s2sad_targets__, parts, strict=True):
        if target.key is None:
            found[target.parameter] = part
            continue
        before = found.get(target.parameter)
        items = list(before.items) if isinstance(before, TupleRef) else []
        items += [_NOTHING] * (count - first - len(items))
        items[target.key] = part
        found[target.parameter] = TupleRef(tuple(items))
    return dict(zip(derivative.__s2sad_directions__, found.values(), strict=True))


def _items(cx: Lowerer, ref: Ref, what: str) -> tuple[Ref, ...]:
    if isinstance(ref, TupleRef):
        return tuple(ref.items)
    if isinstance(ref, HeapRef) and isinstance(content := cx.content(ref), Items):
        return tuple(content.items)
    cx.fail(f"the {what} must be a tuple, one for each argument")


def _is_nothing(cx: Lowerer, x: Ref, t: Ref) -> bool:
    """No tangent: None, or 0 for an int that stays one."""
    if cx.kind(t) == NONE:
        return True
    kind = cx.kind(x)
    whole = isinstance(kind, Num) and kind.dtype[0] in "biu"
    return whole and cx.known(t) and not cx.value(t)
