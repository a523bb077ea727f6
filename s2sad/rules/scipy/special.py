"""The functions of ``scipy.special``: one line each, a partial per operand.

In: nothing. Out: records in the registry. What cannot be differentiated exactly (the order of a
Bessel function, the parameters of a hypergeometric one) says so where it is asked for. The
partials are those of the NIST Digital Library of Mathematical Functions (DLMF) unless stated.

    special("gammaln", "psi(x)")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special as sp

from ...ir.kinds import Kind
from ...ir.nodes import Atom
from ..declare import rule, sample
from ..examplekinds import by_example
from ..kindrules import as_array, elementwise_kind, ufunc_kind
from ..registry import Sample
from ..staged import linear_jvp
from . import helpers
from .declare import refusal, special, text

if TYPE_CHECKING:
    from ...ir.builder import Builder

INF = float("inf")
TWO_OVER_ROOT_PI = "1.1283791670955126"
ROOT_PI_OVER_TWO = "0.886226925452758"
ONE_OVER_ROOT_TWO_PI = "0.3989422804014327"

_X = np.array([0.4, 1.3, 2.7])
_MORE: list[Sample] = [sample(np.array([12.5, 0.01, 40.0]))]


def _orders(*points: Any) -> list[Sample]:
    """Samples of a function of an int and a number."""
    return [
        sample(points[0], 1.3),
        sample(points[1], _X),
        sample(points[0], np.array([[0.6], [2.2]], "float32")),
        sample(np.array(points), 0.9),
        sample(points[1], np.zeros(0)),
    ]


# -- the gamma function and its kin --------------------------------------------------------------

special("gamma", "out * psi(x)", domain="positive", at=[sample(-1.5), sample(np.array([-0.3]))])
special("gammaln", "psi(x)", domain="positive", at=[sample(-1.5), *_MORE])
special("loggamma", "psi(x)", domain="positive", at=[sample(np.array([1.0 + 2.0j, -0.5 + 1.0j]))])
# By reflection, DLMF 5.5.3, below 1/2: there are no poles there.
special(
    "rgamma",
    "where(x < 0.5, gamma(1 - minimum(x, 0.5)) * (cos(3.141592653589793 * x)"
    " - psi(1 - minimum(x, 0.5)) * sin(3.141592653589793 * x) / 3.141592653589793),"
    " -psi(x) * out)",
    domain="positive",
    at=[
        sample(-1.5),
        sample(np.array([0.0, -1.0, -2.0]), expect=(np.array([1.0, -1.0, 2.0]),)),
    ],
    real_only=True,
)
special("psi", "polygamma(1, x)", domain="positive", at=[sample(-1.5)])
special(
    "polygamma",
    None,
    "polygamma(n + 1, x)",
    names=("n", "x"),
    samples=[sample(0, 0.7), sample(2, _X), sample(np.array([0, 1, 3]), _X), sample(1, -0.4)],
)


def _multigammaln_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    a = as_array(args[0].kind)
    found = sp.multigammaln(np.full(1, attrs["d"] + 1, a.dtype), attrs["d"])
    return elementwise_kind(found.dtype.name, [a])


rule(
    sp.multigammaln,
    "a",
    "d",
    name="scipy.special.multigammaln",
    kind=_multigammaln_kind,
    vjp="g * np.sum(psi(expand_dims(a, axis=-1) - 0.5 * arange(d)), axis=-1)",
    jvp="a_dot * np.sum(psi(expand_dims(a, axis=-1) - 0.5 * arange(d)), axis=-1)",
    samples=[
        sample(2.7, d=3),
        sample(np.array([[1.7, 3.2]]), d=2),
        sample(1.3, d=1),
        sample(np.array([2.5], "float32"), d=2),
    ],
)
special(
    "beta", "out * (psi(a) - psi(a + b))", "out * (psi(b) - psi(a + b))",
    domain="positive", names=("a", "b"),
)  # fmt: skip
special(
    "betaln", "psi(a) - psi(a + b)", "psi(b) - psi(a + b)", domain="positive", names=("a", "b")
)
special(
    "binom",
    "out * (psi(n + 1) - psi(n - k + 1))",
    "out * (psi(n - k + 1) - psi(k + 1))",
    names=("n", "k"),
    samples=[sample(5.5, 2), sample(np.array([6.2, 4.0]), np.array([2.5, 1.0])), sample(5.0, 2.0)],
)
special(
    "poch",
    "out * (psi(z + m) - psi(z))",
    "out * psi(z + m)",
    names=("z", "m"),
    domain="positive",
)
rule(
    sp.comb,
    "N k",
    "exact=False, repetition=False",
    name="scipy.special.comb",
    vjp=lambda b, g, out, n, k, exact=False, repetition=False: _comb(b, g, out, n, k, repetition),
    jvp=linear_jvp(
        lambda b, g, out, n, k, exact=False, repetition=False: _comb(b, g, out, n, k, repetition)
    ),
    samples=[
        sample(5.5, 2),
        sample(np.array([6.2, 4.5]), np.array([2.5, 1.0])),
        sample(4.5, 2, repetition=True),
        sample(np.array([2.0, 5.0]), 3, expect=(np.array([0.0, 7.833333333333333]), None)),
    ],
)


def _comb(b: Builder, g: Atom, out: Atom, n: Atom, k: Atom, repetition: bool) -> list[Any]:
    """Zero where there is nothing to choose: SciPy has the value 0 there."""
    if repetition:
        n = text(b, "n + k - 1", n=n, k=k)
    wrt_n = "psi(n + 1) - psi(n - k + 1)"
    wrt_k = "psi(n + 1) - psi(k + 1)" if repetition else "psi(n - k + 1) - psi(k + 1)"
    source = "where(out == 0, 0.0, g * out * ({}))"
    return [
        lambda: text(b, source.format(wrt_n), g=g, out=out, n=n, k=k),
        lambda: text(b, source.format(wrt_k), g=g, out=out, n=n, k=k),
    ]


rule(
    sp.factorial,
    "n",
    "exact=False, extend='zero'",
    name="scipy.special.factorial",
    vjp="where(out == 0, 0.0, g * out * psi(n + 1))",
    jvp="where(out == 0, 0.0, n_dot * out * psi(n + 1))",
    samples=[sample(2.5), sample(np.array([0.5, 3.0])), sample(-1.5, expect=(0.0,))],
)

# -- incomplete gamma and beta functions ---------------------------------------------------------

_AX = [
    sample(2.5, 1.3),
    sample(np.array([0.6, 3.0, 7.0]), 2.0),
    sample(1.7, np.array([[0.1], [1.5], [9.0]])),
    sample(np.array([2.0], "float32"), np.array([1.5], "float32")),
    sample(1.5, np.zeros(0)),
]
_P = "gamma_density(0, a, x)"
special(
    "gammainc", "gammainc_slope(1, a, x)", _P, names=("a", "x"),
    samples=[*_AX, sample(2, 0.0, expect=(None, 0.0)), sample(1, 0.0, expect=(None, 1.0))],
)  # fmt: skip
special("gammaincc", "-gammainc_slope(1, a, x)", f"-{_P}", names=("a", "x"), samples=_AX)
_AY = [sample(2.5, 0.3), sample(np.array([0.6, 3.0, 7.0]), 0.8)]
special(
    "gammaincinv",
    "-gammainc_slope(1, a, out) / gamma_density(0, a, out)",
    "1 / gamma_density(0, a, out)",
    names=("a", "y"),
    samples=_AY,
)
special(
    "gammainccinv",
    "-gammainc_slope(1, a, out) / gamma_density(0, a, out)",
    "-1 / gamma_density(0, a, out)",
    names=("a", "y"),
    samples=_AY,
)
_ABX = [
    sample(2.5, 1.3, 0.4),
    sample(np.array([0.6, 3.0, 7.0]), 2.0, 0.7),
    sample(1.7, np.array([[0.5], [1.5]]), np.array([0.1, 0.9])),
    sample(np.array([2.0], "float32"), np.float32(1.5), np.array([0.5], "float32")),
    sample(1.7, 0.5, np.zeros(0)),
]
_B = "beta_density(0, 0, a, b, x)"
special(
    "betainc", "betainc_slope(1, 0, a, b, x)", "betainc_slope(0, 1, a, b, x)", _B,
    names=("a", "b", "x"),
    samples=[*_ABX, sample(1, 1, 0.0, expect=(None, None, 1.0))],
)  # fmt: skip
special(
    "betaincc", "-betainc_slope(1, 0, a, b, x)", "-betainc_slope(0, 1, a, b, x)", f"-{_B}",
    names=("a", "b", "x"), samples=_ABX,
)  # fmt: skip
special(
    "betaincinv",
    "-betainc_slope(1, 0, a, b, out) / beta_density(0, 0, a, b, out)",
    "-betainc_slope(0, 1, a, b, out) / beta_density(0, 0, a, b, out)",
    "1 / beta_density(0, 0, a, b, out)",
    names=("a", "b", "y"),
    samples=[sample(2.5, 1.3, 0.4), sample(np.array([0.6, 3.0, 7.0]), 2.0, 0.7)],
)
rule(
    helpers.gamma_density,
    "n a x",
    name="gamma_density",
    vjp=(
        None,
        "g * gamma_density(n + 1, a, x)",
        "g * (((a - 1) / x - 1) * out + n / x * gamma_density(maximum(n - 1, 0), a, x))",
    ),
    jvp=(
        None,
        "a_dot * gamma_density(n + 1, a, x)",
        "x_dot * (((a - 1) / x - 1) * out + n / x * gamma_density(maximum(n - 1, 0), a, x))",
    ),
    samples=[sample(0, 2.5, _X), sample(1, np.array([0.7, 3.0, 2.0]), 1.5), sample(2, 1.4, 0.3)],
)
rule(
    helpers.gammainc_slope,
    "n a x",
    name="gammainc_slope",
    vjp=(None, "g * gammainc_slope(n + 1, a, x)", "g * gamma_density(n, a, x)"),
    jvp=(None, "a_dot * gammainc_slope(n + 1, a, x)", "x_dot * gamma_density(n, a, x)"),
    samples=[sample(1, 2.5, _X), sample(1, np.array([0.7, 3.0, 2.0]), 1.5), sample(2, 1.4, 0.3)],
)
_SLOPE = (
    "((a - 1) / x - (b - 1) / (1 - x)) * out + m / x * beta_density(maximum(m - 1, 0), n, a, b, x)"
    " - n / (1 - x) * beta_density(m, maximum(n - 1, 0), a, b, x)"
)
rule(
    helpers.beta_density,
    "m n a b x",
    name="beta_density",
    vjp=(
        *(None, None, "g * beta_density(m + 1, n, a, b, x)"),
        *("g * beta_density(m, n + 1, a, b, x)", f"g * ({_SLOPE})"),
    ),
    jvp=(
        *(None, None, "a_dot * beta_density(m + 1, n, a, b, x)"),
        *("b_dot * beta_density(m, n + 1, a, b, x)", f"x_dot * ({_SLOPE})"),
    ),
    samples=[
        sample(0, 0, 2.5, 1.5, np.array([0.2, 0.7])),
        sample(1, 0, np.array([0.7, 3.0]), 1.5, 0.3),
        sample(0, 1, 1.5, np.array([0.7, 3.0]), 0.3),
        sample(1, 1, 1.4, 2.2, 0.6),
        sample(2, 1, 1.4, 2.2, 0.6),
    ],
)
rule(
    helpers.betainc_slope,
    "m n a b x",
    name="betainc_slope",
    vjp=(
        *(None, None, "g * betainc_slope(m + 1, n, a, b, x)"),
        *("g * betainc_slope(m, n + 1, a, b, x)", "g * beta_density(m, n, a, b, x)"),
    ),
    jvp=(
        *(None, None, "a_dot * betainc_slope(m + 1, n, a, b, x)"),
        *("b_dot * betainc_slope(m, n + 1, a, b, x)", "x_dot * beta_density(m, n, a, b, x)"),
    ),
    samples=[
        sample(1, 0, 2.5, 1.5, np.array([0.2, 0.7])),
        sample(0, 1, np.array([0.7, 3.0]), 1.5, 0.3),
        sample(1, 1, 1.4, 2.2, 0.6),
    ],
)

# -- zeta, Bessel functions ----------------------------------------------------------------------

special(
    "zeta",
    refusal("scipy.special.zeta has no derivative with respect to its first argument x"),
    "-x * zeta(x + 1, q)",
    names=("x", "q"),
    kind=by_example(sp.zeta, fill=2.0),
    samples=[sample(3, 1.3), sample(2, _X), sample(np.array([2, 3, 5]), _X)],
)
special("j0", "-j1(x)", at=_MORE)
special("j1", "0.5 * (j0(x) - jv(2, x))", at=[*_MORE, sample(0.0, expect=(0.5,))])
special("y0", "-y1(x)", domain="positive", at=_MORE)
special("y1", "0.5 * (y0(x) - yn(2, x))", domain="positive", at=_MORE)
special("i0", "i1(x)")
special("i0e", "i1e(x) - sign(x) * out", at=[sample(0.0, expect=(0.0,)), *_MORE])
special("i1", "0.5 * (i0(x) + iv(2, x))", at=[sample(0.0, expect=(0.5,))])
special("i1e", "0.5 * (i0e(x) + ive(2, x)) - sign(x) * out", at=[sample(0.0, expect=(0.5,))])
special("k0", "-k1(x)", domain="positive")
special("k0e", "out - k1e(x)", domain="positive")
special("k1", "-0.5 * (k0(x) + kv(2, x))", domain="positive")
special("k1e", "out - 0.5 * (k0e(x) + kve(2, x))", domain="positive")
_BOTH = [*_orders(0, 2), sample(np.array([0.5, 1.5]), 1.5)]
for _name, _slope, _real in (
    ("jv", "0.5 * (jv(v - 1, z) - jv(v + 1, z))", False),
    ("yv", "0.5 * (yv(v - 1, z) - yv(v + 1, z))", False),
    ("iv", "0.5 * (iv(v - 1, z) + iv(v + 1, z))", False),
    ("kv", "-0.5 * (kv(v - 1, z) + kv(v + 1, z))", False),
    ("ive", "0.5 * (ive(v - 1, z) + ive(v + 1, z)) - sign(z) * out", True),
    ("kve", "out - 0.5 * (kve(v - 1, z) + kve(v + 1, z))", False),
    ("hankel1", "0.5 * (hankel1(v - 1, z) - hankel1(v + 1, z))", False),
    ("hankel2", "0.5 * (hankel2(v - 1, z) - hankel2(v + 1, z))", False),
):
    special(
        _name,
        refusal(f"scipy.special.{_name} has no derivative with respect to its order"),
        _slope,
        names=("v", "z"),
        real_only=_real,
        samples=_orders(0, 2),
    )
special(
    "yn", None, "0.5 * (yv(n - 1, x) - yv(n + 1, x))", names=("n", "x"),
    samples=[sample(0, 1.3), sample(2, _X), sample(np.array([0, 1]), 0.9)],
)  # fmt: skip
special(
    "kn", None, "-0.5 * (kv(n - 1, x) + kv(n + 1, x))", names=("n", "x"),
    samples=[sample(0, 1.3), sample(2, _X), sample(np.array([0, 1]), 0.9)],
)  # fmt: skip

# -- error functions and their kin ---------------------------------------------------------------


special("erf", f"{TWO_OVER_ROOT_PI} * exp(-x * x)", at=[sample(np.array([1.0 + 0.5j]))])
special("erfc", f"-{TWO_OVER_ROOT_PI} * exp(-x * x)")
special("erfi", f"{TWO_OVER_ROOT_PI} * exp(x * x)")
special("erfcx", "erfcx_slope(1, x)", real_only=True, at=[sample(np.array([24.0, 100.0, -3.0]))])
special("erfinv", f"{ROOT_PI_OVER_TWO} * exp(out * out)", domain="unit")
special(
    "erfcinv",
    f"-{ROOT_PI_OVER_TWO} * exp(out * out)",
    samples=[sample(0.3), sample(np.array([0.2, 1.7])), sample(0.0, expect=(-INF,))],
)
special("dawsn", "dawsn_slope(1, x)", real_only=True, at=[sample(np.array([24.0, -100.0]))])
special(
    "wofz",
    "wofz_slope(1, z)",
    names=("z",),
    samples=[sample(np.array([1.0 + 0.5j, -0.3 + 2.0j, 9.0 + 1.0j])), sample(0.5 - 1.0j)],
)
for _helper, _points in (
    (helpers.erfcx_slope, [-1.5, 0.3, 30.0]),
    (helpers.dawsn_slope, [-1.5, 0.3, 30.0]),
    (helpers.wofz_slope, [1.0 + 0.5j, 9.0 - 0.5j, 9.0 + 0.5j]),
):
    rule(
        _helper,
        "k z",
        name=_helper.__name__,
        vjp=(None, f"g * {_helper.__name__}(k + 1, z)"),
        jvp=(None, f"z_dot * {_helper.__name__}(k + 1, z)"),
        samples=[sample(1, np.array(_points)), sample(2, _points[0])],
    )
special("ndtr", f"{ONE_OVER_ROOT_TWO_PI} * exp(-0.5 * x * x)", real_only=True)
special(
    "ndtri",
    "2.5066282746310002 * exp(0.5 * out * out)",
    samples=[sample(0.3), sample(np.array([0.2, 0.999])), sample(np.float32(0.4))],
)
special(
    "log_ndtr",
    "0.7978845608028654 / erfcx(-0.7071067811865476 * x)",
    real_only=True,
    at=[sample(np.array([-30.0, -4.0, 9.0]))],
)
special("ndtri_exp", "2.5066282746310002 * exp(x + 0.5 * out * out)", names=("x",),
        samples=[sample(-0.3), sample(np.array([-2.0, -5.0]))])  # fmt: skip
special(
    "owens_t",
    "-0.19947114020071635 * exp(-0.5 * h * h) * erf(0.7071067811865476 * a * h)",
    "0.15915494309189535 * exp(-0.5 * h * h * (1 + a * a)) / (1 + a * a)",
    names=("h", "a"),
)


def two(name: str, first: str, second: str, domain: Sequence[Any]) -> None:
    """A function with two results."""
    f = getattr(sp, name)

    def vjp(b: Builder, g: Sequence[Atom | None], out: Any, x: Atom) -> list[Any]:
        terms = [
            text(b, f"g * ({source})", g=seed, x=x)
            for source, seed in zip((first, second), g, strict=True)
            if seed is not None
        ]
        return [terms[0] if len(terms) == 1 else b.add(*terms) if terms else None]

    def jvp(b: Builder, dots: Sequence[Atom], out: Any, x: Atom) -> tuple[Atom, ...]:
        return tuple(text(b, f"t * ({source})", t=dots[0], x=x) for source in (first, second))

    rule(
        f,
        "x",
        name=f"scipy.special.{name}",
        kind=ufunc_kind(f),
        vjp=vjp,
        jvp=jvp,
        samples=[*map(sample, domain), sample(np.array([0.5, 1.5], "float32"))],
    )


_SERIES = "(1 - x * x / 6 * (1 - x * x / 20 * (1 - x * x / 42)))"
two(
    "sici",
    f"where(abs(x) < 0.05, {_SERIES}, ratio(sin(x), x))",
    "cos(x) / x",
    [0.7, np.array([1.5, 9.0, 0.04])],
)
two("shichi", "where(x == 0, 1.0, ratio(sinh(x), x))", "cosh(x) / x", [0.7, np.array([1.5, 9.0])])
two(
    "fresnel",
    "sin(1.5707963267948966 * x * x)",
    "cos(1.5707963267948966 * x * x)",
    [0.7, np.array([-1.5, 0.0, 3.0])],
)
special("expi", "exp(x) / x", domain="positive", at=[sample(-0.7)])
special("exp1", "-exp(-x) / x", domain="positive")
special(
    "expn",
    None,
    "-where(n > 0, expn(maximum(n - 1, 0), x), exp(-x) * (x + 1) / (x * x))",
    names=("n", "x"),
    samples=[*_orders(1, 2), sample(0, _X)],
)


def _spence() -> str:
    """``log(x) / (1 - x)``, by its series about 1."""
    inner = "0.1"
    for n in range(9, 0, -1):
        inner = f"({1 / n!r} + (1 - x) * {inner})"
    return f"where(abs(x - 1) < 0.02, -{inner}, log(x) / where(x == 1, 1.0, 1 - x))"


special(
    "spence",
    _spence(),
    domain="positive",
    real_only=True,
    at=[sample(np.array([0.99, 1.015, 1.025, 3.0])), sample(1.0, expect=(-1.0,))],
)

# -- logistic, entropies -------------------------------------------------------------------------

special(
    "logit",
    "ratio(g, x * (1 - x))",
    samples=[
        sample(0.3),
        sample(np.array([[0.1], [0.8]])),
        sample(np.array([0.4], "float32")),
        sample(np.array([0.0, 0.5]), expect=(np.array([INF, 4.0]),)),
    ],
)
special("expit", "out * expit(-x)", at=[sample(np.array([-40.0, 45.0]))])
special("log_expit", "expit(-x)", at=[sample(np.array([-40.0, 45.0]))])
# xlogy(g, y) is g log(y), and 0 where g is 0.
special(
    "xlogy", "xlogy(g, y)", "ratio(g * x, y)", domain="positive",
    at=[
        sample(0.0, 2.0, expect=(np.log(2.0), 0.0)),
        sample(0.0, 0.0, expect=(-INF, 0.0)),
        sample(0.0, np.array([0.0, 1.0]), expect=(-INF, np.zeros(2))),
    ],
)  # fmt: skip
special(
    "xlog1py", "xlog1py(g, y)", "ratio(g * x, 1 + y)", domain="positive",
    at=[sample(0.0, -1.0, expect=(-INF, 0.0)), sample(2.0, -0.5)],
)  # fmt: skip
special(
    "entr", "-xlogy(g, x) - g", domain="positive",
    at=[sample(np.array([0.0, 1.0]), expect=(np.array([INF, -1.0]),))],
)  # fmt: skip
special(
    "rel_entr", "xlogy(g, ratio(x, y)) + g", "-ratio(g * x, y)", domain="positive",
    at=[sample(0.0, 2.0, expect=(-INF, 0.0)), sample(0.0, 0.0, expect=(None, 0.0))],
)  # fmt: skip
special(
    "kl_div", "xlogy(g, ratio(x, y))", "g - ratio(g * x, y)", domain="positive",
    at=[sample(0.0, 2.0, expect=(-INF, 1.0)), sample(0.0, 0.0, expect=(None, 1.0))],
)  # fmt: skip
special(
    "huber",
    "where(abs(r) > delta, abs(r) - delta, 0.0)",
    "where(abs(r) > delta, delta * sign(r), r)",
    names=("delta", "r"),
    samples=[
        sample(1.5, 0.7),
        sample(1.5, np.array([-2.0, 0.3, 4.0])),
        sample(np.array([[0.5], [3.0]]), np.array([-2.0, 1.0])),
        sample(1.0, 1.0, expect=(0.0, 1.0)),
    ],
)
special(
    "pseudo_huber",
    "ratio(g * square(ratio(r * r, hypot(delta, r) + delta)), hypot(delta, r))",
    "ratio(g * delta * r, hypot(delta, r))",
    names=("delta", "r"),
    samples=[
        sample(1.5, 0.7),
        sample(1.5, np.array([-2.0, 0.3, 1e-6])),
        sample(np.array([[0.5], [3.0]]), np.array([-2.0, 1.0])),
        sample(1.0, 0.0, expect=(0.0, 0.0)),
    ],
)

# -- powers that become logarithms ---------------------------------------------------------------

_BOX = [
    sample(1.7, 0.5),
    sample(np.array([0.3, 2.0]), np.array([[0.0], [-1.5], [1e-9]])),
    sample(np.array([0.3, 2.0], "float32"), np.float32(0.4)),
]
special(
    "boxcox",
    "x ** (lmbda - 1)",
    "where(x == 0, 1 / square(lmbda),"
    " square(log(x)) * exp_moment(1, where(x == 0, 0.0, lmbda * log(x))))",
    names=("x", "lmbda"),
    samples=[*_BOX, sample(0.0, 2.0, expect=(0.0, 0.25))],
)
special(
    "boxcox1p",
    "(1 + x) ** (lmbda - 1)",
    "square(log1p(x)) * exp_moment(1, lmbda * log1p(x))",
    names=("x", "lmbda"),
    samples=_BOX,
)
_INVERSE = [
    sample(0.7, 0.5),
    sample(np.array([0.3, 0.6]), np.array([[0.0], [-0.5], [1e-9]])),
    sample(np.array([0.3, 2.0], "float32"), np.float32(0.4)),
]
special(
    "inv_boxcox",
    "out / (1 + lmbda * y)",
    "-out * y * y * log1p_moment(1, lmbda * y)",
    names=("y", "lmbda"),
    samples=_INVERSE,
)
special(
    "inv_boxcox1p",
    "(1 + out) / (1 + lmbda * y)",
    "-(1 + out) * y * y * log1p_moment(1, lmbda * y)",
    names=("y", "lmbda"),
    samples=_INVERSE,
)
special("exprel", "exp_moment(1, x)", at=[sample(0.0, expect=(0.5,))])
rule(
    helpers.exp_moment,
    "k u",
    name="exp_moment",
    vjp=(None, "g * exp_moment(k + 1, u)"),
    jvp=(None, "u_dot * exp_moment(k + 1, u)"),
    samples=[sample(0, 0.7), sample(1, np.array([-2.0, 0.0, 3.0]))],
)
rule(
    helpers.log1p_moment,
    "k v",
    name="log1p_moment",
    vjp=(None, "-g * (k + 1) * log1p_moment(k + 1, v)"),
    jvp=(None, "-v_dot * (k + 1) * log1p_moment(k + 1, v)"),
    samples=[sample(0, 0.7), sample(1, np.array([-0.5, 0.0, 3.0]))],
)

# -- hypergeometric functions --------------------------------------------------------------------


def _parameters(name: str, *parameters: str) -> list[str]:
    return [
        refusal(f"scipy.special.{name} has no derivative with respect to its parameter {p}")
        for p in parameters
    ]


special(
    "hyp0f1",
    *_parameters("hyp0f1", "v"),
    "hyp0f1(v + 1, z) / v",
    names=("v", "z"),
    samples=[sample(2, 0.7), sample(3, np.array([-1.0, 0.0, 2.0]))],
)
special(
    "hyp1f1",
    *_parameters("hyp1f1", "a", "b"),
    "a / b * hyp1f1(a + 1, b + 1, x)",
    names=("a", "b", "x"),
    samples=[sample(2, 3, 0.7), sample(1, np.array([2, 4]), np.array([[-1.0], [2.0]]))],
)
special(
    "hyp2f1",
    *_parameters("hyp2f1", "a", "b", "c"),
    "a * b / c * hyp2f1(a + 1, b + 1, c + 1, z)",
    names=("a", "b", "c", "z"),
    samples=[sample(2, 1, 3, 0.3), sample(1, 2, 4, np.array([-0.5, 0.0, 0.6]))],
)
special(
    "hyperu",
    *_parameters("hyperu", "a", "b"),
    "-a * hyperu(a + 1, b + 1, x)",
    names=("a", "b", "x"),
    samples=[sample(2, 3, 0.7), sample(1, 2, np.array([0.5, 2.0]))],
)

# -- elementary functions under other names ------------------------------------------------------

special("expm1", "exp(x)")
special("exp2", "0.6931471805599453 * out")
special("exp10", "2.302585092994046 * out")
special("log1p", "ratio(g, 1 + x)", domain="positive")
special("cosm1", "-sin(x)")
special("cbrt", "ratio(g, 3.0 * out * out)", domain="positive")
