"""The public functions: `grad`, `value_and_grad`, `vjp`, `ssa`, `compare`.

In: a function written in plain Python and NumPy. Out: its derivative, as another such function::

    @grad
    def cost(w):
        return (w - 3.0) ** 2

    cost(5.0)   ->   4.0
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, overload

from .binding import Argnums, parse_argnums
from .derivative import Derivative, Method
from .errors import ArgumentError
from .pipeline import Text, Transform, primal_ir, ssa_text

__all__ = ["compare", "grad", "ssa", "value_and_grad", "vjp"]

_Decorator = Callable[[Callable[..., Any]], Derivative]


@overload
def grad(
    f: Callable[..., Any], argnums: int | str | Sequence[int | str] = ..., *, has_aux: bool = ...
) -> Derivative: ...


@overload
def grad(*, argnums: int | str | Sequence[int | str] = ..., has_aux: bool = ...) -> _Decorator: ...


def grad(
    f: Callable[..., Any] | None = None, argnums: Argnums = 0, *, has_aux: bool = False
) -> Derivative | _Decorator:
    """The gradient of a scalar function, as a function of the same arguments.

    ``argnums`` says with respect to what: the position of an argument (the ``self`` of a method
    does not count), the name of a parameter, or a sequence of these, and then the gradient is a
    tuple. A gradient has the structure, shapes and dtypes of its argument: a float for a float, an
    array for an array, a dict for a dict, with None for parts that are not floating point. A
    Python int that is differentiated is read as a float.

    With ``has_aux`` the function returns ``(value, aux)`` and the derivative ``(gradient, aux)``.

    Also a decorator: ``@grad`` or ``@grad(argnums=1)``.

    Raises
    ------
    ArgumentError: an argument is missing, out of range, or of a kind that has no derivative.
    OutputError: the function does not return a real scalar (or an array of one element).
    UnsupportedError: something in the function cannot be differentiated exactly; it points there.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(lambda x, y: x * y, argnums=("x", "y"))(2.0, 5.0)
    (5.0, 2.0)
    """
    return _derive("grad", f, argnums, has_aux)


@overload
def value_and_grad(
    f: Callable[..., Any], argnums: int | str | Sequence[int | str] = ..., *, has_aux: bool = ...
) -> Derivative: ...


@overload
def value_and_grad(
    *, argnums: int | str | Sequence[int | str] = ..., has_aux: bool = ...
) -> _Decorator: ...


def value_and_grad(
    f: Callable[..., Any] | None = None, argnums: Argnums = 0, *, has_aux: bool = False
) -> Derivative | _Decorator:
    """Value and gradient at once: ``(value, gradient)``, the value just as ``f`` returns it.

    Arguments and errors are those of `grad`. With ``has_aux``: ``((value, aux), gradient)``.

    >>> value_and_grad(lambda x: x ** 3)(2.0)
    (8.0, 12.0)
    """
    return _derive("value_and_grad", f, argnums, has_aux)


# Inside a function that is differentiated, these two are called while it is compiled.
grad.__s2sad_transform__ = value_and_grad.__s2sad_transform__ = True  # type: ignore[attr-defined]


def _derive(name: str, f: Any, argnums: Any, has_aux: bool) -> Derivative | _Decorator:
    numbers, many = parse_argnums(argnums)
    transform = Transform(name, numbers, many, bool(has_aux))
    if f is None:
        return _decorator(transform)
    if isinstance(f, (int, str)):
        raise ArgumentError(
            f"{name} takes a function first, not {f!r}: write @{name}(argnums={f!r})"
        )
    return Derivative(f, transform)


def _decorator(transform: Transform) -> _Decorator:
    def derive(g: Callable[..., Any]) -> Derivative:
        return Derivative(g, transform)

    derive.__s2sad_transform__ = True  # type: ignore[attr-defined]
    return derive


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Run ``f`` and return ``(out, pullback)``.

    ``pullback(g)`` takes a cotangent with the structure and shapes of ``out`` and returns one
    cotangent per argument, always as a tuple; see `pullback.Pullback`. It may be called any
    number of times, and what the caller does to ``out`` or ``args`` does not change it. Ints,
    strings and other arguments that carry no derivative are left as they are and have None.

    >>> out, pullback = vjp(lambda x, n: x ** n, 2.0, 3)
    >>> out, pullback(1.0), pullback(10.0)
    (8.0, (12.0, None), (120.0, None))
    """
    out, pullback = _vjp_of(f)(*args)
    return out, pullback.first(len(args))


_VJP = Transform("vjp", ())
vjp.__s2sad_derivative__ = lambda f: Derivative(f, _VJP)  # type: ignore[attr-defined]
_VJPS_KEPT = 256
_vjps: OrderedDict[Any, Derivative] = OrderedDict()
_vjps_lock = threading.Lock()


def _vjp_of(f: Callable[..., Any]) -> Derivative:
    """The derivative object behind ``vjp(f, ...)``; the same function has the same one."""
    try:
        with _vjps_lock:
            found = _vjps.get(f)
            if found is None:
                found = _vjps[f] = Derivative(f, _VJP)
            _vjps.move_to_end(f)
            if len(_vjps) > _VJPS_KEPT:
                _vjps.popitem(last=False)
            return found
    except TypeError:
        try:
            hash(f)
        except TypeError:  # a callable object that can't be hashed: compiled every time
            return Derivative(f, _VJP)
        raise


def ssa(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Text:
    """The SSA form of ``f`` for arguments of these kinds, as text; nothing is run.

    Of a derivative object, the SSA form of the derivative.

    >>> def square(x):
    ...     return x * x
    >>> print(ssa(square, 2.0).rstrip())
    def square(x: float):
        %1: float = mul(x, x)
        yield %1
    """
    if isinstance(f, (Derivative, Method)):
        found: Text = f.ssa(*args, **kwargs)
        return found
    return ssa_text(primal_ir(f, args, kwargs))


def compare(
    f: Callable[..., Any], *args: Any, argnums: Argnums | None = None, **kwargs: Any
) -> Any:
    """Compare the generated derivative of ``f`` at ``args`` with a tape and with differences.

    Returns a report that prints as a table: agreement in digits, the time of each way, and how
    many values each one saved. ``argnums`` defaults to every argument that holds a float.
    """
    from .comparison import compare as run

    return run(f, *args, argnums=argnums, **kwargs)
