"""hello: the square of a number and its derivative."""

from __future__ import annotations

import s2sad

from ..tool import Function


def square(x: float) -> float:
    return x * x


FUNCTIONS = {
    "square": Function(square, lambda given: (float(given),), float),
    "double": Function(s2sad.grad(square), lambda given: (float(given),), float),
}
EXAMPLES = [1.0]
