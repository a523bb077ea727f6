"""Peepholes for adjoint code: the algebra a neat person does before writing a line down.

In: an operation about to be built. Out: a simpler atom of the same kind, or None.

    mul(1.0, x) -> x        mul(g, div(1, y)) -> div(g, y)      add(x, neg(y)) -> sub(x, y)
    mul(2.0, mul(0.5, x)) -> x                                  neg(neg(x)) -> x

The user's own arithmetic never comes here: these rules may round differently in the last digit.
No rule changes a kind: ``0.0 * x`` stays an array where x is one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from .facts import is_nonzero, same_shape
from .kinds import Array, Kind, Num, not_one
from .nodes import Atom, Const, Op

if TYPE_CHECKING:
    from .builder import Builder

_FOLD: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
}
Simplify: TypeAlias = "Callable[[Builder, Sequence[Atom]], Atom | None]"


def tidy(builder: Builder, fn: str, args: Sequence[Atom], attrs: Mapping[str, Any]) -> Atom | None:
    """A simpler atom with the value and kind of ``fn(args)``, or None."""
    if fn == "np.sum":
        return _sum(builder, args, attrs) if len(args) == 1 else None
    rule = _RULES.get(fn)
    if rule is None or attrs:
        return None
    if fn in _FOLD and all(is_number(a) for a in args):
        return _fold(fn, args)
    simple = rule(builder, args)
    if simple is None or not _keeps_kind(fn, args, simple):
        return None
    return simple


def _fold(fn: str, args: Sequence[Atom]) -> Atom | None:
    try:
        value = _FOLD[fn](*(a.value for a in args if isinstance(a, Const)))
    except (ArithmeticError, ValueError, TypeError):
        return None
    if fn == "div" and len(repr(value)) > 8:  # a third stays 1.0 / 3.0
        return None
    return Const.of(value)


def _keeps_kind(fn: str, args: Sequence[Atom], simple: Atom) -> bool:
    from ..rules.registry import primitive

    expected = primitive(fn).kind(args, {})
    return simple.kind == expected or same_kind(expected, simple.kind)


def same_kind(a: Kind | tuple[Kind, ...], b: Kind) -> bool:
    """True where the kinds agree but for sizes, which no rule changes."""
    match a, b:
        case Num(), Num():
            return a.dtype == b.dtype and (a.weak == b.weak or a.weak is None)
        case Array(), Array():
            return a.dtype == b.dtype and a.rank == b.rank and a.rank is not None
        case _:
            return a == b


def is_number(a: Atom) -> bool:
    """A constant Python number, unless it goes by a name that would be lost in arithmetic."""
    return isinstance(a, Const) and type(a.value) in (int, float) and a.name is None


def _is(a: Atom, value: float) -> bool:
    return isinstance(a, Const) and type(a.value) in (int, float) and bool(a.value == value)


def _number(a: Atom) -> float:
    assert isinstance(a, Const)
    number: float = a.value
    return number


def _negated(b: Builder, a: Atom) -> Atom | None:
    """``y`` where the atom is ``-y``."""
    node = b.defined_by(a, "neg")
    return None if node is None else node.args[0]


def _nameless(b: Builder, a: Atom) -> Op | None:
    """The node that defines a temporary, the primal's too; what the user named stays whole."""
    named = isinstance(a, Const) or a.name is not None
    return None if named and not b.defined_by(a, "mul") else b.origin(a)


def _negated_before(b: Builder, a: Atom) -> Atom | None:
    node = _nameless(b, a)
    return node.args[0] if node is not None and node.fn == "neg" else None


def _positive(b: Builder, a: Atom) -> Atom | None:
    """``-a`` where that is simpler than ``a``: a leading minus or negative constant goes."""
    if is_number(a):
        return Const.of(-_number(a)) if _number(a) < 0 else None
    node = None if isinstance(a, Const) else b.definition.get(a)
    if node is None:
        return None
    if node.fn == "neg":
        return node.args[0]
    if node.fn in ("mul", "div", "ratio"):
        first = _positive(b, node.args[0])
        return None if first is None else b.op(node.fn, first, *node.args[1:])
    return None


def _scaled(b: Builder, a: Atom) -> tuple[float, Atom] | None:
    """``(c, y)`` where the atom is ``c * y`` with a constant c."""
    return _scaled_node(b.defined_by(a, "mul"))


def _scaled_node(node: Op | None) -> tuple[float, Atom] | None:
    if node is None or node.fn != "mul":
        return None
    for c, y in (node.args, node.args[::-1]):
        if is_number(c) and isinstance(y.kind, Num | Array) and not is_number(y):
            return _number(c), y
    return None


def _spread(b: Builder, a: Atom, other: Atom) -> Atom | None:
    """``g`` where the atom is ``full_like(x, g)`` or ``broadcast_like(g, x)`` as wide as other."""
    for fn, at in (("np.full_like", 1), ("broadcast_like", 0)):
        node = b.defined_by(a, fn)
        if node is None or not (same_shape(b, a, other) or _must_be_as_wide(a, other)):
            continue
        g = node.args[at]
        weak = isinstance(g.kind, Num) and g.kind.weak
        if weak or getattr(g.kind, "dtype", None) == getattr(other.kind, "dtype", 0):
            return g
    return None


