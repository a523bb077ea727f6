"""Calls of SciPy's own Python functions that have no rule, and of its distributions.

In: the function and the references of its arguments. Out: what it returns: the source of a plain
one is read like the user's own; one that cannot be read is refused by its name.

    scipy.optimize.rosen(x)             its source, differentiated
    stats.norm(mu, sigma).logpdf(x)     stats.norm.logpdf(x, mu, sigma)
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..rules.optional import is_distribution
from ..rules.registry import lookup
from .context import Lowerer
from .position import Refuse
from .refs import PartialRef, Ref, Static

__all__ = ["frozen_method", "through", "unread"]


def through(cx: Lowerer, func: Any, inline: Callable[[], Ref]) -> Ref:
    """The result of a function without a rule, by its source where that can be read."""
    count = len(cx.problems)
    try:
        return inline()
    except Refuse:
        del cx.problems[count:]
    raise unread(cx, func)


def unread(cx: Lowerer, func: Any) -> Refuse:
    """The refusal of a function that has no rule and cannot be read."""
    return cx.refuse(
        f"{_name(func)} has no rule",
        "register one (s2sad.rules), or write it with functions that have one",
    )


def frozen_method(
    cx: Lowerer, frozen: PartialRef, name: str, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> Ref:
    """``stats.norm(mu, sigma).logpdf(x)``: its parameters come after x."""
    from . import lower_calls

    assert isinstance(frozen.func, Static)
    method = getattr(frozen.func.obj, name, None)
    if lookup(method) is None:
        raise (
            unread(cx, method)
            if method is not None
            else cx.refuse(f"a frozen distribution has no method '{name}' here")
        )
    return lower_calls.apply(
        cx, Static(method), [*args, *frozen.args], {**kwargs, **frozen.kwargs}
    )


def _name(func: Any) -> str:
    receiver = getattr(func, "__self__", None)
    if isinstance(func, types.MethodType) and is_distribution(receiver):
        return f"scipy.stats.{receiver.name}.{func.__name__}"
    module = ".".join(p for p in str(func.__module__).split(".") if not p.startswith("_"))
    return f"{module}.{getattr(func, '__qualname__', func)}"
