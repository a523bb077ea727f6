"""Systems of linear equations, without the way to LAPACK for small ones.

In: calls of ``np.linalg.solve``, ``inv``, ``det`` and ``slogdet`` of matrices of float64, and of
the helper `cofactors`. Out: Gaussian elimination (Golub and Van Loan, Matrix Computations, 2013,
3.4) in loops; matrices of more than `_SMALL` rows are solved by LAPACK::

    np.linalg.solve(a, b)   ->   one function, where Numba has fifteen

Matrices that are singular raise np.linalg.LinAlgError, as in NumPy; nan stays nan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir as llvm
from numba import njit, types
from numba.core import cgutils
from numba.core.compiler import Flags
from numba.core.typing.templates import signature
from numba.extending import intrinsic
from numba.np import linalg

from ....rules import helpers
from . import arrays
from .own import Own

__all__ = ["TABLE"]

#: Up to how many rows loops are faster than the way to LAPACK.
_SMALL = 48


# -- kinds ---------------------------------------------------------------------------------------


def _is_matrix(kind: Any, ranks: tuple[int, ...] = (2,)) -> bool:
    return type(kind) is types.Array and kind.dtype == types.float64 and kind.ndim in ranks


def _solution(*kinds: Any) -> Any:
    if len(kinds) == 2 and _is_matrix(kinds[0]) and _is_matrix(kinds[1], (1, 2)):
        return types.Array(types.float64, kinds[1].ndim, "C")
    return None


def _of_matrix(kind: Any) -> Callable[..., Any]:
    return lambda *kinds: kind if len(kinds) == 1 and _is_matrix(kinds[0]) else None


def _within(impl: Callable[..., Any], of_vector: Callable[..., Any] | None = None) -> Any:
    """What compiles Python's code, for two matrices or a matrix and a vector, and calls it.

    The code gets copies that lie by rows, whatever the arguments lie by, and may use them up.
    """

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        flags = Flags()
        flags.nrt = True
        flags.error_model = "numpy"
        chosen = of_vector if of_vector is not None and sig.args[-1].ndim == 1 else impl
        kinds = [kind.copy(layout="C", readonly=False) for kind in sig.args]
        copies = [
            arrays.copied(context, builder, signature(kind, given), [value])
            for kind, given, value in zip(kinds, sig.args, args, strict=True)
        ]
        of_copies = signature(sig.return_type, *kinds)
        made = context.compile_subroutine(builder, chosen, of_copies, flags=flags)
        called = context.declare_function(builder.module, made.fndesc)
        # Written into the caller, once for each call, it takes LLVM seconds.
        status, result = context.call_conv.call_function(
            builder, called, sig.return_type, kinds, copies, attrs=("noinline",)
        )
        for kind, copy in zip(kinds, copies, strict=True):
            context.nrt.decref(builder, kind, copy)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return result

    return code


def _pipeline(*given: Any) -> Any:
    """Our compiler, which knows what is written here."""
    from .pipeline import LeanCompiler

    return LeanCompiler(*given)


def _compiled(f: Callable[..., Any]) -> Any:
    """``f``, compiled when it is first called from compiled code."""
    within = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(f, error_model="numpy", pipeline_class=_pipeline, **within)


# -- elimination ---------------------------------------------------------------------------------


@_compiled
def _size(a: Any) -> Any:
    """How many rows and columns a square matrix has."""
    n = a.shape[0]
    if a.shape[1] != n:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return n


@_compiled
def _eliminate(u: Any, x: Any) -> Any:
    """Make ``u`` triangular, with the same steps for the rows of ``x``; the sign of their order.

    A column without a pivot is left as it is.
    """
    n, m, sign = u.shape[0], x.shape[1], 1.0
    for k in range(n):
        at, largest = k, abs(u[k, k])
        for i in range(k + 1, n):
            if abs(u[i, k]) > largest:
                at, largest = i, abs(u[i, k])
        if at != k:
            sign = -sign
            for j in range(k, n):
                u[k, j], u[at, j] = u[at, j], u[k, j]
            for j in range(m):
                x[k, j], x[at, j] = x[at, j], x[k, j]
        if u[k, k] != 0.0:
            for i in range(k + 1, n):
                factor = u[i, k] / u[k, k]
                for j in range(k + 1, n):
                    u[i, j] -= factor * u[k, j]
                for j in range(m):
                    x[i, j] -= factor * x[k, j]
    return sign


@_compiled
def _solved(u: Any, x: Any) -> Any:
    """``x`` becomes the solution of ``u @ solution == x``; ``u`` is used up."""
    n, m = x.shape
    _eliminate(u, x)
    for i in range(n - 1, -1, -1):
        if u[i, i] == 0.0:
            raise np.linalg.LinAlgError("Singular matrix")
        for k in range(i + 1, n):
            for j in range(m):
                x[i, j] -= u[i, k] * x[k, j]
        for j in range(m):
            x[i, j] /= u[i, i]
    return x


# -- LAPACK --------------------------------------------------------------------------------------


@intrinsic  # type: ignore[untyped-decorator]
def _gesv(typing: Any, u: Any, pivots: Any, x: Any) -> Any:
    """LAPACK's solution of a system, both matrices by columns; its verdict."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, args, strict=True)
        ]
        byte, size, word = llvm.IntType(8), llvm.IntType(64), llvm.IntType(32)
        place = byte.as_pointer()
        kinds = [byte, size, size, place, size, place, place, size]
        function = cgutils.get_or_insert_function(
            builder.module, llvm.FunctionType(word, kinds), "numba_xgesv"
        )
        at_u, at_pivots, at_x = (builder.bitcast(v.data, place) for v in arrays)
        m, n = cgutils.unpack_tuple(builder, arrays[2].shape)
        given = [byte(ord("d")), n, m, at_u, n, at_pivots, at_x, n]
        return builder.sext(builder.call(function, given), size)

    return types.int64(u, pivots, x), generate


