"""Pieces that the rules of linear algebra share: conjugates, parts of named results, kinds.

In: a builder and atoms. Out: atoms, or None for what is zero. Conjugates of real arrays are
nothing at all, so that real programs show none.

    adjoint_of(b, q)   ->   q.mT, or conj(q).mT where q is complex
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, Kind, Num, Size, Tuple, same_dim
from ..ir.nodes import Atom, Const
from .apply import spread_like
from .kindrules import as_array
from .registry import KindError
from .staged import dtype_of

if TYPE_CHECKING:
    from ..ir.builder import Builder


def is_complex(*atoms: Atom | None) -> bool:
    """True where one of the atoms is complex."""
    return any(a is not None and dtype_of(a)[0] == "c" for a in atoms)


def conj(b: Builder, x: Atom) -> Atom:
    return b.op("np.conj", x) if is_complex(x) else x


def real(b: Builder, x: Atom) -> Atom:
    return b.op("np.real", x) if is_complex(x) else x


def adjoint_of(b: Builder, x: Atom) -> Atom:
    """The conjugate transpose of a matrix, or of each of a stack."""
    return b.op("np.matrix_transpose", conj(b, x))


def hermitian_part(b: Builder, x: Atom) -> Atom:
    return b.mul(Const.of(0.5), b.add(x, adjoint_of(b, x)))


def columns(b: Builder, x: Atom) -> Atom:
    """A vector, or a stack of them, in a shape that scales columns of matrices.

    A number scales all of them.
    """
    if isinstance(x.kind, Num) or (isinstance(x.kind, Array) and x.kind.rank == 1):
        return x
    return b.op("item", x, Const.of((..., None, slice(None))))


def part(b: Builder, g: Atom, n: int) -> Atom | None:
    """One part of the cotangent of a tuple; None where nobody used that part."""
    node = b.origin(g)
    if node is not None and node.fn in ("record", "tuple"):
        found = node.args[n]
        made = b.origin(found)
        if made is not None and made.fn == "zeros_like":
            return None
    else:
        found = b.op("item", g, Const.of(n))
    if isinstance(found, Const):
        if found.value is None or not np.any(found.value):
            return None
    return found


def parts(b: Builder, g: Atom, out: Atom, uniform: Collection[int] = ()) -> list[Atom | None]:
    """The parts of the cotangent of a tuple.

    A number that stands for equal elements is spread out, but for the parts named ``uniform``.
    """
    assert isinstance(out.kind, Tuple)
    found = [part(b, g, n) for n in range(len(out.kind.items))]
    for n, x in enumerate(found):
        if x is not None and isinstance(x.kind, Num) and n not in uniform:
            if isinstance(out.kind.items[n], Array):
                found[n] = spread_like(b, x, b.op("item", out, Const.of(n)))
    return found


# -- kinds ---------------------------------------------------------------------------------------


def inexact(dtype: str) -> str:
    """The dtype in which LAPACK works."""
    return dtype if dtype in ("float32", "complex64", "complex128") else "float64"


def real_dtype(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def complex_dtype(dtype: str) -> str:
    return "complex64" if dtype in ("float32", "complex64") else "complex128"


def stack_of(x: Atom) -> tuple[str, tuple[Dim, ...]]:
    """Dtype and dims of a matrix or of a stack of them; KindError where the rank is unknown."""
    k = as_array(x.kind)
    if not isinstance(k, Array) or k.dims is None:
        raise KindError("the number of axes is not known here")
    if len(k.dims) < 2:
        raise KindError("a matrix is needed")
    return inexact(k.dtype), k.dims


def as_second(args: Sequence[Atom], attrs: Any) -> Kind:
    """The kind of a result of the shape of the second operand, and the dtype of both."""
    (first, _), (second, dims) = map(stack_of, args[:2])
    return Array(np.result_type(first, second).name, dims)


def lesser(m: Dim, n: Dim) -> Dim:
    """The smaller of two sizes, as far as it is known."""
    if same_dim(m, n):
        return m
    return min(m, n) if isinstance(m, int) and isinstance(n, int) else Size()


def array_or_number(dtype: str, dims: Sequence[Dim]) -> Array | Num:
    return Array(dtype, tuple(dims)) if dims else Num(dtype, False)


def is_square(x: Atom) -> bool:
    """True where a matrix is known to be square."""
    k: Any = x.kind
    return isinstance(k, Array) and k.dims is not None and same_dim(k.dims[-1], k.dims[-2])
