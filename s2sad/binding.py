"""Binding: what the parameters of a function get in one call, and which of them are ``argnums``.

In: a callable, and what the caller passed. Out: a ``Layout``, and one value per parameter in the
order of the signature, with ``*args`` as one tuple and ``**kwargs`` as one dict::

    layout_of(f).names               ("x", "k", "rest")    for def f(x, k=2.0, *rest)
    layout.fill((3.0, MISSING, ()))  (3.0, 2.0, ())

Methods and ``functools.partial`` objects are seen as the function inside with its first arguments
given; defaults are read at each call, as Python does.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from .errors import ArgumentError

__all__ = ["MISSING", "Argnums", "Layout", "Target", "layout_of", "parse_argnums"]

Argnums: TypeAlias = int | str | Sequence[int | str]


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "<missing>"


#: Stands for an argument that was not passed.
MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Target:
    """An argument to differentiate: a parameter, or one element of ``*args`` or ``**kwargs``."""

    parameter: int
    key: int | str | None = None


@dataclass(frozen=True)
class Layout:
    """The parameters of ``function`` and what is bound to the first of them.

    ``positional`` and ``keyword_only`` are names; ``only`` is how many of the positional ones
    cannot be passed by name; ``variadic`` and ``keywords`` are the names of ``*args`` and
    ``**kwargs`` ("" without). ``names`` are all of them, in the order of values.
    """

    function: types.FunctionType
    code: types.CodeType
    positional: tuple[str, ...]
    only: int
    variadic: str
    keyword_only: tuple[str, ...]
    keywords: str
    bound_args: tuple[Any, ...] = ()
    bound_keywords: Mapping[str, Any] = field(default_factory=dict)
    #: names for tangents, which a derivative takes besides the function's own parameters
    tangents: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All parameters in the order of values."""
        stars = (self.variadic,) if self.variadic else ()
        double = (self.keywords,) if self.keywords else ()
        return (*self.positional, *stars, *self.keyword_only, *double, *self.tangents)

    @property
    def free(self) -> tuple[str, ...]:
        """The positional parameters that the caller passes."""
        after = () if self.variadic else self.tangents
        return (*self.positional[len(self.bound_args) :], *after)

    @property
    def bound_rest(self) -> dict[str, Any]:
        """Keywords a partial holds for ``**kwargs``."""
        known = {*self.positional[self.only :], *self.keyword_only}
        return {k: v for k, v in self.bound_keywords.items() if k not in known}

    def with_tangents(self, parameters: Sequence[int]) -> Layout:
        """The same with a parameter for the tangent of each of these.

        They are passed after all that is passed by position, or by name alone where ``*args``
        takes all of that.
        """
        added = list(self.tangents)
        for parameter in parameters:
            name = f"{self.names[parameter]}_dot" + ("_" if self.keywords else "")
            while name in self.names or name in added:
                name += "_"
            added.append(name)
        return dataclasses.replace(self, tangents=tuple(added))

    def default(self, name: str) -> Any:
        """What a parameter gets when it is not passed: its default as it is now, or MISSING."""
        if name in self.bound_keywords:
            return self.bound_keywords[name]
        if name in self.tangents:
            return MISSING
        if name in self.keyword_only:
            return (self.function.__kwdefaults__ or {}).get(name, MISSING)
        defaults = self.function.__defaults__ or ()
        back = len(self.positional) - self.positional.index(name)
        return defaults[-back] if back <= len(defaults) else MISSING

    def fill(
        self, values: Sequence[Any], extra: Sequence[Any] = (), unknown: Mapping[str, Any] = {}
    ) -> tuple[Any, ...]:
        """One value per parameter, defaults filled in.

        Raises `ArgumentError` for missing arguments and for arguments no parameter takes.
        """
        name = self.function.__qualname__
        if extra:
            takes = len(self.free)
            raise ArgumentError(
                f"{name}() takes {_count(takes, 'positional argument')}, not {takes + len(extra)}"
            )
        if unknown:
            raise ArgumentError(f"{name}() has no parameter {', '.join(map(repr, unknown))}")
        full = [
            self.default(parameter) if value is MISSING else value
            for parameter, value in zip(self.names, values, strict=True)
        ]
        absent = [p for p, value in zip(self.names, full, strict=True) if value is MISSING]
        if absent:
            raise ArgumentError(
                f"{name}() is called without {_count(len(absent), 'argument', number=False)} "
                f"{', '.join(map(repr, absent))}"
            )
        return tuple(full)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of one call, as Python binds them; raises `ArgumentError`."""
        values: dict[str, Any] = dict.fromkeys(self.names, MISSING)
        given = (*self.bound_args, *args)
        takes = self.positional if self.variadic else (*self.positional, *self.tangents)
        values.update(zip(takes, given, strict=False))
        extra: tuple[Any, ...] = given[len(takes) :]
        if self.variadic:
            values[self.variadic], extra = extra, ()
        by_name = {*self.positional[self.only :], *self.keyword_only, *self.tangents}
        unknown: dict[str, Any] = {}
        for key, value in kwargs.items():
            if key not in by_name:
                unknown[key] = value
            elif values[key] is not MISSING:
                raise ArgumentError(
                    f"{self.function.__qualname__}() got two values for argument {key!r}"
                )
            else:
                values[key] = value
        if self.keywords:
            values[self.keywords], unknown = {**self.bound_rest, **unknown}, {}
        return self.fill(tuple(values.values()), extra, unknown)

    def targets(
        self,
        argnums: tuple[int | str, ...],
        values: Sequence[Any] | None = None,
        *,
        skip: int = 0,
    ) -> tuple[Target, ...]:
        """What ``argnums`` mean: integers count the arguments that the caller passes.

        ``skip`` is how many of these are not counted (the ``self`` of a method). With ``values``,
        elements of ``*args`` and ``**kwargs`` must be among them. Raises
        `ArgumentError` where there is no such argument.
        """
        return tuple(self._target(n, values, skip) for n in argnums)

    def _target(self, n: int | str, values: Sequence[Any] | None, skip: int) -> Target:
        name = self.function.__qualname__
        if isinstance(n, str):
            if n in self.names:
                return Target(self.names.index(n))
            if self.keywords:
                place = self.names.index(self.keywords)
                if values is None or n in values[place]:
                    return Target(place, n)
            has = ", ".join(self.names) or "no parameters"
            raise ArgumentError(f"{name}() has no argument {n!r} to differentiate (it has: {has})")
        free = self.free[skip:]
        if 0 <= n < len(free) or (-len(free) <= n < 0 and not self.variadic):
            return Target(self.names.index(free[n]))
        if self.variadic and n >= 0:
            # A receiver may itself be the first element of *args.
            skipped = max(len(self.bound_args), skip) - len(self.positional)
            place, key = self.names.index(self.variadic), n - len(free) + max(0, skipped)
            if values is None or key < len(values[place]):
                return Target(place, key)
            count = len(free) + len(values[place]) - max(0, skipped)
        else:
            count = len(free)
        raise ArgumentError(
            f"argnums={n} is out of range: {name}() has {_count(count, 'positional argument')}"
        )


def parse_argnums(argnums: Any) -> tuple[tuple[int | str, ...], bool]:
    """``argnums`` as a tuple, and whether it was a sequence (the gradient is then a tuple).

    >>> parse_argnums(0)
    ((0,), False)
    >>> parse_argnums(["x", 1])
    (('x', 1), True)
    """
    many = isinstance(argnums, (list, tuple, range))
    found = tuple(argnums) if many else (argnums,)
    for n in found:
        if isinstance(n, bool) or not (isinstance(n, str) or hasattr(type(n), "__index__")):
            raise ArgumentError(
                f"argnums must be an int, a parameter name, or a sequence of these, not {n!r}"
            )
    if not found:
        raise ArgumentError("argnums is empty: there is nothing to differentiate")
    plain = tuple(n if isinstance(n, str) else n.__index__() for n in found)
    for n in plain:
        if plain.count(n) > 1:
            raise ArgumentError(f"argnums names {n!r} twice")
    return plain, many


def layout_of(f: Callable[..., Any]) -> Layout:
    """The parameters of ``f``.

    Raises the errors of `frontend.source.find_source` for what is not a Python function.
    """
    from .frontend.source import unwrap

    function, args, keywords = unwrap(f)
    code = function.__code__
    count, kwonly = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    positional, keyword_only = names[:count], names[count : count + kwonly]
    rest = list(names[count + kwonly :])
    variadic = rest.pop(0) if code.co_flags & inspect.CO_VARARGS else ""
    doubled = rest.pop(0) if code.co_flags & inspect.CO_VARKEYWORDS else ""
    return Layout(
        function,
        code,
        positional,
        code.co_posonlyargcount,
        variadic,
        keyword_only,
        doubled,
        args,
        keywords,
    )


def _count(n: int, noun: str, *, number: bool = True) -> str:
    plural = noun if n == 1 else noun + "s"
    return f"{n} {plural}" if number else plural
