"""The checker of rules: a rule at a sample, in both modes, against differences of the function.

In: a record and a sample of it. Out: nothing, or an AssertionError that says what is wrong.

The cotangents for a random cotangent of the result are compared with central differences of the
function itself, tangents with the same differences, and each with the other by the dot-product
identity, which holds to rounding.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ir.kinds import carries_derivative, kind_of
from ..ir.nodes import Const
from .apply import cotangents, tangent
from .eager import EagerBuilder, exact_kind
from .registry import Primitive, Sample

__all__ = [
    "added",
    "check_operand",
    "check_sample",
    "dot",
    "is_active",
    "numbers",
    "primitive_kind",
    "random_like",
    "rebuilt",
    "same_form",
    "wide",
]


def check_sample(p: Primitive, s: Sample) -> None:
    """Check the rule of ``p`` at one sample; an edge's expected cotangents instead, if it has any.

    Raises AssertionError.
    """
    rng = np.random.default_rng(len(p.name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        before = [np.array(v) for v in numbers(s.args)]
        out = p.fun(*s.args, **s.attrs)
        many = isinstance(primitive_kind(p, s), tuple)
        g = rebuilt(out, np.ones_like) if s.edge else random_like(out, rng)
        b = EagerBuilder()
        atoms = tuple(map(b.const, s.args))
        out_atom: Any = tuple(map(b.const, out)) if many else b.const(out)
        g_atom: Any = tuple(map(b.const, g)) if many else b.const(g)
        bars: Any = cotangents(b, p.name, s.attrs, atoms, out_atom, g_atom)  # type: ignore[arg-type]
        for n, (x, bar) in enumerate(zip(s.args, bars, strict=True)):
            if bar is not None:
                same_form(bar.value, x, f"the cotangent of {operand(p, n)}")
        if s.edge:
            _check_edge(p, s, bars)
            return
        for n in range(len(s.args)):
            if is_active(s.args[n]):
                check_operand(p, s, n, bars[n], (b, atoms, out_atom, many), out, g, rng)
        for x, y in zip(numbers(s.args), before, strict=True):
            _require(np.array_equal(x, y, equal_nan=True), f"{p.name} changes what it is given")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _check_edge(p: Primitive, s: Sample, bars: Sequence[Any]) -> None:
    _require(s.expect is not None, f"{p.name}: a sample at an edge says what to expect")
    for n, (bar, wanted) in enumerate(zip(bars, s.expect or (), strict=False)):
        if wanted is None:
            continue
        have = numbers(bar.value) if bar is not None else [np.zeros(())]
        for x, y in zip(have, numbers(wanted), strict=True):
            np.testing.assert_allclose(
                x, y, rtol=1e-6, err_msg=f"{p.name}: the cotangent of {operand(p, n)}"
            )


def check_operand(
    p: Primitive,
    s: Sample,
    n: int,
    bar: Any,
    run: tuple[Any, Any, Any, bool],
    out: Any,
    g: Any,
    rng: np.random.Generator,
) -> None:
    """Check the cotangent ``bar`` of operand ``n``, and the tangent along it.

    ``run``: a builder, the atoms of the operands, that of the result, whether that is many.
    """
    b, atoms, out_atom, many = run
    low = _single(s.args) or _single([out])
    x_dot = random_like(s.args[n], rng)
    dots: list[Any] = [None] * len(s.args)
    dots[n] = b.const(x_dot)
    t: Any = tangent(b, p.name, s.attrs, atoms, out_atom, dots)
    t_value = None if t is None else [u and u.value for u in t] if many else t.value
    if t is not None and not many:
        same_form(t_value, out, "the tangent of the result")
    forward = 0.0
    if t_value is not None:
        pairs = zip(t_value, g, strict=True) if many else [(t_value, g)]
        forward = sum(dot(u, v) for u, v in pairs if u is not None)
    backward = 0.0 if bar is None else dot(bar.value, x_dot)
    slope = _difference(p, s, n, x_dot, g)
    tol = 2e-3 if low else 2e-6
    scale = max(1.0, abs(slope))
    where = f"{p.name}, operand {operand(p, n)}"
    for mode, found in (("vjp", backward), ("jvp", forward)):
        _require(
            abs(found - slope) <= tol * scale,
            f"{where}: the {mode} gives {found:.10g} along a random direction, differences "
            f"{slope:.10g}",
        )
    exact = 1e-4 if low else 1e-10
    _require(
        abs(forward - backward) <= exact * scale,
        f"{where}: the jvp gives {forward!r}, the vjp {backward!r}",
    )


def _difference(p: Primitive, s: Sample, n: int, x_dot: Any, g: Any) -> float:
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
            return dot(g, p.fun(*moved, **attrs))

    h = 1e-4
    one = (at(h) - at(-h)) / (2 * h)
    two = (at(h / 2) - at(-h / 2)) / h
    return (4 * two - one) / 3


# -- values --------------------------------------------------------------------------------------


def operand(p: Primitive, n: int) -> str:
    """What operand ``n`` is called."""
    last = p.operands[-1]
    if last.startswith("*") and n >= len(p.operands) - 1:
        return f"{last[1:]}[{n - len(p.operands) + 1}]"
    return p.operands[n]


def numbers(x: Any) -> list[Any]:
    """The numeric leaves of a value, as arrays; a sparse matrix is a constant."""
    if x is None or isinstance(x, str | slice) or hasattr(x, "tocsr"):
        return []
    if isinstance(x, tuple | list):
        return [leaf for v in x for leaf in numbers(v)]
    return [np.asarray(x)]


def rebuilt(x: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure with ``change`` applied to every float leaf."""
    if isinstance(x, tuple | list):
        items = [rebuilt(v, change) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, float | complex | np.generic | np.ndarray):
        if np.asarray(x).dtype.kind in "fc":
            return change(x)
    return x


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """Random numbers in the structure of ``x``."""

    def one(v: Any) -> Any:
        r: Any = rng.uniform(0.5, 1.5, np.shape(v))
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
    _require(len(xs) == len(ys), "a derivative has another structure")
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        if np.asarray(x).dtype.kind in "fc":
            total += float(np.real(np.sum(x * y)))
    return total


