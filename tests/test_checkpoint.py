"""Checkpointing: recomputed steps counted against the formula, memory, and right numbers."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import checkpoint, checkpointed
from s2sad.checkpointing import bytes_of
from s2sad.ir.kinds import INT
from s2sad.rules import zero
from s2sad.runtime import next_snapshot, snapshots_within
from tests.scripts import load


def same_derivatives(f: Callable[..., Any], plain: Callable[..., Any], *args: Any) -> None:
    """``f`` and its gradient agree with the function without checkpoints, and with differences."""
    np.testing.assert_array_equal(f(*args), plain(*args))
    got, expected = s2sad.grad(f)(*args), s2sad.grad(plain)(*args)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
    value, again = s2sad.value_and_grad(f)(*args)
    np.testing.assert_array_equal(value, plain(*args))
    np.testing.assert_array_equal(again, got)
    out, pullback = s2sad.vjp(f, *args)
    for _ in range(2):  # a pullback may be called again
        np.testing.assert_allclose(pullback(out * 0 + 2.0)[0], 2.0 * np.asarray(got), rtol=1e-12)
    direction = np.ones_like(np.asarray(args[0]))
    eps = 1e-6
    ahead = f(args[0] + eps * direction, *args[1:]) - f(args[0] - eps * direction, *args[1:])
    np.testing.assert_allclose(np.sum(got * direction), ahead / (2 * eps), rtol=2e-5, atol=1e-8)


# -- the schedule --------------------------------------------------------------------------------


def least_advances(steps: int, snapshots: int) -> int:
    """t(l, s) of Griewank and Walther (2000): advances needed to reverse l steps."""
    r = 0
    while math.comb(snapshots + r, snapshots) < steps:
        r += 1
    return r * steps - math.comb(snapshots + r, r - 1) if r else 0


def best_by_search(steps: int, snapshots: int, known: dict[tuple[int, int], int]) -> int:
    """The same by trying every place of the first snapshot."""
    if steps < 2:
        return 0
    if snapshots == 1:
        return steps * (steps - 1) // 2
    key = steps, snapshots
    if key not in known:
        known[key] = min(
            first
            + best_by_search(first, snapshots, known)
            + best_by_search(steps - first, snapshots - 1, known)
            for first in range(1, steps)
        )
    return known[key]


@pytest.mark.parametrize("snapshots", range(1, 9))
def test_the_formula_is_what_a_search_finds(snapshots: int) -> None:
    for steps in range(1, 40):
        assert least_advances(steps, snapshots) == best_by_search(steps, snapshots, {})


COUNT: list[int] = []


def counting(step: int) -> int:
    COUNT.append(step)
    return 0


zero(counting, "step", kind=lambda operands, options: INT)


def counted(x: float, n: int, k: int) -> float:
    for t in checkpointed(range(n), snapshots=k):
        x = x * np.cos(x) + counting(t)
    return x


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, 16, 33, 70])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 100])
def test_steps_are_repeated_as_often_as_the_formula_says(n: int, k: int) -> None:
    gradient = s2sad.grad(counted)
    gradient(0.5, n, k)
    COUNT.clear()
    gradient(0.5, n, k)
    # the forward sweep makes the last step, too, because the value is wanted; and where a step is
    # reversed what its adjoint reads is computed there: cos, not the count
    assert len(COUNT) == least_advances(n, k) + 1
    assert sorted(set(COUNT)) == list(range(n))


def test_the_next_snapshot_is_inside_the_steps() -> None:
    for steps in range(1, 200):
        for free in range(12):
            assert (0 < next_snapshot(7, 7 + steps, free) - 7 < steps) or steps == 1


# -- loops ---------------------------------------------------------------------------------------


def logistic(x: Any, n: int, k: int) -> Any:
    y = x
    for t in checkpointed(range(n), snapshots=k):
        y = y * np.cos(y) + 0.1 * t
    return y


def plain_logistic(x: Any, n: int, k: int) -> Any:
    y = x
    for t in range(n):
        y = y * np.cos(y) + 0.1 * t
    return y


@pytest.mark.parametrize("n", [0, 1, 2, 7, 20])
@pytest.mark.parametrize("k", [1, 2, 3, 7, 50])
def test_any_number_of_steps_and_snapshots(n: int, k: int) -> None:
    same_derivatives(logistic, plain_logistic, 0.7, n, k)


def stencil(u0: Any, n: int) -> Any:
    u = u0.copy()
    energy = 0.0
    for _ in checkpointed(range(n), snapshots=3):
        u[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
        energy += np.sum(u**2)
    return energy + u[0]


def plain_stencil(u0: Any, n: int) -> Any:
    u = u0.copy()
    energy = 0.0
    for _ in range(n):
        u[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
        energy += np.sum(u**2)
    return energy + u[0]


def test_arrays_written_in_place() -> None:
    x = np.sin(np.arange(7.0))
    before = x.copy()
    same_derivatives(stencil, plain_stencil, x, 12)
    np.testing.assert_array_equal(x, before)


def fibonacci(x: float) -> float:
    a, b = x, 2.0 * x
    total = 0.0
    for t in checkpointed(range(20, 2, -3), snapshots=2):
        a, b = b, a * np.sin(b) + 0.01 * t
        total += a * b
    return total + b


def plain_fibonacci(x: float) -> float:
    a, b = x, 2.0 * x
    total = 0.0
    for t in range(20, 2, -3):
        a, b = b, a * np.sin(b) + 0.01 * t
        total += a * b
    return total + b


def test_several_scalars_that_change_places_over_a_range_with_a_step() -> None:
    same_derivatives(fibonacci, plain_fibonacci, 0.7)


def containers(x: Any, n: int) -> Any:
    p = {"a": x, "b": [x * 2, 1.0]}
    pair = (x[0], x[1] * 2)
    for _ in checkpointed(range(n), memory="1kB"):
        p["a"] = np.sin(p["a"]) * p["b"][1]
        p["b"][1] = p["b"][1] * 1.1
        p["b"][0] = p["b"][0] * p["a"]
        pair = (pair[1], pair[0] * pair[1])
    return (p["b"][0] * p["a"]).sum() + pair[0]


def plain_containers(x: Any, n: int) -> Any:
    p = {"a": x, "b": [x * 2, 1.0]}
    pair = (x[0], x[1] * 2)
    for _ in range(n):
        p["a"] = np.sin(p["a"]) * p["b"][1]
        p["b"][1] = p["b"][1] * 1.1
        p["b"][0] = p["b"][0] * p["a"]
        pair = (pair[1], pair[0] * pair[1])
    return (p["b"][0] * p["a"]).sum() + pair[0]


def test_tuples_lists_and_dicts_are_carried() -> None:
    same_derivatives(containers, plain_containers, np.array([0.5, 1.2, 0.9]), 6)


def history(x: Any, n: int) -> Any:
    seen = []
    u = x.copy()
    out = np.zeros(n)
    for t in checkpointed(range(n), snapshots=2):
        u[1:] += 0.1 * u[:-1] ** 2
        seen.append(u.copy())
        out[t] = u.sum()
    return out @ out + seen[-1].sum() + seen[2].sum()


def plain_history(x: Any, n: int) -> Any:
    seen = []
    u = x.copy()
    out = np.zeros(n)
    for t in range(n):
        u[1:] += 0.1 * u[:-1] ** 2
        seen.append(u.copy())
        out[t] = u.sum()
    return out @ out + seen[-1].sum() + seen[2].sum()


def test_what_no_adjoint_reads_is_neither_kept_nor_computed_again() -> None:
    x = np.array([0.5, 1.2, 0.9])
    same_derivatives(history, plain_history, x, 6)
    assert "snapshots.append((t, u.copy()))" in s2sad.grad(history).source(x, 6)


def until_large(x: Any) -> Any:
    y, n = x, 0
    for _ in checkpointed(range(10**6), snapshots=3):
        y = y * 1.1
        n += 1
        if y.sum() > 20.0:
            break
        y = y + y**2 * 0.01
    return (y * n).sum()


def plain_until_large(x: Any) -> Any:
    y, n = x, 0
    for _ in range(10**6):
        y = y * 1.1
        n += 1
        if y.sum() > 20.0:
            break
        y = y + y**2 * 0.01
    return (y * n).sum()


def test_a_loop_that_breaks() -> None:
    same_derivatives(until_large, plain_until_large, np.array([0.5, 1.2, 0.9]))


def returns_early(x: float, n: int) -> float:
    for _ in checkpointed(range(n), snapshots=2):
        x = x * x * 0.5 + 0.001
        if x < 0.01:
            return x * 3.0
    return x


def plain_returns_early(x: float, n: int) -> float:
    for _ in range(n):
        x = x * x * 0.5 + 0.001
        if x < 0.01:
            return x * 3.0
    return x


@pytest.mark.parametrize("n", [2, 30])
def test_a_loop_that_returns(n: int) -> None:
    same_derivatives(returns_early, plain_returns_early, 0.9, n)


def nested(W: Any, x: Any) -> Any:
    loss, h = 0.0, x
    for t in checkpointed(range(len(W)), snapshots=2):
        w = W[t]
        for s in checkpointed(range(4), snapshots=2):
            h = np.tanh(h * w + s)
        z = h * h
        loss = loss + z.sum()
    return loss + z.sum()


def plain_nested(W: Any, x: Any) -> Any:
    loss, h = 0.0, x
    for t in range(len(W)):
        w = W[t]
        for s in range(4):
            h = np.tanh(h * w + s)
        z = h * h
        loss = loss + z.sum()
    return loss + z.sum()


def test_loops_in_loops_with_what_only_the_last_step_leaves() -> None:
    same_derivatives(nested, plain_nested, np.arange(1.0, 6.0) / 3, np.array([0.3, 0.5]))


def inside_a_loop(x: Any, n: int) -> Any:
    total = 0.0
    for j in range(3):
        u = x * j
        for _ in checkpointed(range(n), snapshots=2):
            u = np.sin(u) * x
            i = 0
            while i < 3:
                u = u * np.cos(u)
                i += 1
        total += u.sum()
    return total


def plain_inside_a_loop(x: Any, n: int) -> Any:
    total = 0.0
    for j in range(3):
        u = x * j
        for _ in range(n):
            u = np.sin(u) * x
            i = 0
            while i < 3:
                u = u * np.cos(u)
                i += 1
        total += u.sum()
    return total


def test_a_checkpointed_loop_inside_a_plain_one() -> None:
    same_derivatives(inside_a_loop, plain_inside_a_loop, np.array([0.5, 1.2, 0.9]), 5)


def linear(x: Any, n: int) -> Any:
    u = x.copy()
    for _ in checkpointed(range(n), snapshots=2):
        u[1:] += 0.1 * u[:-1]
    return u.sum()


def plain_linear(x: Any, n: int) -> Any:
    u = x.copy()
    for _ in range(n):
        u[1:] += 0.1 * u[:-1]
    return u.sum()


def test_a_linear_step_needs_no_snapshot() -> None:
    x = np.array([0.5, 1.2, 0.9])
    same_derivatives(linear, plain_linear, x, 5)
    assert "snapshots" not in s2sad.grad(linear).source(x, 5)


def test_what_is_printed_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: float) -> float:
        for t in checkpointed(range(4), snapshots=1):
            print("step", t)
            x = x * x
        return x

    s2sad.grad(f)(1.1)
    assert capsys.readouterr().out == "step 0\nstep 1\nstep 2\nstep 3\n"


def test_captured_arrays_and_helpers() -> None:
    weights = np.array([0.5, 0.25])

    def step(u: Any, t: int) -> Any:
        return np.tanh(u * weights) + 0.1 * t

    def f(u: Any, n: int) -> Any:
        for t in checkpointed(range(n), snapshots=2):
            u = step(u, t)
        return u.sum()

    def plain(u: Any, n: int) -> Any:
        for t in range(n):
            u = step(u, t)
        return u.sum()

    same_derivatives(f, plain, np.array([1.0, 2.0]), 7)


def test_not_differentiated_it_is_a_range() -> None:
    assert list(checkpointed(range(2, 9, 3), snapshots=2)) == [2, 5, 8]
    assert len(checkpointed(range(4), memory=100)) == 4
    assert repr(checkpointed(range(4), snapshots=2)) == "checkpointed(range(0, 4), snapshots=2)"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, TypeError),
        ({"snapshots": 2, "memory": 3}, TypeError),
        ({"snapshots": 0}, ValueError),
        ({"memory": "12 potatoes"}, ValueError),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        checkpointed(range(3), **options)
    with pytest.raises(TypeError, match="takes a range"):
        checkpointed([1, 2], snapshots=1)  # type: ignore[arg-type]


def test_the_derivative_raises_what_the_program_raises() -> None:
    with pytest.raises(ValueError, match="at least one snapshot, not 0"):
        s2sad.grad(logistic)(0.5, 3, 0)

    def f(x: Any) -> Any:
        for _ in checkpointed(range(3), memory=10):
            x = np.sin(x)
        return x.sum()

    with pytest.raises(ValueError, match="one snapshot takes 24 bytes, more than memory=10"):
        s2sad.grad(f)(np.ones(3))


def test_refusals_point_at_the_line() -> None:
    def over_a_list(x: float) -> float:
        for t in checkpointed([1, 2], snapshots=1):  # type: ignore[arg-type]
            x = x * t
        return x

    with pytest.raises(s2sad.UnsupportedError, match="takes a range"):
        s2sad.grad(over_a_list)(1.0)

    def draws(x: float, rng: np.random.Generator) -> float:
        for _ in checkpointed(range(3), snapshots=1):
            x = x * float(rng.normal())
        return x

    with pytest.raises(s2sad.UnsupportedError, match="random number is drawn in what a check"):
        s2sad.grad(draws)(1.0, np.random.default_rng(0))


def test_what_unknown_code_returns_may_change() -> None:
    def f(x: float) -> float:
        for _ in checkpointed(range(3), snapshots=1):
            x = x * time.perf_counter()
        return x

    with pytest.raises(s2sad.UnsupportedError, match="'perf_counter' is called in what a check"):
        s2sad.grad(f)(1.0)


# -- memory --------------------------------------------------------------------------------------


def simulate(c: float, size: int, n: int, k: int) -> Any:
    u = np.sin(np.arange(size) * 0.01)
    for _ in checkpointed(range(n), snapshots=k):
        u[1:-1] += c * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * (1.0 - u[1:-1] ** 2)
    return np.sum(u**2)


def plain_simulate(c: float, size: int, n: int, k: int) -> Any:
    u = np.sin(np.arange(size) * 0.01)
    for _ in range(n):
        u[1:-1] += c * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * (1.0 - u[1:-1] ** 2)
    return np.sum(u**2)


def peak(f: Callable[..., Any], *args: Any) -> int:
    f(*args)
    tracemalloc.start()
    try:
        f(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_steps() -> None:
    gradient, plain = s2sad.grad(simulate), s2sad.grad(plain_simulate)
    size, state = 4000, 8 * 4000
    some, many = peak(gradient, 0.1, size, 100, 5), peak(gradient, 0.1, size, 1600, 5)
    assert some < 20 * state
    assert many < some + 2 * state
    assert peak(plain, 0.1, size, 100, 5) > 200 * state
    ten_more = peak(gradient, 0.1, size, 400, 15) - peak(gradient, 0.1, size, 400, 5)
    assert abs(ten_more - 10 * state) < 2 * state


def test_the_example_in_a_fraction_of_the_memory() -> None:
    diffuse = load("checkpointed_simulation").diffuse
    derivative = s2sad.value_and_grad(diffuse)
    size, steps = 2000, 3000  # 48 MB of states
    assert peak(derivative, 0.2, steps, size, "1MB") < 1.4e6
    value, slope = derivative(0.2, steps, size, "1MB")
    assert value == diffuse(0.2, steps, size, "1MB")
    ahead, behind = (diffuse(0.2 + h, steps, size, "1MB") for h in (1e-5, -1e-5))
    assert slope == pytest.approx((ahead - behind) / 2e-5, rel=1e-5)


def test_memory_says_how_many_snapshots() -> None:
    def f(c: float, n: int) -> Any:
        u = np.sin(np.arange(4000) * 0.01)
        for _ in checkpointed(range(n), memory="320kB"):
            u = u + c * np.cos(u)
        return u.sum()

    assert snapshots_within(320_000, np.zeros(4000)) == 10
    assert peak(s2sad.grad(f), 0.1, 300) < 320_000 + 10 * 32_000


def test_sizes_as_people_write_them() -> None:
    assert bytes_of("64MiB") == 64 * 2**20
    assert bytes_of("2 GB") == 2 * 10**9
    assert bytes_of(17) == 17


# -- functions -----------------------------------------------------------------------------------


@checkpoint
def block(h: Any, W: Any) -> Any:
    a = np.sin(W @ h)
    b = np.tanh(a * h)
    return a * b


def plain_block(h: Any, W: Any) -> Any:
    a = np.sin(W @ h)
    b = np.tanh(a * h)
    return a * b


WEIGHTS = np.arange(9.0).reshape(3, 3) / 10


def network(x: Any, W: Any) -> Any:
    for _ in range(3):
        x = block(x, W)
    return x.sum()


def plain_network(x: Any, W: Any) -> Any:
    for _ in range(3):
        x = plain_block(x, W)
    return x.sum()


def test_a_checkpointed_function_saves_its_arguments_only() -> None:
    x = np.array([0.5, 1.2, 0.9])
    same_derivatives(network, plain_network, x, WEIGHTS)
    both = s2sad.grad(network, argnums=(0, 1)), s2sad.grad(plain_network, argnums=(0, 1))
    for got, expected in zip(*(g(x, WEIGHTS) for g in both), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert "tape.append(x)" in both[0].source(x, WEIGHTS)


def test_checkpoints_in_checkpoints() -> None:
    @checkpoint
    def twice(h: Any, W: Any) -> Any:
        return block(block(h, W), W)

    same_derivatives(
        lambda x: twice(x, WEIGHTS).sum(),
        lambda x: plain_block(plain_block(x, WEIGHTS), WEIGHTS).sum(),
        np.array([0.5, 1.2, 0.9]),
    )


def test_a_checkpoint_of_a_function_in_the_program_with_active_captures() -> None:
    def f(x: Any) -> Any:
        scale = x[0] * 2.0

        @checkpoint
        def inner(u: Any) -> Any:
            return np.sin(u * scale) * x

        named = checkpoint(lambda v: np.cos(v) * scale)
        return (inner(x) * named(inner(x))).sum()

    def plain(x: Any) -> Any:
        scale = x[0] * 2.0

        def inner(u: Any) -> Any:
            return np.sin(u * scale) * x

        return (inner(x) * (np.cos(inner(x)) * scale)).sum()

    same_derivatives(f, plain, np.array([0.5, 1.2, 0.9]))


def test_an_argument_that_is_written() -> None:
    @checkpoint
    def push(u: Any, w: float) -> None:
        u[1:] *= np.sin(u[:-1] * w)

    def f(x: Any) -> Any:
        u = x.copy()
        push(u, 2.0)
        push(u, 3.0)
        return (u * x).sum()

    def plain(x: Any) -> Any:
        u = x.copy()
        u[1:] *= np.sin(u[:-1] * 2.0)
        u[1:] *= np.sin(u[:-1] * 3.0)
        return (u * x).sum()

    same_derivatives(f, plain, np.array([0.5, 1.2, 0.9]))


def test_structures_go_in_and_out() -> None:
    @checkpoint
    def step(state: dict[str, Any], pair: tuple[Any, float]) -> tuple[dict[str, Any], list[Any]]:
        a = np.sin(state["a"]) * pair[1]
        return {"a": a, "n": state["n"] + 1}, [a * pair[0], pair[1] ** 2]

    def f(x: Any) -> Any:
        state, rest = step({"a": x, "n": 0}, (x * 2.0, 3.0))
        state, rest = step(state, (rest[0], rest[1]))
        return state["a"].sum() * state["n"] + rest[0].sum()

    def plain(x: Any) -> Any:
        a, b = np.sin(x) * 3.0, np.sin(x) * 3.0 * x * 2.0
        c = np.sin(a) * 9.0
        return c.sum() * 2 + (c * b).sum()

    same_derivatives(f, plain, np.array([0.5, 1.2, 0.9]))


def test_methods_and_other_callables() -> None:
    class Model:
        def __init__(self) -> None:
            self.scale = 2.0

        @checkpoint
        def step(self, x: Any) -> Any:
            return np.sin(x * self.scale)

    model = Model()
    same_derivatives(
        lambda x: model.step(model.step(x)).sum(),
        lambda x: np.sin(np.sin(x * 2.0) * 2.0).sum(),
        np.array([0.5, 1.2]),
    )
    same_derivatives(
        lambda x: checkpoint(np.sin)(x).sum(), lambda x: np.sin(x).sum(), np.array([0.5])
    )
    with pytest.raises(TypeError, match="takes a function"):
        checkpoint(3)  # type: ignore[type-var]


def test_called_otherwise_it_is_the_function() -> None:
    x = np.array([0.5, 1.2, 0.9])
    np.testing.assert_array_equal(block(x, WEIGHTS), plain_block(x, WEIGHTS))
    assert block.__name__ == "block"


def test_random_numbers_inside_are_refused() -> None:
    @checkpoint
    def noisy(x: float, rng: np.random.Generator) -> float:
        return x * float(rng.normal())

    def f(x: float, rng: np.random.Generator) -> float:
        return noisy(x, rng)

    with pytest.raises(s2sad.UnsupportedError, match="random number is drawn in what a check"):
        s2sad.grad(f)(1.0, np.random.default_rng(0))


def test_memory_of_a_chain_is_that_of_its_arguments() -> None:
    def chain(x: Any) -> Any:
        for _ in range(10):
            x = heavy(x)
        return x.sum()

    def plain_chain(x: Any) -> Any:
        for _ in range(10):
            x = plain_heavy(x)
        return x.sum()

    x = np.linspace(0.1, 1.0, 20_000)
    same_derivatives(chain, plain_chain, x[:5])
    assert peak(s2sad.grad(chain), x) < 0.4 * peak(s2sad.grad(plain_chain), x)


@checkpoint
def heavy(x: Any) -> Any:
    for _ in range(10):
        x = x + 0.1 * np.sin(x) * np.cos(x)
    return x


def plain_heavy(x: Any) -> Any:
    for _ in range(10):
        x = x + 0.1 * np.sin(x) * np.cos(x)
    return x


# -- second derivatives --------------------------------------------------------------------------


def second(f: Callable[..., Any], x: Any, *rest: Any) -> Any:
    direction = np.linspace(0.3, -0.5, x.size).reshape(x.shape)
    gradient = s2sad.grad(f)

    def along(x: Any, *rest: Any) -> Any:
        return (gradient(x, *rest) * direction).sum()

    return s2sad.grad(along)(x, *rest)


@pytest.mark.parametrize(
    ("f", "plain", "rest"),
    [(stencil, plain_stencil, (5,)), (network, plain_network, (WEIGHTS,))],
)
def test_second_derivatives(f: Any, plain: Any, rest: tuple[Any, ...]) -> None:
    x = np.array([0.5, 1.2, 0.9])
    np.testing.assert_allclose(second(f, x, *rest), second(plain, x, *rest), rtol=1e-11)


@pytest.mark.parametrize(
    ("f", "plain", "rest"),
    [
        (stencil, plain_stencil, (5,)),
        (network, plain_network, (WEIGHTS,)),
        (history, plain_history, (4,)),
        (until_large, plain_until_large, ()),
    ],
)
def test_forward_mode_and_hessian_vector_products(
    f: Any, plain: Any, rest: tuple[Any, ...]
) -> None:
    x, v = np.array([0.5, 1.2, 0.9]), np.array([1.0, -2.0, 0.5])
    got, expected = (s2sad.jvp(lambda x, g=g: g(x, *rest), (x,), (v,)) for g in (f, plain))
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    got, expected = (s2sad.hvp(lambda x, g=g: g(x, *rest))(x, v) for g in (f, plain))
    np.testing.assert_allclose(got, expected, rtol=1e-11)


def test_a_gradient_of_a_directional_derivative() -> None:
    x, v = np.array([0.5, 1.2, 0.9]), np.array([1.0, -2.0, 0.5])

    def along(f: Any) -> Any:
        return s2sad.grad(lambda x: s2sad.jvp(lambda y: f(y, 5), (x,), (v,))[1])

    np.testing.assert_allclose(along(stencil)(x), along(plain_stencil)(x), rtol=1e-11)


def test_a_hessian_vector_product_needs_no_memory_that_grows_with_the_steps() -> None:
    def along(c: float, n: int) -> Any:
        return s2sad.jvp(lambda c: s2sad.grad(simulate)(c, 4000, n, 5), (c,), (1.0,))[1]

    assert peak(along, 0.1, 400) < peak(along, 0.1, 100) + 6 * 32_000


def leaves_in_one_of_three_ways(p: float, n: int, y: float) -> float:
    for i in checkpointed(range(n), snapshots=2):
        p += 0.83 * np.sin(p)
        if i % 3 == 0:
            continue
        if y >= p:
            return p * p
        p -= 0.82 * p * y
    return p * p * y


def plain_leaves_in_one_of_three_ways(p: float, n: int, y: float) -> float:
    for i in range(n):
        p += 0.83 * np.sin(p)
        if i % 3 == 0:
            continue
        if y >= p:
            return p * p
        p -= 0.82 * p * y
    return p * p * y


@pytest.mark.parametrize("y", [0.1, 2.5])
def test_what_is_returned_from_a_loop_need_not_be_assigned_in_every_step(y: float) -> None:
    same_derivatives(leaves_in_one_of_three_ways, plain_leaves_in_one_of_three_ways, 0.3, 5, y)


def test_functions_that_checkpoint_each_other() -> None:
    same_derivatives(even, lambda x, n: plain_even(x, n), 0.3, 4)


@checkpoint
def even(x: float, n: int) -> float:
    return x if n == 0 else odd(x * x, n - 1)


@checkpoint
def odd(x: float, n: int) -> float:
    return -x if n == 0 else float(np.sin(even(x + 1.0, n - 1)))


def plain_even(x: float, n: int) -> float:
    return x if n == 0 else plain_odd(x * x, n - 1)


def plain_odd(x: float, n: int) -> float:
    return -x if n == 0 else float(np.sin(plain_even(x + 1.0, n - 1)))


def test_functions_of_the_program_as_arguments_are_refused() -> None:
    @checkpoint
    def twice(f: Callable[[float], float], x: float) -> float:
        return f(f(x))

    def program(x: float) -> float:
        return twice(lambda y: x * y, x)

    with pytest.raises(s2sad.UnsupportedError, match="is given to a checkpointed function"):
        s2sad.grad(program)(2.0)
    assert s2sad.grad(lambda x: twice(math.sin, x))(0.5) == pytest.approx(
        math.cos(math.sin(0.5)) * math.cos(0.5)
    )