def _must_be_as_wide(a: Atom, other: Atom) -> bool:
    """Where sizes that are not 1 meet, they are equal, or NumPy refuses."""
    k, m = a.kind, other.kind
    if not isinstance(k, Array) or not isinstance(m, Array) or k.dims is None or m.dims is None:
        return False
    return len(k.dims) == len(m.dims) and all(map(not_one, k.dims)) and all(map(not_one, m.dims))


def _mul(b: Builder, args: Sequence[Atom]) -> Atom | None:
    x, y = args
    if is_number(y):
        x, y = y, x
    if is_number(x):
        c = _number(x)
        if c == 1:
            return y
        if c == -1:
            return b.op("neg", y)
        if (scaled := _scaled_node(_nameless(b, y))) is not None:
            return b.op("mul", Const.of(c * scaled[0]), scaled[1])
        if (inner := _negated_before(b, y)) is not None:
            return b.op("mul", Const.of(-c), inner)
        node = b.defined_by(y, "div")
        if node is not None and is_number(node.args[0]):
            return b.op("div", Const.of(c * _number(node.args[0])), node.args[1])
        return None if x is args[0] else _plain(b, "mul", x, y)
    for p, q in ((x, y), (y, x)):
        # a factor of the primal is taken apart too: then only its variable part need be kept
        if (inner := _negated_before(b, p)) is not None:
            return b.op("neg", b.op("mul", inner, q) if p is x else b.op("mul", q, inner))
        node = b.defined_by(p, "div")
        if node is not None and _is(node.args[0], 1):
            return b.op("div", q, node.args[1])
        if node is not None and isinstance(node.args[1].kind, Num):
            if (g := _spread(b, node.args[0], q)) is not None:
                return b.op("div", b.op("mul", g, q), node.args[1])
        if (scaled := _scaled_node(_nameless(b, p))) is not None:
            rest = (scaled[1], q) if p is x else (q, scaled[1])
            return b.op("mul", Const.of(scaled[0]), b.op("mul", *rest))
        if (g := _spread(b, p, q)) is not None:
            return b.op("mul", g, q)
    return None


def _plain(b: Builder, fn: str, *args: Atom) -> Atom:
    """The node as it stands, without another look."""
    return b.ops(fn, *args)[0]


def _add(b: Builder, args: Sequence[Atom]) -> Atom | None:
    x, y = args
    if _is(y, 0):
        return x
    if _is(x, 0):
        return y
    if (inner := _negated(b, y)) is not None:
        return b.op("sub", x, inner)
    if (inner := _negated(b, x)) is not None:
        return b.op("sub", y, inner)
    if (scaled := _scaled(b, y)) is not None and scaled[0] < 0:
        return b.op("sub", x, b.op("mul", Const.of(-scaled[0]), scaled[1]))
    if (scaled := _scaled(b, x)) is not None and scaled[0] < 0:
        return b.op("sub", y, b.op("mul", Const.of(-scaled[0]), scaled[1]))
    return _common_factor(b, x, y)


