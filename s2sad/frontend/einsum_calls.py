"""Calls of ``np.einsum`` with lists of subscripts, rewritten with a string.

In: references. Out: what the call returns. An odd number of arguments ends with the subscripts of
the result.

    np.einsum(a, [0, 1], b, [1, 2], [0, 2])   ->   np.einsum("ab,bc->ac", a, b)
"""

from __future__ import annotations

import string

import numpy as np

from ..ir.kinds import Array, Num
from . import iteration, primitives
from .context import Lowerer
from .handlers import handles
from .refs import Ref


@handles(np.einsum)
def _einsum(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    from ..rules.registry import primitive

    record = primitive("np.einsum")
    if args and isinstance(cx.kind(args[0]), Array | Num):
        inputs = [_subscripts(cx, ref) for ref in args[1::2]]
        text = ",".join(inputs)
        if len(args) % 2:
            text += "->" + _subscripts(cx, args[-1])
        args = [cx.constant(text), *args[: len(args) - len(args) % 2 : 2]]
    elif args:
        args = [cx.constant(cx.static(args[0], "the subscripts of np.einsum")), *args[1:]]
    return primitives.call(cx, record, args, kwargs)


def _subscripts(cx: Lowerer, ref: Ref) -> str:
    """Letters for a list of numbers; NumPy takes the first ones for the least."""
    items = iteration.static_items(cx, ref)
    if items is None:
        cx.fail("the lists of subscripts of np.einsum must be of known length")
    word = ""
    for item in items:
        value = cx.static(item, "a subscript of np.einsum")
        if value is not Ellipsis and not 0 <= value < 26:
            cx.fail("np.einsum is supported with subscripts from 0 to 25")
        word += "..." if value is Ellipsis else string.ascii_lowercase[value]
    return word
