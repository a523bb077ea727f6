"""Second derivatives of SciPy's functions: those of the rules' own texts, against differences.

For each record, the gradient of ``sum(sin(f))`` is made from its rule, differentiated again by the
rules of what that rule is written in, and compared with central differences of the first gradient.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")

from s2sad.errors import UnsupportedError
from s2sad.function_values import FunctionValue
from s2sad.ir.builder import Builder
from s2sad.ir.kinds import Array, Num, Tuple, kind_of
from s2sad.ir.nodes import Const, Function, Module, Region, Value
from s2sad.rules.checking import is_active, numbers
from s2sad.rules.optional import load_all
from s2sad.rules.registry import KindError, Primitive, Sample, primitives

load_all()

#: Records with first derivatives only, and what differences or sines cannot tell.
LEFT_OUT = {
    "scipy.optimize.rosen_der",
    "scipy.optimize.rosen_hess_prod",
    # only on the simplex, which differences leave
    "scipy.stats.dirichlet.logpdf",
    # complex
    "scipy.special.hankel1",
    "scipy.special.hankel2",
}


def cases() -> list[Any]:
    found = []
    for name, p in primitives().items():
        module = str(getattr(p.fun, "__module__", ""))
        ours = name.startswith("scipy.") or module.startswith("s2sad.rules.scipy")
        if not ours or not p.differentiable or name in LEFT_OUT:
            continue
        points = p.samples() if callable(p.samples) else p.samples
        for s in [s for s in points if not s.edge and doubles(s)][:1]:
            found.append(pytest.param(p, s, id=name))
    return found


def doubles(s: Sample) -> bool:
    """Whether the operands are real and in double precision, so that differences can tell."""
    return all(v.dtype.char not in "fFD" for x in s.args for v in numbers(x))


def scalar_of(p: Primitive, s: Sample, places: list[int]) -> FunctionValue:
    """``sum(sin(f))`` as a function of the operands in these places."""
    b = Builder(tidy=True)
    params = {n: Value(kind_of(s.args[n], ("x", n)), f"x{n}") for n in places}
    operands = [params.get(n) or Const.of(x) for n, x in enumerate(s.args)]
    with b.region() as nodes:
        parts = [leaf for r in b.ops(p.name, *operands, **s.attrs) for leaf in float_leaves(b, r)]
        total: Any = None
        for leaf in parts:
            term = b.op("np.sum", b.op("np.sin", leaf))
            total = term if total is None else b.add(total, term)
    entry = Function("f", tuple(params.values()), Region((), tuple(nodes), (total,)))
    return FunctionValue(Module({"f": entry}))


def float_leaves(b: Builder, atom: Any) -> list[Any]:
    match atom.kind:
        case Tuple(items):
            leaves = (b.op("item", atom, Const.of(n)) for n in range(len(items)))
            return [leaf for item in leaves for leaf in float_leaves(b, item)]
        case Num(dtype) | Array(dtype) if dtype[0] == "f":
            return [atom]
    return []


@pytest.mark.parametrize("p, s", cases())
def test_second_order(p: Primitive, s: Sample) -> None:
    rng = np.random.default_rng(len(p.name))
    places = [n for n, x in enumerate(s.args) if is_active(x) and not isinstance(x, tuple)]
    if not places:
        return
    point = [np.asarray(s.args[n], float)[()] for n in places]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            f = scalar_of(p, s, places)
            for i in range(len(places)):
                for j in range(i, len(places)):
                    compare(f, point, i, j, rng)
        except (KindError, UnsupportedError) as error:
            assert "has no derivative with respect to" in str(error)


def compare(f: FunctionValue, point: list[Any], i: int, j: int, rng: Any) -> None:
    """One block of the Hessian, along a direction on either side."""
    w, v = (rng.uniform(0.5, 1.5, np.shape(point[k]))[()] for k in (i, j))
    gradient = f.slope(i)
    found = np.sum(gradient.weighted().slope(j)(*point, w) * v)

    def along(h: float) -> float:
        moved = [*point]
        moved[j] = point[j] + h * v
        return float(np.sum(gradient(*moved) * w))

    h = 1e-4
    one = (along(h) - along(-h)) / (2 * h)
    two = (along(h / 2) - along(-h / 2)) / h
    slope = (4 * two - one) / 3
    assert found == pytest.approx(slope, rel=5e-6, abs=5e-6)
