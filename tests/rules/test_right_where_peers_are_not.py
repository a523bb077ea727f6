"""Where other libraries give a wrong number or nan, or refuse, and s2sad is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import s2sad
from tests.checker import check

X = np.array([2.0, 0.0, 3.0, 0.5])
A = np.array([[2.0, 0.0, 3.0], [0.5, 1.5, 4.0]])


def given(f: Any, x: Any, expected: Any, **options: Any) -> None:
    """The gradient at a point where differences cannot tell it."""
    np.testing.assert_allclose(s2sad.grad(f)(x), expected, atol=1e-12, **options)


def masked_sum(x: Any) -> Any:
    return np.sum(x**2, where=x > 0.7)


def product(x: Any) -> Any:
    return np.prod(x)


def scan(x: Any) -> Any:
    return np.cumprod(x) @ np.arange(1.0, 5.0)


def rows(a: Any) -> Any:
    return np.sum(np.prod(a, axis=1) ** 2)


@pytest.mark.parametrize("f", [masked_sum, product, scan])
def test_zeros_and_masks(f: Any) -> None:
    check(f, X)


def test_products_over_an_axis() -> None:
    check(rows, A)


def test_two_zeros() -> None:
    given(product, np.array([2.0, 0.0, 0.0]), [0.0, 0.0, 0.0])


def test_sinc() -> None:
    """Value 1, slope 0, curvature -pi**2 / 3 at 0."""
    given(lambda x: np.sum(np.sinc(x)), np.zeros(2), [0.0, 0.0])
    curvature = s2sad.grad(s2sad.grad(lambda x: np.sinc(x) * 1.0))(0.0)
    np.testing.assert_allclose(curvature, -(np.pi**2) / 3.0)


def test_norm_at_zero() -> None:
    given(lambda x: np.linalg.norm(x), np.zeros(3), np.zeros(3))
    given(lambda x: np.linalg.norm(x, ord=np.inf), np.array([1.0, -3.0]), [0.0, -1.0])


def root_of_nothing(x: Any) -> Any:
    return 0.0 * np.sqrt(x[0]) + x[1]


def safe_log(x: Any) -> Any:
    return np.sum(np.where(x > 0, np.log(x), 0.0))


def safe_ratio(x: Any) -> Any:
    return np.sum(np.where(x == 0, 0.0, 1.0 / x))


def test_the_arm_not_taken() -> None:
    given(root_of_nothing, np.array([0.0, 1.0]), [0.0, 1.0])
    with np.errstate(all="ignore"):
        given(safe_log, np.array([-1.0, 2.0, 0.0]), [0.0, 0.5, 0.0])
        given(safe_ratio, np.array([0.0, 2.0]), [0.0, -0.25])


def repeated(x: Any) -> Any:
    return np.sum(x[[0, 0, 2]] * np.array([1.0, 2.0, 3.0]))


def scattered(x: Any) -> Any:
    out = np.zeros(3)
    np.add.at(out, [0, 0, 2, 1], x)
    return np.sum(out**2)


def broadcast_power(x: Any) -> Any:
    return np.sum(A[:, :1] ** x[:3] / (x[:3] + 1.0))


@pytest.mark.parametrize("f", [repeated, scattered, broadcast_power])
def test_repetition_and_broadcasting(f: Any) -> None:
    check(f, X + 0.25)


def test_negative_bases_to_negative_powers() -> None:
    given(lambda x: np.sum(x**-3.0), np.array([-2.0, 2.0]), [-3.0 / 16.0, -3.0 / 16.0])


def test_whole_numbers_divided() -> None:
    given(
        lambda x: np.sum(np.arange(1, 4) / x), np.array([1.0, 2.0, 4.0]), [-1.0, -0.5, -3.0 / 16]
    )


def test_single_precision_stays() -> None:
    x = X.astype("float32")
    for f in (masked_sum, product, lambda v: np.median(v) * np.std(v) + np.sum(np.sort(v) ** 2)):
        assert s2sad.grad(f)(x).dtype == np.float32


def test_ties() -> None:
    given(lambda x: np.sum(np.maximum(x, 1.0)), np.array([1.0, 2.0]), [0.5, 1.0])
    given(lambda x: np.max(x), np.array([1.0, 2.0, 2.0]), [0.0, 0.5, 0.5])
    given(lambda x: np.median(x), np.array([1.0, 2.0, 2.0]), [0.0, 0.5, 0.5])
    given(lambda x: np.sum(np.clip(x, 0.0, 1.0)), np.array([0.0, 1.0, 2.0]), [1.0, 1.0, 0.0])
    given(lambda x: np.sum(np.abs(x)), np.array([0.0, -1.0]), [0.0, -1.0])
    given(lambda x: np.sum(np.unique(x) ** 2), np.array([2.0, 1.0, 2.0]), [2.0, 2.0, 2.0])


def orders(x: Any) -> Any:
    a = np.reshape(x, (2, 2), order="F")
    return np.sum(a * np.array([[1.0, 2.0], [3.0, 4.0]])) + x.compress(x > 0.4)[0]


def in_order(a: Any) -> Any:
    return np.sum(np.sort(a, axis=0) ** 2 * A) + np.sum(np.sort(a, axis=None)[:2])


def test_refused_by_others() -> None:
    """Sorting over any axis, quantiles, running products, bounds of clip, rolls by several."""
    check(orders, X + 0.1)
    check(in_order, A)
    check(lambda x: np.percentile(x, 30.0) * np.median(x), X)
    check(lambda x, lo: np.sum(np.clip(x, lo, 2.5) ** 2), X, 0.75)
    check(lambda a: np.sum(np.roll(a, (1, 2), axis=(0, 1)) * A), A)
    check(lambda x: np.sum(np.interp(x, [0.0, 1.0, 4.0], [1.0, 3.0, 2.0]) ** 2), X + 0.1)


def bound(x: Any, lo: Any) -> Any:
    return np.sum(np.pad(x, 2, mode="reflect") ** 2) * lo


def test_padding() -> None:
    check(bound, X, 1.5)
