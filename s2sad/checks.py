"""The checks before anything is compiled or run, and what each mistake is told.

In: arguments and their kinds; the SSA of the function. Out: nothing, or an `ArgumentError` about
an argument, an `OutputError` about the output, an `UnsupportedError` about shared memory::

    grad(f)(True)    f() cannot be differentiated with respect to 'x': it is a bool
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .binding import Layout, Target
from .errors import ArgumentError, OutputError, Problem, Span, UnsupportedError
from .guards import buffers, do_share, may_share
from .ir.kinds import (
    Array,
    Dict,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Tuple,
    Unknown,
    carries_derivative,
)

if TYPE_CHECKING:
    from .frontend.refs import Fetch
    from .ir.nodes import Function

__all__ = [
    "check_argument",
    "check_output",
    "header",
    "refuse_overlaps",
    "same_objects",
    "targets_of",
]


def targets_of(
    layout: Layout,
    argnums: tuple[int | str, ...],
    values: Sequence[Any],
    kinds: tuple[Kind, ...],
    skip: int,
) -> tuple[Target, ...]:
    """What is differentiated (without argnums: whatever can be).

    Raises `ArgumentError` where there is nothing to differentiate.
    """
    if argnums:
        targets = layout.targets(argnums, values, skip=skip)
        for target in targets:
            kind, value, name = kinds[target.parameter], values[target.parameter], ""
            name = repr(layout.names[target.parameter])
            if target.key is not None:
                kind, value, name = _element(kind, target.key), value[target.key], repr(target.key)
            check_argument(layout.function.__qualname__, name, kind, value)
        return targets
    found = tuple(
        Target(i) for i, kind in enumerate(kinds) if i >= skip and carries_derivative(kind)
    )
    if not found:
        raise ArgumentError(
            f"no argument of {layout.function.__qualname__}() carries a derivative: "
            "write 3.0 instead of 3, x.astype(float) for an array of integers"
        )
    return found


def _element(kind: Kind, key: int | str) -> Kind:
    if isinstance(kind, Tuple) and isinstance(key, int):
        return kind.items[key]
    assert isinstance(kind, Dict)
    return next(part for name, part in kind.items if name == key)


def check_argument(function: str, name: str, kind: Kind, value: Any) -> None:
    """Raise `ArgumentError` if an argument of this kind cannot be differentiated."""
    if carries_derivative(kind) and kind != ListOf(None):
        return
    what = f"{function}() cannot be differentiated with respect to {name}: "
    match kind:
        case Num(dtype="bool"):
            raise ArgumentError(what + "it is a bool")
        case Num():
            raise ArgumentError(
                what + f"it is an integer of NumPy's ({kind.dtype}); pass float({name[1:-1]})"
            )
        case Array(dtype="bool"):
            raise ArgumentError(what + "it is an array of bools")
        case Array():
            raise ArgumentError(
                what + f"it is an array of integers ({kind.dtype}); "
                f"pass {name[1:-1]}.astype(float)"
            )
        case Opaque(cls) if issubclass(cls, np.ndarray) and cls is not np.ndarray:
            raise ArgumentError(what + f"it is a {cls.__name__}; pass np.asarray({name[1:-1]})")
        case Opaque(cls) if cls is np.ndarray:
            raise ArgumentError(what + f"it is an array of dtype {value.dtype}")
        case Opaque():
            raise ArgumentError(what + f"it is {_a(value)}")
        case _:
            raise ArgumentError(what + f"there is no floating-point number in this {_cls(value)}")


def check_output(name: str, function: Function, has_aux: bool, holomorphic: bool = False) -> bool:
    """Raise `OutputError` unless the function returns a real scalar (and aux); with
    ``holomorphic``, a complex one.

    True where that is an array whose size is known only when it has run.
    """
    out, field = function.out, "c" if holomorphic else "f"
    if has_aux:
        if out.form != "tuple" or len(out.children) != 2:
            raise OutputError(
                f"has_aux=True is for functions that return (value, aux); "
                f"{name}() returns {_describe_output(function)}"
            )
        out = out.children[0]
    if out.form == "leaf":
        kind = function.body.yields[out.index].kind
        match kind:
            case Num(dtype) if dtype[0] == field:
                return False
            case Array(dtype, dims) if dtype[0] == field:
                if dims is not None and all(d == 1 for d in dims):
                    return False
                if dims is None or not any(d != 1 and not_one_or_zero(d) for d in dims):
                    return True
            case Mixed(dtype) if dtype[0] == field:
                return True
        if holomorphic and carries_derivative(kind):
            raise OutputError(
                f"{name}() returns {_describe_output(function, out)}; holomorphic=True is for "
                "functions that return one complex number"
            )
    elif out.form == "tuple" and not has_aux:
        raise OutputError(
            f"{name}() returns {_describe_output(function)}; a gradient needs one number: "
            "use s2sad.vjp, or has_aux=True if it returns (value, aux)"
        )
    raise OutputError(
        f"{name}() returns {_describe_output(function, out)}; a gradient needs one real number"
        + _advice(function, out)
    )


def not_one_or_zero(dim: Any) -> bool:
    """Whether a size is known to differ from one (an int, or a size that says so)."""
    return dim != 1 if isinstance(dim, int) else bool(dim.not_one)


def _describe_output(function: Function, out: Any = None) -> str:
    out = function.out if out is None else out
    if out.form == "const":
        return "None" if out.cls is None else f"{_cls(out.cls)} {out.cls!r:.40}"
    if out.form == "tuple":
        return f"a tuple of {len(out.children)}"
    if out.form == "record":
        return f"a {out.cls.__name__}"
    if out.form != "leaf":
        return f"a {out.form}"
    match function.body.yields[out.index].kind:
        case Num(dtype):
            names = {"i": "an int", "u": "an int", "b": "a bool", "c": "a complex number"}
            return names.get(dtype[0], "a number")
        case Array(dtype, dims):
            axes = "" if dims is None else f" with {len(dims)} axes" if len(dims) != 1 else ""
            return f"an array of {dtype}{axes}"
        case Opaque(cls):
            return "None" if cls is type(None) else f"a {cls.__name__}"
        case ListOf():
            return "a list"
        case Unknown():
            return "different kinds of things on different paths"
        case kind:
            return type(kind).__name__.lower()


def _advice(function: Function, out: Any) -> str:
    if out.form in ("list", "dict", "record"):
        return ": use s2sad.vjp for other outputs"
    if out.form != "leaf":
        return ""
    match function.body.yields[out.index].kind:
        case Num(dtype) if dtype[0] == "c":
            return (
                ": return its real part or its absolute value, or say holomorphic=True for the "
                "complex derivative"
            )
        case Num():
            return ": its derivative would be zero everywhere"
        case Array(dtype) if dtype[0] in "fc":
            return ": sum it up, or use s2sad.vjp for other outputs"
        case _:
            return ""


def same_objects(values: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    """Groups of parameters whose value is one and the same array or container."""
    groups: dict[int, list[int]] = {}
    for i, value in enumerate(values):
        if buffers(value):
            groups.setdefault(id(value), []).append(i)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def refuse_overlaps(
    layout: Layout,
    written: Sequence[int],
    captures: Sequence[Fetch],
    values: Sequence[Any],
    aliases: Sequence[Sequence[int]] = (),
) -> None:
    """Raise `UnsupportedError` if an argument shares memory with one that the function writes.

    The parameters of each group in ``aliases`` are one object, which the code knows.
    """
    names = layout.names
    function = layout.function.__qualname__
    again = {i for group in aliases for i in group[1:]}
    hidden = [(c.name or "a captured value", c.get(tuple(values))) for c in captures]
    for i in written:
        if _is_default(layout, names[i], values[i]):
            raise UnsupportedError(
                Problem(
                    f"{function}() writes to the default of {names[i]!r}, "
                    "which then differs at the next call",
                    header(layout),
                    f"use None for the default, and make the object inside {function}()",
                )
            )
        same = next((group for group in aliases if i in group), (i,))
        others = [(names[j], v) for j, v in enumerate(values) if j not in {*same, *again}]
        mine = buffers(values[i])
        for name, other in others + hidden:
            if _any_shared(mine, buffers(other)):
                raise UnsupportedError(
                    Problem(
                        f"{function}() writes to {names[i]!r}, which shares memory with {name!r}",
                        header(layout),
                        "pass a copy of one of them",
                    )
                )
        if any(_any_shared([a], mine[k + 1 :]) for k, a in enumerate(mine)):
            raise UnsupportedError(
                Problem(
                    f"{function}() writes to {names[i]!r}, parts of which share memory",
                    header(layout),
                    "pass copies of them",
                )
            )


def _any_shared(mine: Sequence[Any], theirs: Sequence[Any]) -> bool:
    return any(may_share(a, b) and do_share(a, b) for a in mine for b in theirs)


def header(layout: Layout) -> Span:
    """The place of the function's first line."""
    from .frontend.source import find_source

    inner = getattr(layout.function, "__s2sad_inner__", None)
    if inner is not None:
        span: Span = inner.span
        return span
    return find_source(layout.function).span()


def _is_default(layout: Layout, name: str, value: Any) -> bool:
    if name in (layout.variadic, layout.keywords) or not buffers(value):
        return False
    return layout.default(name) is value


def _cls(value: Any) -> str:
    return type(value).__name__


def _a(value: Any) -> str:
    if value is None:
        return "None"
    article = "an" if _cls(value)[0] in "aeiou" else "a"
    return f"{article} {_cls(value)}"
