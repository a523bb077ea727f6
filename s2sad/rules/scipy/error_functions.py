"""The error function of ``scipy.special`` and its kin: integrals of elementary functions.

In: nothing. Out: records in the registry. Where a partial cancels far out, a helper computes all
its derivatives by their recurrence.

    special("erf", "2 / sqrt(pi) * exp(-x * x)")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special as sp

from ...ir.nodes import Atom
from ..declare import rule, sample
from ..kindrules import ufunc_kind
from . import helpers
from .declare import POINTS, orders, special, text

if TYPE_CHECKING:
    from ...ir.builder import Builder

INF = float("inf")
TWO_OVER_ROOT_PI = "1.1283791670955126"
ROOT_PI_OVER_TWO = "0.886226925452758"
ONE_OVER_ROOT_TWO_PI = "0.3989422804014327"


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
    samples=[*orders(1, 2), sample(0, POINTS)],
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
