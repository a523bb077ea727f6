"""s2sad: derivatives of plain Python and NumPy programs, as readable Python programs.

>>> import s2sad
>>> @s2sad.grad
... def area(r):
...     return 3.0 * r ** 2
>>> area(2.0)
12.0
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .api import (
    compare,
    derivative,
    gauss_newton_product,
    grad,
    hvp,
    jvp,
    linearize,
    ssa,
    value_and_grad,
    vjp,
)
from .checkpointing import checkpoint, checkpointed
from .controls import custom_jvp, custom_vjp, stop_gradient
from .derivative import Derivative
from .errors import (
    ArgumentError,
    OutputError,
    Problem,
    S2sadError,
    SourceError,
    Span,
    UnsupportedError,
)
from .jacobian import elementwise_grad, hessian, jacfwd, jacobian, jacrev
from .pipeline import Numba
from .sparse import sparse_hessian, sparse_jacobian

if TYPE_CHECKING:
    from . import tape, tools
    from .tools.coverage import coverage

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "Derivative",
    "Numba",
    "OutputError",
    "Problem",
    "S2sadError",
    "SourceError",
    "Span",
    "UnsupportedError",
    "checkpoint",
    "checkpointed",
    "compare",
    "coverage",
    "custom_jvp",
    "custom_vjp",
    "derivative",
    "elementwise_grad",
    "gauss_newton_product",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "sparse_hessian",
    "sparse_jacobian",
    "ssa",
    "stop_gradient",
    "tape",
    "tools",
    "value_and_grad",
    "vjp",
]

_LAZY = frozenset({"tape", "tools"})


def __getattr__(name: str) -> Any:
    # Importing these costs time that a program which only wants a gradient should not pay.
    if name == "coverage":
        return importlib.import_module(".tools.coverage", __name__).coverage
    if name in _LAZY:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "coverage"})
