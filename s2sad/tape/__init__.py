"""A tape: the derivative by running the program on values that record what happens to them.

In: a function. Out: its gradient, found in another way than the compiler finds it: by operator
overloading, step by step, with the same rules.

    tape.grad(f)(2.0)   ->   the number that s2sad.grad(f)(2.0) must give

It is here to be compared with, and small enough to be believed: `record` (places, steps and the
reverse sweep), `values` and `dispatch` (what writes the steps), `translate` (runs the user's
bytecode among proxies of NumPy and math), `run` (arguments and results).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..binding import Argnums, layout_of, parse_argnums
from ..pullback import Pullback
from .run import Run

__all__ = ["Entries", "entries", "grad", "value_and_grad", "vjp"]


@dataclass(frozen=True, slots=True)
class Entries:
    """What a tape held at the end of a run: steps, and the values kept for the reverse sweep."""

    steps: int
    values: int
    nbytes: int


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The gradient of a function with a real result, by a tape.

    Arguments, ``argnums`` and results are those of `s2sad.grad`: the gradient has the structure,
    shapes and dtypes of the argument, and is a tuple where ``argnums`` is a sequence.

    Raises `UnsupportedError` for what the tape cannot follow exactly, `ArgumentError` and
    `OutputError` for wrong arguments and results.

    >>> def f(x):
    ...     return x * x + 1.0
    >>> grad(f)(3.0)
    6.0
    """
    both = value_and_grad(f, argnums)

    @functools.wraps(f, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The value and the gradient, as a pair; see `grad`.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    chosen, many = parse_argnums(argnums)
    name = layout_of(f).function.__qualname__

    @functools.wraps(f, updated=())
    def both(*args: Any, **kwargs: Any) -> Any:
        run = Run(f, chosen, args, kwargs)
        gradient = run.gradient(name)
        return run.value, gradient if many else gradient[0]

    return both


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value, and a function from a cotangent of it to one cotangent per argument.

    The pullback may be called many times; an argument that is no float has cotangent None.

    >>> out, pullback = vjp(lambda x, y: (x * y, x), 2.0, 3.0)
    >>> out, pullback((1.0, 10.0))
    ((6.0, 2.0), (13.0, 2.0))
    """
    run = Run(f, None, args, {})
    name = layout_of(f).function.__qualname__
    pullback = Pullback(name, run.value, (), run.pullback, lambda bars: bars)
    return run.value, pullback.first(len(args))


def entries(f: Callable[..., Any], *args: Any, argnums: Argnums | None = None) -> Entries:
    """How much the tape records when it runs ``f``: with respect to all arguments, or some.

    >>> entries(lambda x: x * x, 3.0)
    Entries(steps=1, values=3, nbytes=24)
    """
    run = Run(f, None if argnums is None else parse_argnums(argnums)[0], args, {})
    count, nbytes = run.recorder.tape.saved()
    return Entries(len(run.recorder.tape.steps), count, nbytes)
