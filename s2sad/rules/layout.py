"""Questions about the layout of arrays, which decides whether a reshape is a view or a copy.

In: nothing. Out: records in the registry. A function that asks has its arrays copied stride by
stride wherever the backend needs a copy, so that the answer is the one of the user's program.

    is_view(a, np.reshape(a, -1))   ->   True for a contiguous array a

Elsewhere copies keep the order of the axes, which decides the last digits of a sum.
"""

from __future__ import annotations

from .. import runtime
from ..ir.kinds import BOOL, Array, Kind
from . import kindrules as kr
from .registry import Primitive, register

register(Primitive("is_view", runtime.is_view, ("x", "y"), kr.constant(BOOL), zero=True))
register(
    Primitive(
        "copy_with_strides",
        runtime.copy_with_strides,
        ("x",),
        kr.same(),
        vjp=("g",),
        jvp="x_dot",
    )
)


def copy_in_layout(kind: Kind, asks: bool) -> str:
    """The op that copies a value so that nobody notices; ``asks``: the function asks `is_view`."""
    if not isinstance(kind, Array) or kind.rank == 0:
        return "copy"
    if asks:
        return "copy_with_strides"
    return "copy" if kind.rank == 1 else "np.copy"
