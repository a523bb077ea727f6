"""How SciPy's tables are written: the doors of `s2sad.rules.declare`, with SciPy's names.

In: a name of ``scipy.special`` and a partial per operand. Out: a record, or None where the
installed SciPy has no such function.

    special("gammaln", "psi(x)")      the record "scipy.special.gammaln"
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special

from ...ir.kinds import FLOAT, Kind
from ...ir.nodes import Atom
from ..declare import define, elementwise, sample
from ..examplekinds import by_example
from ..kindrules import as_array, ufunc_kind
from ..registry import KindError, KindRule, Primitive, Sample
from ..text import build_text

if TYPE_CHECKING:
    from ...ir.builder import Builder

__all__ = ["FAR", "POINTS", "orders", "refusal", "special", "text", "value_of"]

#: Points at which functions of positive numbers are looked at.
POINTS = np.array([0.4, 1.3, 2.7])
#: A sample where they are large or small.
FAR: list[Sample] = [sample(np.array([12.5, 0.01, 40.0]))]


def special(
    name: str, *partials: str | None, real_only: bool = False, **more: Any
) -> Primitive | None:
    """An elementwise function of ``scipy.special``, by its name.

    ``real_only`` refuses complex operands, for which the partials do not hold.
    """
    f = getattr(scipy.special, name, None)
    if f is None:
        return None
    is_ufunc = hasattr(f, "resolve_dtypes")
    kind = more.pop("kind", None) or (ufunc_kind(f) if is_ufunc else by_example(f))
    kind = named(name, kind)
    if real_only:
        kind = _of_reals(name, kind)
    return elementwise(f, *partials, name=f"scipy.special.{name}", kind=kind, **more)


def orders(*points: Any) -> list[Sample]:
    """Samples of a function of an int and a number."""
    return [
        sample(points[0], 1.3),
        sample(points[1], POINTS),
        sample(points[0], np.array([[0.6], [2.2]], "float32")),
        sample(np.array(points), 0.9),
        sample(points[1], np.zeros(0)),
    ]


def named(name: str, kind: KindRule) -> KindRule:
    """The kind rule, whose refusals call the function by its name."""

    @functools.wraps(kind)
    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind | tuple[Kind, ...]:
        try:
            return kind(args, attrs)
        except KindError as error:
            raise KindError(str(error).replace(f"np.{name} ", f"scipy.special.{name} ")) from None

    return rule


def _of_reals(name: str, kind: KindRule) -> KindRule:
    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind | tuple[Kind, ...]:
        if any(as_array(a.kind).dtype[0] == "c" for a in args):
            raise KindError(f"scipy.special.{name} of complex numbers is not holomorphic")
        return kind(args, attrs)

    return rule


def refusal(reason: str) -> str:
    """The partial of an operand that has no derivative: the reason is told where it is asked for.

    ``None`` says that a derivative is zero; this says that it is not known.
    """
    return f"no_derivative(out, why={reason!r})"


def _no_derivative(out: Any, why: str) -> Any:
    raise KindError(why)


def _no_derivative_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    raise KindError(attrs["why"])


define("no_derivative", _no_derivative, "out", _no_derivative_kind, zero=True)


def text(b: Builder, source: str, /, **names: Any) -> Atom:
    """Rule text in which plain names mean functions of ``scipy.special`` first."""
    return build_text(b, source, names, "scipy")


def value_of(b: Builder, source: str, /, **names: Any) -> Any:
    """The same, called only where the cotangent is wanted."""
    return lambda: text(b, source, **names)


#: The kind of a result that is a Python float.
A_FLOAT = FLOAT
