"""Second derivatives through linear algebra, products and Fourier transforms.

Each function is called at samples of its rule in programs of their own; the product of its
Hessian with a direction, reverse over reverse and forward over reverse, is compared with
differences of its gradient.
"""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.rules.checking import is_active, numbers
from s2sad.rules.registry import Primitive, Sample
from tests.rules.test_rules import records

FAMILIES = ("np.linalg.", "np.fft.")
PRODUCTS = {
    *("dot", "vdot", "vecdot", "matmul", "inner", "outer", "tensordot", "einsum", "kron", "cross"),
    *("convolve", "correlate", "matvec", "vecmat"),
}
DECOMPOSITIONS = {f"linalg.{f}" for f in ("eigh", "svd", "qr", "cholesky")}
_HEAD = """import numpy as np
from numpy import array, inf

def weighed(x, w):
    if isinstance(x, (tuple, list)):
        return sum([one(part, w) for part in x])
    return one(x, w)

def one(x, w):
    y = np.real(x) ** 2 + np.imag(x) ** 2 + np.real(x)
    return np.sum(np.cos(np.arange(1.0 * np.size(y)) + w) * np.reshape(y, -1))
"""


def cases() -> list[Any]:
    found = []
    for name, p in records().items():
        short = name.removeprefix("np.")
        if not p.differentiable or not (
            name.startswith(FAMILIES) or (short != name and short in PRODUCTS)
        ):
            continue
        points = p.samples() if callable(p.samples) else p.samples
        usual = [(n, s) for n, s in enumerate(points) if is_usual(s)]
        step = 1 if short in DECOMPOSITIONS else max(1, len(usual) // 2)
        found += [pytest.param(p, s, id=f"{name}-{n}") for n, s in usual[::step]]
    return found


def is_usual(s: Sample) -> bool:
    leaves = [v for x in s.args if is_active(x) for v in numbers(x)]
    single = any(v.dtype in (np.float32, np.complex64) for v in leaves)
    real = all(v.dtype.kind == "f" for v in leaves)
    first = s.args[0]
    return real and not single and not s.edge and isinstance(first, np.ndarray) and first.size > 0


def program(p: Primitive, s: Sample) -> str:
    """A function of the first operand; the others are globals."""
    rest = [f"y{n}" if is_active(v) else repr(v) for n, v in enumerate(s.args) if n]
    options = [f"{k}={v!r}" for k, v in s.attrs.items()]
    name = {"eig": "np.linalg.eig", "eigvals": "np.linalg.eigvals"}.get(p.name, p.name)
    call = f"{name}({', '.join(['x', *rest, *options])})"
    return f"def f(x):\n    return weighed({call}, 0.3)\n"


@pytest.mark.parametrize("p, s", cases())
def test_second_order(p: Primitive, s: Sample, tmp_path: Any) -> None:
    path = tmp_path / "program.py"
    path.write_text(_HEAD + program(p, s), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("program", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for n, v in enumerate(s.args):
        setattr(module, f"y{n}", v)
    f, x = module.f, s.args[0]
    t = np.random.default_rng(3).uniform(-1.0, 1.0, x.shape)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        g = s2sad.grad(f)
        expected, again = ((g(x + h * t) - g(x - h * t)) / (2 * h) for h in (1e-5, 2e-5))
        if not np.allclose(expected, again, rtol=1e-3, atol=1e-4):
            pytest.skip("a kink: the gradient jumps")
        scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
        forward = s2sad.hvp(f)(x, t)
        np.testing.assert_allclose(forward, expected, rtol=0, atol=2e-5 * scale)
        _, pullback = s2sad.vjp(g, x)
        np.testing.assert_allclose(pullback(t)[0], expected, rtol=0, atol=2e-5 * scale)
