"""Code for arguments whose sizes belong together, and for those whose sizes do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")


def both(f: Callable[..., Any], argnums: Any = 0) -> tuple[Any, Any]:
    return s2sad.grad(f, argnums, backend="numba"), s2sad.grad(f, argnums)


def same(f: Callable[..., Any], argnums: Any, *calls: tuple[Any, ...]) -> Any:
    """The compiled derivative, which agrees with NumPy's in all of these calls."""
    compiled, plain = both(f, argnums)
    for args in calls:
        for got, wanted in zip(compiled(*args), plain(*args), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-13)
            assert np.shape(got) == np.shape(wanted)
    return compiled


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def product(x: np.ndarray, y: np.ndarray) -> float:
    return np.sum(x * y)


def test_equal_sizes_need_no_sums() -> None:
    df = same(product, (0, 1), (numbers(5, 7), numbers(5, 7)))
    text = df.source(numbers(5, 7), numbers(5, 7))
    assert "unbroadcast" not in text
    assert text.startswith("# for x.shape[0] == y.shape[0]\n")
    assert df.cache_info().misses == 1


def test_other_sizes_find_other_code() -> None:
    df = same(
        product,
        (0, 1),
        (numbers(5, 7), numbers(5, 7)),
        (numbers(4, 3), numbers(4, 3)),
        (numbers(4, 4), numbers(4, 4)),
        (numbers(4, 3), numbers(1, 3)),
        (numbers(2, 3), numbers(2, 1)),
        (numbers(5, 7), numbers(7)),
        (numbers(7, 7), numbers(7)),
        (numbers(0, 3), numbers(0, 3)),
        (numbers(1, 3), numbers(1, 3)),
    )
    with pytest.raises(ValueError, match="broadcast"):
        df(numbers(5, 7), numbers(5, 6))
    with pytest.raises(ValueError, match="broadcast"):
        df(numbers(5, 7), numbers(7, 5))


def test_sizes_that_change_all_the_time_are_compiled_for_once() -> None:
    df = same(product, (0, 1), *((numbers(n), numbers(n)) for n in range(2, 9)))
    assert df.cache_info().misses == 1

    def scaled(x: np.ndarray, y: np.ndarray, n: int) -> float:
        return np.sum(x) * np.sum(y) * n

    calls = [(numbers(n), numbers(m), k) for n in (5, 6, 7) for m in (5, 6) for k in (5, 9)]
    df = same(scaled, (0, 1), *calls)
    assert df.cache_info().misses <= 4


def stencil(nodes: np.ndarray, cells: np.ndarray, n: int) -> float:
    total = 0.0
    for i in range(n):
        total += cells[i] * (nodes[i + 1] - nodes[i]) ** 2
    return total + np.sum(cells * np.diff(nodes) ** 3)


def test_one_less_and_numbers_of_elements() -> None:
    calls = [(numbers(n + 1), numbers(n), k) for n in (30, 31, 3, 1, 16, 15) for k in (n, 1)]
    same(stencil, (0, 1), *calls)

    def shifted(nodes: np.ndarray, cells: np.ndarray, n: int) -> float:
        return stencil(nodes, cells, n) + 1.0

    text = both(shifted, (0, 1))[0].source(numbers(21), numbers(20), 20)
    assert text.startswith("# for nodes.shape[0] == cells.shape[0] + 1 == n + 1\n")
    assert "unbroadcast" not in text


def test_a_number_that_is_a_size_by_chance() -> None:
    def power(x: np.ndarray, n: int) -> float:
        return np.sum(x**n) + n * np.sum(x[:n])

    same(power, (0,), *((numbers(k), n) for k in (5, 6) for n in (5, 6, 4, 2, 1, 9)))


def test_what_checks_nothing_takes_all_sizes() -> None:
    df, plain = both(product, (0, 1))
    run = df.specialize(numbers(5), numbers(5))
    for n in (5, 6, 2):
        for got, wanted in zip(run(numbers(n), numbers(n)), plain(numbers(n), numbers(n))):
            np.testing.assert_allclose(got, wanted, rtol=1e-13)
    with pytest.raises(ValueError, match="broadcast"):
        run(numbers(5), numbers(6))


def test_directions() -> None:
    def f(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return x * y + np.sum(x)

    compiled, plain = (s2sad.jvp(f, backend=b) for b in ("numba", None))
    for n, m in ((5, 5), (4, 4), (3, 1), (1, 3), (1, 1)):
        args = (numbers(n), numbers(m)), (numbers(n) + 1.0, numbers(m) - 1.0)
        for got, wanted in zip(compiled(*args), plain(*args), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-13)


def test_what_is_written_and_what_is_the_same_array() -> None:
    def written(x: np.ndarray, y: np.ndarray) -> float:
        z = x.copy()
        z[1:] += y[:-1] * x[1:]
        return np.sum(z * z)

    same(written, (0, 1), (numbers(9), numbers(9)), (numbers(9), numbers(8) * 0 + 1.0)[:1] * 2)
    with pytest.raises(ValueError, match="broadcast"):
        both(written, (0, 1))[0](numbers(9), numbers(7))


def test_arrays_in_tuples() -> None:
    def layers(weights: tuple[Any, ...], x: np.ndarray) -> float:
        first, bias, (second,) = weights
        return np.sum(np.tanh(x @ first + bias) @ second)

    def weights(n: int, m: int, k: int, b: int) -> tuple[Any, ...]:
        return numbers(n, m), numbers(b), (numbers(m, k),)

    compiled, plain = both(layers, 0)
    for n, m, k, b in ((3, 4, 2, 4), (5, 6, 2, 6), (3, 4, 2, 1), (4, 4, 4, 4)):
        args = weights(n, m, k, b), numbers(7, n)
        got, wanted = compiled(*args), plain(*args)
        for one, other in zip((*got[:2], *got[2]), (*wanted[:2], *wanted[2]), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
    assert "weights[0].shape[1] == weights[1].shape[0]" in compiled.source(
        weights(3, 4, 2, 4), numbers(7, 3)
    )
