"""The registry: one record per primitive, and the doors through which records enter.

In: declarations such as ``elementwise(np.sin, "cos(x)")``. Out: ``lookup(np.sin)``, a
``Primitive`` that tells every pass what it needs: the kind of the result, effects, which argument
the result may be a view of, the derivative, a sample domain.

Derivatives are text over the operand names, ``out`` and ``g`` (the cotangent) or ``x_dot`` (the
tangent of operand x), in registered functions only (a partial that mentions ``g`` is the whole
product, for both modes); ``cos`` means ``np.cos``, or ``math.cos``
where the operands are Python scalars of a ``math`` function. Where text cannot say it, a staged
function does: ``vjp(b, g, out, *operands, **attrs)`` receives a builder and returns one cotangent
(or None) per operand. Neither ever unbroadcasts, casts or looks at the backend.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ..ir.kinds import Kind
from ..ir.nodes import Atom
from .optional import load_rules_of

if TYPE_CHECKING:
    pass

KindRule: TypeAlias = Callable[..., "Kind | tuple[Kind, ...]"]
StagedVjp: TypeAlias = Callable[..., "Sequence[Atom | None]"]
StagedJvp: TypeAlias = Callable[..., "Any"]


class KindError(Exception):
    """Raised by a kind rule for operands the primitive does not support; the text is shown."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One point at which a rule is tested: operands, attributes, and how.

    ``edge`` marks a point (tie, zero, empty) whose expected cotangents are given by ``expect``
    instead of finite differences.
    """

    args: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    expect: tuple[Any, ...] | None = None
    edge: bool = False


@dataclass(frozen=True, slots=True)
class Primitive:
    """Everything the compiler knows of one function.

    Attributes
    ----------
    name: how the IR and the emitted text call it: "np.sin", "math.exp", "add", "setitem".
    fun: runs it on run-time values: ``fun(*operands, **attrs)``.
    operands: names of the positional operands in rule text; a last name "*rest" takes any number.
    signature: of the user's call; parameters that are not operands are static attributes.
    kind: ``kind(args, attrs)`` with atoms, so that constants can be looked at.
    partials: elementwise only: d out / d operand as text, None where there is no derivative.
        Where ``vjp`` and ``jvp`` are given too, they are what is used.
    vjp: text per operand (None: no derivative), or one staged function.
        An entry that costs something may be a function of no arguments: it is called only for
        operands whose cotangent is wanted.
    jvp: text; or texts per operand, whose values add up; or "linear": the primitive itself,
        applied to the tangents; or a staged function ``jvp(b, tangents, out, *operands,
        **attrs)``, where a tangent that is zero is None, and at least one is not. None: it is
        derived from ``partials``.
    defaults: attributes that rule text may name although a call left them out.
    effect: "pure", "draws", "prints" or "raises".
    view_of: index of the operand whose memory the result may share.
    writes: index of the operand whose buffer the first result may take over.
    zero: its derivative is zero everywhere (floor, comparisons, shape ...).
    zero_if_real: so it is for real operands (sign).
    """

    name: str
    fun: Callable[..., Any]
    operands: tuple[str, ...]
    kind: KindRule
    signature: inspect.Signature | None = None
    partials: tuple[str | None, ...] | None = None
    vjp: tuple[str | None, ...] | StagedVjp | None = None
    jvp: str | tuple[str | None, ...] | StagedJvp | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    effect: str = "pure"
    view_of: int | None = None
    writes: int | None = None
    zero: bool = False
    zero_if_real: bool = False
    samples: tuple[Sample, ...] | Callable[[], Sequence[Sample]] = ()

    @property
    def differentiable(self) -> bool:
        return self.partials is not None or self.vjp is not None


_by_name: dict[str, Primitive] = {}
_homes: dict[str, str] = {}
_DECLARING = frozenset((__name__, f"{__name__.rpartition('.')[0]}.declare"))
_by_callable: dict[Any, Primitive] = {}
_methods: dict[str, Method] = {}


@dataclass(frozen=True, slots=True)
class Method:
    """What ``x.attribute`` means: a primitive, read like a field or called.

    ``packs``: several positional arguments stand for one tuple (``x.reshape(2, 3)``).
    """

    name: str
    is_property: bool = False
    packs: bool = False


def register(primitive: Primitive, *callables: Any) -> Primitive:
    """Enter a record under its name and under every callable it answers to."""
    _by_name[primitive.name] = primitive
    _homes[primitive.name] = _caller()
    for f in callables or (primitive.fun,):
        try:
            _by_callable[f] = primitive
        except TypeError:
            continue
    return primitive


def _caller() -> str:
    """The module that declares a rule: the first on the stack that is not about declaring."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _DECLARING:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))


def home(name: str) -> str:
    """The module in which a primitive was declared."""
    return _homes[name]


def primitive(name: str) -> Primitive:
    """The record of that name (KeyError if there is none)."""
    return _by_name[name]


def has_primitive(name: str) -> bool:
    return name in _by_name


def lookup(f: Any) -> Primitive | None:
    """The record of a callable, or None; rules of optional packages are loaded for it."""
    try:
        found = _by_callable.get(f)
        if found is None and load_rules_of(f):
            found = _by_callable.get(f)
    except TypeError:
        return None
    return found


def method(attribute: str, name: str, *, is_property: bool = False, packs: bool = False) -> None:
    """``x.attribute(...)`` of an array means the primitive ``name`` with x as first operand."""
    _methods[attribute] = Method(name, is_property, packs)


def array_method(attribute: str) -> Primitive | None:
    """The primitive behind an array method or attribute, or None."""
    found = _methods.get(attribute)
    return None if found is None else _by_name[found.name]


def method_of(attribute: str) -> Method | None:
    """How an array method or attribute is used, or None."""
    return _methods.get(attribute)


def bind(
    primitive: Primitive, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands and attributes of a call: an operand left out before a given one is its default.

    Raises TypeError where the call does not fit the signature.
    """
    if primitive.signature is None:
        return tuple(args), dict(kwargs)
    bound = primitive.signature.bind(*args, **kwargs).arguments
    operands: list[Any] = []
    missing: list[Any] = []
    attrs: dict[str, Any] = {}
    for name, parameter in primitive.signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            operands += bound.get(name, ())
        elif name not in primitive.operands:
            if name in bound:
                attrs[name] = bound[name]
        elif name in bound:
            operands += [*missing, bound[name]]
            missing = []
        else:
            missing.append(parameter.default)
    return tuple(operands), attrs


def keyword_from(operands: Sequence[str], signature: inspect.Signature | None) -> int:
    """How many operands a call passes by position; the others are out of place in its signature.

    >>> keyword_from(("a", "where"), inspect.signature(lambda a, axis=None, where=True: 0))
    1
    """
    if signature is None:
        return len(operands)
    for n, (name, parameter) in enumerate(
        zip(operands, signature.parameters.values(), strict=False)
    ):
        if parameter.kind is parameter.KEYWORD_ONLY or parameter.name != name.lstrip("*"):
            return n
    return len(operands)


def callables() -> dict[Any, str]:
    """The callables that have records, with the names of these."""
    return {f: p.name for f, p in _by_callable.items()}


def primitives() -> dict[str, Primitive]:
    """All records by name."""
    return dict(_by_name)
