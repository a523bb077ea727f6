"""What a kernel is: a function of arrays as its author wrote it, arguments, and its peers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Kernel:
    """``make`` draws the arguments for a scale (1 is the size of the table); the gradient is taken
    with respect to ``argnums``.

    ``jax`` is the name of its JAX version in the group's ``under_jax``; "same": the source as it
    is, with ``np`` standing for ``jax.numpy``; None: a JAX user cannot write it in a few lines.
    ``static``: the arguments that are numbers a trace needs to know. ``by_hand`` is the gradient as
    an expert writes it, of the same arguments and with the same result; Numba compiles it and what
    it calls, or it is NumPy as it stands, if ``compiled`` is not set.
    """

    name: str
    primal: Callable[..., float]
    make: Callable[[np.random.Generator, float], tuple[Any, ...]]
    argnums: tuple[int, ...] = (0,)
    jax: str | None = "same"
    static: tuple[int, ...] = ()
    remark: str = ""
    by_hand: Callable[..., tuple[Any, ...]] | None = None
    compiled: bool = True
