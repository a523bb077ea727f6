"""Products of arrays that Numba lacks, as loops or as its own products of matrices.

In: nothing; `install` is called once. Out: Numba knows ``@`` above two axes and between unlike
dtypes, ``np.inner``, ``np.tensordot`` and ``np.einsum`` with constant subscripts::

    np.einsum("ij,j->i", a, x)   ->   for i: for j: out[i] += a[i, j] * x[j]
"""

from __future__ import annotations

import operator
import string
from typing import Any

import numpy as np
from numba import types
from numba.np import numpy_support

from ...runtime import plus
from .written import declare, dtype_text, written

__all__ = ["install"]


def _common(*dtypes: Any) -> Any:
    found = np.result_type(*map(numpy_support.as_dtype, dtypes))
    return numpy_support.from_dtype(found)


def _matmul(a: Any, b: Any) -> Any:
    """``a @ b``: loops over the leading axes, with a product of matrices inside."""
    if not isinstance(a, types.Array) or not isinstance(b, types.Array):
        return None
    if not a.ndim or not b.ndim:
        return None
    dtype = _common(a.dtype, b.dtype)
    native = isinstance(dtype, types.Float | types.Complex)
    if a.ndim <= 2 and b.ndim <= 2 and native and a.dtype == b.dtype:
        return None  # Numba has it
    text = dtype_text(dtype)
    lines = ["def impl(a, b):"]
    left, right = max(a.ndim, 2), max(b.ndim, 2)
    lines.append(f"    x = np.ascontiguousarray(a).astype({text})")
    lines.append(f"    y = np.ascontiguousarray(b).astype({text})")
    if a.ndim == 1:
        lines.append("    x = x.reshape((1, x.size))".replace("x = ", "x2 = "))
    if b.ndim == 1:
        lines.append("    y2 = y.reshape((y.size, 1))")
    x, y = "x2" if a.ndim == 1 else "x", "y2" if b.ndim == 1 else "y"
    lead = max(left, right) - 2
    sizes, x_at, y_at = [], [], []
    for n in range(lead):
        i, j = n - (lead - (left - 2)), n - (lead - (right - 2))
        if i < 0:
            sizes.append(f"{y}.shape[{j}]")
        elif j < 0:
            sizes.append(f"{x}.shape[{i}]")
        else:
            lines.append(
                f"    if {x}.shape[{i}] != {y}.shape[{j}] and 1 != {x}.shape[{i}] "
                f"and 1 != {y}.shape[{j}]:"
            )
            lines.append('        raise ValueError("matmul: shapes do not fit")')
            sizes.append(f"({y}.shape[{j}] if {x}.shape[{i}] == 1 else {x}.shape[{i}])")
        if i >= 0:
            x_at.append(f"(0 if {x}.shape[{i}] == 1 else k{n})")
        if j >= 0:
            y_at.append(f"(0 if {y}.shape[{j}] == 1 else k{n})")
    lines.append(f"    if {x}.shape[{left - 1}] != {y}.shape[{right - 2}]:")
    lines.append('        raise ValueError("matmul: shapes do not fit")')
    tail = ([] if a.ndim == 1 else [f"{x}.shape[{left - 2}]"]) + (
        [] if b.ndim == 1 else [f"{y}.shape[{right - 1}]"]
    )
    whole = [*sizes, f"{x}.shape[{left - 2}]", f"{y}.shape[{right - 1}]"]
    lines.append(f"    out = np.zeros(({', '.join(whole)}), {text})")
    indent = "    "
    for n in range(lead):
        lines.append(f"{indent}for k{n} in range(out.shape[{n}]):")
        indent += "    "
    here = "".join(f"k{n}, " for n in range(lead))
    x_here, y_here = "".join(f"{i}, " for i in x_at), "".join(f"{i}, " for i in y_at)
    if native:
        xs = f"{x}[{x_here[:-2]}]" if x_here else x
        ys = f"{y}[{y_here[:-2]}]" if y_here else y
        target = f"out[{here[:-2]}]" if here else "out[:, :]"
        lines.append(f"{indent}{target} = np.dot({xs}, {ys})")
    else:
        lines += [
            f"{indent}for i in range({x}.shape[{left - 2}]):",
            f"{indent}    for j in range({y}.shape[{right - 1}]):",
            f"{indent}        for k in range({x}.shape[{left - 1}]):",
            f"{indent}            out[{here}i, j] += {x}[{x_here}i, k] * {y}[{y_here}k, j]",
        ]
    if a.ndim == 1 or b.ndim == 1:
        kept = [*sizes, *tail]
        if kept:
            lines.append(f"    return out.reshape(({', '.join(kept)},))")
        else:
            lines.append("    return out[0, 0]")
    else:
        lines.append("    return out")
    return written("\n".join(lines))


