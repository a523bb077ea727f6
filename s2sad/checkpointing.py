"""Checkpointing: a derivative that computes values again instead of keeping them.

In: a function or a range of the user's. Out: one that does the same, marked so that a reverse
sweep trades time for memory there. Nothing here differentiates anything: the frontend reads the
marks, ``transform/checkpoint.py`` and ``transform/revolve.py`` act on them.

    @checkpoint                                     the reverse sweep runs block() again
    def block(h, W): ...

    for t in checkpointed(range(n), snapshots=8):   it keeps 8 states, not n
        u = step(u)
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .controls import marked_copy

__all__ = ["Checkpointed", "checkpoint", "checkpointed", "is_checkpoint"]

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__s2sad_checkpoint__"


def checkpoint(f: F) -> F:
    """``f``, of which a derivative keeps the arguments only, and computes the rest again.

    Where a differentiated program calls it, the forward sweep computes its value and saves its
    arguments; the reverse sweep runs its body once more and differentiates that. The memory of a
    chain of n such calls is that of their arguments and of one body, for one more run of each.
    Called otherwise it is ``f``. Also works on functions defined inside the differentiated one.

    Refused inside, by the derivative: random numbers (they would be drawn again). Raises
    TypeError where ``f`` cannot be called.

    >>> import numpy as np, s2sad
    >>> @s2sad.checkpoint
    ... def block(h):
    ...     return np.tanh(np.sin(h) * np.cos(h))
    >>> s2sad.grad(lambda x: block(block(x)).sum())(np.zeros(2))
    array([1., 1.])
    """
    if not isinstance(f, types.FunctionType):
        if not callable(f):
            raise TypeError(f"checkpoint() takes a function, not {type(f).__name__}")

        def call(*args: Any, **kwargs: Any) -> Any:
            return f(*args, **kwargs)

        return checkpoint(call)  # type: ignore[return-value]
    new = marked_copy(f)
    setattr(new, _MARK, new.__code__)
    return new  # type: ignore[return-value]


def is_checkpoint(f: object) -> bool:
    """Whether ``f`` was made by `checkpoint`; what only copies its attributes was not."""
    return isinstance(f, types.FunctionType) and f.__dict__.get(_MARK) is f.__code__


class Checkpointed:
    """A range to loop over, and how a derivative is to remember the loop: see `checkpointed`."""

    __slots__ = ("_range", "memory", "snapshots")

    def __init__(self, steps: range, snapshots: int | None, memory: int | None) -> None:
        self._range = steps
        #: how many states are kept, or None
        self.snapshots = snapshots
        #: how many bytes the states that are kept may take, or None
        self.memory = memory

    def __iter__(self) -> Iterator[int]:
        return iter(self._range)

    def __len__(self) -> int:
        return len(self._range)

    def __repr__(self) -> str:
        how = f"snapshots={self.snapshots}" if self.memory is None else f"memory={self.memory}"
        return f"checkpointed({self._range!r}, {how})"


def checkpointed(
    steps: range, *, snapshots: int | None = None, memory: int | str | None = None
) -> Checkpointed:
    """``steps`` to loop over; the derivative of the loop keeps few states and repeats steps.

    The reverse sweep of ``for t in checkpointed(range(T), snapshots=k)`` holds at most k snapshots
    of what the loop carries from one step to the next (and the state it works on). With k
    snapshots and r the least number with ``comb(k + r, k) >= T``, the forward and the reverse
    sweep together advance the state ``r * T - comb(k + r, r - 1) + 1`` times, which is the least
    possible (1), besides running each step once in the reverse sweep. ``memory="64MiB"`` (or a
    number of bytes) instead of ``snapshots`` takes as many as fit, by the size of the state when
    the loop begins. Where nothing is differentiated it is the range and nothing else.

    The loop may end early by ``break`` or ``return``; the snapshots are then spread over all of
    ``steps`` and a few more steps are repeated.

    Raises TypeError where ``steps`` is no range or not one of the two is given, ValueError if
    ``snapshots`` is less than one, ``memory`` is no size or one state does not fit in it.

    (1) A. Griewank, A. Walther: Algorithm 799: revolve: an implementation of checkpointing for
    the reverse or adjoint mode of computational differentiation. ACM Transactions on
    Mathematical Software 26 (2000), 19-45.

    >>> import s2sad
    >>> def decay(u):
    ...     for t in s2sad.checkpointed(range(100), snapshots=5):
    ...         u = u - 0.01 * u ** 2
    ...     return u
    >>> round(s2sad.grad(decay)(1.0), 6)
    0.247
    """
    if not isinstance(steps, range):
        raise TypeError(f"checkpointed() takes a range, not {type(steps).__name__}")
    if (snapshots is None) == (memory is None):
        raise TypeError("checkpointed() takes one of snapshots= and memory=")
    if snapshots is not None and snapshots < 1:
        raise ValueError(f"checkpointed() needs at least one snapshot, not {snapshots}")
    return Checkpointed(steps, snapshots, None if memory is None else bytes_of(memory))


_UNITS = {"B": 1} | {
    f"{prefix}{unit}": base**power
    for power, prefix in enumerate("kMGT", 1)
    for unit, base in (("B", 1000), ("iB", 1024))
}
_UNITS |= {"KB": 1000, "KiB": 1024}


def bytes_of(memory: int | str) -> int:
    """A number of bytes as people write it.

    >>> bytes_of("64MiB"), bytes_of("1.5 kB"), bytes_of(100)
    (67108864, 1500, 100)
    """
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([A-Za-z]+)\s*", memory)
        if match is None or match[2] not in _UNITS:
            raise ValueError(f"memory={memory!r} is not a size: write '64MiB', '2GB' or bytes")
        return int(float(match[1]) * _UNITS[match[2]])
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < 0:
        raise ValueError(f"memory={memory!r} is not a size: write '64MiB', '2GB' or bytes")
    return memory
