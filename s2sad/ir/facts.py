"""What the definitions of values prove: equal shapes, signs, non-zero values.

In: a builder and atoms. Out: True where a fact is proved; False says nothing. Rules and peepholes
ask here when kinds alone cannot tell.

    y = x * 2;  same_shape(b, y, x)      ->   True
    d = 1 + e * e;  is_nonzero(b, d)     ->   True
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from .kinds import Array, Num, not_one, same_dim
from .nodes import Atom, Const, Op, Value

if TYPE_CHECKING:
    from .builder import Builder

_DEPTH = 12

#: Functions whose result has the shape of their (first) operand.
_SAME_SHAPE = frozenset(
    {"zeros_like", "np.zeros_like", "np.ones_like", "np.full_like", "cast", "copy"}
)
_LIKE_FIRST = frozenset(
    {"setitem", "accumulate", "add_to", "np.flip", "np.sort", "np.roll", "astype"}
)
_ELEMENTWISE = frozenset({"mul", "div", "pow", "ratio", "power_slope", "np.where", "unless_zero"})
_COMPARE = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "bitand", "bitor", "bitxor", "invert"})
_SQUARES = frozenset({"np.abs", "abs", "np.square", "math.fabs", "np.fabs", "np.exp", "math.exp"})
_MONOTONE = frozenset({"np.sum", "np.mean", "np.sqrt", "math.sqrt", "np.max", "np.min"})


def same_shape(b: Builder, x: Atom, y: Atom) -> bool:
    """True where two arrays are proved to have one shape."""
    if x is y or _same_dims(x, y):
        return True
    return _same_root(b, shape_root(b, x), shape_root(b, y))


def _same_root(b: Builder, x: Atom, y: Atom) -> bool:
    """Whether two roots are one, or the same slice of arrays of one shape."""
    if x is y or _same_dims(x, y):
        return True
    left, right = b.origin(x), b.origin(y)
    if left is None or right is None or left.fn != "item" or right.fn != "item":
        return False
    if not _same_dims(left.args[0], right.args[0]):
        return False
    key = _slice_key(b, left.args[1])
    return key is not None and key == _slice_key(b, right.args[1])


def _slice_key(b: Builder, index: Atom) -> Hashable:
    """Equal for numbers and slices that choose the same; None for anything else."""
    if isinstance(index, Const):
        return ("const", repr(index.value)) if _is_basic(index.value) else None
    node = b.origin(index)
    is_whole = isinstance(index.kind, Num) and index.kind.dtype == "int64"
    if node is not None and (
        node.fn in ("slice", "tuple") or (is_whole and node.fn in ("add", "sub", "mul"))
    ):
        keys = tuple(_slice_key(b, a) for a in node.args)
        return None if None in keys else (node.fn, keys)
    return index if is_whole else None


def _is_basic(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_basic, value))
    if isinstance(value, slice):
        return all(map(_is_basic, (value.start, value.stop, value.step)))
    return value is None or value is ... or type(value) is int


def _same_dims(x: Atom, y: Atom) -> bool:
    k, m = x.kind, y.kind
    if not isinstance(k, Array) or not isinstance(m, Array) or k.dims is None or m.dims is None:
        return False
    return len(k.dims) == len(m.dims) and all(map(same_dim, k.dims, m.dims))


def shape_root(b: Builder, x: Atom, depth: int = _DEPTH) -> Atom:
    """The first value in the history of ``x`` that gave it its shape."""
    if isinstance(x, Value) and x in b.shaped_like and depth:
        return shape_root(b, b.shaped_like[x], depth - 1)
    node = b.origin(x)
    if node is None or depth == 0 or not isinstance(x.kind, Array):
        return x
    if _has_another_shape(node):
        return x
    if node.fn in _SAME_SHAPE or node.fn in _LIKE_FIRST:
        first = node.args[0]
        return shape_root(b, first, depth - 1) if isinstance(first.kind, Array) else x
    if node.fn in ("broadcast_like", "unbroadcast"):
        return shape_root(b, node.args[1], depth - 1)
    if node.fn == "np.reshape":
        asked = b.origin(node.args[1])
        is_shape = asked is not None and asked.fn == "shape"
        return shape_root(b, asked.args[0], depth - 1) if asked and is_shape else x
    if not _elementwise(node):
        return x
    roots: list[Atom] = []
    for a in node.args:
        if isinstance(a.kind, Array) and a.kind.dims != ():
            root = shape_root(b, a, depth - 1)
            if _is_full(a, x):
                return root
            if not any(_same_root(b, root, r) for r in roots):
                roots.append(root)
        elif not isinstance(a.kind, Num | Array):
            return x
    return roots[0] if len(roots) == 1 else x


def _has_another_shape(node: Op) -> bool:
    """``np.sort(x, axis=None)`` flattens, ``np.zeros_like(x, shape=s)`` has a shape of its own."""
    flat = node.fn == "np.sort" and node.attrs.get("axis", -1) is None
    return flat or node.attrs.get("shape") is not None


def _is_full(a: Atom, x: Atom) -> bool:
    """An operand of full rank with no axis of size 1 has the shape of the result."""
    k, m = a.kind, x.kind
    if not isinstance(k, Array) or not isinstance(m, Array) or k.dims is None:
        return False
    return k.rank == m.rank and all(map(not_one, k.dims))


def _elementwise(node: Op) -> bool:
    from ..rules.registry import primitive

    return (
        node.fn in _ELEMENTWISE or node.fn in _COMPARE or primitive(node.fn).partials is not None
    )


def is_nonzero(b: Builder, x: Atom) -> bool:
    """True where no element can be 0 (nan counts as not 0)."""
    if isinstance(x, Const):
        return type(x.value) in (int, float) and x.value != 0
    return is_positive(b, x)


def is_positive(b: Builder, x: Atom, depth: int = _DEPTH) -> bool:
    """True where every element is above 0, rounding included, or nan."""
    if isinstance(x, Const):
        return type(x.value) in (int, float) and bool(x.value > 0)
    node = b.origin(x)
    if node is None or depth == 0 or node.attrs:
        return False
    if node.fn in ("add", "np.add"):
        p, q = node.args
        return (is_positive(b, p, depth - 1) and is_nonnegative(b, q, depth - 1)) or (
            is_positive(b, q, depth - 1) and is_nonnegative(b, p, depth - 1)
        )
    if node.fn in ("np.cosh", "math.cosh"):
        return True
    if node.fn in ("np.sqrt", "math.sqrt", "np.max", "np.min") and len(node.args) == 1:
        return is_positive(b, node.args[0], depth - 1)
    return False


def is_nonnegative(b: Builder, x: Atom, depth: int = _DEPTH) -> bool:
    """True where every element is at least 0, or nan."""
    if isinstance(x, Const):
        return type(x.value) in (int, float) and bool(x.value >= 0)
    node = b.origin(x)
    if node is None or depth == 0:
        return False
    if node.fn in _SQUARES or is_positive(b, x, depth - 1):
        return True
    if node.fn in _MONOTONE and len(node.args) == 1:
        return node.fn.endswith("sqrt") or is_nonnegative(b, node.args[0], depth - 1)
    if node.fn in ("mul", "np.multiply", "div", "np.divide", "add", "np.add"):
        p, q = node.args
        if p is q and node.fn in ("mul", "np.multiply"):
            return not _complex(p)
        return is_nonnegative(b, p, depth - 1) and is_nonnegative(b, q, depth - 1)
    if node.fn == "pow" and isinstance(node.args[1], Const):
        exponent = node.args[1].value
        return exponent in (2, 4, 6, 8) and not _complex(node.args[0])
    return False


def _complex(x: Atom) -> bool:
    return getattr(x.kind, "dtype", "c")[0] == "c"
