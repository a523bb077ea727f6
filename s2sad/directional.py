"""Derivatives along directions: objects that take tangents beside the function's arguments.

In: a function, and a transform whose recipe takes tangents. Out: a derivative object; what it is
called with is up to the transform::

    hvp(f)(x, k, v)            the arguments of f, then one direction (a tuple for several argnums)
    jvp(f)((x, k), (v, w))     arguments and tangents, each as a tuple

A tangent has the structure of its argument: a number for a number, an array of the same shape for
an array; None anywhere stands for zero.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .binding import Argnums, Layout, parse_argnums
from .derivative import Derivative
from .dispatch import MAXSIZE, CacheInfo, Specialization
from .errors import ArgumentError
from .example_arguments import example_arguments
from .ir.kinds import carries_derivative, kind_of
from .pipeline import Numba, Text, Transform, for_compiled, primal_layout, ssa_text
from .pullback import read_tangent

__all__ = ["Directional", "Jvp", "Linear"]


class Directional(Derivative):
    """A derivative along a direction, which is the last argument by position.

    >>> import numpy as np
    >>> from s2sad import hvp
    >>> hvp(lambda x: np.sum(x ** 3))(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """

    def _parameters(self, layout: Layout) -> Layout:
        self._inner = layout
        targets = layout.targets(self._transform.argnums, skip=self._skip)
        self.__s2sad_targets__ = targets
        parameters = list(dict.fromkeys(target.parameter for target in targets))
        self._own = len(parameters)
        # Where every parameter is passed by position, tangents that fit are passed on as they are.
        plain = not (layout.variadic or layout.keyword_only or layout.keywords or layout.tangents)
        plain = plain and not layout.bound_args and not layout.bound_keywords
        simple = plain and all(target.key is None for target in targets)
        self._arity = len(layout.positional) if simple else -1
        self._places = tuple(parameters)
        return layout.with_tangents(parameters)

    def _install(self, function: Callable[..., Any]) -> None:
        self._run = function
        self.__call__ = self._called  # type: ignore[method-assign]

    def _called(self, *args: Any, **kwargs: Any) -> Any:
        if not args:
            raise ArgumentError(f"{self._name()} takes a direction as its last argument")
        *given, direction = args
        return self._along(tuple(given), kwargs, direction)

    def _along(self, args: tuple[Any, ...], kwargs: dict[str, Any], direction: Any) -> Any:
        if len(args) == self._arity and not kwargs:
            moved = direction if self._transform.many else (direction,)
            if type(moved) is tuple and len(moved) == self._own:
                if all(map(_fits, map(args.__getitem__, self._places), moved)):
                    return self._run(*args, *moved)
        return self._run(*args, **kwargs, **self._tangents(args, kwargs, direction))

    def _name(self) -> str:
        return f"{self._transform.name} of {self._layout.function.__qualname__}()"

    def _tangents(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], direction: Any
    ) -> dict[str, Any]:
        """The tangents by the names of their parameters, checked and in the arguments' types."""
        inner, transform = self._inner, self._transform
        values = inner.bind(args, kwargs)
        targets = inner.targets(transform.argnums, values, skip=self._skip)
        if not transform.many:
            direction = (direction,)
        elif not isinstance(direction, (tuple, list)) or len(direction) != len(targets):
            raise ArgumentError(
                f"{self._name()} takes a tuple of {len(targets)} tangents, one for each argument "
                f"it is with respect to, not {type(direction).__name__} {direction!r:.40}"
            )
        names = iter(self._layout.tangents[-self._own :])
        found: dict[int, Any] = {}
        for target, tangent in zip(targets, direction, strict=True):
            value = values[target.parameter]
            name = repr(inner.names[target.parameter])
            if target.key is None:
                found[target.parameter] = read_tangent(_real(value), tangent, name)
                continue
            whole = found.get(target.parameter)
            if whole is None:
                whole = read_tangent(value, None, name)
            part = read_tangent(_real(value[target.key]), tangent, f"{name}[{target.key!r}]")
            if isinstance(whole, dict):
                whole = {**whole, target.key: part}
            else:
                whole = tuple(part if n == target.key else p for n, p in enumerate(whole))
            found[target.parameter] = whole
        return dict(zip(names, found.values(), strict=True))

    @property
    def __s2sad_directions__(self) -> tuple[str, ...]:
        return self._layout.tangents[-self._own :]

    # -- what can be looked at -------------------------------------------------------------------

    def source(self, *args: Any, **kwargs: Any) -> Text:
        """The text of the function that runs for these arguments; nothing is run.

        The direction may be left out: its kinds are those of the arguments.
        """
        return Text(self._shown(args, kwargs).text)

    def ssa(self, *args: Any, **kwargs: Any) -> Text:
        """The SSA form of the derivative for these arguments, as for `source`."""
        return ssa_text(self._shown(args, kwargs).ir)

    def specialize(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The compiled function; it takes the parameters in order, then the tangents."""
        if not args and not kwargs:
            args, kwargs = example_arguments(self._inner)
        return self._find(args, kwargs, any_size=True).run

    def _shown(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Specialization:
        if not args and not kwargs:
            last = self._dispatcher.last
            if last is not None:
                return last
            args, kwargs = example_arguments(self._inner)
        return self._find(args, kwargs)

    def _find(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, any_size: bool = False
    ) -> Specialization:
        try:
            self._inner.bind(args, kwargs)
            tangents = self._tangents(args, kwargs, self._nowhere())
        except ArgumentError:
            *given, direction = args
            tangents = self._tangents(tuple(given), kwargs, direction)
            args = tuple(given)
        return super()._find(args, {**kwargs, **tangents}, any_size=any_size)

    def _nowhere(self) -> Any:
        """A direction of zeros."""
        return (None,) * len(self._transform.argnums) if self._transform.many else None


class Jvp:
    """Value and tangent along a direction: called with a tuple of arguments and one of tangents.

    Which arguments have tangents may differ from call to call: there is one derivative object
    for each choice.

    >>> from s2sad import jvp
    >>> product = jvp(lambda x, y: x * y)
    >>> product((2.0, 3.0), (1.0, 0.0)), product((2.0, 3.0), (1.0, None))
    ((6.0, 3.0), (6.0, 3.0))
    """

    __slots__ = ("__weakref__", "_backend", "_chosen", "_primal", "has_aux")

    def __init__(
        self, f: Callable[..., Any], *, has_aux: bool = False, backend: Numba | None = None
    ) -> None:
        self._primal = f
        self.has_aux = has_aux
        self._backend = for_compiled(Transform("jvp", (), True, backend=backend), f).backend
        self._chosen: dict[tuple[int, ...], Directional] = {}

    @property
    def primal(self) -> Callable[..., Any]:
        """The function that is differentiated."""
        return self._primal

    def __call__(self, primals: Any, tangents: Any) -> Any:
        if type(primals) is tuple is type(tangents) and len(primals) == len(tangents):
            if all(map(_fits, primals, tangents)) and primals:
                return self.along(tuple(range(len(primals))))._along(primals, {}, tangents)
        name = getattr(self._primal, "__qualname__", repr(self._primal))
        arguments, directions = paired(primals, tangents, name)
        chosen = tuple(n for n, t in enumerate(directions) if t is not None)
        if not chosen:
            chosen = moving(arguments)
        return self.along(chosen)._along(arguments, {}, tuple(directions[n] for n in chosen))

    def along(self, argnums: tuple[int, ...]) -> Directional:
        """The derivative object where these arguments have tangents."""
        found = self._chosen.get(argnums)
        if found is None:
            transform = Transform("jvp", argnums, True, self.has_aux, backend=self._backend)
            found = self._chosen.setdefault(argnums, Directional(self._primal, transform))
        return found

    def source(self, *primals: Any) -> Text:
        """The text of the function that runs where every float among the arguments moves."""
        return self._shown(primals).source(*primals)

    def ssa(self, *primals: Any) -> Text:
        """Its SSA form."""
        return self._shown(primals).ssa(*primals)

    def _shown(self, primals: tuple[Any, ...]) -> Directional:
        if not primals:
            if self._chosen:
                return next(reversed(self._chosen.values()))
            primals, _ = example_arguments(primal_layout(self._primal))
        return self.along(moving(primals))

    def cache_info(self) -> CacheInfo:
        """Calls, builds and compiled code so far, over all choices of tangents."""
        every = [d.cache_info() for d in self._chosen.values()]
        hits, misses, size = (sum(info[n] for info in every) for n in (0, 1, 3))
        return CacheInfo(hits, misses, MAXSIZE, size)

    def __reduce__(self) -> Any:
        return _jvp, (self._primal, self.has_aux, self._backend)

    def __repr__(self) -> str:
        return f"<s2sad.jvp of {getattr(self._primal, '__qualname__', self._primal)}>"


def _jvp(f: Callable[..., Any], has_aux: bool, backend: Numba | None) -> Jvp:
    return Jvp(f, has_aux=has_aux, backend=backend)


def moving(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions of arguments that hold a floating-point number; all if there is none."""
    found = tuple(n for n, a in enumerate(arguments) if carries_derivative(kind_of(a)))
    return found or tuple(range(len(arguments)))


class Linear:
    """The tangent of a function at one point, as a function of the tangents of its arguments."""

    __slots__ = ("_along", "_primals")

    def __init__(self, along: Jvp, primals: tuple[Any, ...]) -> None:
        from .runtime import copied

        self._along = along
        self._primals = copied(primals)

    def __call__(self, *tangents: Any) -> Any:
        return self._along(self._primals, tangents)[1]

    def __repr__(self) -> str:
        return f"<linear part of {getattr(self._along.primal, '__qualname__', 'f')}>"


def with_loss(
    f: Callable[..., Any],
    loss: Callable[[Any], Any],
    argnums: Argnums,
    backend: Numba | None = None,
) -> Callable[..., Any]:
    """The Gauss-Newton product of ``loss(f(...))``: ``J.T @ H @ J @ v``."""
    numbers, many = parse_argnums(argnums)
    forward = Directional(f, Transform("jvp", numbers, True, backend=backend))
    curvature = Directional(loss, Transform("hvp", (0,), backend=backend))
    reverse = Derivative(f, Transform("vjp", (), backend=backend))

    @functools.wraps(f)
    def product(*args: Any, **kwargs: Any) -> Any:
        *given, direction = args
        moved = direction if many else (direction,)
        out, out_dot = forward(*given, moved, **kwargs)
        _, pullback = reverse(*given, **kwargs)
        cotangents = pullback(curvature(out, out_dot))
        names = reverse._layout
        chosen = [
            cotangents[target.parameter - len(names.bound_args)]
            for target in names.targets(numbers)
        ]
        return tuple(chosen) if many else chosen[0]

    return product


def paired(primals: Any, tangents: Any, name: str) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Arguments and their tangents; None for arguments without one. Raises `ArgumentError`."""
    for what, given in (("arguments", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise ArgumentError(
                f"jvp takes the {what} of {name}() as a tuple, not {type(given).__name__}: "
                f"write ({given!r:.20},)"
            )
    if len(primals) != len(tangents):
        raise ArgumentError(
            f"jvp of {name}(): {len(primals)} arguments and {len(tangents)} tangents"
        )
    return tuple(primals), tuple(map(_given, primals, tangents))


def _fits(value: Any, tangent: Any) -> bool:
    """Whether a tangent is of its value's type already: a float's, or a real array's."""
    cls = type(tangent)
    if cls is not type(value):
        return False
    if cls is np.ndarray:
        return bool(
            tangent.shape == value.shape
            and tangent.dtype is value.dtype
            and value.dtype.kind == "f"
        )
    return cls is float


def _given(primal: Any, tangent: Any) -> Any:
    """None where there is nothing to differentiate, as for an int that stays one."""
    if isinstance(primal, (int, np.integer)) and not tangent:
        return None
    return tangent


def _real(value: Any) -> Any:
    """A Python int that is differentiated is read as a float."""
    return float(value) if type(value) is int else value
