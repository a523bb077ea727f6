"""The kind of ``x[i]`` for random indices is what NumPy gives, and sizes said to be equal are."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad.rules  # noqa: F401
from s2sad.ir.builder import Builder
from s2sad.ir.kinds import Array, Num, Size, Sym, kind_of
from s2sad.ir.nodes import Const, Value
from s2sad.rules.registry import KindError

SHAPES = ((5,), (4, 3), (1, 4), (2, 3, 4), (3, 1, 2), ())


def entry(rng, n, variables):
    """One index for an axis of size n, and the atom that stands for it."""
    form = rng.integers(0, 9)
    if form == 0:
        i = int(rng.integers(-n, n)) if n else 0
        return i, Const.of(i)
    if form == 1 and n:
        i = int(rng.integers(0, n))
        return i, variable(i, variables)
    if form == 2:
        return None, Const.of(None)
    if form == 3:
        i = rng.integers(0, max(n, 1), int(rng.integers(1, 4)))
        return i, Value(kind_of(i))
    if form == 4:
        mask = rng.random(n) < 0.5
        return mask, Value(kind_of(mask))
    if form == 5:
        start, stop = (int(v) for v in rng.integers(0, n + 2, 2))
        s = slice(start, stop)
        parts = [variable(start, variables), Const.of(stop), Const.of(None)]
        return s, variables.op("slice", *parts)
    bounds = [None if rng.random() < 0.4 else int(rng.integers(-3, n + 3)) for _ in range(2)]
    step = int(rng.choice([1, 1, 1, 2, -1, -2])) if rng.random() < 0.5 else None
    s = slice(*bounds, step)
    return s, Const.of(s)


def variable(i, b):
    return Value(Num("int64", True, Sym(("n", i))))


@pytest.mark.parametrize("seed", range(600))
def test_item(seed):
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    x = rng.random(shape)
    b = Builder()
    values, atoms = [], []
    for n in shape[: int(rng.integers(0, len(shape) + 1))]:
        i, atom = entry(rng, n, b)
        values.append(i)
        atoms.append(atom)
    if rng.random() < 0.2:
        at = int(rng.integers(0, len(values) + 1))
        values.insert(at, Ellipsis)
        atoms.insert(at, Const.of(Ellipsis))
    if len(values) == 1 and rng.random() < 0.7:
        index, atom = values[0], atoms[0]
    elif all(isinstance(a, Const) for a in atoms):
        index = tuple(values)
        atom = Const.of(index)
    else:
        index, atom = tuple(values), b.op("tuple", *atoms)
    a = Value(kind_of(x, "x"))
    try:
        out = x[index]
    except IndexError:
        return
    kind = b.op("item", a, atom).kind
    sizes = {("x", k): n for k, n in enumerate(shape)}
    if isinstance(out, np.ndarray):
        assert isinstance(kind, Array), kind
        if kind.dims is not None:
            assert len(kind.dims) == out.ndim, (kind, out.shape)
            for d, n in zip(kind.dims, out.shape, strict=True):
                assert fits(d, n, sizes), (kind, out.shape, index)
    else:
        assert kind == Num("float64", False), kind


def fits(d, n, sizes):
    if isinstance(d, int):
        return d == n
    if d.not_one and n == 1:
        return False
    if isinstance(d, Size):
        return True
    base = sizes[d.base] if d.base in sizes else d.base[1]
    return max(base + d.offset, 0) == n


def test_too_many_indices():
    b = Builder()
    with pytest.raises(KindError, match="2 indices"):
        b.op("item", Value(kind_of(np.ones(3), "x")), Const.of((0, 0)))
