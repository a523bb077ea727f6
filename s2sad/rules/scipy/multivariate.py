"""Densities of vectors in ``scipy.stats``: the normal and the Dirichlet distribution.

In: nothing. Out: records in the registry.

    multivariate_normal.logpdf(x, mean, cov)     with w = solve(cov, x - mean): x_bar = -g w
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ...ir.kinds import Array, Kind, Num
from ...ir.nodes import Atom, Const, is_none
from .. import decompositions as dec
from ..declare import rule, sample
from ..kindrules import as_array
from ..linear import rank
from ..registry import KindError
from ..staged import total
from .declare import text

if TYPE_CHECKING:
    from ...ir.builder import Builder

# -- normal --------------------------------------------------------------------------------------


def _kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """A number for each vector along the last axis of x."""
    x = as_array(args[0].kind)
    if not isinstance(x, Array) or x.dims is None or not x.dims:
        raise KindError("scipy.stats.multivariate_normal has a rule for vectors x")
    if len(args) > 2 and rank(args[2]) != 2:
        raise KindError("scipy.stats.multivariate_normal has a rule for a matrix cov")
    mean = as_array(args[1].kind) if len(args) > 1 and not is_none(args[1]) else None
    of_one = isinstance(mean, Array) and mean.dims == (1,)
    if (mean is None and len(args) < 3) or of_one or (mean is not None and rank(args[1]) != 1):
        raise KindError("scipy.stats.multivariate_normal has a rule for a vector mean")
    dims = x.dims[:-1]
    return Array("float64", dims) if dims else Num("float64", False)


def _parts(b: Builder, x: Atom, rest: Sequence[Atom]) -> tuple[Atom, Atom, Atom | None]:
    """``x - mean``, that solved with the covariance, and the covariance."""
    mean = rest[0] if rest and not is_none(rest[0]) else None
    cov = rest[1] if len(rest) > 1 else None
    d = x if mean is None else b.sub(x, mean)
    if cov is None:
        return d, d, None
    whole = dec.from_triangle(b, cov, "L")  # SciPy reads the lower triangle
    if rank(x) == 1:
        return d, b.op("np.linalg.solve", whole, d), whole
    return d, text(b, "solve(c, d[..., None])[..., 0]", c=whole, d=d), whole


def normal(*, log: bool) -> tuple[Any, Any]:
    """The rules of ``logpdf`` or ``pdf``, in both modes."""

    def vjp(b: Builder, g: Atom, out: Atom, x: Atom, *rest: Atom, **o: Any) -> list[Any]:
        seed = g if log else b.mul(g, out)
        _, w, whole = _parts(b, x, rest)
        wide = seed if rank(x) == 1 else b.op("item", seed, Const.of((..., None)))

        def of_cov() -> Atom:
            assert whole is not None
            if rank(x) == 1:
                outer = text(b, "s * outer(w, w)", s=seed, w=w)
                count = seed
            else:
                flat = text(b, "reshape(w, (-1, w.shape[-1]))", w=w)
                scaled = text(b, "reshape(s * w, (-1, w.shape[-1]))", s=wide, w=w)
                outer = text(b, "scaled.T @ flat", scaled=scaled, flat=flat)
                count = b.op("np.sum", seed)
            s = text(b, "0.5 * (o - count * inv(c))", o=outer, count=count, c=whole)
            return dec.in_triangle(b, s, "L")

        return [
            lambda: b.neg(b.mul(wide, w)),
            lambda: b.mul(wide, w),
            of_cov,
        ]

    def jvp(
        b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, *rest: Atom, **o: Any
    ) -> Atom | None:
        _, w, whole = _parts(b, x, rest)
        x_dot, *others = [*dots, None, None]
        mean_dot, cov_dot = others[:2]
        terms: list[Atom | None] = []
        if x_dot is not None:
            terms.append(text(b, "-np.sum(w * t, axis=-1)", w=w, t=x_dot))
        if mean_dot is not None:
            terms.append(text(b, "np.sum(w * t, axis=-1)", w=w, t=mean_dot))
        if cov_dot is not None:
            t = dec.from_triangle(b, cov_dot, "L")
            source = "0.5 * (np.sum((w @ t) * w, axis=-1) - np.sum(inv(c) * t))"
            terms.append(text(b, source, w=w, t=t, c=whole))
        found = total(b, terms)
        return found if log or found is None else b.mul(out, found)

    return vjp, jvp


_COV = np.array([[1.5, 0.3, -0.2], [0.3, 0.9, 0.1], [-0.2, 0.1, 1.1]])
_X = np.array([[0.3, -0.4, 0.8], [1.1, 0.2, -0.5]])
for _method, _log in (("logpdf", True), ("pdf", False)):
    _vjp, _jvp = normal(log=_log)
    rule(
        getattr(stats.multivariate_normal, _method),
        "x mean=None cov=1",
        "allow_singular=False",
        name=f"scipy.stats.multivariate_normal.{_method}",
        kind=_kind,
        vjp=_vjp,
        jvp=_jvp,
        samples=[
            sample(_X[0], _X[1], _COV),
            sample(_X, _X[0] * 0.5, _COV),
            sample(_X[0], None, _COV),
            sample(_X, _X[0]),
        ],
    )

# -- Dirichlet -----------------------------------------------------------------------------------


def _dirichlet_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    x, alpha = (as_array(a.kind) for a in args)
    if not isinstance(x, Array) or not isinstance(alpha, Array) or (x.rank, alpha.rank) != (1, 1):
        raise KindError("scipy.stats.dirichlet has a rule for vectors x and alpha")
    return Num("float64", False)


_SHORT = "scipy.stats.dirichlet has a rule for x with as many elements as alpha"


def dirichlet_vjp(b: Builder, g: Atom, out: Atom, x: Atom, alpha: Atom) -> list[Any]:
    """The elements of x are taken as they are: that they add up to 1 is up to the caller."""
    return [
        lambda: text(b, "g * ((alpha - 1) / whole(x, alpha))", g=g, x=x, alpha=alpha),
        lambda: text(
            b,
            "g * (log(whole(x, alpha)) - psi(alpha) + psi(np.sum(alpha)))",
            g=g,
            x=x,
            alpha=alpha,
        ),
    ]


def dirichlet_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, alpha: Atom
) -> Atom | None:
    bars = dirichlet_vjp(b, Const.of(1.0), out, x, alpha)
    return total(
        b,
        [
            None if t is None else b.op("np.dot", bar(), t)
            for t, bar in zip(dots, bars, strict=True)
        ],
    )


def whole(x: Any, alpha: Any) -> Any:
    """The point itself; ValueError where the last of its elements was left out."""
    if len(x) != len(alpha):
        raise ValueError(_SHORT)
    return x


def _dirichlet(x: Any, alpha: Any) -> Any:
    """The log-density, also where x does not quite add up to 1, as differences need it."""
    from scipy.special import gammaln, xlogy

    return np.sum(xlogy(alpha - 1, x)) - np.sum(gammaln(alpha)) + gammaln(np.sum(alpha))


rule(
    whole,
    "x alpha",
    name="whole",
    kind=lambda args, attrs: args[0].kind,
    vjp=("g", None),
    jvp=("x_dot", None),
    samples=[sample(np.array([0.2, 0.8]), np.array([1, 2]))],
)
rule(
    stats.dirichlet.logpdf,
    "x alpha",
    name="scipy.stats.dirichlet.logpdf",
    fun=_dirichlet,
    kind=_dirichlet_kind,
    vjp=dirichlet_vjp,
    jvp=dirichlet_jvp,
    samples=[sample(np.array([0.2, 0.5, 0.3]), np.array([1.5, 0.7, 3.0]))],
)
