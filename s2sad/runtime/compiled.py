"""What only code that Numba compiles calls, as plain Python would do it.

In: numbers and arrays. Out: the same results as compiled; the Numba backend tells Numba what each
of them means, and why (`s2sad.backend.nopython`)::

    total = plus(total, x)      an addition that a loop may do in any order
    tape = grown(tape, top)     a longer array for a tape that is full
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Unforeseen(Exception):
    """Arguments do not fit each other as compiled code takes for granted that they do."""


def grown(tape: Any, room: int) -> Any:
    """A longer array that begins with the numbers of ``tape``: twice as long, or ``room``.

    >>> len(grown(np.zeros(4), 5))
    8
    """
    longer = np.empty(max(2 * len(tape), room), tape.dtype)
    longer[: len(tape)] = tape
    return longer


def in_place(f: Callable[..., Any], x: Any) -> Any:
    """``f`` of every element of an array, in the place of it.

    >>> x = np.array([0.0, 1.0])
    >>> in_place(np.exp, x)
    array([1.        , 2.71828183])
    """
    if isinstance(f, np.ufunc):
        return f(x, out=x)
    x[...] = [f(v) for v in x]
    return x


def plus(total: float, x: float) -> float:
    """``total + x`` as a step of a sum that may be added up in any order.

    >>> plus(1.0, 2.0)
    3.0
    """
    return total + x


def chosen(condition: bool, then: Any, otherwise: Any) -> Any:
    """One of two numbers that are both there.

    >>> chosen(2.0 > 1.0, 3.0, 4.0)
    3.0
    """
    return then if condition else otherwise


def real_fft(z: np.ndarray) -> np.ndarray:
    """``np.real(np.fft.fft(z))`` of a vector.

    >>> real_fft(np.array([1.0, 1.0j]))
    array([1., 1.])
    """
    found: np.ndarray = np.real(np.fft.fft(z))
    return found


def real_ifft(z: np.ndarray) -> np.ndarray:
    """``np.real(np.fft.ifft(z))`` of a vector.

    >>> real_ifft(np.array([1.0, 1.0j]))
    array([0.5, 0.5])
    """
    found: np.ndarray = np.real(np.fft.ifft(z))
    return found


def moduli(z: np.ndarray) -> np.ndarray:
    """``np.abs(z)`` of an array of complex numbers.

    >>> moduli(np.array([3.0 + 4.0j]))
    array([5.])
    """
    found: np.ndarray = np.abs(z)
    return found
