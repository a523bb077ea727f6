"""Bessel and hypergeometric functions of ``scipy.special``, and the zeta function.

In: nothing. Out: records in the registry. The orders of the first and the parameters of the second
have no derivative here, which is said where it is asked for.

    special("j0", "-j1(x)")
"""

from __future__ import annotations

import numpy as np
import scipy.special as sp

from ..declare import sample
from ..examplekinds import by_example
from .declare import FAR, POINTS, orders, refusal, special

# -- zeta, Bessel functions ----------------------------------------------------------------------

special(
    "zeta",
    refusal("scipy.special.zeta has no derivative with respect to its first argument x"),
    "-x * zeta(x + 1, q)",
    names=("x", "q"),
    kind=by_example(sp.zeta, fill=2.0),
    samples=[sample(3, 1.3), sample(2, POINTS), sample(np.array([2, 3, 5]), POINTS)],
)
special("j0", "-j1(x)", at=FAR)
special("j1", "0.5 * (j0(x) - jv(2, x))", at=[*FAR, sample(0.0, expect=(0.5,))])
special("y0", "-y1(x)", domain="positive", at=FAR)
special("y1", "0.5 * (y0(x) - yn(2, x))", domain="positive", at=FAR)
special("i0", "i1(x)")
special("i0e", "i1e(x) - sign(x) * out", at=[sample(0.0, expect=(0.0,)), *FAR])
special("i1", "0.5 * (i0(x) + iv(2, x))", at=[sample(0.0, expect=(0.5,))])
special("i1e", "0.5 * (i0e(x) + ive(2, x)) - sign(x) * out", at=[sample(0.0, expect=(0.5,))])
special("k0", "-k1(x)", domain="positive")
special("k0e", "out - k1e(x)", domain="positive")
special("k1", "-0.5 * (k0(x) + kv(2, x))", domain="positive")
special("k1e", "out - 0.5 * (k0e(x) + kve(2, x))", domain="positive")
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
        samples=orders(0, 2),
    )
special(
    "yn", None, "0.5 * (yv(n - 1, x) - yv(n + 1, x))", names=("n", "x"),
    samples=[sample(0, 1.3), sample(2, POINTS), sample(np.array([0, 1]), 0.9)],
)  # fmt: skip
special(
    "kn", None, "-0.5 * (kv(n - 1, x) + kv(n + 1, x))", names=("n", "x"),
    samples=[sample(0, 1.3), sample(2, POINTS), sample(np.array([0, 1]), 0.9)],
)  # fmt: skip

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
