"""Like terms: two cotangents that are multiples of one product are one multiple of it.

In: two atoms that are to be added. Out: their sum as one product, or None.

    add(0.5 * k * d, 0.5 * (d * k))   ->   d * k
    add(g * x, g * x)                 ->   2.0 * (g * x)

``d * d`` gives rise to such pairs: each factor has the same derivative.
"""

from __future__ import annotations

from typing import Any

from ..ir.builder import Builder
from ..ir.kinds import Array, Num
from ..ir.nodes import Atom, Const, Value

#: Products of more factors are left as they are.
MOST = 8


def sum_of_like(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """``x + y`` as one product, where both are multiples of the same factors."""
    if not isinstance(x.kind, Num | Array) or not isinstance(y.kind, Num | Array):
        return None
    if same(b, x, y):
        return b.op("mul", Const.of(2.0), y)
    if x.kind != y.kind:
        return None
    first, second = _factors(b, x), _factors(b, y)
    if first is None or second is None or len(first[1]) != len(second[1]):
        return None
    total = first[0] + second[0]
    if total == 0 or not _match(b, first[1], second[1]):
        return None
    rest = _without_scale(b, y, second[0])
    return None if rest is None else b.op("mul", Const.of(total), rest)


def same(b: Builder, x: Atom, y: Atom) -> bool:
    """The same computation on the same values."""
    if x is y:
        return True
    if isinstance(x, Const) and isinstance(y, Const):
        return _equal(x.value, y.value)
    if not isinstance(x, Value) or not isinstance(y, Value):
        return False
    p, q = b.origin(x), b.origin(y)
    if p is None or q is None or p.fn != q.fn or p.attrs != q.attrs:
        return False
    if len(p.args) != len(q.args):
        return False
    if all(same(b, r, s) for r, s in zip(p.args, q.args, strict=True)):
        return True
    if p.fn != "mul":
        return False
    (r, s), (t, u) = p.args, q.args
    return same(b, r, u) and same(b, s, t)


def _equal(x: Any, y: Any) -> bool:
    """Whether constants are the same number, string or index."""
    if type(x) is not type(y):
        return False
    match x:
        case tuple():
            return len(x) == len(y) and all(map(_equal, x, y))
        case slice():
            return _equal((x.start, x.stop, x.step), (y.start, y.stop, y.step))
        case float() | int() | str() | None:
            return bool(x == y)
        case _:
            return False


def _factors(b: Builder, x: Atom) -> tuple[float, list[Atom]] | None:
    """The number and the other factors of a product; None where it is none, or a long one."""
    scale, found, work = 1.0, [], [x]
    while work:
        a = work.pop()
        if isinstance(a, Const) and type(a.value) in (int, float) and a.name is None:
            scale *= a.value
            continue
        node = b.origin(a)
        if node is not None and node.fn == "mul" and _numeric(node.args):
            work += node.args
        elif node is not None and node.fn == "neg":
            scale = -scale
            work += node.args
        elif node is not None and node.fn == "pow" and _exponent(node.args[1]):
            work += [node.args[0]] * _exponent(node.args[1])
        else:
            found.append(a)
        if len(found) + len(work) > MOST:
            return None
    return (scale, found) if found else None


def _numeric(atoms: tuple[Atom, ...]) -> bool:
    return all(isinstance(a.kind, Num | Array) for a in atoms)


def _exponent(n: Atom) -> int:
    """2, 3 or 4 for a power that is a product of so many factors; 0 for others."""
    known = isinstance(n, Const) and type(n.value) in (int, float) and n.value in (2, 3, 4)
    return int(n.value) if known else 0  # type: ignore[union-attr]


def _match(b: Builder, xs: list[Atom], ys: list[Atom]) -> bool:
    """The same factors in any order."""
    left = list(ys)
    for x in xs:
        k = next((k for k, y in enumerate(left) if same(b, x, y)), None)
        if k is None:
            return False
        del left[k]
    return True


def _without_scale(b: Builder, x: Atom, scale: float) -> Atom | None:
    """``y`` where ``x`` is ``scale * y``, so written."""
    if scale == 1:
        return x
    node = b.origin(x)
    if node is None:
        return None
    if node.fn == "neg" and scale == -1:
        return node.args[0]
    for c, y in (node.args, node.args[::-1]) if node.fn == "mul" else ():
        if isinstance(c, Const) and c.value == scale and y.kind == x.kind:
            return y
    return None
