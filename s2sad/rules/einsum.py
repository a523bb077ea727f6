"""The derivative of ``np.einsum``, for explicit, implicit and ellipsis subscripts.

In: subscripts, operands and the cotangent. Out: for each operand the product of the cotangent and
the other operands, whose result carries the operand's own subscripts: a matrix product where it is
one, else an einsum.

    "ij,jk->ik":        a_bar = g @ b.T
    "bij,bjk->bik":     a_bar = g @ b.mT
    "ij,ij->i":         a_bar = g[:, None] * b
    "ij,j,k->ik":       a_bar = einsum("ik,j,k->ij", g, b, c, optimize=True)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, Kind, broadcast_dim, not_one, same_dim
from ..ir.nodes import Atom, Const
from . import helpers
from .declare import complexes, reals, rule, sample
from .kindrules import as_array, dims_of
from .linear import rank
from .pieces import array_or_number
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parsed(subscripts: Atom, operands: Sequence[Atom]) -> tuple[list[str], str]:
    """Subscripts of operands and result, with ellipses spelt as letters."""
    if not isinstance(subscripts, Const) or not isinstance(subscripts.value, str):
        raise KindError("einsum needs its subscripts as a constant string")
    text = subscripts.value.replace(" ", "")
    left, arrow, right = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise KindError(f"einsum has {len(inputs)} subscripts for {len(operands)} operands")
    free = [c for c in _LETTERS if c not in text]
    widths = [
        rank(x) - len(s.replace("...", "")) if "..." in s else 0
        for s, x in zip(inputs, operands, strict=True)
    ]
    most = max(widths)
    spelt = [
        s.replace("...", "".join(free[most - w : most]))
        for s, w in zip(inputs, widths, strict=True)
    ]
    everywhere = "".join(free[:most])
    if not arrow:
        counts = "".join(s.replace("...", "") for s in inputs)
        right = "..." + "".join(sorted(c for c in set(counts) if counts.count(c) == 1))
    return spelt, right.replace("...", everywhere)


def einsum_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Each subscript is as long as the longest axis it stands for."""
    operands = args[1:]
    kinds = [as_array(x.kind) for x in operands]
    inputs, result = parsed(args[0], operands)
    sizes: dict[str, Dim] = {}
    for s, k in zip(inputs, kinds, strict=True):
        dims = dims_of(k)
        if dims is None or len(dims) != len(s):
            raise KindError(f"einsum has {len(s)} subscripts for another number of axes")
        for c, d in zip(s, dims, strict=True):
            sizes[c] = broadcast_dim(sizes.get(c, 1), d)
    if not set(result) <= set(sizes):
        raise KindError("einsum has a subscript in its result that no operand has")
    dtype = np.result_type(*(np.dtype(k.dtype) for k in kinds)).name
    return array_or_number(dtype, [sizes[c] for c in result])


def einsum_vjp(
    b: Builder, g: Atom, out: Atom, subscripts: Atom, *operands: Atom, **o: Any
) -> list[Any]:
    inputs, result = parsed(subscripts, operands)

    def wrt(n: int) -> Atom:
        own = inputs[n]
        if len(set(own)) < len(own):
            return _with_diagonal(b, g, inputs, result, operands, n)
        others = [(s, x) for k, (s, x) in enumerate(zip(inputs, operands, strict=True)) if k != n]
        seen = set(result).union(*(set(s) for s, _ in others))
        target = "".join(c for c in own if c in seen)
        bar = contraction(b, [(result, g), *others], target)
        if target == own and not _may_be_narrower(bar, operands[n]):
            return bar
        # axes summed over by this operand alone, or of size 1 in all the others
        if target and target != own:
            index = tuple(slice(None) if c in seen else None for c in own)
            bar = b.op("item", bar, Const.of(index))
        return b.op("broadcast_like", bar, operands[n])

    return [None, *((lambda n=n: wrt(n)) for n in range(len(operands)))]


