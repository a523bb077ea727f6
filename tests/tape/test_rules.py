"""Every rule of a NumPy or math function, reached by calling the function on the tape.

The rules themselves are tested in tests/rules; here it is what lies between the user's call and the
rule: binding, views, saved values.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import s2sad.rules
from s2sad import tape
from s2sad.ir.tree import flatten, unflatten
from s2sad.rules.registry import Primitive, Sample, keyword_from, primitives
from s2sad.tape.rules import cotangents

assert s2sad.rules  # importing it fills the registry


def functions() -> Iterator[Primitive]:
    for name, primitive in primitives().items():
        if name.startswith(("np.", "math.")) and primitive.differentiable:
            yield primitive


def samples(primitive: Primitive) -> tuple[Sample, ...]:
    found = primitive.samples
    return tuple(found() if callable(found) else found)


def random_like(value: Any) -> Any:
    rng = np.random.default_rng(0)
    leaves, struct = flatten(value)
    return unflatten(struct, [drawn(leaf, rng) for leaf in leaves], lambda _: None)


def drawn(leaf: Any, rng: np.random.Generator) -> Any:
    draws = rng.uniform(0.5, 1.5, np.shape(leaf))
    return draws.astype(leaf.dtype) if isinstance(leaf, np.ndarray) else type(leaf)(draws)


def program(primitive: Primitive, sample: Sample) -> Any:
    """A function that calls the primitive as a user would, from globals of its own."""
    namespace: dict[str, Any] = {"np": np, "math": math, "attrs": dict(sample.attrs)}
    names, count = primitive.operands, len(sample.args)
    many = any(n.startswith("*") for n in names)
    first = count if many else keyword_from(names, primitive.signature)
    given = [f"xs[{n}]" for n in range(min(first, count))]
    given += [f"{names[n]}=xs[{n}]" for n in range(first, count) if sample.args[n] is not None]
    text = f"def f(*xs):\n    return {primitive.name}({', '.join(given)}, **attrs)"
    exec(text, namespace)
    return namespace["f"]


#: The tape has no word for them: functions of nested lists, ufuncs' methods, several results.
NOT_ON_THE_TAPE = frozenset(
    ("np.block", "np.choose", "np.maximum.accumulate", "np.minimum.accumulate", "np.histogram")
)


def exists(name: str) -> bool:
    head, *path = name.replace("np", "numpy", 1).split(".")
    found: Any = importlib.import_module(head)
    for part in path:
        found = getattr(found, part, None)
    return callable(found)


@pytest.mark.parametrize("primitive", list(functions()), ids=lambda p: p.name)
def test_rule_through_a_call(primitive: Primitive) -> None:
    if primitive.name in NOT_ON_THE_TAPE:
        pytest.skip("not on the tape")
    if not exists(primitive.name):
        pytest.skip("not in this NumPy")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for sample in samples(primitive):
            f = program(primitive, sample)
            plain = f(*sample.args)
            g = random_like(plain)
            value, pullback = tape.vjp(f, *sample.args)
            assert type(value) is type(plain)
            np.testing.assert_equal(value, plain)
            mine = pullback(g)
            wanted = tuple(bool(flatten(x)[0]) for x in sample.args)
            theirs = cotangents(primitive.name, sample.attrs, sample.args, plain, g, wanted)
            for x, bar, expected in zip(sample.args, mine, theirs, strict=True):
                if flatten(x)[0]:
                    agree(bar, 0.0 if expected is None else expected)


def agree(mine: Any, theirs: Any) -> None:
    left, right = flatten(mine)[0], flatten(theirs)[0]
    if len(left) != len(right):  # a list that the rule took for an array
        left, right = [np.array(mine)], [theirs]
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, np.broadcast_to(b, np.shape(a)), rtol=1e-9)
