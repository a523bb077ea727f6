"""The derivative of ``np.einsum``, for explicit, implicit and ellipsis subscripts.

In: subscripts, operands and the cotangent. Out: for each operand an einsum of the cotangent and
the other operands, whose result carries the operand's own subscripts.

    "ij,jk->ik":   a_bar = einsum("ik,jk->ij", g, b)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..ir.nodes import Atom, Const
from .linear import rank
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
        spec = ",".join([result, *(s for s, _ in others)]) + "->" + target
        bar = b.op("np.einsum", Const.of(spec), g, *(x for _, x in others))
        if target != own:  # axes summed over by this operand alone
            index = tuple(slice(None) if c in seen else None for c in own)
            if not target:
                return b.op("broadcast_like", bar, operands[n])
            bar = b.op("broadcast_like", b.op("item", bar, Const.of(index)), operands[n])
        return bar

    return [None, *((lambda n=n: wrt(n)) for n in range(len(operands)))]


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
