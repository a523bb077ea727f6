"""Products whose cotangent is the same for all elements: sums of rows and columns will do."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from tests.checker import check

A = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
B = np.array([[0.2, 1.1], [-0.6, 0.9], [1.3, -0.4]])
V = np.array([0.8, -1.2, 0.4])


def of_three(a, b, c):
    return np.sum((a @ b) @ c)


def of_matrix_and_vector(a, v, s):
    return s * np.sum(a @ v)


def of_vector_and_matrix(v, b):
    return np.sum(np.dot(v, b)) ** 2


def of_two_scaled(a, b, s):
    return np.sum(s * np.dot(a, b))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (of_three, (A, B, A)),
        (of_matrix_and_vector, (A, V, 1.5)),
        (of_vector_and_matrix, (V, B)),
        (of_two_scaled, (A, B, -2.0)),
        (of_three, (A[:0], B, A)),
        (of_three, (A, B, A[:, :0])),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_gradients(f, args):
    if all(np.size(a) for a in args):
        check(f, *args, argnums=tuple(range(len(args))))
    for bar, a in zip(s2sad.grad(f, tuple(range(len(args))))(*args), args, strict=True):
        assert np.shape(bar) == np.shape(a)


def test_no_product_is_made_with_ones():
    assert products(of_matrix_and_vector, A, V, 1.5) == 0
    assert products(of_three, A, B, A) == 3


def products(f, *args):
    text = s2sad.grad(f, (0, 1)).source(*args)
    return sum(line.count("@") for line in text.splitlines() if "#" not in line)
