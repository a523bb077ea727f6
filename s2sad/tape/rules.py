"""The door to the registry: which primitive a call is, and the cotangents of its operands.

In: a callable and the arguments of a call. Out: the primitive, its operands and its attributes;
and, in the reverse sweep, whatever the same rule as the compiler's says about them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..rules import registry
from ..rules.apply import cotangents as apply_rule
from ..rules.eager import EagerBuilder
from ..rules.registry import KindError, Primitive

__all__ = [
    "bind",
    "cotangents",
    "find",
    "is_elementwise",
    "masked_cotangents",
    "named",
    "needs",
]


def find(fn: Any) -> Primitive | None:
    """The primitive a callable stands for."""
    return registry.lookup(fn)


def named(name: str) -> Primitive | None:
    """The primitive of that name."""
    return registry.primitive(name) if registry.has_primitive(name) else None


def bind(
    primitive: Primitive, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The operands and attributes of a call; TypeError where the signature does not fit."""
    if primitive.signature is None:
        return tuple(args), dict(kwargs)
    bound = primitive.signature.bind(*args, **kwargs)
    names = {name.lstrip("*") for name in primitive.operands}
    operands: list[Any] = []
    left_out: list[Any] = []
    attrs: dict[str, Any] = {}
    for name, parameter in primitive.signature.parameters.items():
        if name not in bound.arguments:
            if name in names and parameter.default is not parameter.empty:
                left_out.append(parameter.default)  # given only if an operand follows
            continue
        value = bound.arguments[name]
        if parameter.kind is parameter.VAR_KEYWORD:
            attrs.update(value)
        elif name not in names:
            attrs[name] = value
        else:
            operands.extend(left_out)
            left_out.clear()
            operands.extend(value if parameter.kind is parameter.VAR_POSITIONAL else [value])
    return tuple(operands), attrs


def needs(primitive: Primitive, count: int) -> tuple[tuple[bool, ...], bool]:
    """Which of ``count`` operands the rule looks at, and whether it looks at the result.

    The free names of a rule's text are its needs; a staged rule may look at everything.

    >>> from s2sad.rules.registry import Primitive
    >>> needs(Primitive("f", max, ("x", "y"), max, partials=("y", "x * out")), 2)
    ((True, True), True)
    """
    found = _names(primitive)
    names = primitive.operands
    if found is None or len(names) < count or any(n.startswith("*") for n in names):
        return (True,) * count, True
    return tuple(name in found for name in names[:count]), "out" in found


@lru_cache(maxsize=1024)
def _names_in(text: tuple[str | None, ...]) -> frozenset[str]:
    return frozenset(name for t in text if t for name in re.findall(r"[A-Za-z_]\w*", t))


def _names(primitive: Primitive) -> frozenset[str] | None:
    text = primitive.vjp if primitive.vjp is not None else primitive.partials
    return _names_in(text) if isinstance(text, tuple) else None


def cotangents(
    name: str,
    attrs: Mapping[str, Any],
    operands: tuple[Any, ...],
    out: Any,
    g: Any,
    wanted: tuple[bool, ...],
) -> Sequence[Any]:
    """One cotangent (or None) for each operand, of its shape and dtype."""
    try:
        found = _apply(name, attrs, operands, out, g, wanted)
    except KindError as error:
        raise UnsupportedError(f"the derivative of {name}: {error}") from error
    return [None if atom is None else _value(atom) for atom in found]


def _apply(
    name: str,
    attrs: Mapping[str, Any],
    operands: tuple[Any, ...],
    out: Any,
    g: Any,
    wanted: tuple[bool, ...],
) -> Sequence[Any]:
    builder = EagerBuilder()
    atoms = [builder.const(x) for x in operands]
    many = False  # a tuple may be several results, or one that is a tuple
    if isinstance(out, tuple | list):
        many = isinstance(registry.primitive(name).kind(atoms, attrs), tuple)
        g = type(out)(*g) if hasattr(out, "_fields") else type(out)(g)
    return apply_rule(
        builder,  # type: ignore[arg-type]
        name,
        attrs,
        atoms,
        tuple(map(builder.const, out)) if many else builder.const(out),
        tuple(map(builder.const, g)) if many else builder.const(g),
        [n for n, want in enumerate(wanted) if want],
    )


_OPERATORS = frozenset(("add", "sub", "mul", "div", "pow", "mod", "neg", "pos", "abs"))


def is_elementwise(name: str) -> bool:
    """Whether each element of the result depends on one element of each operand."""
    primitive = registry.primitive(name)
    fun = primitive.fun
    is_ufunc = isinstance(fun, np.ufunc) and fun.signature is None and fun.nout == 1
    return primitive.partials is not None or is_ufunc or name in _OPERATORS


def masked_cotangents(
    name: str,
    attrs: Mapping[str, Any],
    operands: tuple[Any, ...],
    out: Any,
    g: Any,
    wanted: tuple[bool, ...],
) -> Sequence[Any]:
    """The same for an elementwise primitive, where a zero cotangent gives zero, never 0 * inf.

    So the arm that ``np.where`` did not take has no say, whatever happened there.
    """
    live = np.asarray(g) != 0
    if live.ndim == 0:
        if live:
            return cotangents(name, attrs, operands, out, g, wanted)
        return [0.0 if want else None for want in wanted]
    chosen = tuple(np.broadcast_to(x, live.shape)[live] for x in operands)
    bars = cotangents(name, attrs, chosen, np.asarray(out)[live], np.asarray(g)[live], wanted)
    found: list[Any] = []
    for bar in bars:
        if bar is not None:
            spread = np.zeros(live.shape, np.asarray(bar).dtype)
            spread[live] = bar
            bar = spread
        found.append(bar)
    return found


def _value(atom: Any) -> Any:
    return atom.value