def _dot(a: Any, b: Any) -> Any:
    if isinstance(a, types.Array) and isinstance(b, types.Array):
        if a.ndim <= 2 and b.ndim <= 2:
            return None if _matmul(a, b) is None else written("def impl(a, b): return a @ b")
        letters = string.ascii_lowercase
        left = letters[: a.ndim]
        right = letters[a.ndim : a.ndim + b.ndim]
        place = max(b.ndim - 2, 0)
        right = right[:place] + left[-1] + right[place + 1 :]
        out = left[:-1] + right.replace(left[-1], "")
        return _contraction([left, right], out, [a, b], "a, b")
    return None


def _inner(a: Any, b: Any) -> Any:
    if not isinstance(a, types.Array) or not isinstance(b, types.Array):
        if isinstance(a, types.Number | types.Array) and isinstance(b, types.Number | types.Array):
            return lambda a, b: a * b
        return None
    if not a.ndim or not b.ndim:
        return lambda a, b: a * b
    left = string.ascii_lowercase[: a.ndim - 1]
    right = string.ascii_lowercase[a.ndim - 1 : a.ndim + b.ndim - 2]
    return _contraction([left + "z", right + "z"], left + right, [a, b], "a, b")


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if not isinstance(a, types.Array) or not isinstance(b, types.Array):
        return None
    if isinstance(axes, types.Omitted):
        axes = axes.value
    count = axes if isinstance(axes, int) else getattr(axes, "literal_value", None)
    if isinstance(count, int):
        left, right = list(range(a.ndim - count, a.ndim)), list(range(count))
    else:
        if not isinstance(axes, types.BaseTuple) or len(axes.types) != 2:
            return None
        sides = []
        for side, rank in zip(axes.types, (a.ndim, b.ndim), strict=True):
            items = side.types if isinstance(side, types.BaseTuple) else (side,)
            values = [getattr(t, "literal_value", None) for t in items]
            if not all(isinstance(v, int) for v in values):
                return None
            sides.append([v % rank for v in values])
        left, right = sides
    letters = iter(string.ascii_lowercase)
    names = [next(letters) for _ in range(a.ndim)]
    others = [names[left[right.index(n)]] if n in right else next(letters) for n in range(b.ndim)]
    out = [c for n, c in enumerate(names) if n not in left]
    out += [c for n, c in enumerate(others) if n not in right]
    return _contraction(["".join(names), "".join(others)], "".join(out), [a, b], "a, b, axes=2")


def _einsum(subscripts: Any, *operands: Any) -> Any:
    text = getattr(subscripts, "literal_value", None)
    if len(operands) == 1 and isinstance(operands[0], types.BaseTuple):
        operands = tuple(operands[0].types)
    if not isinstance(text, str) or "." in text:
        return None
    if not all(isinstance(t, types.Array) for t in operands):
        return None
    text = text.replace(" ", "")
    inputs, arrow, out = text.partition("->")
    terms = inputs.split(",")
    if not arrow:
        out = "".join(sorted(c for c in set(inputs) if inputs.count(c) == 1 and c != ","))
    if [len(t) for t in terms] != [t.ndim for t in operands]:
        return None
    return _contraction(terms, out, list(operands), "subscripts, *operands")