def _common_factor(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """``c * (p + q)`` for ``c * p + c * q`` of arrays: one pass over memory less."""
    first, second = _scaled(b, x), _scaled(b, y)
    if first is None or second is None or first[0] != second[0]:
        return None
    p, q = first[1], second[1]
    if not all(isinstance(k, Array) and k.dtype[0] in "fc" for k in (p.kind, q.kind)):
        return None
    return b.op("mul", Const.of(first[0]), b.op("add", p, q))


def _sub(b: Builder, args: Sequence[Atom]) -> Atom | None:
    x, y = args
    if _is(y, 0):
        return x
    if _is(x, 0):
        return b.op("neg", y)
    if (inner := _negated(b, y)) is not None:
        return b.op("add", x, inner)
    if (scaled := _scaled(b, y)) is not None and scaled[0] < 0:
        return b.op("add", x, b.op("mul", Const.of(-scaled[0]), scaled[1]))
    return None


def _neg(b: Builder, args: Sequence[Atom]) -> Atom | None:
    (x,) = args
    if (inner := _positive(b, x)) is not None:
        return inner
    if (scaled := _scaled(b, x)) is not None:
        return b.op("mul", Const.of(-scaled[0]), scaled[1])
    return None


def _bilinear(fn: str) -> Simplify:
    """A minus sign comes out of a product of matrices."""

    def rule(b: Builder, args: Sequence[Atom]) -> Atom | None:
        x, y = args
        if (inner := _negated(b, x)) is not None:
            return b.op("neg", b.op(fn, inner, y))
        if (inner := _negated(b, y)) is not None:
            return b.op("neg", b.op(fn, x, inner))
        return None

    return rule


def _sum(b: Builder, args: Sequence[Atom], attrs: Mapping[str, Any]) -> Atom | None:
    """Signs and constant factors come out of a sum."""
    (x,) = args
    if (inner := _negated(b, x)) is not None:
        return b.op("neg", b.op("np.sum", inner, **attrs))
    if (scaled := _scaled(b, x)) is not None and isinstance(scaled[1].kind, Array):
        return b.op("mul", Const.of(scaled[0]), b.op("np.sum", scaled[1], **attrs))
    return None


def _add_to(b: Builder, args: Sequence[Atom]) -> Atom | None:
    """What is added to an array of the same shape need not be spread first."""
    buffer, g = args
    if b.defined_by(g, "neg") is None and (inner := _positive(b, g)) is not None:
        return _plain(b, "add_to", buffer, _plain(b, "neg", inner))
    if not isinstance(buffer.kind, Array) or not isinstance(g.kind, Array):
        return None
    for fn, at in (("np.full_like", 1), ("broadcast_like", 0)):
        node = b.defined_by(g, fn)
        if node is not None and same_shape(b, buffer, node.args[1 - at]):
            return _plain(b, "add_to", buffer, node.args[at])
    return None


def _quotient(b: Builder, args: Sequence[Atom], fn: str) -> Atom | None:
    x, y = args
    if _is(y, 1):
        return x
    if _is(y, -1):
        return b.op("neg", x)
    if (inner := _negated(b, x)) is not None:
        return b.op("neg", b.op(fn, inner, y))
    if (inner := _negated(b, y)) is not None:
        return b.op("neg", b.op(fn, x, inner))
    below = _scaled(b, y)
    above = (_number(x), None) if is_number(x) else _scaled(b, x)
    if below is not None and above is not None and below[0] != 0:
        c = above[0] / below[0]
        if c * below[0] == above[0]:
            top = Const.of(c) if above[1] is None else b.op("mul", Const.of(c), above[1])
            return b.op(fn, top, below[1])
    if is_number(y) and above is not None and above[1] is not None and _number(y) != 0:
        c = above[0] / _number(y)
        if c * _number(y) == above[0]:
            return b.op("mul", Const.of(c), above[1])
    return None


def _div(b: Builder, args: Sequence[Atom]) -> Atom | None:
    simple = _quotient(b, args, "div")
    if simple is not None:
        return simple
    x, y = args
    if (g := _spread(b, x, y)) is not None:
        return b.op("div", g, y)
    node = b.defined_by(x, "div")
    if node is not None and isinstance(node.args[1].kind, Num) and isinstance(y.kind, Array):
        if (g := _spread(b, node.args[0], y)) is not None:
            return b.op("div", b.op("div", g, y), node.args[1])
    return None


def _ratio(b: Builder, args: Sequence[Atom]) -> Atom | None:
    if is_nonzero(b, args[1]):
        return b.op("div", *args)
    return _quotient(b, args, "ratio")


def _pow(b: Builder, args: Sequence[Atom]) -> Atom | None:
    return args[0] if _is(args[1], 1) else None


def _item(b: Builder, args: Sequence[Atom]) -> Atom | None:
    x, i = args
    node = b.origin(x)
    if node is not None and isinstance(i, Const) and type(i.value) is int:
        # what a list holds may have been replaced since; a tuple is what it is
        if node.fn == "tuple" or (node.fn == "list" and b.defined_by(x, "list") is node):
            return node.args[i.value]
    return None


def _where(b: Builder, args: Sequence[Atom]) -> Atom | None:
    """A condition of the full shape broadcasts what it chooses from."""
    if len(args) != 3:
        return None
    cond, x, y = args
    for n, a in ((1, x), (2, y)):
        g = _spread_over(b, a, cond)
        if g is not None:
            return b.op("np.where", cond, *((g, y) if n == 1 else (x, g)))
    return None


def _spread_over(b: Builder, a: Atom, cond: Atom) -> Atom | None:
    node = b.defined_by(a, "np.full_like")
    if node is None or not isinstance(cond.kind, Array) or not same_shape(b, a, cond):
        return None
    return node.args[1]


def _transpose(b: Builder, args: Sequence[Atom]) -> Atom | None:
    if (inner := _transposed(b, args[0])) is not None:
        return inner
    product = b.defined_by(args[0], "matmul")
    if product is not None and all(getattr(a.kind, "rank", None) == 2 for a in product.args):
        x, y = product.args
        if _transposed(b, x) is not None or _transposed(b, y) is not None:
            # (a.T @ b).T is b.T @ a
            return b.op("matmul", b.op("np.transpose", y), b.op("np.transpose", x))
    return None


def _transposed(b: Builder, a: Atom) -> Atom | None:
    """``x`` where the atom is ``x.T``."""
    node = _nameless(b, a)
    if node is None or node.fn != "np.transpose" or node.attrs or len(node.args) > 1:
        return None
    return node.args[0]


_RULES: dict[str, Simplify] = {
    "mul": _mul,
    "add": _add,
    "sub": _sub,
    "neg": _neg,
    "div": _div,
    "ratio": _ratio,
    "pow": _pow,
    "item": _item,
    "np.where": _where,
    "add_to": _add_to,
    "matmul": _bilinear("matmul"),
    "np.outer": _bilinear("np.outer"),
    "np.vdot": _bilinear("np.vdot"),
    "np.transpose": _transpose,
}
