"""Sums in any order, and choices of two numbers, for Numba.

In: nothing; `install` is called once. Out: Numba knows `plus`, which is an addition that LLVM may
do in another order: a loop of these becomes vector code, where a chain of additions would have to
wait for each. NumPy's sums are made of them, since NumPy promises no order; what the program's own
loops add up keeps its order::

    for i in range(n): total = plus(total, x[i])   ->   four sums at once, added up in the end

`chosen` takes one of two numbers that are both there, without a branch.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from ...runtime import chosen, plus
from .written import declare, written

__all__ = ["install"]


@intrinsic  # type: ignore[untyped-decorator]
def _in_any_order(typing: Any, total: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fadd(*args, flags=("reassoc",))

    return types.float64(types.float64, types.float64), generate


def _plus(total: Any, x: Any) -> Any:
    if isinstance(total, types.Float) and isinstance(x, types.Float):
        return written("def impl(total, x): return add(total, x)", add=_in_any_order)
    return lambda total, x: total + x


def _chosen(condition: Any, then: Any, otherwise: Any) -> Any:
    return lambda condition, then, otherwise: then if condition else otherwise


def install() -> None:
    """Tell Numba what `plus` and `chosen` mean."""
    declare({plus: _plus, chosen: _chosen})
