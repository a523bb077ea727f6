"""What calls leave behind: nothing, but compiled code that is right for the next call."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import UnsupportedError, grad, value_and_grad, vjp

SCALE = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0])


def helper(x):
    return SCALE * x


def scaled(x):
    return SCALE * x * x


def through_helper(x):
    return helper(x) * x


def weighted(x):
    return np.sum(WEIGHTS * x)


# ------------------------------------------------------------------------------ what changes


def test_globals_are_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for f in (scaled, through_helper):
        df = grad(f)
        assert df(3.0) == 12.0
        monkeypatch.setitem(globals(), "SCALE", 5.0)
        assert df(3.0) == 30.0
        monkeypatch.setitem(globals(), "SCALE", np.float32(2.0))
        assert df(3.0) == pytest.approx(12.0)
        monkeypatch.setitem(globals(), "SCALE", 2)
        assert df(3.0) == 12.0
        monkeypatch.setitem(globals(), "SCALE", 2.0)
        assert df.cache_info().misses == 3


class Scaled:
    def __init__(self, by):
        self.by = by

    def apply(self, x):
        return self.by * x


SCALED = Scaled(3.0)
CHOSEN = {"outer": np.multiply.outer}


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.add.outer(x, x)),
        lambda x: np.sum(np.minimum.accumulate(x)),
        lambda x: np.sum(CHOSEN["outer"](x, x)),
        lambda x: np.sum(SCALED.apply(x)),
        lambda x: np.sum(np.linalg.norm(x, axis=0)),
    ],
    ids=["ufunc method", "accumulate", "in a dict", "method", "module"],
)
def test_what_is_a_new_object_at_each_access_is_no_reason_to_build_again(f):
    df, x = grad(f), np.array([3.0, 1.0, 2.0])
    for _ in range(3):
        df(x)
    assert df.cache_info()[:2] == (2, 1)


def test_captured_arrays_are_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    df = grad(weighted)
    x = np.ones(3)
    assert np.array_equal(df(x), WEIGHTS)
    monkeypatch.setitem(globals(), "WEIGHTS", np.array([5.0, 6.0, 7.0]))
    assert np.array_equal(df(x), [5.0, 6.0, 7.0])
    WEIGHTS[0] = 9.0
    assert np.array_equal(df(x), [9.0, 6.0, 7.0])
    assert df.cache_info().misses == 1


def test_a_helper_that_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    df = grad(through_helper)
    assert df(3.0) == 12.0
    monkeypatch.setitem(globals(), "helper", lambda x: 10.0 * x)
    assert df(3.0) == 60.0


def test_code_that_is_replaced() -> None:
    def f(x):
        return x * x

    def g(x):
        return x * x * x

    def outer(x):
        return 2.0 * f(x)

    df, douter = grad(f), grad(outer)
    assert (df(3.0), douter(3.0)) == (6.0, 12.0)
    f.__code__ = g.__code__
    assert (df(3.0), douter(3.0)) == (27.0, 54.0)


def test_closures_follow_their_variables() -> None:
    def make() -> Any:
        k: Any = 2.0

        def f(x):
            return k * x * x

        def change(new: Any) -> None:
            nonlocal k
            k = new

        return f, change

    f, change = make()
    df = grad(f)
    assert df(3.0) == 12.0
    change(10.0)
    assert df(3.0) == 60.0
    fs = [lambda x, n=n: n * x for n in (1.0, 2.0)] + [lambda x: n * x for n in (3.0,)]
    assert [grad(f)(1.0) for f in fs] == [1.0, 2.0, 3.0]


def test_lambdas_of_a_loop_are_compiled_once() -> None:
    texts = []
    for batch in (np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.ones(1)):
        df = grad(lambda w: np.sum(w * batch))  # noqa: B023
        assert np.array_equal(df(np.ones(batch.shape)), batch)
        texts.append(df.specialize(np.ones(batch.shape)).__code__)
    assert texts[0] == texts[1]


AXIS: object = (0, 1)


def test_values_that_code_depends_on_are_part_of_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x, axis):
        return np.sum(np.sum(x, axis=axis) ** 2)

    def g(x):
        return np.sum(np.sum(x, axis=AXIS) ** 2)

    x = np.arange(6.0).reshape(2, 3)
    df, dg = grad(f), grad(g)
    for axis in (0, 1, None, (0, 1), 0, (0,), -1, 1, None):
        s = np.sum(x, axis=axis, keepdims=True)
        assert np.array_equal(df(x, axis), np.broadcast_to(2.0 * s, x.shape))
        monkeypatch.setitem(globals(), "AXIS", axis)
        assert np.array_equal(dg(x), np.broadcast_to(2.0 * s, x.shape))
    assert df.cache_info().misses == dg.cache_info().misses == 6


def test_functions_and_strings_are_part_of_the_key() -> None:
    def f(h, x, mode="twice"):
        return 2.0 * h(x) if mode == "twice" else h(x)

    df = grad(f, "x")
    for _ in range(2):
        assert df(np.exp, 0.0) == 2.0
        assert df(np.sin, 0.0) == 2.0
        assert df(lambda t: t * t, 3.0) == 12.0
        assert df(np.exp, 0.0, "once") == 1.0
    assert df.cache_info().misses == 5  # the lambda is another one each time


# ------------------------------------------------------------------------------ what stays


def test_arguments_are_never_written() -> None:
    def f(x, y):
        x[0] = y[1] * x[1]
        x *= y
        return np.sum(x * x)

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for run in (grad(f, (0, 1)), value_and_grad(f, (0, 1)), lambda *a: vjp(f, *a)[1](1.0)):
        before = x.copy(), y.copy()
        run(x, y)
        assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])
    x.flags.writeable = False
    assert len(grad(f, (0, 1))(np.array(x), y)) == 2


def test_containers_are_never_written() -> None:
    def f(p):
        p["a"] = p["a"] * 2.0
        p["l"].append(p["a"])
        return sum(p["l"])

    p = {"a": 1.0, "l": [1.0, 2.0]}
    assert grad(f)(p) == {"a": 2.0, "l": [1.0, 1.0]}
    assert p == {"a": 1.0, "l": [1.0, 2.0]}


def test_results_are_the_callers_own() -> None:
    x = np.array([1.0, 2.0])
    out, pullback = vjp(lambda x: x, x)
    g = np.array([3.0, 4.0])
    (x_bar,) = pullback(g)
    assert not np.shares_memory(x_bar, g)
    out, pullback = vjp(lambda x: (x, x * x), x)
    first = pullback((g, g))[0].copy()
    for part in (*out, x, g):
        part[...] = np.nan
    assert np.array_equal(pullback((np.array([3.0, 4.0]), np.array([3.0, 4.0])))[0], first)
    a, b = grad(lambda x, y: np.sum(x + y), (0, 1))(np.ones(2), np.ones(2))
    assert not np.shares_memory(a, b)


def test_one_array_twice() -> None:
    def reads(x, y):
        return np.sum(x * y)

    def writes(x, y):
        x[0] = 5.0
        return np.sum(x * y)

    z = np.array([1.0, 2.0, 3.0])
    a, b = grad(reads, (0, 1))(z, z)
    assert np.array_equal(a, z) and np.array_equal(b, z)
    a, b = grad(writes, (0, 1))(z, z.copy())
    assert np.array_equal(a, [0.0, 2.0, 3.0]) and np.array_equal(b, [5.0, 2.0, 3.0])
    a, b = grad(writes, (0, 1))(z, z)  # one array: both names see the write
    assert np.array_equal(a + b, [0.0, 4.0, 6.0])
    for x, y in ((z[:2], z[1:]), (z, z[::-1]), (z, z[:])):
        with pytest.raises(UnsupportedError, match="shares memory"):
            grad(writes, (0, 1))(x, y)
    assert len(grad(writes, (0, 1))(z[:1], z[1:2])) == 2
    assert np.array_equal(z, [1.0, 2.0, 3.0])


def test_a_default_that_is_written_is_refused() -> None:
    def f(x, seen=[]):  # noqa: B006
        seen.append(x)
        return sum(seen)

    with pytest.raises(UnsupportedError, match="default of 'seen'"):
        grad(f)(1.0)


# ------------------------------------------------------------------------------ what goes wrong


def test_a_raise_leaves_the_next_call_right() -> None:
    def f(x, limit):
        total = 0.0
        for i in range(len(x)):
            if x[i] > limit:
                raise ValueError("too large")
            x[i] = x[i] * x[i]
            total = total + x[i]
        return total

    df = grad(f)
    x = np.array([1.0, 2.0, 3.0])
    for _ in range(2):
        assert np.array_equal(df(x, 9.0), 2.0 * x)
        with pytest.raises(ValueError, match="too large"):
            df(x, 2.5)
        with pytest.raises(ValueError, match="too large"):
            vjp(f, x, 2.5)
        assert np.array_equal(x, [1.0, 2.0, 3.0])
    assert df.cache_info().currsize == 1


def test_a_refusal_leaves_nothing() -> None:
    def f(x):
        yield x

    df = grad(f)
    for _ in range(2):
        with pytest.raises(UnsupportedError):
            df(1.0)
    assert df.cache_info()[:2] == (0, 0)


def test_the_users_exceptions_are_not_swallowed() -> None:
    def f(d):
        if d["x"] > 1.0:
            raise KeyError("mine")
        return d["x"]

    df = grad(f)
    assert df({"x": 1.0}) == {"x": 1.0}
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            df({"x": 2.0})


# ------------------------------------------------------------------------------ threads


@pytest.fixture
def eager() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_first_calls_from_eight_threads(eager: None) -> None:
    def f(x):
        y = x
        for _ in range(3):
            y = y * x
        return y

    df = grad(f)
    gate = threading.Barrier(8)
    results: list[Any] = [None] * 8

    def work(n: int) -> None:
        gate.wait()
        results[n] = [df(float(n)) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [[4.0 * n**3] * 20 for n in range(8)]
    assert df.cache_info().misses == 1


# ------------------------------------------------------------------------------ cost


def test_importing_is_cheap() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import s2sad; "
        "new = {m for m in set(sys.modules) - before if m.startswith('s2sad')}; "
        "assert len(new) < 40, sorted(new); "
        "lazy = ('s2sad.tape', 's2sad.tools', 's2sad.backend', 'astor', 'scipy', 'rich', 'numba'); "
        "assert not set(lazy) & set(sys.modules), set(lazy) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_the_lazy_parts_are_there() -> None:
    assert s2sad.tape is sys.modules["s2sad.tape"]
