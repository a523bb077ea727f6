"""What Numba lacks of ``np.linalg``: the functions of later NumPy, and other forms of old ones.

In: nothing; `install` is called once. Out: Numba knows them, each written in what it has::

    np.linalg.multi_dot([a, b, c])   ->   a @ b @ c
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from .lanes import axis_of, common
from .written import declare, is_list, is_none, is_true, written

__all__ = ["install"]


def _is_matrix(x: Any) -> bool:
    return isinstance(x, types.Array) and x.ndim == 2


def _literal(t: Any) -> Any:
    return t.value if isinstance(t, types.Omitted) else getattr(t, "literal_value", t)


def _is_given(t: Any) -> bool:
    """Whether a call has the argument: without it, it is Numba's own."""
    return isinstance(t, types.Type) and not isinstance(t, types.Omitted)


def _linalg_diagonal(x: Any, offset: Any = 0) -> Any:
    if not isinstance(x, types.Array) or x.ndim < 2:
        return None
    return written(
        f"def impl(x, offset=0): return np.diagonal(x, offset, {x.ndim - 2}, {x.ndim - 1})"
    )


def _linalg_trace(x: Any, offset: Any = 0) -> Any:
    if not isinstance(x, types.Array) or x.ndim < 2:
        return None
    if x.ndim == 2:
        return lambda x, offset=0: np.trace(x, offset)
    return written(
        "def impl(x, offset=0):\n"
        f"    return np.sum(np.diagonal(x, offset, {x.ndim - 2}, {x.ndim - 1}), axis=-1)"
    )


