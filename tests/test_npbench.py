"""The driver that measures NPBench's programs, on programs of our own in a made-up checkout."""

from __future__ import annotations

import importlib.util
import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from tests.benchmarks.kernels.driver import Row
from tests.benchmarks.npbench.case import Case, rounded, stacked
from tests.benchmarks.npbench.checkout import Program, programs
from tests.benchmarks.npbench.driver import Nothing, fill, measure, under_numba
from tests.benchmarks.npbench.losses import chosen, loss, outputs, shared, term, text
from tests.benchmarks.npbench.report import report

SMOOTH = """
    import numpy as np

    def smooth(n, u, v):
        for _ in range(n):
            u[1:-1] = 0.5 * u[1:-1] + 0.25 * (u[:-2] + v[2:])
        return np.sum(u * v), v * u[0]
"""
SMOOTH_JAX = """
    import jax
    import jax.numpy as jnp

    @jax.jit
    def smooth(n, u, v):
        def step(_, u):
            return u.at[1:-1].set(0.5 * u[1:-1] + 0.25 * (u[:-2] + v[2:]))

        u = jax.lax.fori_loop(0, n, step, u)
        return v * u[0], u
"""
TWISTED = """
    def twisted(z, w):
        w[:] = z * z * (2.0 + 1.0j)
"""
INITIALIZERS = """
    import numpy as np

    def initialize(m):
        rng = np.random.default_rng(0)
        return rng.random(m).astype(np.float32), rng.random(m)

    def initialize_complex(m):
        rng = np.random.default_rng(0)
        z = rng.random(m) + 1j * rng.random(m)
        return z, np.zeros_like(z)

    def initialize_counts(m):
        return np.arange(m)
"""
COUNT = """
    def count(k):
        return k + 1
"""


def enter(
    root: Path, name: str, source: str, arguments: list[str], init: dict[str, Any], **facts: Any
) -> None:
    """One more program of the checkout."""
    folder = root / "npbench/benchmarks/ours" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(INITIALIZERS))
    (folder / f"{name}_numpy.py").write_text(textwrap.dedent(source))
    facts = {
        "relative_path": f"ours/{name}",
        "module_name": name,
        "func_name": name,
        "parameters": {"S": {"n": 3, "m": 6}},
        "init": {"input_args": ["m"], **init},
        "input_args": arguments,
        "output_args": [],
        **facts,
    }
    (root / "bench_info").mkdir(exist_ok=True)
    (root / "bench_info" / f"{name}.json").write_text(json.dumps({"benchmark": facts}))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    init = {"func_name": "initialize", "output_args": ["u", "v"]}
    enter(tmp_path, "smooth", SMOOTH, ["n", "u", "v"], init, output_args=["u"])
    init = {"func_name": "initialize_complex", "output_args": ["z", "w"]}
    enter(tmp_path, "twisted", TWISTED, ["z", "w"], init)
    init = {"func_name": "initialize_counts", "output_args": ["k"]}
    enter(tmp_path, "count", COUNT, ["k"], init)
    return tmp_path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "s2sad"))


def the(checkout: Path, name: str) -> Program:
    (program,) = programs(checkout, [name])
    return program


def case_of(checkout: Path, name: str, argnums: tuple[int, ...]) -> tuple[Case, str]:
    program = the(checkout, name)
    args = program.make("S")
    found, written = outputs(program, args)
    source = text(program, written, [term(o, squares=False) for o in chosen(program, found)])
    return Case(program, loss(source, checkout), args, argnums), source


def test_the_loss_is_text_that_runs_the_program_as_it_is(checkout: Path) -> None:
    case, source = case_of(checkout, "smooth", (1, 2))
    assert source.splitlines()[4:] == [
        "def loss(n, u, v):",
        "    u = u.copy()",
        "    _out = _program(n, u, v)",
        "    return np.sum(_out[0]) + np.sum(_out[1]) + np.sum(u)",
    ]
    n, u, v = case.args
    assert u.dtype == v.dtype == np.float64
    kept = u.copy()
    case.loss(n, u, v)
    np.testing.assert_array_equal(u, kept)


def test_outputs_are_known_by_their_values(checkout: Path) -> None:
    program = the(checkout, "smooth")
    found, written = outputs(program, program.make("S"))
    assert [o.text for o in found] == ["_out[0]", "_out[1]", "u"]
    assert written == ["u"]
    theirs = [found[2].value, found[1].value + 1.0, found[1].value]
    assert shared(found, theirs) == ([2, 1], [0, 2])


@pytest.mark.parametrize(("name", "argnums"), [("smooth", (1, 2)), ("twisted", (0, 1))])
def test_gradients_are_checked(checkout: Path, name: str, argnums: tuple[int, ...]) -> None:
    case, _ = case_of(checkout, name, argnums)
    right = case.reference()
    found = stacked(under_numba(case.loss, argnums, case.args)())
    assert case.objection(right) == ""
    assert case.deviation(found, right) == ""
    wrong = right.copy()
    wrong[2] += 0.1
    assert "from central differences" in case.objection(wrong)
    assert "from s2sad's under NumPy" in case.deviation(wrong, right)
    assert "numbers, not" in case.deviation(right[1:], right)
    assert all(
        np.allclose(a, b, rtol=1e-15)
        for a, b in zip(rounded(case.subject()), case.subject(), strict=True)
    )


def test_what_is_wrong_is_not_timed(checkout: Path) -> None:
    case, _ = case_of(checkout, "twisted", (0, 1))
    row = Row("twisted")
    gradient = under_numba(case.loss, (0, 1), case.args)
    makers = {
        "s2sad": lambda: gradient,
        "JAX": lambda: lambda: tuple(2.0 * g for g in gradient()),
    }
    fill(row, makers, case, 1e-6)
    assert set(row.seconds) == {"primal", "s2sad"}
    assert row.reasons["JAX"].startswith("WRONG: ")
    assert "check" not in row.reasons
    table = report([row, Nothing("count", "its arrays are of integers")], ("s2sad", "JAX"))
    assert "| wrong |" in table
    assert "- s2sad: 1 right, 0 wrong, 0 refused of 1; 1 have nothing to differentiate" in table


def test_integers_have_nothing_to_differentiate(checkout: Path) -> None:
    found = measure(checkout, "count", "S", 1e-6, ("s2sad",), squares=False)
    assert found == Nothing("count", "its arrays are of integers")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_jax_is_given_the_same_number(checkout: Path) -> None:
    path = the(checkout, "smooth").stem.with_name("smooth_jax.py")
    path.write_text(textwrap.dedent(SMOOTH_JAX))
    row = measure(checkout, "smooth", "S", 1e-6, ("s2sad", "JAX"), squares=True)
    assert isinstance(row, Row)
    assert not row.reasons
    assert set(row.seconds) == {"primal", "s2sad", "JAX"}
