"""Chains of matrices: ``np.linalg.multi_dot``.

In: nothing. Out: records in the registry. Each factor's cotangent is a chain too, multiplied in
the order that costs least.

    np.linalg.multi_dot([a, b, c]):   b_bar = multi_dot([a.T, g, c.T])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, FixedList, Tuple
from ..ir.nodes import Atom, Const
from . import productkinds
from .apply import conform
from .declare import complexes, reals, rule, sample
from .linear import rank
from .registry import KindError
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(9)
_c = complexes(_r)


def multi_dot_vjp(b: Builder, g: Atom, out: Atom, arrays: Atom) -> list[Any]:
    """Each factor's cotangent is a chain too: what is left of it, g, what is right of it."""
    items = parts_of_list(b, arrays)
    first, last = rank(items[0]) == 1, rank(items[-1]) == 1
    whole = [*items]
    if first:
        whole[0] = b.text("v[None, :]", v=items[0])
        g = b.text("g[None, ...]", g=g) if isinstance(g.kind, Array) else g
    if last:
        whole[-1] = b.text("v[:, None]", v=items[-1])
        g = b.text("g[..., None]", g=g) if isinstance(g.kind, Array) else g
    if first and last:
        g = b.op("np.reshape", g, Const.of((1, 1)))
    bars = []
    for n in range(len(items)):
        left = [b.op("np.transpose", x) for x in whole[:n][::-1]]
        right = [b.op("np.transpose", x) for x in whole[n + 1 :][::-1]]
        chain = [*left, g, *right]
        # A_n+1 ... A_last, transposed and in reverse, come after g
        bar = (
            b.op("matmul", *chain)
            if len(chain) == 2
            else b.op("np.linalg.multi_dot", b.op("list", *chain))
        )
        if (first and n == 0) or (last and n == len(items) - 1):
            bar = b.op("np.ravel", bar)
        bars.append(conform(b, bar, items[n]))
    return [b.op("list" if isinstance(arrays.kind, FixedList) else "tuple", *bars)]


def multi_dot_jvp(b: Builder, dots: Sequence[Atom], out: Atom, arrays: Atom) -> Atom | None:
    items, tangents = parts_of_list(b, arrays), parts_of_list(b, dots[0])
    terms = []
    for n, t in enumerate(tangents):
        chain = [*items[:n], t, *items[n + 1 :]]
        terms.append(b.op("np.linalg.multi_dot", b.op("list", *chain)))
    return total(b, terms)


def parts_of_list(b: Builder, arrays: Atom) -> list[Atom]:
    """The elements of a list or tuple of known length."""
    if not isinstance(arrays.kind, FixedList | Tuple):
        raise KindError("the number of arrays is not known here")
    node = b.origin(arrays)
    if node is not None and node.fn in ("list", "tuple"):
        return list(node.args)
    return [b.op("item", arrays, Const.of(n)) for n in range(len(arrays.kind.items))]


rule(
    np.linalg.multi_dot,
    "arrays",
    name="np.linalg.multi_dot",
    kind=productkinds.multi_dot_kind,
    vjp=multi_dot_vjp,
    jvp=multi_dot_jvp,
    samples=[
        sample([_r(2, 3), _r(3, 4)]),
        sample([_r(2, 3), _r(3, 4), _r(4, 2)]),
        sample([_r(3), _r(3, 4), _r(4, 2)]),
        sample([_r(2, 3), _r(3, 4), _r(4)]),
        sample([_r(3), _r(3, 4), _r(4, 2), _r(2)]),
        sample([_r(3), _r(3)]),
        sample((_r(2, 3), _r(3, 4), _r(4, 2))),
        sample([_c(2, 3), _c(3, 4), _r(4, 2)]),
        sample([_r(2, 3).astype("float32"), _r(3, 4).astype("float32")]),
    ],
)
