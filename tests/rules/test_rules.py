"""Every rule at every sample in both modes, through one checker.

The cotangents of random seeds are compared with central differences of the primal, the tangent
with the cotangents by the dot-product identity, kinds with what NumPy gives. A differentiable
rule without a sample fails.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import s2sad.rules  # noqa: F401
from s2sad.ir.builder import Builder
from s2sad.ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Tuple,
    Unknown,
    kind_of,
)
from s2sad.ir.nodes import Const, Value
from s2sad.rules.apply import cotangents
from s2sad.rules.checking import (
    check_operand,
    check_sample,
    is_active,
)
from s2sad.rules.eager import EagerBuilder, exact_kind
from s2sad.rules.optional import load_all
from s2sad.rules.registry import KindError, Primitive, Sample, primitives
from tests.rules.samples import at_samples

STRUCTURAL_HELPERS = {
    # exercised through the programs that use them, and below where they have samples
    *("item", "setitem", "accumulate", "add_to", "append", "pop", "extend", "insert", "copy"),
    *("attr", "record", "tuple", "list", "dict", "cast", "unbroadcast", "broadcast_like"),
    *("gather_written", "unless_zero", "typed_like", "copy_with_strides", "same_shape", "draw"),
    # these take programs, and have tests of their own
    *("implicit_solution", "integral", "odeint", "solve_ivp", "ode_adjoint", "ode_tangent"),
}


load_all()


def records() -> dict[str, Primitive]:
    """The records of the package; other tests enter their own."""
    return {
        n: p
        for n, p in primitives().items()
        if not str(getattr(p.fun, "__module__", "")).startswith("tests.")
    }


def cases() -> list[Any]:
    found = []
    for name, p in records().items():
        points = p.samples() if callable(p.samples) else p.samples
        for n, s in enumerate(points):
            found.append(pytest.param(p, s, id=f"{name}-{n}"))
    return found


def run(p: Primitive, args: Any, attrs: Any) -> Any:
    return p.fun(*args, **attrs)


@at_samples(cases())
def test_rule(p: Primitive, s: Sample) -> None:
    if not p.differentiable:
        return
    check_sample(p, s)


def check_modes(
    p: Primitive,
    s: Sample,
    bars: Any,
    atoms: Any,
    out: Any,
    out_atom: Any,
    g: Any,
    many: bool,
    rng: np.random.Generator,
    b: EagerBuilder,
) -> None:
    for n, x in enumerate(s.args):
        if is_active(x):
            check_operand(p, s, n, bars[n], (b, atoms, out_atom, many), out, g, rng)


def fits(value: Any, k: Kind) -> bool:
    """Whether a run-time value is described by a kind."""
    match k:
        case Num():
            if isinstance(value, np.ndarray):
                return False
            weak = not isinstance(value, np.generic)
            return np.asarray(value).dtype.name == k.dtype and k.weak in (None, weak)
        case Array():
            if not isinstance(value, np.ndarray) or value.dtype.name != k.dtype:
                return False
            if k.dims is None:
                return True
            return value.ndim == len(k.dims) and all(
                m == n if isinstance(m, int) else not (m.not_one and n == 1)
                for m, n in zip(k.dims, value.shape, strict=True)
            )
        case Mixed():
            return np.asarray(value).dtype.name == k.dtype
        case Tuple():
            return (
                isinstance(value, tuple)
                and len(value) == len(k.items)
                and all(map(fits, value, k.items))
            )
        case FixedList():
            return (
                isinstance(value, list)
                and len(value) == len(k.items)
                and all(map(fits, value, k.items))
            )
        case ListOf():
            return isinstance(value, list) and all(fits(v, k.elem) for v in value)
        case Dict():
            return isinstance(value, dict)
        case Opaque():
            return isinstance(value, k.cls)
        case Unknown():
            return True
    return False


@at_samples(cases())
def test_kind(p: Primitive, s: Sample) -> None:
    for exact in (True, False):
        check_kind(p, s, exact)


def check_kind(p: Primitive, s: Sample, exact: bool) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = run(p, s.args, s.attrs)
        atoms = []
        for n, v in enumerate(s.args):
            if exact:
                atoms.append(Const(v, exact_kind(v)))
            elif isinstance(v, np.ndarray | float | np.generic):
                atoms.append(Value(kind_of(v, n)))
            else:
                atoms.append(
                    Const(v, kind_of(v)) if isinstance(v, int | str) else Value(kind_of(v))
                )
        try:
            kind = p.kind(atoms, s.attrs)
        except KindError:
            if exact:
                raise
            return
    if isinstance(kind, tuple):
        assert len(kind) == len(out) and all(map(fits, out, kind)), (kind, out)
    else:
        # of an int and a float, max may give either
        assert fits(out, kind) or (p.name in ("max", "min") and type(out) is int), (kind, out)


@at_samples(cases())
def test_staged_kinds(p: Primitive, s: Sample) -> None:
    """Staged rules build on symbolic kinds, and give each operand a cotangent of its kind."""
    if not p.differentiable:
        return
    b = Builder(tidy=True)
    atoms = tuple(
        Value(kind_of(v, ("a", n)))
        if isinstance(v, np.ndarray | float | np.generic | list | tuple) and is_active(v)
        else Const.of(v)
        for n, v in enumerate(s.args)
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            results = b.ops(p.name, *atoms, **s.attrs)
        except KindError:
            return
        many = len(results) > 1
        g = tuple(Value(r.kind) for r in results)
        bars = cotangents(
            b, p.name, s.attrs, atoms, results if many else results[0], g if many else g[0]
        )
    for x, bar in zip(atoms, bars, strict=True):
        if bar is None or not isinstance(x.kind, Num | Array):
            continue
        assert isinstance(bar.kind, Num | Array), (x.kind, bar.kind)
        if isinstance(x.kind, Array) and x.kind.rank:
            assert isinstance(bar.kind, Array) and bar.kind.rank == x.kind.rank
            assert bar.kind.dtype == x.kind.dtype


def test_every_differentiable_rule_has_a_sample() -> None:
    without = [
        name
        for name, p in records().items()
        if p.differentiable
        and name not in STRUCTURAL_HELPERS
        and not (p.samples() if callable(p.samples) else p.samples)
    ]
    assert without == []
