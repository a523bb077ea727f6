"""Covariances and correlations, differentiated through their definitions.

In: nothing. Out: records in the registry.

    np.cov(x):   the cotangent of ``X X' / (n - 1)`` of the centred variables X
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num
from ..ir.nodes import Atom, Const
from .declare import rule, sample
from .derived import derived
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .pieces import conj, real
from .reductions import given

if TYPE_CHECKING:
    from ..ir.builder import Builder


def _cov(
    b: Builder,
    m: Atom,
    y: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    **o: Any,
) -> Atom:
    """The definition in NumPy's manual: ``X W X' / factor`` of the centred variables."""
    x = _variables(b, m, rowvar)
    if given(y) is not None:
        x = b.op("np.concatenate", b.op("tuple", x, _variables(b, y, rowvar)), axis=0)
    w: Atom | None = None
    for more in (given(fweights), given(aweights)):
        if more is not None:
            w = more if w is None else b.mul(w, more)
    ddof = (0 if bias else 1) if ddof is None else ddof
    if w is None:
        count: Atom = b.op("item", b.op("shape", x), Const.of(1))
        factor = b.sub(count, Const.of(ddof))
        x = b.sub(x, b.op("np.mean", x, axis=1, keepdims=True))
        xw = x
    else:
        count = b.op("np.sum", w)
        factor = count
        if ddof and given(aweights) is None:
            factor = b.sub(count, Const.of(ddof))
        elif ddof:
            squares = b.op("np.sum", b.mul(w, aweights))
            factor = b.sub(count, b.div(b.mul(Const.of(float(ddof)), squares), count))
        mean = b.div(b.op("np.sum", b.mul(x, w), axis=1, keepdims=True), count)
        x = b.sub(x, mean)
        xw = b.mul(x, w)
    c = b.div(b.op("matmul", xw, b.op("np.transpose", conj(b, x))), factor)
    return _squeezed(b, c, m, y, rowvar)


def _variables(b: Builder, m: Atom, rowvar: bool) -> Atom:
    if rank(m) < 2:
        return b.op("np.reshape", m, Const.of((1, -1)))
    return m if rowvar else b.op("np.transpose", m)


def _squeezed(b: Builder, c: Atom, m: Atom, y: Any, rowvar: bool) -> Atom:
    """``np.cov`` squeezes a single variable to a number."""
    if rank(m) < 2 and given(y) is None:
        return b.op("item", c, Const.of((0, 0)))
    return c


def _call_cov(m: Any, y: Any = None, fweights: Any = None, aweights: Any = None, **o: Any) -> Any:
    return np.cov(m, y, fweights=fweights, aweights=aweights, **o)


def _cov_kind(name: str) -> Callable[..., Kind]:
    exact = by_example(_call_cov) if name == "cov" else by_example(np.corrcoef)

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        one = len(args) == 1 or given(args[1]) is None
        k = as_array(args[0].kind)
        if one and not isinstance(k, Num) and rank(args[0]) == 1:
            name_ = "float64" if k.dtype[0] in "iub" else np.result_type(k.dtype, "f8").name
            return Array(name_, ()) if name == "cov" else Num(name_, False)
        found = exact(args, attrs)
        assert isinstance(found, Kind)
        return found

    return kind


_M = np.array([[2.1, 0.3, -0.4, 1.0], [0.55, 1.6, 0.25, 0.5], [-0.2, 0.8, 2.7, 0.1]])
_vjp, _jvp = derived(_cov)
rule(
    np.cov,
    "m y=None fweights=None aweights=None",
    signature_of="m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None",
    vjp=_vjp,
    jvp=_jvp,
    kind=_cov_kind("cov"),
    samples=lambda: [
        sample(_M),
        sample(_M[0]),
        sample(_M[0], _M[1]),
        sample(_M, _M[:2] ** 2),
        sample(_M, rowvar=False),
        sample(_M, bias=True),
        sample(_M, ddof=0),
        sample(_M, None, np.array([1, 2, 1, 3])),
        sample(_M, None, None, np.array([0.5, 1.5, 2.0, 1.0])),
        sample(_M, None, np.array([1, 2, 1, 3]), np.array([0.5, 1.5, 2.0, 1.0]), ddof=0),
    ],
)


def _corrcoef(b: Builder, x: Atom, y: Any = None, rowvar: bool = True, **o: Any) -> Atom:
    if rank(x) < 2 and given(y) is None:
        return b.op("np.sum", b.mul(Const.of(0.0), x))  # 1 whatever x is
    c = _cov(b, x, y, rowvar=rowvar)
    deviation = b.op("np.sqrt", real(b, b.op("np.diagonal", c)))
    return b.op("div", b.op("div", c, b.text("d[:, None]", d=deviation)), deviation)


_vjp, _jvp = derived(_corrcoef)
rule(
    np.corrcoef,
    "x y=None",
    "rowvar=True",
    vjp=_vjp,
    jvp=_jvp,
    kind=_cov_kind("corrcoef"),
    samples=lambda: [
        sample(_M),
        sample(_M[0], _M[1]),
        sample(_M, _M[:2] ** 2),
        sample(_M, rowvar=False),
    ],
)