def _contraction(terms: list[str], out: str, arrays: list[Any], names: str) -> Any:
    """Loops over all letters; those not in ``out`` are summed over."""
    if names.startswith("subscripts"):
        given = [f"operands[{n}]" for n in range(len(terms))]
    else:
        given = [n.split("=")[0].strip() for n in names.split(",")][: len(terms)]
    lines = [f"def impl({names}):"]
    sizes: dict[str, str] = {}
    for n, (term, value) in enumerate(zip(terms, given, strict=True)):
        lines.append(f"    x{n} = {value}")
        for axis, letter in enumerate(term):
            if letter in sizes:
                lines.append(f"    if n_{letter} != x{n}.shape[{axis}]:")
                lines.append('        raise ValueError("shapes do not fit")')
            else:
                sizes[letter] = f"n_{letter}"
                lines.append(f"    n_{letter} = x{n}.shape[{axis}]")
    dtype = _common(*(t.dtype for t in arrays))
    if all(t.dtype == types.float64 for t in arrays) and (sides := _as_matrices(terms, out)):
        return written("\n".join([*lines, f"    return {_matrix_product(sides, out)}"]))
    shape = "".join(f"n_{c}, " for c in out)
    at = ", ".join(f"i_{c}" for c in out)
    zero = f"{dtype_text(dtype)}(0)"
    if out:
        lines.append(f"    out = np.empty(({shape}), {dtype_text(dtype)})")
    indent = "    "
    for c in out:
        lines.append(f"{indent}for i_{c} in range(n_{c}):")
        indent += "    "
    summed = [c for c in sizes if c not in out]
    outside = indent
    if summed:
        lines.append(f"{outside}total = {zero}")
    for c in summed:
        lines.append(f"{indent}for i_{c} in range(n_{c}):")
        indent += "    "
    product = " * ".join(
        f"x{n}[{', '.join(f'i_{c}' for c in term) or '()'}]" for n, term in enumerate(terms)
    )
    if summed:
        added = "plus(total, {})" if dtype == types.float64 else "total + {}"
        lines.append(f"{indent}total = {added.format(product)}")
        product = "total"
    lines.append(f"{outside}out[{at}] = {product}" if out else f"    return {product}")
    if out:
        lines.append("    return out")
    return written("\n".join(lines), plus=plus)


def _as_matrices(terms: list[str], out: str) -> list[tuple[str, str, bool]] | None:
    """The rows and columns of two operands that are matrices once axes are joined, and whether
    each is to be transposed; None if they are not, or numbers and vectors are all there is.
    """
    if len(terms) != 2 or any(len(set(t)) < len(t) for t in (*terms, out)):
        return None
    a, b = terms
    summed = "".join(c for c in a if c in b and c not in out)
    left, right = a.replace(summed, ""), b.replace(summed, "")
    if not summed or not left or not right or out != left + right or set(left) & set(right):
        return None
    if a not in (left + summed, summed + left) or b not in (summed + right, right + summed):
        return None
    if len(a) <= 2 and len(b) <= 2 and len(summed) == 1 and a == left + summed:
        return None  # loops over rows do as well
    first = (left, summed, False) if a == left + summed else (summed, left, True)
    second = (summed, right, False) if b == summed + right else (right, summed, True)
    return [first, second]


def _matrix_product(sides: list[tuple[str, str, bool]], out: str) -> str:
    """The text of the product: its axes as they were before they were joined."""

    def size(letters: str) -> str:
        return " * ".join(f"n_{c}" for c in letters)

    made = [
        f"np.ascontiguousarray(x{n}).reshape(({size(rows)}, {size(columns)}))"
        + (".T" if turned else "")
        for n, (rows, columns, turned) in enumerate(sides)
    ]
    product = f"np.dot({made[0]}, {made[1]})"
    return product if len(out) == 2 else f"{product}.reshape(({', '.join(f'n_{c}' for c in out)}))"


def install() -> None:
    """Tell Numba about products."""
    declare({operator.matmul: _matmul, np.dot: _dot, np.inner: _inner})
    declare({np.tensordot: _tensordot, np.einsum: _einsum}, prefer_literal=True)