def _may_be_narrower(bar: Atom, x: Atom) -> bool:
    have, want = (as_array(a.kind) for a in (bar, x))
    if not isinstance(have, Array) or not isinstance(want, Array):
        return False
    if have.dims is None or want.dims is None or len(have.dims) != len(want.dims):
        return True
    return any(
        not not_one(n) and not same_dim(n, m) for n, m in zip(have.dims, want.dims, strict=True)
    )


def _with_diagonal(
    b: Builder, g: Atom, inputs: list[str], result: str, operands: Sequence[Atom], n: int
) -> Atom:
    """A repeated subscript reads a diagonal: its cotangent lives there only."""
    own = inputs[n]
    unique = "".join(dict.fromkeys(own))
    plain = [*inputs]
    plain[n] = unique
    diagonal = b.op("np.einsum", Const.of(f"{own}->{unique}"), operands[n])
    swapped = [*operands]
    swapped[n] = diagonal
    spec = Const.of(",".join(plain) + "->" + result)
    bar = einsum_vjp(b, g, g, spec, *swapped)[n + 1]()
    return b.op("on_diagonal", bar, operands[n], subscripts=own)


def contraction(b: Builder, factors: Sequence[tuple[str, Atom]], target: str) -> Atom:
    """The sum of products over the subscripts that ``target`` lacks."""
    if factors[0][0] == "" and len(factors) > 1:
        return b.mul(factors[0][1], contraction(b, factors[1:], target))
    if len(factors) == 1 and factors[0][0] == target:
        return factors[0][1]
    if len(factors) == 2:
        for pair in (factors, factors[::-1]):
            product = _matrix_product(b, *pair[0], *pair[1], target)
            if product is not None:
                return product
        for pair in (factors, factors[::-1]):
            product = _broadcast_product(b, *pair[0], *pair[1], target)
            if product is not None:
                return product
    spec = Const.of(",".join(s for s, _ in factors) + "->" + target)
    more: dict[str, Any] = {"optimize": True} if len(factors) > 2 else {}
    return b.op("np.einsum", spec, *(x for _, x in factors), **more)


def _matrix_product(b: Builder, s: str, x: Atom, t: str, y: Atom, target: str) -> Atom | None:
    """``x @ y``, or of their transposes, where that is what the subscripts say."""
    if not _uniform(((s, x), (t, y))):
        return None
    stack = _common_start(s, t, target)
    s, t, target = (word[len(stack) :] for word in (s, t, target))
    summed = [c for c in s if c in t]
    if len(summed) != 1 or summed[0] in target or not 1 <= len(s) <= 2 or not 1 <= len(t) <= 2:
        return None
    (c,) = summed
    if (s + t).replace(c, "") != target or (stack and len(s + t) < 4):
        return None
    turn = "np.matrix_transpose" if stack else "np.transpose"
    left = x if s[-1] == c else b.op(turn, x)
    right = y if t[0] == c else b.op(turn, y)
    return b.op("matmul", left, right)


def _broadcast_product(b: Builder, s: str, x: Atom, t: str, y: Atom, target: str) -> Atom | None:
    """``x[:, None] * y``, where nothing is summed and ``y`` has all axes in their order."""
    if t != target or len(set(t)) < len(t) or [c for c in t if c in s] != list(s):
        return None
    if not t.endswith(s):
        index = tuple(slice(None) if c in s else None for c in t[t.index(s[0]) :])
        x = b.op("item", x, Const.of(index))
    return b.mul(x, y)


def _common_start(s: str, t: str, target: str) -> str:
    n = 0
    while n < min(len(s), len(t), len(target)) and s[n] == t[n] == target[n]:
        n += 1
    return s[:n]


def _uniform(factors: Sequence[tuple[str, Atom]]) -> bool:
    """True where no subscript is known, or may be, 1 for one operand and more for another."""
    ones: dict[str, bool] = {}
    for s, x in factors:
        k = as_array(x.kind)
        dims = k.dims if isinstance(k, Array) else ()
        if dims is None or len(dims) != len(s) or len(set(s)) < len(s):
            return False
        for c, d in zip(s, dims, strict=True):
            if d != 1 and not not_one(d):
                return False
            if ones.setdefault(c, d == 1) != (d == 1):
                return False
    return True


