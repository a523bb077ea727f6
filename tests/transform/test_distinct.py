"""Indices that name no element twice: read and added to without minding repetitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.testing import check_grads

X = np.array([[0.5, -0.2, 1.0], [0.1, 0.9, -0.4], [2.0, 0.3, 0.7]])
LABELS = np.array([2, 0, 2])


def on_the_diagonal(x: np.ndarray) -> float:
    a = np.ones((len(x), len(x)))
    a[np.arange(len(x)), np.arange(len(x))] = x[:, 0] * x[:, 1]
    return np.sum(a**3)


def above_the_diagonal(x: np.ndarray) -> float:
    a = x * x
    a[np.triu_indices(3, 1)] = x[0] * x[1]
    return np.sum(a**2)


def in_either_order(x: np.ndarray) -> float:
    rows, columns = np.tril_indices(3, -1)
    a = np.ones((2, 3, 3))
    a[:, columns, rows] = x[:2]
    return np.sum(a**3)


def where_it_is_positive(x: np.ndarray) -> float:
    a = x * x
    a[x > 0.2] = x[x > 0.2] ** 3
    return np.sum(a * x)


def a_label_a_row(x: np.ndarray, labels: np.ndarray) -> float:
    return np.sum(x[np.arange(labels.shape[0]), labels] ** 2) + x[0, 0]


def rows_in_order(x: np.ndarray) -> float:
    y = x * x
    order = np.argsort(x[:, 0])
    return np.sum(y[order] * np.arange(9.0).reshape(3, 3)) + np.sum(y)


def listed_columns(x: np.ndarray) -> float:
    a = x * x
    a[:, [2, 0]] = x[:, 1:] ** 3
    return np.sum(a * x)


ONCE = (
    (on_the_diagonal, (X,)),
    (above_the_diagonal, (X,)),
    (in_either_order, (X,)),
    (where_it_is_positive, (X,)),
    (rows_in_order, (X,)),
    (listed_columns, (X,)),
)


def labels_alone(x: np.ndarray, labels: np.ndarray) -> float:
    a = x * x
    a[labels] = x**3
    return np.sum(a * x)


def one_row_for_all(x: np.ndarray, labels: np.ndarray) -> float:
    """One row, however many labels: it is repeated for each."""
    a = x * x
    a[np.arange(1), labels] = x[0] ** 3
    return np.sum(a * x)


def from_both_ends(x: np.ndarray) -> float:
    """-1 is the last row once more."""
    a = x * x
    a[np.arange(-1, 3)] = np.concatenate((x[:1], x)) ** 3
    return np.sum(a * x)


def a_row_and_itself(x: np.ndarray) -> float:
    rows, _ = np.triu_indices(3, 1)
    a = x * x
    a[rows, rows] = x[0] ** 3
    return np.sum(a * x)


def listed_twice(x: np.ndarray) -> float:
    a = x * x
    a[:, [2, 2]] = x[:, 1:] ** 3
    return np.sum(a * x)


def listed_from_both_ends(x: np.ndarray) -> float:
    a = x * x
    a[:, [2, -1]] = x[:, 1:] ** 3
    return np.sum(a * x)


def column_of_places(x: np.ndarray) -> float:
    at = np.argwhere(x[0] > 0.0)
    return np.sum(x[0][at[:, 0]] ** 2)


OFTEN = (
    (labels_alone, (X, LABELS)),
    (one_row_for_all, (X, LABELS)),
    (from_both_ends, (X,)),
    (a_row_and_itself, (X,)),
    (listed_twice, (X,)),
    (listed_from_both_ends, (X,)),
)


READ = ((a_label_a_row, (X, LABELS)), (column_of_places, (X,)))


@pytest.mark.parametrize(("f", "args"), ONCE + OFTEN + READ)
def test_derivatives_are_those_of_differences(f: Callable[..., float], args: Any) -> None:
    check_grads(lambda x: f(x, *args[1:]), args[:1], order=2)


@pytest.mark.parametrize(("f", "args"), ONCE)
def test_what_is_written_once_is_read_as_it_is(f: Callable[..., float], args: Any) -> None:
    text = s2sad.grad(f).source(*args)
    assert "gather_written(" not in text
    assert "add.at(" not in text


@pytest.mark.parametrize(("f", "args"), OFTEN)
def test_what_may_be_written_twice_is_read_once(f: Callable[..., float], args: Any) -> None:
    assert "gather_written(" in s2sad.grad(f).source(*args)


def test_labels_of_known_number_are_added_to_in_place() -> None:
    text = s2sad.grad(a_label_a_row).source(X, LABELS)
    assert "x_bar[t] += 2.0 * x[t]" in text
    assert "add.at(" not in text
