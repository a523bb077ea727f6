"""The derivative object: what ``grad(f)`` returns.

In: a function, and which derivative of it. Out: a callable with the function's own parameters that
compiles itself for the arguments it meets and can show what it compiled::

    df = Derivative(f, Transform("grad", (0,)))
    df(2.0)              the gradient
    df.source(2.0)       the text of the function that computes it
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .binding import MISSING, Layout
from .dispatch import CacheInfo, Dispatcher, Specialization, Values
from .dispatch_text import specialized
from .errors import ArgumentError, S2sadError
from .example_arguments import example_arguments
from .pipeline import (
    Program,
    Text,
    Transform,
    build,
    differentiate,
    for_compiled,
    pair_of,
    primal_layout,
    ssa_text,
)
from .sharing import Shared
from .sizes import SIZED, sized

if TYPE_CHECKING:
    from .ir.kinds import Kind
    from .transform.adjoint import Pair

__all__ = ["Derivative", "Method"]


_shared = Shared()


class Derivative:
    """A derivative of ``primal``, compiled at the first call for each kind of arguments.

    Made by `grad`, `value_and_grad` and `vjp`. It has the name, the documentation and the
    parameters of ``primal``, can be a method, and pickles where ``primal`` or its own name can be
    imported.

    >>> from s2sad import grad
    >>> def cube(x):
    ...     return x ** 3
    >>> df = grad(cube)
    >>> df
    <s2sad.grad of cube with respect to x>
    >>> df(2.0)
    12.0
    >>> df.cache_info()
    CacheInfo(hits=0, misses=1, maxsize=256, currsize=1)
    """

    # Calling an object looks `__call__` up on its class; there, a slot leads to the function that
    # this very object holds. So a call costs no more than calling the dispatcher itself.
    __slots__ = ("__call__", "__dict__", "__weakref__")

    if TYPE_CHECKING:
        __name__: str

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __init__(self, f: Callable[..., Any], transform: Transform, *, skip: int = 0) -> None:
        self._primal = f
        self._transform = for_compiled(transform, f)
        self._skip = skip
        functools.update_wrapper(self, f, updated=())
        self._start()
        if transform.argnums:
            self._layout.targets(transform.argnums, skip=skip)

    def _start(self) -> None:
        self._layout: Layout = self._parameters(primal_layout(self._primal))
        self._dispatcher = Dispatcher(
            self._layout, self._prepare, self._build, self._install, self._renew
        )

    def _parameters(self, layout: Layout) -> Layout:
        """The parameters of the derivative, given those of the primal."""
        return layout

    def _install(self, function: Callable[..., Any]) -> None:
        function.__qualname__ = self._layout.function.__qualname__
        self.__call__ = function  # type: ignore[method-assign]

    def _renew(self) -> Callable[..., Any]:
        self._start()
        return self.__call__

    def _prepare(self, values: Values) -> Values:
        """The values that are differentiated: a Python int among them is read as a float."""
        if not self._transform.argnums:
            return values
        for target in self._layout.targets(self._transform.argnums, values, skip=self._skip):
            here = values[target.parameter]
            part = here if target.key is None else here[target.key]
            if type(part) is not int:
                continue
            new: Any = float(part)
            if target.key is not None and isinstance(here, tuple):
                new = tuple(new if i == target.key else v for i, v in enumerate(here))
            elif target.key is not None:
                new = {**here, target.key: new}
            at = target.parameter
            values = (*values[:at], new, *values[at + 1 :])
        return values

    def _build(self, values: Values, kinds: tuple[Kind, ...]) -> Specialization:
        f = self._primal
        if not isinstance(f, types.FunctionType):
            return self._for_sizes(values, kinds)
        key = (self._transform, self._skip, kinds)
        found = _shared.find(f, key, values)
        if found is None:
            found = self._for_sizes(values, kinds)
            _shared.add(f, key, found)
        return found

    def _for_sizes(self, values: Values, kinds: tuple[Kind, ...]) -> Specialization:
        """Code for these sizes, where a compiler gains by it and they are not always others."""
        if self._transform.backend is None or self._dispatcher.sized(kinds) >= SIZED:
            return self._for_all_sizes(values, kinds)
        given, sizes = sized(kinds, values)
        made = self._for_all_sizes(values, given)
        names = self._layout.names
        text = "".join(each.comment(names) for each in sizes) + made.text
        return replace(made, kinds=kinds, sizes=sizes, text=text)

    def _for_all_sizes(self, values: Values, kinds: tuple[Kind, ...]) -> Specialization:
        return build(self._primal, self._transform, self._layout, values, kinds, skip=self._skip)

    def _find(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, any_size: bool = False
    ) -> Specialization:
        """The code for these arguments; with ``any_size``, for those of other sizes as well."""
        if self._layout.function.__code__ is not self._layout.code:
            self._renew()
        values = self._prepare(self._layout.bind(args, kwargs))
        found = self._dispatcher.find(values)
        return self._for_all_sizes(values, found.kinds) if any_size and found.sizes else found

    # -- what the frontend asks where a derivative is called inside a function -------------------

    @property
    def __s2sad_layout__(self) -> Layout:
        return self._layout

    @property
    def __s2sad_wrt__(self) -> tuple[int, ...]:
        targets = self._layout.targets(self._transform.argnums, skip=self._skip)
        return tuple(dict.fromkeys(target.parameter for target in targets))

    def __s2sad_program__(self, values: Values, kinds: tuple[Kind, ...]) -> Program:
        return differentiate(self, self._layout, values, kinds)

    def __s2sad_pair__(
        self, values: Values, kinds: tuple[Kind, ...]
    ) -> tuple[Program, Pair, list[int]]:
        return pair_of(self, self._layout, values, kinds)

    # -- what can be looked at -------------------------------------------------------------------

    @property
    def primal(self) -> Callable[..., Any]:
        """The function that is differentiated."""
        return self._primal

    @property
    def transform(self) -> Transform:
        """Which derivative this is, and with respect to what."""
        return self._transform

    @property
    def skip(self) -> int:
        """How many of the first parameters argnums does not count: 1 for a method's ``self``."""
        return self._skip

    def source(self, *args: Any, **kwargs: Any) -> Text:
        """The text of the function that runs for these arguments; nothing is run.

        Without arguments: the text built last, or else the one for arguments as annotations and
        defaults suggest, floats otherwise.

        >>> from s2sad import grad
        >>> def area(r):
        ...     return 3.0 * r ** 2
        >>> "def area_grad(r):" in grad(area).source(1.0)
        True
        """
        return Text(self._shown(args, kwargs).text)

    def ssa(self, *args: Any, **kwargs: Any) -> Text:
        """The SSA form of the derivative for these arguments (as for `source` without any)."""
        return ssa_text(self._shown(args, kwargs).ir)

    def _shown(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Specialization:
        if args or kwargs:
            return self._find(args, kwargs)
        last = self._dispatcher.last
        if last is not None:
            return last
        examples, named = example_arguments(self._layout)
        try:
            return self._find(examples, named)
        except S2sadError as error:
            raise ArgumentError(
                f"{self._layout.function.__qualname__} cannot be compiled for {examples!r}; "
                "call it, or pass the arguments it is meant for"
            ) from error

    def specialize(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The compiled function for arguments of these kinds, without dispatch.

        It takes the parameters of ``primal`` in order (``*args`` as one tuple, ``**kwargs`` as one
        dict) and checks nothing: with arguments of other kinds its results mean nothing.
        """
        return specialized(self._layout, self._find(args, kwargs, any_size=True))

    def cache_info(self) -> CacheInfo:
        """Calls, builds and compiled code so far: ``(hits, misses, maxsize, currsize)``."""
        return self._dispatcher.info()

    def compare(self, *args: Any, **kwargs: Any) -> Any:
        """Compare this derivative with a tape and with differences at these arguments."""
        from .api import compare

        argnums = self._transform.spelled
        return compare(self._primal, *args, argnums=argnums, **kwargs)

    def __repr__(self) -> str:
        name = getattr(self._primal, "__qualname__", None) or repr(self._primal)
        of = f"<s2sad.{self._transform.name} of {name}"
        if not self._transform.argnums:
            return of + ">"
        targets = self._layout.targets(self._transform.argnums, skip=self._skip)
        names = []
        for target in targets:
            parameter = self._layout.names[target.parameter]
            names.append(parameter if target.key is None else f"{parameter}[{target.key!r}]")
        return f"{of} with respect to {', '.join(names)}>"

    # -- methods and pickles ---------------------------------------------------------------------

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        inner = self._primal
        if isinstance(inner, classmethod):
            return Method(self._as_method, instance if owner is None else owner)
        binds = isinstance(inner, (types.FunctionType, Derivative)) or (
            hasattr(type(inner), "__get__")
            and not isinstance(inner, (staticmethod, types.MethodType))
        )
        return self if instance is None or not binds else Method(self._as_method, instance)

    @functools.cached_property
    def _as_method(self) -> Derivative:
        """The same derivative where the first parameter is ``self``, not counted by argnums."""
        return type(self)(self._primal, self._transform, skip=1)

    def __reduce__(self) -> Any:
        name = self._dotted_name(self)
        if name is not None:
            return name
        at = self._dotted_name(self._primal)
        if at is None and isinstance(self._primal, types.FunctionType):
            # A decorated function: its name leads to a derivative object that holds it.
            holder = _resolve(self._primal)
            if isinstance(holder, Derivative) and holder._primal is self._primal:
                return _rebuild_from, (holder, self._transform, self._skip)
        return type(self), (self._primal, self._transform)

    @staticmethod
    def _dotted_name(thing: Any) -> str | None:
        name = getattr(thing, "__qualname__", None)
        return name if name is not None and _resolve(thing) is thing else None


class Method:
    """A derivative bound to an object, as ``obj.method``."""

    __slots__ = ("_derivative", "_instance")

    def __init__(self, derivative: Derivative, instance: Any) -> None:
        self._derivative = derivative
        self._instance = instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._derivative(self._instance, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._derivative, name)
        if name in ("source", "ssa", "specialize") and callable(found):
            return functools.partial(found, self._instance)
        return found

    @property
    def __self__(self) -> Any:
        return self._instance

    @property
    def derivative(self) -> Derivative:
        """The derivative with ``self`` as its first parameter."""
        return self._derivative

    @property
    def primal(self) -> Callable[..., Any]:
        """The method that is differentiated."""
        return types.MethodType(self._derivative.primal, self._instance)

    def compare(self, *args: Any, **kwargs: Any) -> Any:
        """Compare this derivative with a tape and with differences at these arguments."""
        from .api import compare

        argnums = self._derivative.transform.spelled
        return compare(self.primal, *args, argnums=argnums, **kwargs)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Method)
            and self._derivative is other._derivative
            and self._instance is other._instance
        )

    def __hash__(self) -> int:
        return hash((id(self._derivative), id(self._instance)))

    def __repr__(self) -> str:
        return f"<bound {self._derivative!r} of {self._instance!r:.60}>"

    def __reduce__(self) -> Any:
        return getattr, (self._instance, self._derivative.__name__)


def inner_function(f: Any) -> Any:
    """The function at the heart of derivatives of derivatives, its bound object kept."""
    while True:
        if isinstance(f, (Derivative, Method)):
            f = f.primal
        elif isinstance(f, types.MethodType) and isinstance(f.__func__, (Derivative, Method)):
            f = types.MethodType(inner_function(f.__func__), f.__self__)
        else:
            return f


def _resolve(thing: Any) -> Any:
    """What the qualified name of ``thing`` leads to; ``MISSING`` if nowhere."""
    found: Any = sys.modules.get(getattr(thing, "__module__", None) or "", MISSING)
    for part in (getattr(thing, "__qualname__", None) or "").split("."):
        try:
            found = inspect.getattr_static(found, part)
        except AttributeError:
            return MISSING
    return found


def own_tangents(f: Any) -> tuple[str, ...]:
    """The names of the tangents that a derivative object takes; none for a function."""
    if isinstance(f, types.MethodType):
        f = f.__func__
    if isinstance(f, Method):
        f = f.derivative
    return f._layout.tangents if isinstance(f, Derivative) else ()


def _rebuild_from(holder: Derivative, transform: Transform, skip: int) -> Derivative:
    return Derivative(holder.primal, transform, skip=skip)
