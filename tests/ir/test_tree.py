"""Trees: apart, together again, and what a gradient of one looks like."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from s2sad.ir.tree import flatten, gradient_tree, is_differentiable, leaves_like, unflatten

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Layer:
    weights: Any
    bias: float
    name: str = "layer"
    size: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.bias is None:
            raise ValueError("a layer needs a bias")


@dataclass(slots=True)
class Slotted:
    a: float
    b: list[float]


TREES = [
    1.5,
    np.float32(2.0),
    (1.0, 2.0),
    [1.0, [2.0, (3.0,)], []],
    {"w": 1.0, 3: [2.0]},
    OrderedDict(b=1.0, a=2.0),
    Point(1.0, [2.0]),
    Layer(1.0, 2.0),
    Slotted(1.0, [2.0, 3.0]),
    (1, "text", None, True),
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_apart_and_together(tree: Any) -> None:
    leaves, struct = flatten(tree)
    again = unflatten(struct, leaves)
    assert type(again) is type(tree)
    assert again == tree


def test_only_floats_are_leaves() -> None:
    leaves, _ = flatten((1, 2.0, True, "x", np.arange(3), np.ones(2), np.float64(1.0), 1j))
    assert [type(v).__name__ for v in leaves] == ["float", "ndarray", "float64", "complex"]


@pytest.mark.parametrize("value", [1, True, "x", None, np.arange(3), np.bool_(True), [1.0]])
def test_not_differentiable(value: Any) -> None:
    assert not is_differentiable(value)


def test_a_gradient_has_none_for_constants_and_runs_no_checks() -> None:
    _, struct = flatten(Layer(np.ones(2), 1.0))
    gradient = gradient_tree(struct, [np.zeros(2), 0.5])
    assert type(gradient) is Layer
    assert gradient.bias == 0.5
    assert gradient.name is None


def test_dict_keeps_its_order() -> None:
    leaves, struct = flatten({"b": 1.0, "a": 2.0})
    assert leaves == [1.0, 2.0]
    assert list(unflatten(struct, leaves)) == ["b", "a"]


def test_leaves_like_takes_none_for_a_subtree() -> None:
    _, struct = flatten((1.0, [2.0, 3.0], {"k": 4.0}))
    assert leaves_like(struct, (5.0, None, {"k": 6.0})) == [5.0, None, None, 6.0]
    assert leaves_like(struct, None) == [None] * 4


@pytest.mark.parametrize("other", [(1.0,), 1.0, (1.0, {"b": 2.0})])
def test_leaves_like_refuses_another_structure(other: Any) -> None:
    _, struct = flatten((1.0, {"a": 2.0}))
    with pytest.raises(ValueError, match="not a"):
        leaves_like(struct, other)
