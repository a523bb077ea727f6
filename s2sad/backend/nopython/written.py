"""What overloads are made of: code written for the types at hand.

In: texts and Numba's types. Out: functions that Numba compiles::

    written("def impl(x): return x + 1")   ->   a function
    axes_of(Literal[int](-1), 3)           ->   (2,)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

__all__ = [
    "axes_of",
    "compiled",
    "declare",
    "dtype_text",
    "is_list",
    "is_none",
    "is_true",
    "present",
    "written",
]


def written(text: str, **scope: Any) -> Any:
    """The function ``impl`` of a text written for the types at hand."""
    scope.setdefault("np", np)
    exec(compile(text, "<s2sad nopython>", "exec"), scope)
    return scope["impl"]


def declare(
    table: Mapping[Any, Callable[..., Any]], *, of_none: bool = False, **options: Any
) -> None:
    """Tell Numba what functions mean: each has one that maps types to code, or to None.

    Of a value that may be None, as one that only some branches assign, they see the type that it
    has otherwise, and a None where it runs raises TypeError; ``of_none`` is for those that have an
    answer to None.
    """
    for f, by_types in table.items():
        seen = by_types if of_none else _of_what_is_there(f, by_types)
        overload(f, **options)(_bare(seen))


def compiled(f: Any) -> Any:
    """``f``, compiled when it is first compiled into other code."""
    from .lean.pipeline import within  # which knows reductions, which are written by types

    return njit(error_model="numpy", **within())(f)


@intrinsic  # type: ignore[untyped-decorator]
def present(context: Any, x: Any) -> Any:
    """In compiled code: what may be None by its type, and is not; else TypeError."""
    kind = x.type if isinstance(x, types.Optional) else x

    def same(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        context.nrt.incref(builder, kind, args[0])
        return args[0]

    return kind(kind), same  # the call casts its argument, which raises


def is_list(t: Any) -> bool:
    return isinstance(t, types.List | types.ListType)


def _of_what_is_there(f: Any, by_types: Callable[..., Any]) -> Callable[..., Any]:
    """``by_types``, or a call of ``f`` itself where an argument may be None by its type."""
    plain = inspect.signature(by_types)

    @functools.wraps(by_types)
    def made(*given: Any, **named: Any) -> Any:
        kinds = plain.bind(*given, **named).arguments
        unsure = {name for name, kind in kinds.items() if isinstance(kind, types.Optional)}
        if not unsure:
            return by_types(*given, **named)
        taken = ", ".join(
            str(p.replace(annotation=p.empty)).removeprefix("*") for p in plain.parameters.values()
        )
        passed = ", ".join(
            f"present({name})" if name in unsure else name for name in plain.parameters
        )
        return written(f"def impl({taken}): return f({passed})", f=f, present=present)

    return made


def _bare(by_types: Callable[..., Any]) -> Callable[..., Any]:
    """The same without annotations: Numba compares signatures to the letter."""

    @functools.wraps(by_types)
    def made(*given: Any, **named: Any) -> Any:
        impl = by_types(*given, **named)
        if impl is not None:
            impl.__annotations__ = {}
        return impl

    plain = inspect.signature(by_types)
    empty = inspect.Parameter.empty
    made.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(annotation=empty) for p in plain.parameters.values()]
    )
    made.__annotations__ = {}
    return made


def is_none(t: Any) -> bool:
    """Whether an argument is None, or left out with None as its default."""
    return (
        t is None
        or isinstance(t, types.NoneType)
        or (isinstance(t, types.Omitted) and t.value is None)
    )


def is_true(t: Any) -> bool | None:
    """What a constant flag is; None where it is known only at run time."""
    if isinstance(t, types.Omitted):
        t = t.value
    if isinstance(t, bool):
        return t
    value = getattr(t, "literal_value", None)
    return value if isinstance(value, bool) else None


def axes_of(axis: Any, rank: int) -> tuple[int, ...] | None:
    """The axes a constant stands for, all for None; None where they are not known or wrong."""
    if is_none(axis):
        return tuple(range(rank))
    if isinstance(axis, types.Omitted):
        axis = axis.value
    items = axis.types if isinstance(axis, types.BaseTuple) else (axis,)
    found = []
    for item in items:
        value = item if isinstance(item, int) else getattr(item, "literal_value", None)
        if not isinstance(value, int) or not -rank <= value < rank:
            return None
        found.append(value % rank)
    return tuple(sorted(found)) if len(set(found)) == len(found) else None


def dtype_text(dtype: Any) -> str:
    """How a dtype of Numba's is written."""
    return "np.bool_" if isinstance(dtype, types.Boolean) else f"np.{dtype}"
