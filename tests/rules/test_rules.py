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
    carries_derivative,
    kind_of,
)
from s2sad.ir.nodes import Const, Value
from s2sad.rules.apply import cotangents, tangent
from s2sad.rules.eager import EagerBuilder, exact_kind
from s2sad.rules.optional import load_all
from s2sad.rules.registry import KindError, Primitive, Sample, primitives

STRUCTURAL_HELPERS = {
    # exercised through the programs that use them, and below where they have samples
    *("item", "setitem", "accumulate", "add_to", "append", "pop", "extend", "insert", "copy"),
    *("attr", "record", "tuple", "list", "dict", "cast", "unbroadcast", "broadcast_like"),
    *("gather_written", "unless_zero", "typed_like", "copy_with_strides"),
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


def numbers(x: Any) -> list[Any]:
    """The numeric leaves of a value, as float64 or complex128 arrays."""
    if x is None or isinstance(x, str):
        return []
    if isinstance(x, tuple | list):
        return [leaf for v in x for leaf in numbers(v)]
    return [np.asarray(x)]


def rebuilt(x: Any, change: Any) -> Any:
    """The same structure with ``change`` applied to every float leaf."""
    if isinstance(x, tuple | list):
        items = [rebuilt(v, change) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, float | complex | np.generic) or isinstance(x, np.ndarray):
        if np.asarray(x).dtype.kind in "fc":
            return change(x)
    return x


def random_like(x: Any, rng: np.random.Generator) -> Any:
    def one(v: Any) -> Any:
        r = rng.uniform(0.5, 1.5, np.shape(v))
        if np.iscomplexobj(v):
            r = r + 1j * rng.uniform(0.5, 1.5, np.shape(v))
        if isinstance(v, np.ndarray | np.generic):
            return (
                np.asarray(r).astype(v.dtype)[()]
                if np.ndim(v) == 0 and isinstance(v, np.generic)
                else np.asarray(r, dtype=v.dtype)
            )
        return type(v)(r)

    return rebuilt(x, one)


def dot(a: Any, b: Any) -> float:
    """Re sum(a b) over the leaves: how a cotangent meets a tangent."""
    xs, ys = numbers(a), numbers(b)
    assert len(xs) == len(ys)
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        if np.asarray(x).dtype.kind in "fc":
            total += float(np.real(np.sum(x * y)))
    return total


def run(p: Primitive, args: Any, attrs: Any) -> Any:
    return p.fun(*args, **attrs)


def is_active(x: Any) -> bool:
    return carries_derivative(kind_of(x)) and any(v.dtype.kind in "fc" for v in numbers(x))


def same_form(a: Any, b: Any) -> None:
    """``a`` has the structure, shapes and dtypes of ``b``."""
    if isinstance(b, tuple | list):
        assert isinstance(a, tuple | list) and len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same_form(x, y)
    elif np.asarray(b).dtype.kind in "fc":
        assert np.shape(a) == np.shape(b)
        if not isinstance(b, float | complex) or isinstance(b, np.generic):
            weak = type(a) in (float, int)
            assert weak or np.asarray(a).dtype == np.asarray(b).dtype


def wide(x: Any) -> Any:
    """The same values in double precision."""
    return rebuilt(
        x,
        lambda v: (
            np.asarray(v, "complex128" if np.iscomplexobj(v) else "float64")
            if isinstance(v, np.ndarray | np.generic)
            else v
        ),
    )


def single(args: Any) -> bool:
    return any(v.dtype in (np.float32, np.complex64) for v in numbers(args))


@pytest.mark.parametrize("p, s", cases())
def test_rule(p: Primitive, s: Sample) -> None:
    if not p.differentiable:
        return
    rng = np.random.default_rng(len(p.name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        before = [np.array(v) for v in numbers(s.args)]
        out = run(p, s.args, s.attrs)
        many = isinstance(primitive_kind(p, s), tuple)
        g = rebuilt(out, np.ones_like) if s.edge else random_like(out, rng)
        b = EagerBuilder()
        atoms = tuple(map(b.const, s.args))
        out_atom = tuple(map(b.const, out)) if many else b.const(out)
        g_atom = tuple(map(b.const, g)) if many else b.const(g)
        bars = cotangents(b, p.name, s.attrs, atoms, out_atom, g_atom)
        for x, bar in zip(s.args, bars, strict=True):
            if bar is not None:
                same_form(bar.value, x)
        if s.edge:
            assert s.expect is not None
            for bar, wanted in zip(bars, s.expect, strict=False):
                if wanted is not None:
                    have = numbers(bar.value) if bar is not None else [np.zeros(())]
                    for x, y in zip(have, numbers(wanted), strict=True):
                        np.testing.assert_allclose(x, y, rtol=1e-6)
            return
        check_modes(p, s, bars, atoms, out, out_atom, g, many, rng, b)
        for x, y in zip(numbers(s.args), before, strict=True):
            np.testing.assert_array_equal(x, y)


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
    low = single(s.args) or single([out])
    for n, x in enumerate(s.args):
        if not is_active(x):
            continue
        x_dot = random_like(x, rng)
        dots = [None] * len(s.args)
        dots[n] = b.const(x_dot)
        t = tangent(b, p.name, s.attrs, atoms, out_atom, dots)
        t_value = None if t is None else [u and u.value for u in t] if many else t.value
        if t is not None and not many:
            same_form(t_value, out)
        forward = 0.0
        if t_value is not None:
            pairs = zip(t_value, g, strict=True) if many else [(t_value, g)]
            forward = sum(dot(u, v) for u, v in pairs if u is not None)
        backward = 0.0 if bars[n] is None else dot(bars[n].value, x_dot)
        slope = difference(p, s, n, x_dot, g)
        tol = 2e-3 if low else 2e-6
        scale = max(1.0, abs(slope))
        assert abs(backward - slope) <= tol * scale, f"vjp {backward}, differences {slope}"
        assert abs(forward - slope) <= tol * scale, f"jvp {forward}, differences {slope}"
        exact = 1e-4 if low else 1e-10
        assert abs(forward - backward) <= exact * scale, f"jvp {forward}, vjp {backward}"


def difference(p: Primitive, s: Sample, n: int, x_dot: Any, g: Any) -> float:
    """The slope of ``dot(g, primal)`` along ``x_dot``, extrapolated central differences."""
    args = list(wide(tuple(s.args)))
    attrs = {k: v for k, v in s.attrs.items() if k != "dtype" or "complex" in str(v)}
    if p.name == "astype" and "dtype" not in attrs:
        attrs["dtype"] = "float64"
    g = wide(g)

    def at(h: float) -> float:
        moved = list(args)
        moved[n] = added(args[n], wide(x_dot), h)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            return dot(g, run(p, moved, attrs))

    h = 1e-4
    one = (at(h) - at(-h)) / (2 * h)
    two = (at(h / 2) - at(-h / 2)) / h
    return (4 * two - one) / 3


def added(x: Any, t: Any, h: float) -> Any:
    if isinstance(x, tuple | list):
        return type(x)([added(v, w, h) for v, w in zip(x, t, strict=True)])
    return x + h * t if np.asarray(x).dtype.kind in "fc" else x


def primitive_kind(p: Primitive, s: Sample) -> Any:
    return p.kind(tuple(Const(v, exact_kind(v)) for v in s.args), s.attrs)


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


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("p, s", cases())
def test_kind(p: Primitive, s: Sample, exact: bool) -> None:
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


@pytest.mark.parametrize("p, s", cases())
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
