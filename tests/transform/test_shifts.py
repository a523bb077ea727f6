"""Extremes that are subtracted for the sake of rounding: when they carry no derivative."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import s2sad
from s2sad.testing import check_grads

W = np.array([[0.5, -0.2, 1.0], [0.1, 0.9, -0.4], [2.0, 0.3, 0.3]])
C = np.array([[1.0, 2.0, -1.0], [0.5, 0.5, 3.0], [-2.0, 1.0, 0.1]])


def log_sum(x: np.ndarray) -> float:
    top = np.max(x)
    return np.log(np.sum(np.exp(x - top))) + top


def log_sums_of_rows(x: np.ndarray) -> float:
    top = np.max(x, axis=1)
    return np.sum((np.log(np.sum(np.exp(x - top[:, None]), axis=1)) + top) ** 2)


def log_means_of_columns(x: np.ndarray) -> float:
    top = x.max(axis=0)
    return np.sum((top + np.log(np.mean(np.exp(x - top), axis=0))) ** 2)


def softmax(x: np.ndarray) -> float:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.sum(C * (e / np.sum(e, axis=-1, keepdims=True)))


def log_softmax(x: np.ndarray) -> float:
    z = x - np.max(x, axis=1, keepdims=True)
    return np.sum(C * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))


def least_of_all(x: np.ndarray) -> float:
    low = np.min(x)
    return low - 0.5 * math.log(np.sum(np.exp(-2.0 * (x - low))))


def square_and_root_of_scale(x: np.ndarray) -> float:
    e = np.exp(x - np.max(x))
    return np.sum(e * e) / (np.sum(e) * np.sum(e))


def in_a_loop(x: np.ndarray) -> float:
    total = 0.0
    for i in range(len(x)):
        top = np.max(x[i])
        total += (np.log(np.sum(np.exp(x[i] - top))) + top) ** 2
    return total


IDLE = (
    log_sum,
    log_sums_of_rows,
    log_means_of_columns,
    softmax,
    log_softmax,
    least_of_all,
    square_and_root_of_scale,
    in_a_loop,
)


def read_elsewhere(x: np.ndarray) -> float:
    top = np.max(x)
    return np.log(np.sum(np.exp(x - top))) + 2.0 * top


def unnormalised(x: np.ndarray) -> float:
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return np.sum(C * e) / np.sum(e)


def along_the_other_axis(x: np.ndarray) -> float:
    """As many rows as columns: the sums are of columns, the extremes those of rows."""
    top = np.max(x, axis=1)
    return np.sum((np.log(np.sum(np.exp(x - top), axis=1)) + top) ** 2)


def sums_in_the_wrong_rows(x: np.ndarray) -> float:
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return np.sum(C * (e / np.sum(e, axis=1)))


def part_of_the_sum(x: np.ndarray) -> float:
    top = np.max(x, axis=1)
    return np.sum((np.log(np.sum(np.exp(x - top[:, None]), axis=1))[:2] + top[1:]) ** 2)


def read_in_a_branch(x: np.ndarray) -> float:
    top = np.max(x)
    y = np.log(np.sum(np.exp(x - top))) + top
    if y > 0.0:
        y = y * top
    return y


def scaled_by_what_varies(x: np.ndarray) -> float:
    z = (x - np.max(x)) * x
    return np.log(np.sum(np.exp(z)))


def added_to_what_is_scaled(x: np.ndarray) -> float:
    e = np.exp(x - np.max(x))
    return np.sum(C * (e / (np.sum(e) + 1.0)))


BUSY = (
    read_elsewhere,
    unnormalised,
    along_the_other_axis,
    sums_in_the_wrong_rows,
    part_of_the_sum,
    read_in_a_branch,
    scaled_by_what_varies,
    added_to_what_is_scaled,
)


@pytest.mark.parametrize("f", IDLE + BUSY)
def test_derivatives_are_those_of_differences(f: Callable[..., float]) -> None:
    check_grads(f, (W,), order=2)


@pytest.mark.parametrize("f", IDLE)
def test_an_extreme_that_changes_nothing_has_no_adjoint(f: Callable[..., float]) -> None:
    assert "share(" not in s2sad.grad(f).source(W)


@pytest.mark.parametrize("f", BUSY)
def test_an_extreme_that_changes_something_has_one(f: Callable[..., float]) -> None:
    assert "share(" in s2sad.grad(f).source(W)


def test_what_is_masked_stays_masked() -> None:
    x = np.array([0.5, -np.inf, 1.0])
    e = np.exp(x - 1.0)
    np.testing.assert_allclose(s2sad.grad(log_sum)(x), e / e.sum())
