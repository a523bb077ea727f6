"""Sparse Jacobians and Hessians: as many sweeps as there are colours, not columns.

In: a function with a sparse Jacobian. Out: a derivative object that returns a
``scipy.sparse.csr_matrix``. The pattern is found by propagating index sets (``pattern``), columns
or rows that share nothing get one colour (``coloring``), and one batch of directions, one for
each colour, gives all entries::

    sparse_jacobian(lambda x: x[1:] - x[:-1])(np.ones(5))    2 sweeps, a 4 x 5 csr_matrix
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..binding import Argnums, parse_argnums
from ..errors import ArgumentError
from ..pipeline import Backend, Transform, backend_of

__all__ = ["sparse_hessian", "sparse_jacobian"]


def sparse_jacobian(
    f: Callable[..., Any] | None = None,
    pattern: Any = None,
    *,
    argnums: int | str | Sequence[int | str] = 0,
    backend: Backend = None,
) -> Any:
    """The Jacobian of ``f`` as a ``scipy.sparse.csr_matrix``, compressed by colours.

    Rows are the elements of the output, columns those of the argument, each counted through all
    leaves from left to right, arrays in C order. ``pattern``, a sparse matrix or an array, says
    where the Jacobian may be non-zero; without it, it is found by propagating index sets through
    the program on the path of this call. Patterns and colours are kept for arguments of the same
    shapes and the same ints, Booleans and index arrays, unless a branch, an index or a shape of
    the program depends on floating-point values: then they are found anew at every call.

    Every result is checked against the product with one random vector, which is one more
    direction in the batch. The method is that of Curtis, Powell and Reid, On the estimation of
    sparse Jacobian matrices (1974), with exact products in the place of differences.

    The object also has ``pattern(*args)`` (a Boolean csr_matrix) and ``colors(*args)`` (how many
    directions a call takes), ``source(*args)`` and ``ssa(*args)``. With a ``backend``, as for
    `grad`, the sweeps are compiled; the pattern is found by Python.

    Raises
    ------
    ArgumentError: the pattern has the wrong shape, or lacks an entry that is not zero.
    UnsupportedError: as for `jacobian`; or the function draws random numbers and no pattern is
        given.
    ImportError: SciPy is not there.

    >>> import numpy as np
    >>> J = sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> J(np.array([1.0, 2.0, 3.0])).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    return _derive("sparse_jacobian", f, pattern, argnums, backend)


def sparse_hessian(
    f: Callable[..., Any] | None = None,
    pattern: Any = None,
    *,
    argnums: int | str | Sequence[int | str] = 0,
    backend: Backend = None,
) -> Any:
    """The Hessian of a scalar function as a ``scipy.sparse.csr_matrix``, compressed by colours.

    The sparse Jacobian of the gradient, forward over reverse; arguments and errors are those of
    `sparse_jacobian`.

    >>> import numpy as np
    >>> H = sparse_hessian(lambda x: np.sum(x[1:] ** 2 * x[:-1]))
    >>> H(np.array([1.0, 2.0, 3.0])).toarray()
    array([[0., 4., 0.],
           [4., 2., 6.],
           [0., 6., 4.]])
    """
    return _derive("sparse_hessian", f, pattern, argnums, backend)


def _derive(name: str, f: Any, pattern: Any, argnums: Argnums, backend: Backend) -> Any:
    try:
        import scipy.sparse  # noqa: F401
    except ImportError:
        raise ImportError(
            f"s2sad.{name} needs SciPy for its matrices and patterns: python -m pip install scipy"
        ) from None
    from .derivative import SparseDerivative

    numbers, many = parse_argnums(argnums)
    transform = Transform(name, numbers, many, backend=backend_of(backend))
    if f is None:
        return lambda g: SparseDerivative(g, transform, pattern=pattern)
    if isinstance(f, (int, str)):
        raise ArgumentError(f"{name} takes a function first, not {f!r}")
    return SparseDerivative(f, transform, pattern=pattern)
