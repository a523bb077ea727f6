"""Random numbers: methods of generators and the functions of ``np.random``.

In: a generator, or ``np.random`` itself, the name of a method and its arguments. Out: an op with
the effect "draws", which runs in the forward sweep only.

    rng.normal(mu, 1.0, size=3)      draw rng mu 1.0 3 {method: normal, names: (size,)}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.kinds import Opaque
from ..ir.nodes import Const
from ..rules.draws import GENERATORS, REFUSED
from .context import Lowerer
from .refs import Ref, Static, Val


def of(rng: Any) -> Val:
    """A generator that is known now."""
    return Val(Const(rng, Opaque(type(rng))))


def generator(cx: Lowerer, ref: Ref) -> Val | None:
    """The generator a reference stands for, or None if it is something else."""
    if isinstance(ref, Static) and isinstance(ref.obj, GENERATORS):
        return of(ref.obj)
    if isinstance(ref, Val) and isinstance(ref.kind, Opaque):
        return ref if issubclass(ref.kind.cls, GENERATORS) else None
    return None


def method(
    cx: Lowerer, rng: Val, name: str, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> Ref:
    """``rng.name(*args, **kwargs)``."""
    if name in REFUSED or name.startswith("_"):
        cx.fail(
            f"'{name}' of a random generator is not supported",
            "draw numbers, or places: x[rng.permutation(len(x))]",
        )
    if "out" in kwargs:
        cx.fail(f"'{name}' with 'out' is not supported", "assign what it returns")
    if "dtype" in kwargs:
        kwargs = {**kwargs, "dtype": cx.constant(_dtype(cx, kwargs["dtype"]))}
    given = [*args, *kwargs.values()]
    atoms = [cx.atom(r) for r in given]
    return cx.ref(cx.op("draw", rng.atom, *atoms, method=name, keywords=tuple(kwargs)))


def _dtype(cx: Lowerer, ref: Ref) -> str:
    return str(np.dtype(cx.static(ref, "the 'dtype'")).name)


def call(cx: Lowerer, f: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref | None:
    """``f(*args)`` where it is a method of a generator, such as ``np.random.normal``."""
    owner, name = getattr(f, "__self__", None), getattr(f, "__name__", "")
    if isinstance(owner, GENERATORS):
        return method(cx, of(owner), name, args, kwargs)
    rng = generator(cx, args[0]) if args else None
    if rng is None or not isinstance(rng.kind, Opaque):
        return None
    if getattr(rng.kind.cls, name, None) is not f:
        return None
    return method(cx, rng, name, args[1:], kwargs)
