"""The public functions: `grad`, `vjp`, `jvp`, `derivative`, `hvp` and their like.

In: a function written in plain Python and NumPy. Out: its derivative, as another such function::

    @grad
    def cost(w):
        return (w - 3.0) ** 2

    cost(5.0)   ->   4.0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, overload

from .binding import Argnums
from .derivative import Derivative, Method
from .directional import Directional, Jvp, Linear, with_loss
from .errors import ArgumentError
from .keeping import kept
from .making import Decorator, derive
from .pipeline import Backend, Text, Transform, backend_of, primal_ir, ssa_text
from .recipes import recipe_of

__all__ = [
    "compare",
    "derivative",
    "gauss_newton_product",
    "grad",
    "hvp",
    "jvp",
    "linearize",
    "ssa",
    "value_and_grad",
    "vjp",
]


@overload
def grad(
    f: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = ...,
    *,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    backend: Backend = ...,
) -> Derivative: ...


@overload
def grad(
    *,
    argnums: int | str | Sequence[int | str] = ...,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    backend: Backend = ...,
) -> Decorator: ...


def grad(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: Backend = None,
) -> Derivative | Decorator:
    """The gradient of a scalar function, as a function of the same arguments.

    ``argnums`` says with respect to what: the position of an argument (the ``self`` of a method
    does not count), the name of a parameter, or a sequence of these, and then the gradient is a
    tuple. A gradient has the structure, shapes and dtypes of its argument: a float for a float, an
    array for an array, a dict for a dict, with None for parts that are not floating point. A
    Python int that is differentiated is read as a float.

    With ``has_aux`` the function returns ``(value, aux)`` and the derivative ``(gradient, aux)``.

    The gradient of a real function of a complex argument x + iy is df/dx - i df/dy. With
    ``holomorphic`` the function takes complex arguments to a complex number, and the gradient is
    its complex derivative; functions that are not holomorphic are refused.

    ``backend`` is who compiles the derivative: None for Python and NumPy, ``"numba"`` for Numba,
    or `Numba` with options. The derivative of a function that Numba compiled has that backend
    anyway.

    Also a decorator: ``@grad`` or ``@grad(argnums=1)``.

    Raises
    ------
    ArgumentError: an argument is missing, out of range, or of a kind that has no derivative.
    OutputError: the function does not return a real scalar (or an array of one element).
    UnsupportedError: something in the function cannot be differentiated exactly; it points there.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(lambda z: z ** 3, holomorphic=True)(1j)
    (-3+0j)
    >>> grad(lambda x, y: x * y, argnums=("x", "y"))(2.0, 5.0)
    (5.0, 2.0)
    """
    return _derive("grad", f, argnums, has_aux, holomorphic, backend)


@overload
def value_and_grad(
    f: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = ...,
    *,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    backend: Backend = ...,
) -> Derivative: ...


@overload
def value_and_grad(
    *,
    argnums: int | str | Sequence[int | str] = ...,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    backend: Backend = ...,
) -> Decorator: ...


def value_and_grad(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: Backend = None,
) -> Derivative | Decorator:
    """Value and gradient at once: ``(value, gradient)``, the value just as ``f`` returns it.

    Arguments and errors are those of `grad`. With ``has_aux``: ``((value, aux), gradient)``.

    >>> value_and_grad(lambda x: x ** 3)(2.0)
    (8.0, 12.0)
    """
    return _derive("value_and_grad", f, argnums, has_aux, holomorphic, backend)


# Inside a function that is differentiated, these two are called while it is compiled.
grad.__s2sad_transform__ = value_and_grad.__s2sad_transform__ = True  # type: ignore[attr-defined]


def _derive(
    name: str,
    f: Any,
    argnums: Any,
    has_aux: bool,
    holomorphic: bool = False,
    backend: Backend = None,
) -> Derivative | Decorator:
    kind = Directional if recipe_of(name).tangents else Derivative
    return derive(name, f, argnums, has_aux, holomorphic, backend, kind=kind)


def vjp(
    f: Callable[..., Any], *args: Any, backend: Backend = None
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Run ``f`` and return ``(out, pullback)``.

    ``pullback(g)`` takes a cotangent with the structure and shapes of ``out`` and returns one
    cotangent per argument, always as a tuple; see `pullback.Pullback`. It may be called any
    number of times, and what the caller does to ``out`` or ``args`` does not change it. Ints,
    strings and other arguments that carry no derivative are left as they are and have None.

    Raises UnsupportedError for what cannot be differentiated exactly; the pullback raises
    ArgumentError for a cotangent that does not fit.

    >>> out, pullback = vjp(lambda x, n: x ** n, 2.0, 3)
    >>> out, pullback(1.0), pullback(10.0)
    (8.0, (12.0, None), (120.0, None))
    """
    out, pullback = _vjp_of(f, backend)(*args)
    return out, pullback.first(len(args))


# -- forward mode ------------------------------------------------------------------------------


