"""Programs that have broken other differentiators: the exact derivative or a clear refusal.

1-65 are the tables in tests/programs/tricky; 66-80, on the tool itself, are spelled out here.
78 waits for the disk cache.
"""

from __future__ import annotations

import functools
import importlib.util
import linecache
import math
import multiprocessing
import pickle
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy  # noqa: ICN001
import numpy as np
import numpy as xp  # noqa: ICN001
import pytest

from tests.checker import check, check_tape, refused, sane
from tests.cost import lines_executed
from tests.programs import Program
from tests.programs.tricky import PROGRAMS
from tests.programs.tricky.flow import many_steps, raise_in_the_loop

EXACT = [p for p in PROGRAMS if p.reason is None]
REFUSED = [p for p in PROGRAMS if p.reason is not None]
X3 = np.array([0.7, -1.2, 2.1])


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_differences_are_trustworthy(program: Program) -> None:
    """The corpus itself: plain Python runs, and differences of it mean something."""
    if "expected" not in program.options:
        sane(program.f, *program.args, argnums=program.options.get("argnums"))


@pytest.mark.parametrize("program", EXACT, ids=str)
def test_exact(program: Program) -> None:
    check(program.f, *program.args, tape=False, **program.options)


@pytest.mark.parametrize("program", EXACT, ids=str)
def test_tape(program: Program) -> None:
    if program.no_tape:
        pytest.skip(program.no_tape)
    options = {key: value for key, value in program.options.items() if key != "variants"}
    check_tape(program.f, *program.args, **options)


@pytest.mark.parametrize("program", REFUSED, ids=str)
def test_refused(program: Program) -> None:
    refused(program.f, *program.args, match=program.match)


def test_few_are_refused() -> None:
    assert len(REFUSED) <= 0.05 * len(PROGRAMS)


def test_every_number_has_a_program() -> None:
    assert {p.number for p in PROGRAMS} == set(range(1, 66))


# 34: O(1) a call


def product_of(x: Any, n: int) -> Any:
    return 1.0 if n == 0 else x[n - 1] * product_of(x, n - 1)


def item(x: Any, i: int) -> Any:
    return x[i] * x[i]


def sum_by_helper(x: Any) -> Any:
    total = 0.0
    for i in range(len(x)):
        total += item(x, i)
    return total


@pytest.mark.parametrize("f", [sum_by_helper, product_of], ids=lambda f: f.__name__)
def test_34_a_helper_costs_the_same_every_time(f: Any) -> None:
    import s2sad

    def work(n: int) -> tuple[int, int]:
        x = np.linspace(0.9, 1.1, n)
        args = (x,) if f is sum_by_helper else (x, n)
        derivative = s2sad.grad(f)
        derivative(*args)
        tracemalloc.start()
        lines = lines_executed(lambda: derivative(*args))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return lines, peak

    (lines, peak), (more_lines, more_peak) = work(50), work(200)
    assert more_lines <= 4.4 * lines
    assert more_peak <= 6 * peak + 50_000  # a dense adjoint for every call would be 16 times


# 35: a raise leaves no trace


def test_35_raise_in_the_loop() -> None:
    import s2sad

    derivative = s2sad.value_and_grad(raise_in_the_loop)
    first = derivative(1.1, 100.0)
    with pytest.raises(ValueError, match="too large at step 1"):
        derivative(5.0, 100.0)
    assert derivative(1.1, 100.0) == first
    check(raise_in_the_loop, 1.2, 100.0, argnums=0)


# 40: linear time and memory


def test_40_a_million_steps() -> None:
    import s2sad

    assert s2sad.grad(many_steps)(1.2, 1_000_000) == pytest.approx(4.8)


# 56: what NumPy does not define


def largest_of_many(x: Any) -> Any:
    return np.max(x[x > 100.0]) * x[0]


def test_56_largest_of_nothing_raises_as_in_numpy() -> None:
    import s2sad

    derivative = s2sad.grad(largest_of_many)
    with pytest.raises(ValueError, match="zero-size array"):
        derivative(X3)
    np.testing.assert_allclose(derivative(X3 + 100.0), [102.1, 0.0, 100.7])


# 66-68: more than once, more than one level


def scaled_sines(x: Any, s: Any) -> Any:
    y = np.sin(x) * s
    y[0] *= s
    return y, s * s


def test_66_pullback_called_twice() -> None:
    import s2sad

    (y, square), pullback = s2sad.vjp(scaled_sines, X3, 1.3)
    first = pullback((np.ones(3), 0.0))
    second = pullback((np.array([0.0, 2.0, 0.0]), 1.0))
    again = pullback((np.ones(3), 0.0))
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert np.allclose(second[0], [0.0, 2.0 * 1.3 * np.cos(-1.2), 0.0])
    assert second[1] == pytest.approx(2.0 * np.sin(-1.2) + 2.6)
    assert np.allclose(y[1:], 1.3 * np.sin(X3[1:]))
    assert square == 1.3 * 1.3
    check(scaled_sines, X3, 1.3)