_WHOLE = linalg.F_INT_nptype


@_compiled
def _by_lapack(u: Any, x: Any) -> Any:
    """`_solved`, by a function that has matrices by columns."""
    n, m = x.shape
    by_columns, right = np.empty((n, n)), np.empty((m, n))
    for i in range(n):
        for j in range(n):
            by_columns[j, i] = u[i, j]
        for j in range(m):
            right[j, i] = x[i, j]
    if _gesv(by_columns, np.empty(n, _WHOLE), right) != 0:
        raise np.linalg.LinAlgError("Singular matrix")
    for i in range(n):
        for j in range(m):
            x[i, j] = right[j, i]
    return x


def _large() -> Any:
    """What solves large systems: LAPACK if SciPy is there, in the width that Numba expects."""
    try:
        linalg.ensure_lapack()
    except (ImportError, RuntimeError):
        return _solved
    return _by_lapack


_solved_if_large = _large()


# -- what is called ------------------------------------------------------------------------------


def _solve(u: Any, x: Any) -> Any:
    n = _size(u)
    if x.shape[0] != n:
        raise ValueError("solve: shapes do not fit")
    return _solved(u, x) if n <= _SMALL else _solved_if_large(u, x)


def _solve_vector(u: Any, x: Any) -> Any:
    n = _size(u)
    if len(x) != n:
        raise ValueError("solve: shapes do not fit")
    columns = x.reshape((n, 1))
    columns = _solved(u, columns) if n <= _SMALL else _solved_if_large(u, columns)
    return x


def _inverse(u: Any) -> Any:
    n = _size(u)
    x = np.zeros((n, n))
    for i in range(n):
        x[i, i] = 1.0
    return _solved(u, x) if n <= _SMALL else _solved_if_large(u, x)


def _logarithm(u: Any) -> Any:
    """The sign and the logarithm of the modulus of the determinant."""
    n = _size(u)
    sign, total = _eliminate(u, np.empty((n, 0))), 0.0
    for i in range(n):
        if u[i, i] == 0.0:
            return 0.0, -np.inf
        if u[i, i] < 0.0:
            sign = -sign
        total += np.log(abs(u[i, i]))
    return sign, total


def _determinant(u: Any) -> Any:
    n = _size(u)
    product = _eliminate(u, np.empty((n, 0)))
    sign, total = product, 0.0
    for i in range(n):
        product *= u[i, i]
    if product == 0.0 or not np.isfinite(product):  # too small or large on the way
        for i in range(n):
            if u[i, i] == 0.0:
                return 0.0
            if u[i, i] < 0.0:
                sign = -sign
            total += np.log(abs(u[i, i]))
        product = sign * np.exp(total)
    return product


def _cofactors(u: Any) -> Any:
    """The derivative of the determinant, which is finite also where the matrix is singular.

    With rows and columns in another order it is ``L @ U``, and cofactors of products are products
    of cofactors. Those of L are the transpose of its inverse; for those of U, whose last pivot
    alone may be 0, nothing is divided by that.
    """
    n = _size(u)
    out = np.zeros((n, n))
    rows, columns, sign = np.arange(n), np.arange(n), 1.0
    for k in range(n):
        row, column, largest = k, k, abs(u[k, k])
        for i in range(k, n):
            for j in range(k, n):
                if abs(u[i, j]) > largest:
                    row, column, largest = i, j, abs(u[i, j])
        if row != k:
            sign = -sign
            rows[k], rows[row] = rows[row], rows[k]
            for j in range(n):
                u[k, j], u[row, j] = u[row, j], u[k, j]
        if column != k:
            sign = -sign
            columns[k], columns[column] = columns[column], columns[k]
            for i in range(n):
                u[i, k], u[i, column] = u[i, column], u[i, k]
        if k < n - 1:
            if largest == 0.0:
                return out  # two ranks are missing, or more
            for i in range(k + 1, n):
                factor = u[i, k] / u[k, k]
                u[i, k] = factor
                for j in range(k + 1, n):
                    u[i, j] -= factor * u[k, j]
    if n == 0:
        return out
    # the adjugate of U, transposed: x[j, i] is its element i, j
    m, scale = n - 1, sign
    for i in range(m):
        scale *= u[i, i]
    x = np.zeros((n, n))
    for j in range(m):
        x[j, j] = scale / u[j, j]
        for i in range(j - 1, -1, -1):
            total = 0.0
            for k in range(i + 1, j + 1):
                total += u[i, k] * x[j, k]
            x[j, i] = -total / u[i, i]
    x[m, m] = scale
    for i in range(m):
        total = 0.0
        for k in range(i, m):
            total += x[k, i] * u[k, m]
        x[m, i] = -total
    for j in range(m):
        for i in range(j + 1):
            x[j, i] *= u[m, m]
    # times the inverse of L, transposed
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            for j in range(n):
                x[i, j] -= u[k, i] * x[k, j]
    for i in range(n):
        for j in range(n):
            out[rows[i], columns[j]] = x[i, j]
    return out


_MATRIX = _of_matrix(types.Array(types.float64, 2, "C"))
_PAIR = types.UniTuple(types.float64, 2)

TABLE = {
    np.linalg.solve: Own(_solution, _within(_solve, _solve_vector)),
    np.linalg.inv: Own(_MATRIX, _within(_inverse)),
    np.linalg.det: Own(_of_matrix(types.float64), _within(_determinant)),
    np.linalg.slogdet: Own(_of_matrix(_PAIR), _within(_logarithm)),
    helpers.cofactors: Own(_MATRIX, _within(_cofactors)),
}
