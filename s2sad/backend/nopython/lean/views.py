"""Our own code for arrays whose axes are in another order.

In: ``x.T``, ``x.shape``, ``len(x)``, and calls of ``np.transpose``, ``np.swapaxes`` and
``np.moveaxis`` with constant axes. Out: LLVM's text of them, for which Numba has functions of
NumPy to compile, with all that these call::

    np.swapaxes(x, 0, 1)   ->   the same array, with two sizes and two strides exchanged
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.imputils import impl_ret_borrowed

from .fields import read
from .own import Own

__all__ = ["ATTRIBUTES", "TABLE"]


def _is_array(kind: Any) -> bool:
    return type(kind) is types.Array


def _turned(
    context: Any, builder: Any, given: Any, kind: Any, value: Any, order: list[int]
) -> Any:
    """An array whose axes are those of another one in some order."""
    fields = read(context, builder, given, value)
    seen = fields.seen_as(
        shape=tuple(fields.shape[k] for k in order),
        strides=tuple(fields.strides[k] for k in order),
    )
    return impl_ret_borrowed(context, builder, kind, seen.value(context, builder, kind))


# -- attributes ----------------------------------------------------------------------------------


def _transposed_kind(kind: Any) -> Any:
    layout = {"C": "F", "F": "C"}.get(kind.layout, kind.layout)
    return kind.copy(layout=layout) if kind.ndim > 1 else kind


def _transposed(context: Any, builder: Any, kind: Any, value: Any, attr: str) -> Any:
    order = list(reversed(range(kind.ndim)))
    return _turned(context, builder, kind, _transposed_kind(kind), value, order)


def _shape(context: Any, builder: Any, kind: Any, value: Any, attr: str) -> Any:
    at = context.data_model_manager[kind].get_field_position("shape")
    return builder.extract_value(value, at)


#: What writes an attribute of an array down.
ATTRIBUTES = {"T": _transposed, "shape": _shape}


# -- functions -----------------------------------------------------------------------------------


def _constants(kind: Any) -> list[int] | None:
    """The whole numbers that a constant or a tuple of some stands for."""
    kinds = kind.types if isinstance(kind, types.BaseTuple) else (kind,)
    found = [getattr(t, "literal_value", None) for t in kinds]
    if any(isinstance(k, bool) or not isinstance(k, int) for k in found):
        return None
    return [k for k in found if k is not None]


def _given_order(a: Any, axes: Any = None) -> list[int] | None:
    if axes is None or isinstance(axes, types.NoneType | types.Omitted):
        return list(reversed(range(a.ndim)))
    found = _constants(axes) if isinstance(axes, types.BaseTuple) else None
    return None if found is None else _checked([k + a.ndim * (k < 0) for k in found], a.ndim)


def _swapped_order(a: Any, first: Any, second: Any) -> list[int] | None:
    both = (_constants(first) or []) + (_constants(second) or [])
    if len(both) != 2:
        return None
    i, j = both
    if not (-a.ndim <= i < a.ndim and -a.ndim <= j < a.ndim):
        return None
    order = list(range(a.ndim))
    order[i], order[j] = order[j], order[i]
    return order


def _moved_order(a: Any, source: Any, target: Any) -> list[int] | None:
    both = _constants(source) or [], _constants(target) or []
    if not both[0] or len(both[0]) != len(both[1]):
        return None
    froms, tos = ([k + a.ndim * (k < 0) for k in found] for found in both)
    if not all(0 <= k < a.ndim for k in (*froms, *tos)) or len(set(tos)) != len(tos):
        return None
    order = [k for k in range(a.ndim) if k not in froms]
    for to, source_axis in sorted(zip(tos, froms, strict=True)):
        order.insert(to, source_axis)
    return _checked(order, a.ndim)


def _checked(order: list[int], rank: int) -> list[int] | None:
    """None where axes are missing or named twice: Numba's code says so."""
    return order if sorted(order) == list(range(rank)) else None


def _by(order_of: Callable[..., list[int] | None], *names: str) -> Own:
    """A function that gives the axes of an array in another order."""

    def kind(a: Any, *axes: Any) -> Any:
        if not _is_array(a):
            return None
        order = order_of(a, *axes)
        if order is None:
            return None
        return a.copy(layout="A") if axes else _transposed_kind(a)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        order = order_of(*sig.args)
        assert order is not None
        return _turned(context, builder, sig.args[0], sig.return_type, args[0], order)

    return Own(kind, code, names, by_constants=True)


def _length_kind(a: Any) -> Any:
    return types.intp if _is_array(a) and a.ndim > 0 else None


def _length(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    at = context.data_model_manager[sig.args[0]].get_field_position("shape")
    return builder.extract_value(args[0], [at, 0])


TABLE = {
    len: Own(_length_kind, _length),
    np.transpose: _by(_given_order, "a", "axes"),
    np.swapaxes: _by(_swapped_order, "a", "axis1", "axis2"),
    np.moveaxis: _by(_moved_order, "a", "source", "destination"),
}