def einsum_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, subscripts: Atom, *operands: Atom, **o: Any
) -> Atom | None:
    total: Atom | None = None
    for n, t in enumerate(dots[1:]):
        if t is None:
            continue
        replaced = [*operands]
        replaced[n] = t
        term = b.op("np.einsum", subscripts, *replaced, **o)
        total = term if total is None else b.add(total, term)
    return total


_r = reals(10)
_c = complexes(_r)


rule(
    np.einsum,
    "subscripts *operands",
    "optimize=False",
    kind=einsum_kind,
    vjp=einsum_vjp,
    jvp=einsum_jvp,
    samples=[
        sample("ij,jk->ik", _r(2, 3), _r(3, 4)),
        sample("ij,jk", _r(2, 3), _r(3, 4)),
        sample("ij->ji", _r(2, 3)),
        sample("ij->", _r(2, 3)),
        sample("ii->", _r(3, 3)),
        sample("ii->i", _r(3, 3)),
        sample("i,j,k->ijk", _r(2), _r(3), _r(4)),
        sample("i,i->", _r(3), _r(3)),
        sample("...ij,...jk->...ik", _r(5, 2, 3), _r(5, 3, 4)),
        sample("...ij,j->...i", _r(5, 2, 3), _r(3)),
        sample("bij,bj->bi", _r(5, 2, 3), _r(5, 3)),
        sample("ij,ij->i", _r(2, 3), _r(1, 3)),
        sample("ij,kj->ik", _r(2, 3), _r(4, 3)),
        sample("ij,kj->ki", _r(2, 3), _r(4, 3)),
        sample("ij,jk->ik", _r(2, 1), _r(3, 4)),
        sample("ij,j->i", _r(2, 3), _r(3)),
        sample("i,ij", _r(2), _r(2, 3)),
        sample("bij,bjk->bik", _r(5, 2, 3), _r(5, 3, 4)),
        sample("bij,bkj->bki", _r(5, 2, 3), _r(5, 4, 3)),
        sample("...ij,jk", _r(5, 2, 3), _r(3, 4)),
        sample("i...,i...->...", _r(3, 2), _r(3, 1)),
        sample("ij,jk,kl->il", _r(2, 3), _r(3, 4), _r(4, 2), optimize=True),
        sample("ij,jk,kl", _r(2, 3), _r(3, 4), _r(4, 2)),
        sample("i,ij,j->", _r(3), _r(3, 4), _r(4)),
        sample("i,i,i->i", _r(3), _r(3), _r(3)),
        sample("ii,ij->j", _r(3, 3), _r(3, 2)),
        sample("iij->j", _r(3, 3, 2)),
        sample("ijk,ljm->lkim", _r(2, 3, 4), _r(5, 3, 2)),
        sample(",i->i", 2.0, _r(3)),
        sample("...->...", _r(2, 3)),
        sample("ij->", _r(2, 3)),
        sample("ijk->k", _r(2, 3, 4)),
        sample("ij,jk->ik", _c(2, 3), _c(3, 4)),
        sample("ij,jk->ik", _c(2, 3), _r(3, 4)),
        sample("ij,jk->ik", _r(2, 3).astype("float32"), _r(3, 4).astype("float32")),
        sample("ij,jk->ik", _r(3, 2).T, _r(6, 4)[::2]),
        sample("ij,jk->ik", np.zeros((0, 3)), _r(3, 4)),
    ],
)


rule(
    helpers.on_diagonal,
    "v x",
    "subscripts",
    name="on_diagonal",
    kind=lambda args, attrs: args[1].kind,
    vjp=lambda b, g, out, v, x, *, subscripts: [
        b.op("np.einsum", Const.of(f"{subscripts}->{''.join(dict.fromkeys(subscripts))}"), g),
        None,
    ],
    jvp=("on_diagonal(v_dot, x, subscripts=subscripts)", None),
    samples=[sample(_r(3), _r(3, 3), subscripts="ii")],
)