def is_active(x: Any) -> bool:
    """Whether a value has a derivative."""
    return carries_derivative(kind_of(x)) and any(v.dtype.kind in "fc" for v in numbers(x))


def same_form(a: Any, b: Any, what: str = "the derivative") -> None:
    """Check that ``a`` has the structure, shapes and dtypes of ``b``."""
    if isinstance(b, tuple | list):
        alike = isinstance(a, tuple | list) and len(a) == len(b)
        _require(alike, f"{what} has another structure")
        for x, y in zip(a, b, strict=True):
            same_form(x, y, what)
    elif np.asarray(b).dtype.kind in "fc":
        _require(np.shape(a) == np.shape(b), f"{what} has shape {np.shape(a)}, not {np.shape(b)}")
        if not isinstance(b, float | complex) or isinstance(b, np.generic):
            weak = type(a) in (float, int)
            have, wanted = np.asarray(a).dtype, np.asarray(b).dtype
            _require(weak or have == wanted, f"{what} has dtype {have}, not {wanted}")


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


def _single(args: Any) -> bool:
    return any(v.dtype in (np.float32, np.complex64) for v in numbers(args))


def added(x: Any, t: Any, h: float) -> Any:
    """``x + h t``, part by part."""
    if isinstance(x, tuple | list):
        return type(x)([added(v, w, h) for v, w in zip(x, t, strict=True)])
    return x + h * t if np.asarray(x).dtype.kind in "fc" else x


def primitive_kind(p: Primitive, s: Sample) -> Any:
    """The kind, or the kinds, of the result at a sample."""
    return p.kind(tuple(Const(v, exact_kind(v)) for v in s.args), s.attrs)
