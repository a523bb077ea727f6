"""Linear systems whose matrix is given by its diagonals: ``scipy.linalg.solve_banded``.

In: nothing. Out: records in the registry. The cotangent of the right-hand side solves with the
transpose, whose diagonals are those of the matrix in reverse, shifted; that of the matrix is the
outer product of the two solutions, on the diagonals alone.

    solve_banded((1, 1), ab, b)     ab_bar = -band_of_outer(b_bar, x, lower=1, upper=1)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg as sl

from ...ir.kinds import Array, Kind, promote
from ...ir.nodes import Atom
from ..declare import rule, sample
from ..kindrules import as_array
from ..pieces import inexact
from ..staged import total
from . import matrices
from .solving import r, solution

if TYPE_CHECKING:
    from ...ir.builder import Builder


def _banded(ab: Any, b: Any, *, l_and_u: Any, **options: Any) -> Any:
    """``scipy.linalg.solve_banded`` with its operands first."""
    return sl.solve_banded(l_and_u, ab, b, **options)


def _transposed(b: Builder, ab: Atom, l_and_u: Any) -> Atom:
    lower, upper = l_and_u
    return b.op("transpose_band", ab, lower=lower, upper=upper)


def banded_vjp(
    b: Builder, g: Atom, out: Atom, ab: Atom, b_: Atom, *, l_and_u: Any, **o: Any
) -> list[Any]:
    lower, upper = l_and_u
    turned = _transposed(b, ab, l_and_u)
    b_bar = b.op("solve_banded", turned, g, l_and_u=(upper, lower))
    return [
        lambda: b.neg(b.op("band_of_outer", b_bar, out, lower=lower, upper=upper)),
        b_bar,
    ]


def banded_jvp(
    b: Builder,
    dots: Sequence[Atom | None],
    out: Atom,
    ab: Atom,
    b_: Atom,
    *,
    l_and_u: Any,
    **o: Any,
) -> Atom:
    (ab_dot, b_dot), (lower, upper), change = dots, l_and_u, None
    if ab_dot is not None:
        change = b.neg(b.op("band_times", ab_dot, out, lower=lower, upper=upper))
    right = total(b, [b_dot, change])
    assert right is not None
    return b.op("solve_banded", ab, right, l_and_u=l_and_u)


_AB = np.array([[0.0, 0.3, -0.2, 0.4], [2.0, 1.5, 1.8, 2.2], [0.5, -0.1, 0.2, 0.0]])
_AB2 = np.vstack([_AB, [[0.1, 0.2, 0.0, 0.0]]])
rule(
    sl.solve_banded,
    "ab b",
    signature_of="l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True",
    name="solve_banded",
    fun=_banded,
    kind=solution("solve_banded"),
    vjp=banded_vjp,
    jvp=banded_jvp,
    samples=[
        sample(_AB, r(4), l_and_u=(1, 1)),
        sample(_AB, r(4, 2), l_and_u=(1, 1)),
        sample(_AB2, r(4), l_and_u=(2, 1)),
        sample(_AB2[:3], r(4), l_and_u=(1, 1)),
    ],
)
rule(
    matrices.transpose_band,
    "ab",
    "lower, upper",
    name="transpose_band",
    kind=lambda args, attrs: args[0].kind,
    vjp=lambda b, g, out, ab, lower, upper: [b.op("transpose_band", g, lower=upper, upper=lower)],
    jvp="linear",
    samples=[sample(_AB, lower=1, upper=1), sample(_AB2, lower=2, upper=1)],
)


def band_times_vjp(
    b: Builder, g: Atom, out: Atom, ab: Atom, x: Atom, lower: int, upper: int
) -> list[Any]:
    turned = _transposed(b, ab, (lower, upper))
    return [
        lambda: b.op("band_of_outer", g, x, lower=lower, upper=upper),
        lambda: b.op("band_times", turned, g, lower=upper, upper=lower),
    ]


def band_of_outer_vjp(
    b: Builder, g: Atom, out: Atom, y: Atom, x: Atom, lower: int, upper: int
) -> list[Any]:
    turned = _transposed(b, g, (lower, upper))
    return [
        lambda: b.op("band_times", g, x, lower=lower, upper=upper),
        lambda: b.op("band_times", turned, y, lower=upper, upper=lower),
    ]


rule(
    matrices.band_times,
    "ab x",
    "lower, upper",
    name="band_times",
    kind=solution("band_times"),
    vjp=band_times_vjp,
    jvp=lambda b, dots, out, ab, x, lower, upper: total(
        b,
        [
            None if dots[0] is None else b.op("band_times", dots[0], x, lower=lower, upper=upper),
            None if dots[1] is None else b.op("band_times", ab, dots[1], lower=lower, upper=upper),
        ],
    ),
    samples=[
        sample(_AB, r(4), lower=1, upper=1),
        sample(_AB2, r(4, 2), lower=2, upper=1),
    ],
)


def _band_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    y, x = (as_array(a.kind) for a in args)
    assert isinstance(x, Array)
    assert x.dims is not None
    dtype = inexact(promote(y, x))
    return Array(dtype, (attrs["lower"] + attrs["upper"] + 1, x.dims[0]))


rule(
    matrices.band_of_outer,
    "y x",
    "lower, upper",
    name="band_of_outer",
    kind=_band_kind,
    vjp=band_of_outer_vjp,
    jvp=lambda b, dots, out, y, x, lower, upper: total(
        b,
        [
            None
            if dots[0] is None
            else b.op("band_of_outer", dots[0], x, lower=lower, upper=upper),
            None
            if dots[1] is None
            else b.op("band_of_outer", y, dots[1], lower=lower, upper=upper),
        ],
    ),
    samples=[
        sample(r(4), r(4), lower=1, upper=1),
        sample(r(4, 2), r(4, 2), lower=2, upper=1),
    ],
)