def logistic_map(x: Any, n: int) -> Any:
    y = x
    for _ in range(n):
        y = 3.2 * y * (1.0 - y)
    return y


def damped_until(x: Any) -> Any:
    y = x * x
    while y > 0.3:
        y = y * 0.7 - 0.01 * x
    return y * math.sin(x)


@pytest.mark.parametrize("f", [logistic_map, damped_until], ids=lambda f: f.__name__)
def test_67_gradient_of_a_gradient(f: Any) -> None:
    import s2sad

    args = (0.3, 4) if f is logistic_map else (1.7,)
    check(s2sad.grad(f), *args, tape=False)


def cubic(x: Any) -> Any:
    return x**5 + math.exp(2.0 * x)


def test_68_three_levels_deep() -> None:
    import s2sad

    third = s2sad.grad(s2sad.grad(s2sad.grad(cubic)))
    assert third(0.7) == pytest.approx(60.0 * 0.7**2 + 8.0 * math.exp(1.4), rel=1e-12)
    third = s2sad.grad(s2sad.grad(s2sad.grad(logistic_map)))
    second = s2sad.grad(s2sad.grad(logistic_map))
    slope = (second(0.3 + 1e-5, 3) - second(0.3 - 1e-5, 3)) / 2e-5
    assert third(0.3, 3) == pytest.approx(slope, rel=1e-6)


# 69-74: names


RATE = 2.0


def with_global(x: Any) -> Any:
    return RATE * x * x


def helper_a(x: Any) -> Any:
    return x * x


def helper_b(x: Any) -> Any:
    return x * x * x


current = helper_a


def with_global_function(x: Any) -> Any:
    return current(x)


def test_69_global_rebound_after_caching(monkeypatch: pytest.MonkeyPatch) -> None:
    import s2sad

    derivative, other = s2sad.grad(with_global), s2sad.grad(with_global_function)
    assert derivative(3.0) == 12.0
    assert other(3.0) == 6.0
    monkeypatch.setitem(globals(), "RATE", 5.0)
    monkeypatch.setitem(globals(), "current", helper_b)
    assert derivative(3.0) == 30.0
    assert other(3.0) == 27.0
    monkeypatch.setitem(globals(), "RATE", np.array(5.0))
    assert derivative(3.0) == 30.0


PAIR = (lambda x: x * x, lambda x: x * x * x)
TWINS = [lambda x, n=n: x**n for n in (2, 3)], [lambda x: 1.0 * x, lambda x: 1.0 * x]


def test_70_two_lambdas_on_one_line() -> None:
    import s2sad

    assert [s2sad.grad(f)(3.0) for f in PAIR] == [6.0, 27.0]
    assert [s2sad.grad(f)(3.0) for f in TWINS[0]] == [6.0, 27.0]
    assert [s2sad.grad(f)(3.0) for f in TWINS[1]] == [1.0, 1.0]


def doubled(f: Any) -> Any:
    @functools.wraps(f)
    def wrapper(*args: Any) -> Any:
        return 2.0 * f(*args)

    return wrapper


