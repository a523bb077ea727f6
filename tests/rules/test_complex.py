"""Every rule on complex operands: both modes against differences in a complex direction.

The convention: the cotangent g of a complex z means dL = Re(sum(g dz)), so that the gradient of a
real L is dL/dx - i dL/dy. Every real sample of every rule is made complex; where the function
takes it, the rule must be right for it, or refuse.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from s2sad.rules.apply import MissingRule, cotangents
from s2sad.rules.checking import is_active, numbers, primitive_kind, random_like, rebuilt
from s2sad.rules.eager import EagerBuilder
from s2sad.rules.registry import KindError, Primitive, Sample
from tests.rules.samples import at_samples
from tests.rules.test_rules import check_modes, records, run

#: Functions of ordered numbers, where complex ones mean nothing; casts, whose differences are
#: coarse; and helpers that rules call with real numbers in these places.
NOT_COMPLEX = {
    *("np.maximum", "np.minimum", "np.fmax", "np.fmin", "np.clip", "np.histogram", "from_bins"),
    *("np.unique_values", "np.complex64"),
    "scipy.linalg.eigh",  # its drivers fix no phase
    "scipy.linalg.solve_sylvester",  # SciPy is wrong where one matrix is real and one complex
    *("scipy.special.psi", "erfcx_slope", "dawsn_slope"),  # their slopes are for real numbers
    *("cumprod_bar", "cumprod_dot", "quantile_dot", "scaled_residuals", "divided"),
}


def turned(x: Any) -> Any:
    """The same values with imaginary parts, Python's numbers among them."""

    def one(v: Any) -> Any:
        if np.iscomplexobj(v):
            return v
        if isinstance(v, np.ndarray | np.generic):
            wide = np.result_type(v.dtype, np.complex64)
            part = 0.3 + 0.2 * np.arange(np.size(v)).reshape(np.shape(v))
            made = (np.asarray(v) + 1j * part).astype(wide)
            return made if isinstance(v, np.ndarray) else made[()]
        return v + 0.3j

    return rebuilt(x, one)


def complex_samples() -> list[Any]:
    """Samples that the function takes once they are complex; one operand of several, and all."""
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, p in records().items():
            if name.startswith(("math.", "scipy.stats.")) or name in NOT_COMPLEX:
                continue
            points = p.samples() if callable(p.samples) else p.samples
            for k, s in enumerate(points):
                if s.attrs.get("mode") in ("median", "maximum", "minimum"):
                    continue  # np.pad
                if s.edge or not any(is_active(x) for x in s.args):
                    continue
                active = [n for n, x in enumerate(s.args) if is_active(x)]
                choices = [active] if len(active) == 1 else [active, *([n] for n in active)]
                for which in choices:
                    args = tuple(turned(x) if n in which else x for n, x in enumerate(s.args))
                    made = Sample(args, s.attrs)
                    label = f"{name}-{k}-{''.join(map(str, which))}"
                    if takes(p, made) and not same(args, s.args):
                        found.append(pytest.param(p, made, id=label))
    return found


def same(a: Any, b: Any) -> bool:
    return all(x.dtype == y.dtype for x, y in zip(numbers(a), numbers(b), strict=True))


def takes(p: Primitive, s: Sample) -> bool:
    """Whether the function and its kind rule accept these operands; never a cast that drops."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            out = run(p, s.args, s.attrs)
            primitive_kind(p, s)
        except Exception:
            return False
    leaves = numbers(out)
    return bool(leaves) and all(v.dtype.kind in "biufc" for v in leaves)


@at_samples(complex_samples())
def test_complex(p: Primitive, s: Sample) -> None:
    rng = np.random.default_rng(len(p.name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = run(p, s.args, s.attrs)
        many = isinstance(primitive_kind(p, s), tuple)
        g = rebuilt(out, lambda v: random_like(v, rng))
        b = EagerBuilder()
        atoms = tuple(map(b.const, s.args))
        out_atom = tuple(map(b.const, out)) if many else b.const(out)
        g_atom = tuple(map(b.const, g)) if many else b.const(g)
        try:
            bars = cotangents(b, p.name, s.attrs, atoms, out_atom, g_atom)
        except MissingRule:
            return
        except KindError:
            return
        check_modes(p, s, bars, atoms, out, out_atom, g, many, rng, b)
