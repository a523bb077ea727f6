"""Results that share memory: what NumPy does at every sample is what the compiler knows.

For each registered function and sample: where the result is, or holds, a view of an operand, the
storage facts say so, and so do the tables the frontend aliases by; where it cannot be written, the
facts say that nobody here owns it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import s2sad.rules  # noqa: F401
from s2sad.backend.storage import OUTSIDE, storage
from s2sad.frontend import primitives as calls
from s2sad.ir.nodes import Atom, Const, Function, Op, Region, Value
from s2sad.rules.eager import exact_kind
from s2sad.rules.optional import load_all
from s2sad.rules.registry import Primitive, Sample, primitives

load_all()

#: Methods and operators whose aliasing the frontend works out by itself; helpers that only rules
#: call.
BY_HAND = {"item", "attr", "copy", "astype", "stop_gradient", "unblock", "fitted", "add", "mul"}
HELPERS = {"whole"}


def sampled() -> list[str]:
    """The functions with samples; other tests enter their own."""
    return [
        name
        for name, p in primitives().items()
        if p.samples and not str(getattr(p.fun, "__module__", "")).startswith("tests.")
    ]


@pytest.mark.parametrize("name", sampled())
def test_results_that_share_memory_are_known(name: str) -> None:
    p = primitives()[name]
    for s in p.samples() if callable(p.samples) else p.samples:
        args = tuple(map(owned, s.args))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            out = p.fun(*args, **s.attrs)
            results = [a for a in arrays(out) if a.size]
            read_only = any(not a.flags.writeable for a in results)
        for k, arg in enumerate(args):
            if any(np.shares_memory(a, b) for a in results for b in arrays(arg)):
                assert knows_of(p, s, args, k), f"operand {k} of {s}"
                assert frontend_knows_of(p, s, k), f"operand {k} of {s}"
        if read_only:
            assert knows_of(p, s, args, None), f"read-only result of {s}"


def owned(x: Any) -> Any:
    """A copy whose arrays share no memory with others."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, list):
        return [owned(v) for v in x]
    return tuple(map(owned, x)) if type(x) is tuple else x


def arrays(x: Any) -> Iterator[np.ndarray]:
    """The arrays in a value."""
    if isinstance(x, np.ndarray):
        yield x
    elif isinstance(x, list | tuple):
        for v in x:
            yield from arrays(v)
    elif isinstance(x, dict):
        yield from arrays(list(x.values()))


def knows_of(p: Primitive, s: Sample, args: tuple[Any, ...], k: int | None) -> bool:
    """Whether the backend takes a result to share memory with operand k (None: not to be ours)."""
    kinds = [exact_kind(a) for a in args]
    atoms: list[Atom] = [
        Value(kind) if any(True for _ in arrays(a)) else Const(a, kind)
        for a, kind in zip(args, kinds, strict=True)
    ]
    made = p.kind(atoms, s.attrs)
    results = tuple(map(Value, made if isinstance(made, tuple) else (made,)))
    params = tuple(a for a in atoms if isinstance(a, Value))
    op = Op(results, p.name, tuple(atoms), s.attrs)
    facts = storage(Function("f", params, Region((), (op,), results)), {})
    of = OUTSIDE if k is None else facts.memory_of(atoms[k])
    return any(facts.memory_of(r) & of for r in results)


def frontend_knows_of(p: Primitive, s: Sample, k: int) -> bool:
    """Whether a program's own call of the function is known to alias operand k."""
    if k in (p.view_of, p.writes) or p.name in BY_HAND | HELPERS | calls._SPREADS | calls._EACH:
        return True
    option = calls._IDENTITIES_AT.get(p.name)
    return option is not None and s.attrs.get(option[0]) == option[1]
