"""How derivative objects are made: from a function and arguments, or as a decorator.

In: the name of a transform and what the user says of it. Out: the derivative object or, without a
function, the decorator that makes it::

    derive("grad", f, argnums=1)      ->   grad(f, argnums=1)
    derive("grad", None, argnums=1)   ->   what @grad(argnums=1) calls
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .binding import Argnums, parse_argnums
from .derivative import Derivative
from .errors import ArgumentError
from .pipeline import Backend, Transform, backend_of

__all__ = ["Decorator", "derive"]

Decorator: TypeAlias = Callable[[Callable[..., Any]], Derivative]


def derive(
    name: str,
    f: Any,
    argnums: Argnums,
    has_aux: bool,
    holomorphic: bool = False,
    backend: Backend = None,
    *,
    kind: type[Derivative] = Derivative,
) -> Derivative | Decorator:
    """The derivative ``name`` of ``f``, an object of class ``kind``; without ``f``, a decorator.

    Raises ArgumentError for ``argnums`` or a backend that are none, and for ``@grad(1)``.
    """
    numbers, many = parse_argnums(argnums)
    transform = Transform(
        name, numbers, many, bool(has_aux), bool(holomorphic), backend_of(backend)
    )
    if f is None:
        return _decorator(kind, transform)
    if isinstance(f, (int, str)):
        raise ArgumentError(
            f"{name} takes a function first, not {f!r}: write @{name}(argnums={f!r})"
        )
    return kind(f, transform)


def _decorator(kind: type[Derivative], transform: Transform) -> Decorator:
    def make(g: Callable[..., Any]) -> Derivative:
        return kind(g, transform)

    # Inside a function that is differentiated, it is called while that is compiled.
    make.__s2sad_transform__ = True  # type: ignore[attr-defined]
    return make
