"""What stands around compiled code: sizes are checked, parts picked, pullbacks made.

In: a compiled derivative, and what the user asked for. Out: a callable that takes the values of
all parameters and returns what the user is to have::

    checked_runner(...)(x)     the gradient, or OutputError where the value is an array
    vjp_runner(...)(x)         (out, pullback)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .binding import Layout, Target
from .errors import OutputError
from .recipes import recipe_of

if TYPE_CHECKING:
    from .pipeline import Transform

__all__ = ["checked_runner", "picker", "vjp_runner"]


def picker(transform: Transform, targets: tuple[Target, ...]) -> Callable[[Any], Any] | None:
    """Picks elements of ``*args`` and ``**kwargs`` out of the gradient; None if there are none."""
    keys = [target.key for target in targets]
    if all(key is None for key in keys) or not recipe_of(transform.name).picks:
        return None

    def pick(gradient: Any) -> Any:
        parts = gradient if transform.many else (gradient,)
        picked = tuple(
            part if key is None else part[key] for part, key in zip(parts, keys, strict=True)
        )
        return picked if transform.many else picked[0]

    return pick


def checked_runner(
    name: str,
    run: Callable[..., Any],
    transform: Transform,
    checked: bool,
    finish: Callable[[Any], Any] | None,
) -> Callable[..., Any]:
    """Runs the compiled code, looks at the size of the value, picks the gradient's parts."""
    with_value = checked or transform.name == "value_and_grad"

    def checked_run(*values: Any) -> Any:
        result = run(*values)
        value: Any = None
        aux: Any = None
        if with_value:
            value, gradient = result
            if checked:
                scalar = value[0] if transform.has_aux else value
                if np.size(scalar) != 1:
                    raise OutputError(
                        f"{name}() returned an array of shape {np.shape(scalar)}; a gradient "
                        "needs one number: sum it up, or use s2sad.vjp for other outputs"
                    )
        elif transform.has_aux:
            gradient, aux = result
        else:
            gradient = result
        if finish is not None:
            gradient = finish(gradient)
        if transform.name == "value_and_grad":
            return value, gradient
        if transform.has_aux:
            return gradient, value[1] if with_value else aux
        return gradient

    return checked_run


def vjp_runner(
    name: str,
    forward: Callable[..., Any],
    reverse: Callable[..., Any],
    layout: Layout,
    wrt: Sequence[int],
    skip: int,
) -> Callable[..., Any]:
    """Runs the forward sweep and makes a pullback of the reverse sweep."""
    from .pullback import Pullback

    bound = max(len(layout.bound_args), skip)
    last = len(layout.positional)
    variadic = layout.names.index(layout.variadic) if layout.variadic else -1
    place = {parameter: n for n, parameter in enumerate(wrt)}

    def run(*values: Any) -> Any:
        out, saved = forward(*values)
        extra = len(values[variadic]) - max(0, bound - last) if variadic >= 0 else 0

        def spread(cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
            # One for each argument the caller passed, in their order; None without a derivative.
            found = [cotangents[place[i]] if i in place else None for i in range(bound, last)]
            if extra:
                some = cotangents[place[variadic]] if variadic in place else [None] * extra
                found += some[-extra:]
            return tuple(found)

        return out, Pullback(name, out, saved, reverse, spread)

    return run