def jvp(
    f: Callable[..., Any],
    primals: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Any:
    """``(out, tangent_out)``: ``f`` at ``primals``, and its derivative along ``tangents``.

    Both are tuples, one entry for each argument. A tangent has the structure and shape of its
    argument; None stands for zero, and so does 0 for an int, which then stays an int. The tangent
    of the output has the structure of the output, with None for parts that are not floating
    point. With ``has_aux`` the function returns ``(out, aux)``, and this ``(out, tangent_out,
    aux)``. Without arguments, the derivative object: a function of ``(primals, tangents)`` that
    shows its ``source(*primals)``. ``backend`` is who compiles it, as for `grad`.

    Raises `ArgumentError` for tangents that do not fit, `UnsupportedError` for what cannot be
    differentiated exactly.

    >>> jvp(lambda x, n: x ** n, (2.0, 3), (1.0, None))
    (8.0, 12.0)
    """
    chosen = backend_of(backend)
    name = f"{'jvp_with_aux' if has_aux else 'jvp'} {chosen}"
    found = kept(f, name, lambda: Jvp(f, has_aux=has_aux, backend=chosen))
    if primals is None and tangents is None:
        return found
    if primals is None or tangents is None:
        raise ArgumentError("jvp takes both arguments and tangents, each as a tuple")
    return found(primals, tangents)


def linearize(
    f: Callable[..., Any], *primals: Any, backend: Backend = None
) -> tuple[Any, Callable[..., Any]]:
    """``(out, f_jvp)``: the value at ``primals``, and the tangent there as a linear function.

    ``f_jvp(*tangents)`` takes one tangent for each argument. What the caller does to ``primals``
    afterwards does not change it. Each call of ``f_jvp`` runs ``f`` along with its tangent.

    Raises what `jvp` raises, tangents that do not fit when ``f_jvp`` is called with them.

    >>> out, f_jvp = linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> out, f_jvp(1.0, 0.0), f_jvp(0.0, 1.0)
    (6.0, 3.0, 2.0)
    """
    along: Jvp = jvp(f, backend=backend)
    out, _ = along(primals, (None,) * len(primals))
    return out, Linear(along, primals)


@overload
def derivative(
    f: Callable[..., Any],
    argnums: int | str = ...,
    *,
    has_aux: bool = ...,
    backend: Backend = ...,
) -> Derivative: ...


@overload
def derivative(
    *, argnums: int | str = ..., has_aux: bool = ..., backend: Backend = ...
) -> Decorator: ...


def derivative(
    f: Callable[..., Any] | None = None,
    argnums: int | str = 0,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Derivative | Decorator:
    """The derivative with respect to one number, in forward mode; the output may be anything.

    It has the structure of the output, with None for parts that are not floating point. Arguments
    and errors are otherwise those of `grad`; ``argnums`` is one argument.

    >>> derivative(lambda t: (t ** 2, [t, 1]))(3.0)
    (6.0, [1.0, None])
    """
    if not isinstance(argnums, (int, str)):
        raise ArgumentError("s2sad.derivative is with respect to one argument: see s2sad.jacobian")
    return _derive("derivative", f, argnums, has_aux, backend=backend)


# -- second order ------------------------------------------------------------------------------


def hvp(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Any:
    """Hessian-vector products: ``hvp(f)(*args, v)`` is the Hessian at ``args`` times ``v``.

    ``v`` and the product have the structure of the argument differentiated; with a sequence of
    ``argnums`` both are tuples, and the product takes all second derivatives between them into
    account. Forward over reverse: a few times the cost of ``f``, whatever the size of ``v``
    (Pearlmutter, Fast exact multiplication by the Hessian, 1994).

    Arguments and errors are otherwise those of `grad`.

    >>> hvp(lambda x: x ** 3)(2.0, 1.0)
    12.0
    """
    return _derive("hvp", f, argnums, has_aux, backend=backend)


def gauss_newton_product(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    loss: Callable[[Any], Any] | None = None,
    backend: Backend = None,
) -> Any:
    """Gauss-Newton products: ``gauss_newton_product(f)(*args, v)`` is ``J.T @ (J @ v)``.

    J is the Jacobian of all the output of ``f`` with respect to ``argnums``. With ``loss``, a
    scalar function of the output, it is ``J.T @ H @ J @ v``, where H is the Hessian of the loss
    (Schraudolph, Fast curvature matrix-vector products, 2002). ``v`` and the product have the
    structure of the argument differentiated, and are tuples for a sequence of ``argnums``.

    Raises ArgumentError for a ``v`` that does not fit, UnsupportedError for what cannot be
    differentiated exactly.

    >>> gauss_newton_product(lambda x: (x ** 2, 3.0 * x))(2.0, 1.0)
    25.0
    """
    if loss is None:
        return _derive("gauss_newton_product", f, argnums, False, backend=backend)
    if f is None:
        return lambda g: gauss_newton_product(g, argnums, loss=loss, backend=backend)
    return with_loss(f, loss, argnums, backend_of(backend))


_makers: tuple[Any, ...] = (derivative, hvp, gauss_newton_product)
for _maker in _makers:
    _maker.__s2sad_transform__ = True
jvp.__s2sad_directional__ = lambda f, argnums, has_aux: Directional(  # type: ignore[attr-defined]
    f, Transform("jvp", argnums, True, has_aux)
)

_VJP = Transform("vjp", ())
linearize.__s2sad_linearizes__ = jvp  # type: ignore[attr-defined]
vjp.__s2sad_derivative__ = lambda f: Derivative(f, _VJP)  # type: ignore[attr-defined]


def _vjp_of(f: Callable[..., Any], backend: Backend = None) -> Derivative:
    """The derivative object behind ``vjp(f, ...)``."""
    transform = replace(_VJP, backend=backend_of(backend))
    found: Derivative = kept(f, f"vjp {transform.backend}", lambda: Derivative(f, transform))
    return found


def ssa(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Text:
    """The SSA form of ``f`` for arguments of these kinds, as text; nothing is run.

    Of a derivative object, the SSA form of the derivative. Raises what calling that would raise
    before anything runs: ArgumentError, OutputError or UnsupportedError.

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

    Raises ArgumentError where no argument holds one, and what `grad` raises.

    >>> found = compare(lambda x: x * x * x, 2.0)
    >>> found["tape"].gradient, found.agree > 9
    ((12.0,), True)
    """
    from .comparison import compare as run

    return run(f, *args, argnums=argnums, **kwargs)
