"""A loss with its arguments, and what is to be said against a gradient.

In: a gradient as real numbers. Out: how far it is from what it should be, or nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import s2sad

from .checkout import Program

EXACT, SINGLE = 1e-8, 1e-4
STEPS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
FEW = 16


@dataclass(frozen=True)
class Case:
    """A loss with its arguments and those that it is differentiated in."""

    program: Program
    loss: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: tuple[int, ...]

    def reference(self) -> np.ndarray:
        """The gradient under NumPy."""
        return stacked(s2sad.grad(self.loss, self.argnums)(*self.args))

    def deviation(self, gradient: np.ndarray, expected: np.ndarray) -> str:
        """How far a gradient is from the reference.

        It may be as far as the reference moves, ten times, when the last bits of the arguments
        are others: some programs are that ill-conditioned.
        """
        if gradient.shape != expected.shape:
            return f"{gradient.size} numbers, not {expected.size}"
        scale = float(np.max(np.abs(expected)))
        error = float(np.max(np.abs(gradient - expected)))
        if error <= self.tolerance() * scale + self.rounding():
            return ""
        moved = self.at(rounded(self.subject())).reference()
        if error <= 10.0 * float(np.max(np.abs(moved - expected))):
            return ""
        return f"{error / max(scale, 1e-300):.1e} from s2sad's under NumPy"

    def objection(self, gradient: np.ndarray) -> str:
        """How far a gradient is from central differences, at the best of some steps: along two
        directions, or, where the program jumps everywhere, in a few numbers at a time."""
        bound = 0.05 if self.tolerance() == SINGLE else 1e-4
        rng = np.random.default_rng(5)
        size = gradient.size
        dense = [rng.normal(size=size) for _ in range(2)]
        sparse = []
        for _ in range(3):
            along = np.zeros(size)
            along[rng.choice(size, min(FEW, size), replace=False)] = 1.0
            sparse.append(along * rng.normal(size=size))
        error = max(self.slope_error(gradient, d) for d in dense)
        if error < bound:
            return ""
        few = max(self.slope_error(gradient, d) for d in sparse)
        return "" if few < bound else f"{min(error, few):.1e} from central differences"

    def slope_error(self, gradient: np.ndarray, along: np.ndarray) -> float:
        """The error of the slope in a direction, relative to what slopes there may be."""
        expected = float(gradient @ along)
        length = float(np.linalg.norm(along))
        usual = length * float(np.linalg.norm(gradient)) / gradient.size**0.5
        least = max(1e-3 * usual, 1e3 * self.rounding() * length, 1e-300)
        errors = [np.inf]
        for step in STEPS:
            up, down = (self.value(self.parted() + s * step * along) for s in (1.0, -1.0))
            slope = (up - down) / (2.0 * step)
            error = abs(slope - expected) / max(abs(slope), least)
            errors.append(np.inf if np.isnan(error) else error)
        return float(min(errors))

    def tolerance(self) -> float:
        """Programs that keep results in single precision have its rounding."""
        return SINGLE if "float32" in inspect.getsource(self.program.numpy()) else EXACT

    def rounding(self) -> float:
        """What an entry of a gradient may be off if it cancels to nothing, as that of the sum of
        a softmax does."""
        value = abs(float(self.loss(*self.args)))
        return 1e-13 * value if np.isfinite(value) else 0.0

    def subject(self) -> tuple[np.ndarray, ...]:
        return tuple(self.args[n] for n in self.argnums)

    def at(self, subject: Sequence[np.ndarray]) -> Case:
        """The same with other arrays."""
        args = list(self.args)
        for n, array in zip(self.argnums, subject, strict=True):
            args[n] = array
        return Case(self.program, self.loss, tuple(args), self.argnums)

    def parted(self) -> np.ndarray:
        return np.concatenate([np.ravel(apart(a)) for a in self.subject()])

    def value(self, parted: np.ndarray) -> float:
        """The loss of arrays given as real numbers."""
        case = self.at(tuple(joined(self.subject(), parted)))
        return float(case.loss(*case.args))


def apart(array: np.ndarray) -> np.ndarray:
    """Complex arrays as real ones."""
    return np.stack([array.real, array.imag]) if np.iscomplexobj(array) else array


def joined(like: Sequence[np.ndarray], parted: np.ndarray) -> Iterator[np.ndarray]:
    """The arrays that `apart` made real numbers of."""
    at = 0
    for array in like:
        parts = 2 if np.iscomplexobj(array) else 1
        numbers = parted[at : at + parts * array.size].reshape(parts, *array.shape)
        at += parts * array.size
        yield numbers[0] + 1j * numbers[1] if parts == 2 else numbers[0]


def rounded(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Arrays with other last bits."""
    rng = np.random.default_rng(6)
    eps = np.finfo(float).eps
    return tuple(a * (1.0 + eps * rng.choice([-1.0, 1.0], size=a.shape)) for a in arrays)


def stacked(gradients: Sequence[Any]) -> np.ndarray:
    """All of a gradient as real numbers; that of z = x + iy is dL/dx - i dL/dy."""
    return np.concatenate([np.ravel(apart(np.conj(np.asarray(g)))) for g in gradients])
