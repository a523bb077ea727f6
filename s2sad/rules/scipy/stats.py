"""Continuous distributions of ``scipy.stats``: densities, distribution functions, their logs.

In: nothing. Out: records in the registry. A distribution is what its log-density does
with ``z = (x - loc) / scale`` and with its shapes; every rule of its six methods follows.

    norm      dlogf/dz = -z       norm.logpdf(x, loc, scale):   x_bar = -g * z / scale
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ...ir.kinds import Kind
from ...ir.nodes import Atom, Const
from ..declare import rule, sample
from ..eager import EagerBuilder
from ..kindrules import as_array, elementwise_kind
from ..registry import Sample
from ..staged import linear_jvp
from . import bessels, error_functions, gammas, special  # noqa: F401 (the texts call these)
from .declare import text

if TYPE_CHECKING:
    from ...ir.builder import Builder


@dataclass(frozen=True, slots=True)
class Family:
    """A continuous distribution, as texts of z and its shapes.

    Attributes
    ----------
    slope: the derivative of the logarithm of the density of z.
    shapes: the shape parameters, with the derivatives of that logarithm, and of the distribution
        function of z, with respect to them.
    inside: where z is inside of the support; elsewhere every derivative is 0.
    points: values of z and of the shapes to be tested at.
    """

    slope: str
    shapes: dict[str, tuple[str, str]]
    inside: str | None
    points: tuple[Any, ...]


_X = np.array([0.3, 1.7, 0.9])
_T = "z / (df + z * z)"
FAMILIES: dict[str, Family] = {
    "norm": Family("-z", {}, None, (np.array([-0.3, 1.7, 0.0]),)),
    "t": Family(
        "-(df + 1) * z / (df + z * z)",
        {
            "df": (
                "0.5 * (psi(0.5 * (df + 1)) - psi(0.5 * df) - 1 / df - log1p(z * z / df)"
                f" + (df + 1) * z / df * {_T})",
                # 1 - F is half of betainc(df / 2, 1 / 2, df / (df + z**2)) for positive z
                "-0.5 * sign(z) * (0.5 * betainc_slope(1, 0, 0.5 * df, 0.5, df / (df + z * z))"
                f" + beta_density(0, 0, 0.5 * df, 0.5, df / (df + z * z)) * square({_T}))",
            )
        },
        None,
        (np.array([-0.3, 1.7, 0.9]), np.array([2.5, 1.3, 7.0])),
    ),
    "beta": Family(
        "ratio(a - 1, z) - ratio(b - 1, 1 - z)",
        {
            "a": ("log(z) - psi(a) + psi(a + b)", "betainc_slope(1, 0, a, b, z)"),
            "b": ("log1p(-z) - psi(b) + psi(a + b)", "betainc_slope(0, 1, a, b, z)"),
        },
        "((z > 0) | ((z == 0) & (a == 1))) & ((z < 1) | ((z == 1) & (b == 1)))",
        (np.array([0.3, 0.6, 0.9]), np.array([2.5, 1.3, 0.7]), 1.6),
    ),
    "gamma": Family(
        "ratio(a - 1, z) - 1",
        {"a": ("log(z) - psi(a)", "gammainc_slope(1, a, z)")},
        "(z > 0) | ((z == 0) & (a == 1))",
        (_X, np.array([2.5, 1.3, 0.7])),
    ),
    "chi2": Family(
        "ratio(0.5 * df - 1, z) - 0.5",
        {
            "df": (
                "0.5 * (log(0.5 * z) - psi(0.5 * df))",
                "0.5 * gammainc_slope(1, 0.5 * df, 0.5 * z)",
            )
        },
        "(z > 0) | ((z == 0) & (df == 2))",
        (_X, np.array([2.5, 1.3, 4.7])),
    ),
    "expon": Family("-1.0", {}, "z >= 0", (_X,)),
    "laplace": Family("-sign(z)", {}, None, (np.array([-0.3, 1.7, 0.9]),)),
    "logistic": Family("-tanh(0.5 * z)", {}, None, (np.array([-0.3, 1.7, 0.9]),)),
    "uniform": Family("0.0", {}, "(z >= 0) & (z <= 1)", (np.array([0.3, 0.7, 0.9]),)),
    "cauchy": Family("-2 * z / (1 + z * z)", {}, None, (np.array([-0.3, 1.7, 0.9]),)),
    "pareto": Family(
        "-(b + 1) / z",
        {"b": ("1 / b - log(z)", "z ** -b * log(z)")},
        "z >= 1",
        (1.0 + _X, np.array([2.5, 1.3, 0.7])),
    ),
    "weibull_min": Family(
        "ratio(c - 1, z) - c * z ** (c - 1)",
        {"c": ("1 / c + log(z) * (1 - z ** c)", "exp(-(z ** c)) * z ** c * log(z)")},
        "(z > 0) | ((z == 0) & (c == 1))",
        (_X, np.array([2.5, 1.3, 0.7])),
    ),
    "lognorm": Family(
        "-(1 + log(z) / (s * s)) / z",
        {
            "s": (
                "(square(log(z) / s) - 1) / s",
                "-0.3989422804014327 * exp(-0.5 * square(log(z) / s)) * log(z) / (s * s)",
            )
        },
        "z > 0",
        (_X, np.array([0.5, 1.3, 0.7])),
    ),
}

Rule = Callable[..., list[Any]]


def in_double(args: Sequence[Atom], attrs: Any) -> Kind:
    """Double precision whatever the operands are, broadcast."""
    return elementwise_kind("float64", [as_array(a.kind) for a in args])


class _Standard:
    """The operands of one call: z, what stands for the shapes, and the scale."""

    def __init__(self, b: Builder, family: Family, x: Atom, rest: Sequence[Atom]) -> None:
        self.b = b
        self.family = family
        shapes, places = rest[: len(family.shapes)], rest[len(family.shapes) :]
        loc: Atom | None = places[0] if places else None
        self.scale: Atom | None = places[1] if len(places) > 1 else None
        z = x if loc is None or is_just(loc, 0) else b.sub(x, loc)
        self.z = z if self.scale is None or is_just(self.scale, 1) else b.div(z, self.scale)
        inner, self.inside = self.z, None
        if (
            family.inside is not None and not self._surely_inside()
        ):  # texts are never evaluated outside of the support
            given = dict(zip(family.shapes, shapes, strict=True))
            self.inside = text(b, family.inside, z=self.z, **given)
            point = Const.of(0.5 if "z < 1" in family.inside else 2.0)
            inner = b.op("np.where", self.inside, self.z, point)
        self.names = {"z": inner, **dict(zip(family.shapes, shapes, strict=True))}

    def _surely_inside(self) -> bool:
        """Whether z is a number in the program, inside of the support."""
        one = Const.of(1.0)  # what matters of the shapes matters at the ends alone
        return surely(self.family.inside, z=self.z, a=one, b=one, c=one, df=one)

    def over_scale(self, value: Atom) -> Atom:
        if self.scale is None or is_just(self.scale, 1):
            return value
        return self.b.div(value, self.scale)

    def said(self, source: str) -> Atom:
        return text(self.b, source, **self.names)

    def kept(self, value: Atom) -> Atom:
        """The value inside of the support, 0 outside."""
        if self.inside is None:
            return value
        return self.b.op("np.where", self.inside, value, Const.of(0.0))


def surely(condition: str | None, /, **names: Atom) -> bool:
    """Whether a condition on numbers in the program is known to hold; not at 0 and 1."""
    first = next(iter(names.values()))
    if condition is None or not isinstance(first, Const):
        return False
    if not isinstance(first.value, int | float) or first.value in (0, 1):
        return False
    found = text(EagerBuilder(), condition, **names)  # type: ignore[arg-type]
    return isinstance(found, Const) and bool(found.value)


def is_just(a: Atom, value: int) -> bool:
    return isinstance(a, Const) and type(a.value) in (int, float) and bool(a.value == value)


def density(family: Family, *, log: bool) -> Rule:
    """The rule of ``pdf`` or ``logpdf``."""

    def vjp(b: Builder, g: Atom, out: Atom, x: Atom, *rest: Atom) -> list[Any]:
        s = _Standard(b, family, x, rest)
        seed = s.kept(g if log else b.mul(g, out))
        made: dict[str, Atom] = {}

        def along_x() -> Atom:
            if "x" not in made:
                made["x"] = s.over_scale(b.mul(seed, s.said(family.slope)))
            return made["x"]

        def along_shape(source: str) -> Callable[[], Atom]:
            return lambda: b.mul(seed, s.said(source))

        return [
            along_x,
            *(along_shape(of_density) for of_density, _ in family.shapes.values()),
            lambda: b.neg(along_x()),
            lambda: b.neg(b.add(s.over_scale(seed), b.mul(s.z, along_x()))),
        ]

    return vjp


def distribution(name: str, family: Family, *, log: bool, upper: bool) -> Rule:
    """The rule of ``cdf``, ``sf``, ``logcdf`` or ``logsf``."""

    def vjp(b: Builder, g: Atom, out: Atom, x: Atom, *rest: Atom) -> list[Any]:
        s = _Standard(b, family, x, rest)
        made: dict[str, Atom] = {}
        seed = b.neg(g) if upper else g

        def along_x() -> Atom:
            if "x" in made:
                return made["x"]
            if log:
                source = "where(isfinite(out), g * exp(f - where(isfinite(out), out, 0.0)), 0.0)"
                f = b.op(f"scipy.stats.{name}.logpdf", x, *rest)
                made["x"] = text(b, source, g=seed, f=f, out=out)
            else:
                made["x"] = b.mul(seed, b.op(f"scipy.stats.{name}.pdf", x, *rest))
            return made["x"]

        def along_shape(source: str) -> Callable[[], Atom]:
            def found() -> Atom:
                up = seed
                if log:
                    source = "where(isfinite(out), g * exp(-where(isfinite(out), out, 0.0)), 0.0)"
                    up = text(b, source, g=seed, out=out)
                return s.kept(b.mul(up, s.said(slope)))

            slope = source
            return found

        return [
            along_x,
            *(along_shape(of_distribution) for _, of_distribution in family.shapes.values()),
            lambda: b.neg(along_x()),
            lambda: b.neg(b.mul(s.z, along_x())),
        ]

    return vjp


def _samples(name: str, family: Family) -> list[Sample]:
    z, *shapes = family.points
    first = [s if np.ndim(s) == 0 else s[0] for s in shapes]
    found = [
        sample(z, *shapes),
        sample(float(z[1]), *map(float, first)),
        sample(0.2 + z, *shapes, 0.2),
        sample(0.2 + 1.5 * z, *shapes, 0.2, 1.5),
        sample((0.2 + 1.5 * z)[:, None], *first, np.array([0.2, 0.21]), np.float64(1.5)),
        sample(z.astype("float32"), *first, np.float32(0.0), np.ones(3, "float32")),
    ]
    if family.inside is not None:
        zero = sample(np.array([-3.0]), *first, expect=(np.zeros(1),))
        return [*found, zero]
    return found


def _continuous(name: str, family: Family) -> None:
    instance = getattr(stats, name)
    operands = " ".join(["x", *family.shapes, "loc=0", "scale=1"])
    rules: dict[str, Rule] = {
        "pdf": density(family, log=False),
        "logpdf": density(family, log=True),
        "cdf": distribution(name, family, log=False, upper=False),
        "sf": distribution(name, family, log=False, upper=True),
        "logcdf": distribution(name, family, log=True, upper=False),
        "logsf": distribution(name, family, log=True, upper=True),
    }
    for method, vjp in rules.items():
        points = [*_samples(name, family), *(_ENDS.get(name, ()) if method == "pdf" else ())]
        if method in ("sf", "logsf"):  # far below the support, these are not constants of 0
            points = [p for p in points if not p.edge]
        rule(
            getattr(instance, method),
            operands,
            name=f"scipy.stats.{name}.{method}",
            kind=in_double,
            vjp=vjp,
            jvp=linear_jvp(vjp),
            samples=points,
        )


#: Ends of supports, where a density may still depend on its scale and its shapes.
_ENDS: dict[str, list[Sample]] = {
    "expon": [sample(np.zeros(1), 0.0, 2.0, expect=(np.array([-0.25]), 0.25, -0.25))],
    "gamma": [sample(0.0, 1.0, 0.0, 2.0, expect=(-0.25, None, 0.25, -0.25))],
    "pareto": [sample(1.0, 3.0, expect=(-12.0, 1.0))],
    "uniform": [sample(np.array([0.0, 2.0]), 0.0, 2.0, expect=(np.zeros(2), 0.0, -0.5))],
}

for _name, _family in FAMILIES.items():
    _continuous(_name, _family)
