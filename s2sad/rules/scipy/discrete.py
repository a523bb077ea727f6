"""The discrete distributions of ``scipy.stats``: probability masses and their logs.

In: nothing. Out: records in the registry. A distribution is what its mass and the logarithm of it
contribute to each parameter; whole numbers have no derivative.

    poisson.logpmf(k, mu):   mu_bar = g * k / mu - g
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ...ir.kinds import FixedList, ListOf, Tuple
from ...ir.nodes import Atom
from ..declare import rule, sample
from ..registry import KindError
from ..staged import linear_jvp
from . import gammas  # noqa: F401 (the texts call psi)
from .declare import text
from .stats import Rule, in_double, is_just, surely

if TYPE_CHECKING:
    from ...ir.builder import Builder


@dataclass(frozen=True, slots=True)
class Counts:
    """A discrete distribution, as texts of k, its parameters, and g, the cotangent.

    Attributes
    ----------
    inside: where the mass depends on the parameters.
    logs, masses: what the logarithm of the mass, and the mass itself, contribute to each of the
        parameters; None where it is a whole number. The masses divide by nothing that may be 0.
    """

    inside: str
    logs: dict[str, str | None]
    masses: dict[str, str | None]


_WHOLE = "(k >= 0) & (k == floor(k))"
_DISCRETE: dict[str, Counts] = {
    "poisson": Counts(
        _WHOLE,
        {"mu": "ratio(g * k, mu) - g"},
        {"mu": "g * (scipy.stats.poisson.pmf(k - 1, mu) - scipy.stats.poisson.pmf(k, mu))"},
    ),
    "binom": Counts(
        f"{_WHOLE} & (k <= n)",
        {"n": None, "p": "ratio(g * k, p) - ratio(g * (n - k), 1 - p)"},
        {
            "n": None,
            "p": "g * n * (scipy.stats.binom.pmf(k - 1, n - 1, p)"
            " - scipy.stats.binom.pmf(k, n - 1, p))",
        },
    ),
    "bernoulli": Counts(
        "(k == 0) | (k == 1)",
        {"p": "ratio(g * k, p) - ratio(g * (1 - k), 1 - p)"},
        {"p": "g * (2 * k - 1)"},
    ),
    "geom": Counts(
        "(k >= 1) & (k == floor(k))",
        {"p": "ratio(g, p) - ratio(g * (k - 1), 1 - p)"},
        {"p": "g * ((1 - p) ** maximum(k - 1, 0) - (k - 1) * p * (1 - p) ** maximum(k - 2, 0))"},
    ),
    "nbinom": Counts(
        _WHOLE,
        {
            "n": "g * (psi(k + n) - psi(n) + log(p))",
            "p": "ratio(g * n, p) - ratio(g * k, 1 - p)",
        },
        {
            "n": "g * scipy.stats.nbinom.pmf(k, n, p) * (psi(k + n) - psi(n) + log(p))",
            "p": "g * n / p * (scipy.stats.nbinom.pmf(k, n, p)"
            " - scipy.stats.nbinom.pmf(k - 1, n + 1, p))",
        },
    ),
}
_MASSES: dict[str, list[tuple[Any, ...]]] = {
    "poisson": [(np.array([0, 2, 5]), 2.3), (3, 0.7), (2.0, np.array([0.4, 2.0]))],
    "binom": [(np.array([0, 2, 5]), 5, 0.3), (2, 4, np.array([0.4, 0.9]))],
    "bernoulli": [(np.array([0, 1, 1]), 0.3), (1, np.array([0.4, 0.9]))],
    "geom": [(np.array([1, 2, 5]), 0.3), (2, np.array([0.4, 0.9]))],
    "nbinom": [(np.array([0, 2, 5]), 2.5, 0.3), (2, np.array([1.5, 4.0]), 0.6)],
}


_INF = float("inf")
_EDGES = {
    "poisson.pmf": [sample(np.array([0, 1, 2]), 0.0, expect=(None, 0.0))],
    "poisson.logpmf": [
        sample(np.array([0, -1]), 0.0, expect=(None, -1.0)),
        sample(1, 0.0, expect=(None, _INF)),
    ],
    "binom.pmf": [sample(1, 3, np.array([0.0]), expect=(None, None, np.array([3.0])))],
    "bernoulli.pmf": [
        sample(np.array([0, 1, 2]), np.zeros(3), expect=(None, np.array([-1, 1, 0])))
    ],
    "geom.pmf": [
        sample(np.array([1, 2, 0]), np.ones(3), expect=(None, np.array([1.0, -1.0, 0.0])))
    ],
    "nbinom.pmf": [sample(1, 2.0, 1.0, expect=(None, None, -2.0))],
}


def mass(name: str, counts: Counts, *, log: bool) -> Rule:
    """The rule of ``pmf`` or ``logpmf``: k and loc are whole numbers, the rest may vary."""
    sources = counts.logs if log else counts.masses

    def vjp(b: Builder, g: Atom, out: Atom, k: Atom, *rest: Atom) -> list[Any]:
        given, places = rest[: len(sources)], rest[len(sources) :]
        n = b.sub(k, places[0]) if places and not is_just(places[0], 0) else k
        if isinstance(n.kind, Tuple | FixedList | ListOf):
            n = b.op("np.asarray", n)
        names = {"k": n, **dict(zip(sources, given, strict=True))}
        seed = g
        if name == "binom" or not surely(counts.inside, **names):
            seed = text(b, f"where({counts.inside}, g, 0.0)", g=g, **names)

        def along(parameter: str, source: str | None) -> Callable[[], Atom]:
            def found() -> Atom:
                if source is None:
                    raise KindError(
                        f"scipy.stats.{name} has no derivative with respect to {parameter}, "
                        "a whole number"
                    )
                return text(b, source, g=seed, **names)

            return found

        return [None, *(along(p, s) for p, s in sources.items()), None]

    return vjp


for _name, _counts in _DISCRETE.items():
    for _log in (False, True):
        _vjp = mass(_name, _counts, log=_log)
        _method = "logpmf" if _log else "pmf"
        rule(
            getattr(getattr(stats, _name), _method),
            " ".join(["k", *_counts.logs, "loc=0"]),
            name=f"scipy.stats.{_name}.{_method}",
            kind=in_double,
            vjp=_vjp,
            jvp=linear_jvp(_vjp),
            samples=[
                *(sample(*p) for p in _MASSES[_name] if not isinstance(p[0], float)),
                sample(np.array([1]) + 2, *_MASSES[_name][0][1:], 2),
                *_EDGES.get(f"{_name}.{_method}", ()),
            ],
        )
