"""Products of small matrices, in loops of the program.

In: a module that is about to be written out. Out: the same module, in which a helper multiplies
vectors and matrices inside loops, small ones in loops of its own; `install` tells Numba::

    for t in range(n):                for t in range(n):
        mean = a @ mean         ->        mean = product(a, mean)

``a @ b`` hands every product to BLAS, and to get there takes as long as a product of two matrices
of eight by eight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numba import types

from ... import runtime
from ...ir.kinds import Array
from ...ir.mapping import Mapper
from ...ir.nodes import Atom, For, Function, Module, Node, Op, While
from .written import declare, written

__all__ = ["install", "small_products"]

#: Up to how many multiplications loops are faster than the way to BLAS: of two matrices, of a
#: matrix and a vector, of two vectors.
_FEW = {(2, 2): 256, (2, 1): 48, (1, 2): 48, (1, 1): 32}


def small_products(module: Module) -> Module:
    """The module with such products by another name."""
    functions = {
        name: replace(f, body=_Products(f, f is not module.entry).region(f.body))
        for name, f in module.functions.items()
    }
    return Module(functions)


class _Products(Mapper):
    """Functions that others call count as inside a loop: they are what recursion runs."""

    def __init__(self, f: Function, in_loop: bool) -> None:
        super().__init__()
        self.loops = int(in_loop)

    def loop(self, node: For | While) -> Sequence[Node]:
        self.loops += 1
        made = super().loop(node)
        self.loops -= 1
        return made

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        if self.loops and new.fn == "matmul" and all(map(_is_known, new.args)):
            return [replace(new, fn="product")]
        return [new]


def _is_known(a: Atom) -> bool:
    return isinstance(a.kind, Array) and a.kind.dtype == "float64" and a.kind.rank in (1, 2)


# -- for Numba -----------------------------------------------------------------------------------


def _product(a: Any, b: Any) -> Any:
    if not isinstance(a, types.Array) or not isinstance(b, types.Array):
        return None
    few = _FEW.get((a.ndim, b.ndim))
    if few is None or a.dtype != b.dtype or not isinstance(a.dtype, types.Float):
        return written("def impl(a, b): return a @ b")
    return written(
        "def impl(a, b):\n"
        f"    n = {_SHARED[a.ndim, b.ndim]}\n"
        "    if n != b.shape[0]:\n"
        '        raise ValueError("matmul: shapes do not fit")\n'
        f"    if a.size * {_OTHER[a.ndim, b.ndim]} > {few}:\n"
        "        return a @ b\n" + _LOOPS[a.ndim, b.ndim],
    )


_SHARED = {(2, 2): "a.shape[1]", (2, 1): "a.shape[1]", (1, 2): "a.shape[0]", (1, 1): "a.shape[0]"}
_OTHER = {(2, 2): "b.shape[1]", (2, 1): "1", (1, 2): "b.shape[1]", (1, 1): "1"}
_LOOPS = {
    (2, 2): (
        "    out = np.zeros((a.shape[0], b.shape[1]), a.dtype)\n"
        "    for i in range(a.shape[0]):\n"
        "        for k in range(n):\n"
        "            for j in range(b.shape[1]):\n"
        "                out[i, j] += a[i, k] * b[k, j]\n"
        "    return out\n"
    ),
    (2, 1): (
        "    out = np.zeros(a.shape[0], a.dtype)\n"
        "    for i in range(a.shape[0]):\n"
        "        for k in range(n):\n"
        "            out[i] += a[i, k] * b[k]\n"
        "    return out\n"
    ),
    (1, 2): (
        "    out = np.zeros(b.shape[1], a.dtype)\n"
        "    for k in range(n):\n"
        "        for j in range(b.shape[1]):\n"
        "            out[j] += a[k] * b[k, j]\n"
        "    return out\n"
    ),
    (1, 1): (
        "    out = a.dtype.type(0)\n"
        "    for k in range(n):\n"
        "        out += a[k] * b[k]\n"
        "    return out\n"
    ),
}


def install() -> None:
    """Tell Numba about the helper."""
    declare({runtime.product: _product})
