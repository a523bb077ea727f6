"""Controls: what a program says about its own derivative.

In: values, and functions with rules of their own. Out: the same to Python; to a derivative,
values it does not pass through and functions it differentiates as they say. Nothing here
differentiates anything: `frontend/controls.py` and `frontend/custom.py` read the marks.

    stop_gradient(x)                x, a constant to every derivative

    @custom_vjp
    def f(x): ...                   f.defvjp(fwd, bwd): its derivative is bwd, whatever f does
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["CustomRule", "custom_jvp", "custom_rule", "custom_vjp", "stop_gradient"]


def stop_gradient(x: Any) -> Any:
    """``x``, through which no derivative passes, in any mode and at any order.

    Of a tuple, list, dict or dataclass: another one of the same parts, each stopped. Arrays are
    not copied. Outside of a derivative it does just that.

    >>> import s2sad
    >>> s2sad.grad(lambda x: x * s2sad.stop_gradient(x))(3.0)
    3.0
    """
    stopped = getattr(type(x), "__s2sad_stopped__", None)  # values on a tape
    if stopped is not None:
        return stopped(x)
    if isinstance(x, tuple):
        parts = map(stop_gradient, x)
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    if type(x) is list:
        return [stop_gradient(part) for part in x]
    if type(x) is dict:
        return {key: stop_gradient(part) for key, part in x.items()}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        new: Any = object.__new__(type(x))
        for field in dataclasses.fields(x):
            object.__setattr__(new, field.name, stop_gradient(getattr(x, field.name)))
        return new
    return x


@dataclass(frozen=True, slots=True, eq=False)
class CustomRule:
    """How a function is differentiated: ``how`` is "vjp" or "jvp".

    ``functions`` are the forward and the backward function, or the one of tangents; empty until
    they are defined. ``nondiff`` are positions of arguments that are not differentiated.
    """

    how: str
    nondiff: tuple[int, ...]
    functions: tuple[Callable[..., Any], ...] = ()


_RULE = "__s2sad_rule__"


def custom_rule(f: object) -> CustomRule | None:
    """The rule that came with ``f``, if it was made by `custom_vjp` or `custom_jvp`."""
    if not isinstance(f, types.FunctionType):
        return None
    code, rule = f.__dict__.get(_RULE, (None, None))
    return rule if code is f.__code__ else None


def custom_vjp(f: Callable[..., Any] | None = None, *, nondiff_argnums: Sequence[int] = ()) -> Any:
    """``f`` with a reverse-mode rule of its own, given by ``f.defvjp(fwd, bwd)``.

    ``fwd`` takes the arguments of ``f`` and returns ``(out, residuals)``; ``bwd(residuals, g)``
    takes the cotangent of ``out``, of its structure, and returns a tuple of one cotangent for each
    argument, of its structure and shape, or None for zero. For arguments ``nondiff_argnums`` there
    is none; ``bwd`` takes them before the residuals. Both are plain Python like any program: they
    are read, written into the derivative and differentiated again for higher orders. As in JAX,
    forward mode has no use for such a rule and refuses (see `custom_jvp`).

    A rule is believed: `s2sad.testing.check_rule` compares it with differences. Raises TypeError
    where ``f``, ``fwd`` or ``bwd`` is no function.

    >>> import numpy as np, s2sad
    >>> @s2sad.custom_vjp
    ... def clipped(x):
    ...     return np.clip(x, -1.0, 1.0)
    >>> def forward(x):
    ...     return clipped(x), None
    >>> def backward(residuals, g):
    ...     return (g,)                     # straight through
    >>> clipped.defvjp(forward, backward)
    >>> s2sad.grad(lambda x: clipped(3.0 * x))(2.0)
    3.0
    """
    if f is None:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums)
    new = _marked(f, "custom_vjp", CustomRule("vjp", tuple(nondiff_argnums)))

    def defvjp(fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Say how it is differentiated; see `custom_vjp`."""
        _define(new, (fwd, bwd))

    new.defvjp = defvjp  # type: ignore[attr-defined]
    return new


def custom_jvp(f: Callable[..., Any] | None = None, *, nondiff_argnums: Sequence[int] = ()) -> Any:
    """``f`` with a forward-mode rule of its own, given by ``f.defjvp(jvp)``.

    ``jvp(primals, tangents)`` takes a tuple of the arguments and one of their tangents, and
    returns ``(out, out_dot)``; it must be linear in the tangents. Reverse mode transposes it, so
    one rule serves every mode. Arguments ``nondiff_argnums`` come first and are in neither tuple.
    A rule is believed: `s2sad.testing.check_rule` compares it with differences. Raises TypeError
    where ``f`` or ``jvp`` is no function.

    >>> import numpy as np, s2sad
    >>> @s2sad.custom_jvp
    ... def softplus(x):
    ...     return np.logaddexp(0.0, x)
    >>> @softplus.defjvp
    ... def softplus_jvp(primals, tangents):
    ...     (x,), (x_dot,) = primals, tangents
    ...     return softplus(x), x_dot / (1.0 + np.exp(-x))
    >>> s2sad.grad(softplus)(0.0)
    0.5
    """
    if f is None:
        return functools.partial(custom_jvp, nondiff_argnums=nondiff_argnums)
    new = _marked(f, "custom_jvp", CustomRule("jvp", tuple(nondiff_argnums)))

    def defjvp(jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Say how it is differentiated; see `custom_jvp`."""
        _define(new, (jvp,))
        return jvp

    new.defjvp = defjvp  # type: ignore[attr-defined]
    return new


def marked_copy(f: types.FunctionType) -> types.FunctionType:
    """The same function once more: the first may be in use elsewhere, unmarked."""
    new = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    new.__kwdefaults__ = None if f.__kwdefaults__ is None else dict(f.__kwdefaults__)
    functools.update_wrapper(new, f)
    del new.__dict__["__wrapped__"]
    return new


def _marked(f: object, name: str, rule: CustomRule) -> types.FunctionType:
    if not isinstance(f, types.FunctionType):
        raise TypeError(
            f"{name}() takes a Python function, not {type(f).__name__}; "
            "for other callables there is s2sad.rules.rule"
        )
    new = marked_copy(f)
    setattr(new, _RULE, (new.__code__, rule))
    return new


def _define(f: types.FunctionType, functions: tuple[Callable[..., Any], ...]) -> None:
    code, rule = getattr(f, _RULE)
    for one in functions:
        if not callable(one):
            raise TypeError(f"a rule is made of functions, not of {type(one).__name__}")
    setattr(f, _RULE, (code, dataclasses.replace(rule, functions=functions)))
