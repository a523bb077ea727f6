"""Functions that are written down where they are called.

In: nothing; `arrays` and `numbers` have the tables. Out: for a function as Numba knows it, which
calls of it have code of our own, and that code. Numba has such functions in Python: it infers
their types, compiles them and what they call, for each kind of argument, and each to machine code
that nobody runs, before it inlines them::

    np.zeros_like(x)   ->   four functions in a fifth of a second; or an allocation and a memset
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba.core.typing.templates import signature

__all__ = ["Own"]


@dataclass(frozen=True, slots=True)
class Own:
    """Our code of a function.

    ``kind`` takes the types of the arguments, and of the array first if this is a method, and
    gives the result's; None where Numba's code is needed. ``code`` takes the context, the builder,
    the signature and the values. ``names`` are those of arguments that may be given by name.
    ``by_constants`` says that types of constants are wanted with their values.
    """

    kind: Callable[..., Any]
    code: Callable[[Any, Any, Any, Any], Any]
    names: tuple[str, ...] = ()
    by_constants: bool = False

    def result(self, given: tuple[Any, ...]) -> Any:
        """The type of what it gives; None where Numba's code is needed, or says what is wrong."""
        return self.kind(*given) if _takes(self.kind, len(given)) else None

    def signature(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The signature of a call; None where Numba's code is needed."""
        names = self.names[: len(args) + len(named)]
        if set(named) != set(names[len(args) :]):
            return None
        given = (*args, *(named[name] for name in names[len(args) :]))
        kind = self.result(given)
        if kind is None:
            return None
        found = signature(kind, *given)
        return found.replace(pysig=_taking(names)) if named else found


@functools.cache
def _takes(kind: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(kind).bind(*[None] * count)
    except TypeError:
        return False
    return True


def _taking(names: tuple[str, ...]) -> inspect.Signature:
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, either) for name in names])