class Model:
    """Methods plain, decorated, static and of the class."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def plain(self, x: Any) -> Any:
        return self.scale * x * x

    @doubled
    def decorated(self, x: Any) -> Any:
        return self.scale * x * x

    @staticmethod
    def static(x: Any) -> Any:
        return x**3

    @classmethod
    def of_class(cls, x: Any) -> Any:
        return cls.static(x) * 2.0

    def __call__(self, x: Any) -> Any:
        return self.plain(x) + self.decorated(x)


def test_71_decorated_methods() -> None:
    import s2sad

    model = Model(5.0)
    assert s2sad.grad(model.plain)(3.0) == 30.0
    assert s2sad.grad(model.decorated)(3.0) == 60.0
    assert s2sad.grad(Model.static)(3.0) == 27.0
    assert s2sad.grad(Model.of_class)(3.0) == 54.0
    assert s2sad.grad(model)(3.0) == 90.0
    model.scale = 1.0
    assert s2sad.grad(model.plain)(3.0) == 6.0


def test_71_closures_over_loop_variables() -> None:
    import s2sad

    late = [lambda x: x * k for k in range(1, 4)]  # noqa: B023 - the trap itself
    early = [lambda x, k=k: x * k for k in range(1, 4)]
    assert [s2sad.grad(f)(2.0) for f in late] == [3.0, 3.0, 3.0]
    assert [s2sad.grad(f)(2.0) for f in early] == [1.0, 2.0, 3.0]


def make_helper(power: int) -> Any:
    if power == 2:

        def helper(x: Any) -> Any:
            return x * x

    else:

        def helper(x: Any) -> Any:
            return x * x * x

    return helper


square_helper, cube_helper = make_helper(2), make_helper(3)


def two_helpers(x: Any) -> Any:
    return square_helper(x) * cube_helper(x) + square_helper(2.0 * x)


def test_72_two_helpers_with_one_name() -> None:
    check(two_helpers, 1.3)
    check(two_helpers, X3)


def awkward_names(x_bar: Any, tape: Any) -> Any:
    g = x_bar * tape
    out = g * g
    for i in range(3):
        x, x_old = out * 0.5, x_bar
        out = x + x_old * i
        g_bar = np.sin(out)
        out = out * g_bar
    y_bar, tape_2, out_bar = out, g, x
    return y_bar * tape_2 + out_bar


def shadowed_numpy(np: Any) -> Any:  # a parameter that hides the module
    zeros = np * np
    return xp.sin(zeros) * np


def shadowed_builtins(list: Any, sum: Any) -> Any:
    len = list * sum
    range = len * len
    return range + list


def test_73_names_that_ours_could_meet() -> None:
    check(awkward_names, 0.8, 1.1)
    check(awkward_names, X3, X3 * X3)
    check(shadowed_numpy, 0.8)
    check(shadowed_numpy, X3)
    check(shadowed_builtins, 0.8, 1.1)


def other_name(x: Any) -> Any:
    return xp.sum(xp.tanh(x) * numpy.exp(x))


def imported_inside(x: Any) -> Any:
    from math import sin as wave

    import numpy as nx  # noqa: ICN001

    return nx.sum(nx.tanh(x)) * wave(0.5)


def test_74_numpy_under_another_name() -> None:
    check(other_name, X3)
    check(imported_inside, X3)


# 75-76: where the source comes from


def run_cell(text: str, name: str, namespace: dict[str, Any]) -> None:
    """Run a notebook cell: its text is known to linecache alone."""
    text = textwrap.dedent(text)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), namespace)


def test_75_function_redefined_in_a_cell() -> None:
    import s2sad

    namespace: dict[str, Any] = {}
    run_cell("def f(x):\n    return x * x\n", "<ipython-input-1-s2sad>", namespace)
    first = namespace["f"]
    assert s2sad.grad(first)(3.0) == 6.0
    run_cell("def f(x):\n    return x * x * x\n", "<ipython-input-2-s2sad>", namespace)
    assert s2sad.grad(namespace["f"])(3.0) == 27.0
    assert s2sad.grad(first)(3.0) == 6.0


def test_76_source_edited_after_import(tmp_path: Path) -> None:
    import s2sad

    path = tmp_path / "edited_model.py"
    path.write_text("def f(x):\n    return x * x\n\n\ndef g(x):\n    return x\n")
    spec = importlib.util.spec_from_file_location("edited_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("def f(x):\n    return x * x * 5.0\n\n\ndef g(x):\n    return x\n")
    linecache.checkcache()
    with pytest.raises(s2sad.UnsupportedError, match="edited_model"):
        s2sad.grad(module.f)(3.0)
    assert s2sad.grad(module.g)(3.0) == 1.0


@pytest.mark.parametrize("how", ["-c", "stdin"])
def test_76_no_source_at_all(how: str) -> None:
    text = (
        "import s2sad\n"
        "def f(x):\n    return x * x\n"
        "try:\n    s2sad.grad(f)(3.0)\n"
        "except s2sad.UnsupportedError as error:\n    print('refused', error)\n"
    )
    command = [sys.executable, "-c", text] if how == "-c" else [sys.executable, "-"]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command,
        input=None if how == "-c" else text,
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    # Python 3.13 keeps the text of -c for tracebacks, so there is a source to be found.
    if not (how == "-c" and sys.version_info >= (3, 13) and done.stdout == ""):
        assert "refused" in done.stdout, done.stdout + done.stderr
        assert "put it in a file" in done.stdout
    assert done.returncode == 0, done.stderr


# 77-80: threads, processes, composition


def test_77_eight_threads_on_the_first_call() -> None:
    import s2sad

    derivative = s2sad.grad(damped_until)
    barrier = threading.Barrier(8)
    found: list[float] = []

    def first_call() -> None:
        barrier.wait()
        found.append(derivative(1.7))

    threads = [threading.Thread(target=first_call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert derivative.cache_info().misses == 1


def test_79_pickled_derivative_in_a_worker() -> None:
    import s2sad
    from tests.programs import decorated

    assert pickle.loads(pickle.dumps(decorated.replaced)) is decorated.replaced
    copy = pickle.loads(pickle.dumps(decorated.power_slope))
    assert copy(1.7, 3) == decorated.power_slope(1.7, 3)
    pair = s2sad.value_and_grad(many_steps, argnums=(0,))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(decorated.replaced, (3.0,)) == 6.0
        assert pool.apply(decorated.with_arguments, (2.0, 3.0)) == (18.0, 12.0)
        assert pool.apply(pair, (0.3, 3)) == pair(0.3, 3)


def test_80_derivative_inside_a_differentiated_function() -> None:
    from tests.programs import decorated

    check(decorated.uses_a_derivative, 1.7, 0.6, tape=False)
    check(decorated.builds_a_derivative, 1.7, tape=False)
    check(decorated.gradient_step, X3, 0.05, tape=False)
