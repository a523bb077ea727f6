"""Values computed alike: saved once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.testing import check_grads

R = np.array([0.4, -0.2, 0.1, 0.3])
A = np.array([[1.0, 0.2, -0.4], [0.5, 0.9, 0.3], [-0.1, 0.7, 1.5], [0.3, 0.2, 0.6]])


def durbin(r: np.ndarray) -> float:
    n = len(r)
    y = np.zeros(n)
    alpha = -r[0]
    y[0] = alpha
    for k in range(1, n):
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / (1.0 - alpha * alpha)
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y * y)


def orthogonal(a: np.ndarray) -> float:
    a = a.copy()
    q = np.zeros(a.shape)
    total = 0.0
    for k in range(a.shape[1]):
        root = np.sqrt(np.sum(a[:, k] ** 2))
        q[:, k] = a[:, k] / root
        for j in range(k + 1, a.shape[1]):
            s = np.sum(q[:, k] * a[:, j])
            a[:, j] -= q[:, k] * s
            total += abs(s)
        total += root
    return total


def read_before_and_after(r: np.ndarray) -> float:
    """The same place, written in between: two things to remember."""
    y = r.copy()
    total = 0.0
    for _ in range(3):
        total += y[1] * y[1:3] @ y[:2]
        y[1:3] *= 1.5
        total += y[1] * y[1:3] @ y[:2]
        y[1] = np.sin(y[1])
    return total


def in_a_branch(r: np.ndarray) -> float:
    y = r.copy()
    for k in range(3):
        if y[k] > 0.0:
            y[:2] = y[1:3] * y[2:4] + np.cos(y[1:3])
        else:
            y[:2] = np.sin(y[1:3]) * y[1:3]
    return np.sum(y)


@pytest.mark.parametrize(
    ("f", "x"),
    [(durbin, R), (orthogonal, A), (read_before_and_after, R), (in_a_branch, R)],
)
def test_derivatives_are_those_of_differences(f: Callable[..., float], x: Any) -> None:
    check_grads(f, (x,), order=2)


def test_equal_views_of_a_version_are_saved_once() -> None:
    assert "t_2.copy(), t_3, copy_with_strides(t_4)))" in s2sad.grad(durbin).source(R)
    assert "tape_2.append((j, t.copy(), s))" in s2sad.grad(orthogonal).source(A)


def test_versions_of_a_view_are_saved_each() -> None:
    """Before ``y[1:3] *= 1.5``, and after."""
    text = s2sad.grad(read_before_and_after).source(R)
    assert "for y_1, t, t_2, t_3, y_1_2, t_4, t_5, t_6 in tape[::-1]:" in text
