"""Products of sparse matrices with arrays; the matrix is a constant.

In: nothing. Out: records in the registry.

    A @ x     x_bar = A.T @ g
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from ...ir.kinds import Array, Kind, Opaque, Size
from ...ir.nodes import Atom, Const
from ..declare import rule, sample, zero
from ..kindrules import as_array
from ..linear import rank
from ..registry import KindError

if TYPE_CHECKING:
    from ...ir.builder import Builder


def sparse_matmul(a: Any, x: Any) -> Any:
    """``A @ x`` with a sparse matrix."""
    return a @ x


def matmul_sparse(x: Any, a: Any) -> Any:
    """``x @ A`` with a sparse matrix."""
    return x @ a


def sparse_transpose(a: Any) -> Any:
    """``A.T`` of a sparse matrix of real numbers; TypeError for others."""
    if a.dtype.kind not in "biuf":
        raise TypeError(f"products with sparse matrices of {a.dtype} have no rule")
    return a.T


def _size(a: Atom, axis: int) -> int | Size:
    """How many rows or columns a matrix has that is known; KindError where it is not real."""
    if not isinstance(a, Const):
        return Size()
    if a.value.dtype.kind not in "biuf" or len(a.value.shape) != 2:
        raise KindError("products with sparse matrices of real numbers have rules")
    return int(a.value.shape[axis])


def _product_kind(dense: int) -> Any:
    """As many axes as the array has; the rows or columns of the matrix are not known here."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        x = as_array(args[dense].kind)
        if not isinstance(x, Array) or x.rank not in (1, 2):
            raise KindError("a sparse matrix is multiplied with vectors and matrices")
        if x.dtype not in ("float64", "int64", "bool"):
            raise KindError(f"products of sparse matrices with {x.dtype} arrays have no rule")
        assert x.dims is not None
        size = _size(args[1 - dense], 1 - dense)
        return Array("float64", (size, *x.dims[1:]) if dense else (*x.dims[:-1], size))

    return kind


def matmul_vjp(b: Builder, g: Atom, out: Atom, a: Atom, x: Atom) -> list[Any]:
    """``A.T @ g``, which is ``g @ A`` for a vector."""
    if rank(x) == 1:
        return [None, lambda: b.op("matmul_sparse", g, a)]
    return [None, lambda: b.text("sparse_matmul(sparse_transpose(a), g)", a=a, g=g)]


def sparse_vjp(b: Builder, g: Atom, out: Atom, x: Atom, a: Atom) -> list[Any]:
    """``g @ A.T``, which is ``A @ g`` for a vector."""
    if rank(x) == 1:
        return [lambda: b.op("sparse_matmul", a, g), None]
    return [lambda: b.text("matmul_sparse(g, sparse_transpose(a))", a=a, g=g), None]


_A = np.array([[0.0, 1.5, 0.0], [2.0, 0.0, -0.5]])
_X = np.array([[0.3, 1.0], [2.0, -1.0], [0.5, 0.7]])
rule(
    sparse_matmul,
    "a x",
    name="sparse_matmul",
    kind=_product_kind(1),
    vjp=matmul_vjp,
    jvp=(None, "sparse_matmul(a, x_dot)"),
    samples=[
        sample(scipy.sparse.csr_array(_A), _X[:, 0]),
        sample(scipy.sparse.csc_matrix(_A), _X),
        sample(scipy.sparse.coo_array(_A), _X[:, 1]),
    ],
)
rule(
    matmul_sparse,
    "x a",
    name="matmul_sparse",
    kind=_product_kind(0),
    vjp=sparse_vjp,
    jvp=("matmul_sparse(x_dot, a)", None),
    samples=[
        sample(_X[0], scipy.sparse.csr_array(_A)),
        sample(_X, scipy.sparse.csc_matrix(_A)),
    ],
)


def _transpose_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    kind = args[0].kind
    assert isinstance(kind, Opaque)
    turned = {"csr": "csc", "csc": "csr"}
    for one, other in turned.items():
        if kind.cls.__name__.startswith(one):
            return Opaque(getattr(scipy.sparse, kind.cls.__name__.replace(one, other)))
    return kind


zero(sparse_transpose, "a", name="sparse_transpose", kind=_transpose_kind)


def spsolve_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    return [
        None,
        lambda: b.op("scipy.sparse.linalg.spsolve", b.op("sparse_transpose", a), g, **o),
    ]


def _solution_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[1].kind)
    if not isinstance(k, Array) or k.rank != 1 or k.dtype != "float64":
        raise KindError("scipy.sparse.linalg.spsolve has a rule for vectors of floats")
    return k


_S = scipy.sparse.csc_array(np.array([[2.0, 0.5, 0.0], [0.0, 1.5, -0.5], [0.3, 0.0, 1.0]]))
rule(
    scipy.sparse.linalg.spsolve,
    "A b",
    "permc_spec=None, use_umfpack=True",
    name="scipy.sparse.linalg.spsolve",
    kind=_solution_kind,
    vjp=spsolve_vjp,
    jvp=(None, "scipy.sparse.linalg.spsolve(A, b_dot)"),
    samples=[sample(_S, _X[:, 0])],
)
