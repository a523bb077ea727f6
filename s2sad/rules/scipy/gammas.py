"""The gamma and beta functions of ``scipy.special``, and what is made of them.

In: nothing. Out: records in the registry. The incomplete functions are differentiated with respect
to their parameters, too: by integrals of powers of logarithms (``helpers``), whose derivatives are
the next of their kind.

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
from ..kindrules import as_array, elementwise_kind
from ..staged import linear_jvp
from . import helpers
from .declare import FAR, POINTS, special, text

if TYPE_CHECKING:
    from ...ir.builder import Builder


# -- the gamma function and its kin --------------------------------------------------------------

special("gamma", "out * psi(x)", domain="positive", at=[sample(-1.5), sample(np.array([-0.3]))])
special("gammaln", "psi(x)", domain="positive", at=[sample(-1.5), *FAR])
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
    samples=[
        sample(0, 0.7),
        sample(2, POINTS),
        sample(np.array([0, 1, 3]), POINTS),
        sample(1, -0.4),
    ],
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
    samples=[
        sample(0, 2.5, POINTS),
        sample(1, np.array([0.7, 3.0, 2.0]), 1.5),
        sample(2, 1.4, 0.3),
    ],
)
rule(
    helpers.gammainc_slope,
    "n a x",
    name="gammainc_slope",
    vjp=(None, "g * gammainc_slope(n + 1, a, x)", "g * gamma_density(n, a, x)"),
    jvp=(None, "a_dot * gammainc_slope(n + 1, a, x)", "x_dot * gamma_density(n, a, x)"),
    samples=[
        sample(1, 2.5, POINTS),
        sample(1, np.array([0.7, 3.0, 2.0]), 1.5),
        sample(2, 1.4, 0.3),
    ],
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