def _vector_norm(x: Any, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    kept = is_true(keepdims)
    if not isinstance(x, types.Array) or not x.ndim or kept is None:
        return None
    if is_none(axis):
        norm = "np.linalg.norm(np.ravel(x), ord)"
        if kept:
            norm = f"np.full(({'1, ' * x.ndim}), {norm})"
        return written(f"def impl(x, axis=None, keepdims=False, ord=2): return {norm}")
    along = axis_of(axis, x.ndim)
    if along is None or x.ndim < 2:
        return None
    # keepdims is written out, so that it is a constant there
    return written(
        "def impl(x, axis=None, keepdims=False, ord=2):\n"
        f"    return np.linalg.norm(x, ord, {along}, {kept})"
    )


def _matrix_norm(x: Any, keepdims: Any = False, ord: Any = "fro") -> Any:
    """Frobenius' norm of matrices."""
    kept = is_true(keepdims)
    if not isinstance(x, types.Array) or x.ndim < 2 or kept is None or _literal(ord) != "fro":
        return None
    axes = (x.ndim - 2, x.ndim - 1)
    return written(
        "def impl(x, keepdims=False, ord='fro'):\n"
        "    size = np.abs(x)\n"
        f"    return np.sqrt(np.sum(size * size, axis={axes}, keepdims={kept}))"
    )


def _multi_dot(arrays: Any) -> Any:
    if isinstance(arrays, types.BaseTuple):
        if len(arrays) < 2 or not all(isinstance(t, types.Array) for t in arrays.types):
            return None
        product = " @ ".join(f"arrays[{n}]" for n in range(len(arrays)))
        return written(f"def impl(arrays): return {product}")
    if not is_list(arrays) or not _is_matrix(arrays.dtype):
        return None

    def impl(arrays: Any) -> Any:
        out = arrays[0] @ arrays[1]
        for n in range(2, len(arrays)):
            out = out @ arrays[n]
        return out

    return impl


def _svdvals(x: Any) -> Any:
    if not _is_matrix(x):
        return None
    return lambda x: np.linalg.svd(np.ascontiguousarray(x), False)[1]


def _eigh(a: Any, UPLO: Any = "L") -> Any:
    """With the triangle that is read; Numba's own reads the lower one."""
    side = _literal(UPLO)
    if not _is_matrix(a) or not isinstance(side, str) or not _is_given(UPLO):
        return None
    if side.upper() == "L":
        return written("def impl(a, UPLO='L'): return np.linalg.eigh(a)")
    return written(
        "def impl(a, UPLO='L'): return np.linalg.eigh(np.conj(np.ascontiguousarray(a.T)))"
    )


def _eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    side = _literal(UPLO)
    if not _is_matrix(a) or not isinstance(side, str) or not _is_given(UPLO):
        return None
    if side.upper() == "L":
        return written("def impl(a, UPLO='L'): return np.linalg.eigvalsh(a)")
    return written(
        "def impl(a, UPLO='L'): return np.linalg.eigvalsh(np.conj(np.ascontiguousarray(a.T)))"
    )


def _cross_of(a: Any, b: Any, axis: Any, parameters: str) -> Any:
    """Of vectors of three along one axis, broadcast against each other."""
    if not isinstance(a, types.Array) or not isinstance(b, types.Array):
        return None
    if not a.ndim or not b.ndim or (a.ndim == 1 and b.ndim == 1 and axis_of(axis, 1) is None):
        return None
    one, two = axis_of(axis, a.ndim), axis_of(axis, b.ndim)
    if one is None or two is None:
        return None
    rank = max(a.ndim, b.ndim)
    out_axis = axis_of(axis, rank)
    assert out_axis is not None
    first, second = parameters.split(", ")[:2]
    outer = rank - 1
    lines = [f"def impl({parameters}):"]
    ranks = {first: (a.ndim, one), second: (b.ndim, two)}
    for name, (_, along) in ranks.items():
        lines += [f"    if {name}.shape[{along}] != 3:"]
        lines += ['        raise ValueError("cross products are of vectors of three")']
    sizes = []
    places: dict[str, list[str]] = {name: [] for name in ranks}
    for k in range(outer):
        size = "1"
        for name, (n, along) in ranks.items():
            axes = [m for m in range(n) if m != along]
            at = k - (outer - len(axes))
            if at < 0:
                continue
            mine = f"{name}.shape[{axes[at]}]"
            size = mine if size == "1" else f"({mine} if {size} == 1 else {size})"
            places[name].append(f"0 if {mine} == 1 else at[{k}]")
        sizes.append(size)
        lines.append(f"    n{k} = {size}")
        for name, (n, along) in ranks.items():
            axes = [m for m in range(n) if m != along]
            at = k - (outer - len(axes))
            if at >= 0:
                mine = f"{name}.shape[{axes[at]}]"
                lines.append(f"    if {mine} != n{k} and {mine} != 1:")
                lines.append('        raise ValueError("shapes do not fit")')
    shape = [f"n{k}" for k in range(outer)]
    shape.insert(out_axis, "3")
    lines.append(f"    out = np.empty(({', '.join(shape)},), {common(a, b)})")

    def entry(name: str, i: int) -> str:
        index = [*places[name]]
        index.insert(ranks[name][1], str(i))
        return f"{name}[{', '.join(index)}]"

    indent = "    "
    if outer:
        lines.append(f"    for at in np.ndindex(({', '.join(f'n{k}' for k in range(outer))},)):")
        indent += "    "
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        index = [f"at[{m}]" for m in range(outer)]
        index.insert(out_axis, str(i))
        left = f"{entry(first, j)} * {entry(second, k)}"
        right = f"{entry(first, k)} * {entry(second, j)}"
        lines.append(f"{indent}out[{', '.join(index)}] = {left} - {right}")
    lines.append("    return out")
    return written("\n".join(lines))


def _linalg_cross(x1: Any, x2: Any, axis: Any = -1) -> Any:
    return _cross_of(x1, x2, _literal(axis), "x1, x2, axis=-1")


def _cross(
    a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Any:
    parameters = "a, b, axisa=-1, axisb=-1, axisc=-1, axis=None"
    if is_none(axis):
        if {_literal(t) for t in (axisa, axisb, axisc)} != {-1}:
            return None
        return _cross_of(a, b, -1, parameters)
    return _cross_of(a, b, _literal(axis), parameters)


_NAMED: dict[str, Callable[..., Any]] = {
    "linalg.diagonal": _linalg_diagonal,
    "linalg.trace": _linalg_trace,
    "linalg.vector_norm": _vector_norm,
    "linalg.matrix_norm": _matrix_norm,
    "linalg.svdvals": _svdvals,
    "linalg.cross": _linalg_cross,
}
_TABLE: dict[Any, Callable[..., Any]] = {
    np.linalg.multi_dot: _multi_dot,
    np.linalg.eigh: _eigh,
    np.linalg.eigvalsh: _eigvalsh,
    np.cross: _cross,
}


def install() -> None:
    """Tell Numba about them; some are in later versions of NumPy only."""
    table = dict(_TABLE)
    for name, by_types in _NAMED.items():
        f: Any = np
        for part in name.split("."):
            f = getattr(f, part, None)
        if f is not None:
            table[f] = by_types
    declare(table, prefer_literal=True)
