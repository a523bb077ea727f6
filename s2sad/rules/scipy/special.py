"""The elementary functions of ``scipy.special``: one line each, a partial per operand.

In: nothing. Out: records in the registry. The gamma and beta functions are in ``gammas``, the
error function and other integrals in ``error_functions``, Bessel and hypergeometric functions in
``bessels``. The partials in all four are those of the NIST Digital Library of Mathematical
Functions (DLMF) unless stated.

    special("expit", "out * expit(-x)")
"""

from __future__ import annotations

import numpy as np

from ..declare import rule, sample
from . import helpers
from .declare import special

INF = float("inf")

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

# -- elementary functions under other names ------------------------------------------------------

special("expm1", "exp(x)")
special("exp2", "0.6931471805599453 * out")
special("exp10", "2.302585092994046 * out")
special("log1p", "ratio(g, 1 + x)", domain="positive")
special("cosm1", "-sin(x)")
special("cbrt", "ratio(g, 3.0 * out * out)", domain="positive")
