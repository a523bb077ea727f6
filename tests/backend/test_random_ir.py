"""Whatever the IR, the emitted text computes what the reference interpreter computes."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad.backend.compile import compile_module
from s2sad.backend.emit import emit
from s2sad.ir.interp import run
from s2sad.ir.verify import verify

from .random_ir import random_module


def same(a: object, b: object) -> bool:
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and np.array_equal(a, b, equal_nan=True)


def storages(x: object) -> list[np.ndarray]:
    if isinstance(x, np.ndarray):
        return [x]
    return [a for y in x for a in storages(y)] if isinstance(x, (list, tuple)) else []


def check(seed: int, size: int = 12) -> None:
    module = verify(random_module(seed, size))
    fresh = seed % 2 == 0
    emitted = emit(module, fresh_results=fresh)
    f = compile_module(emitted)
    for x in (0.25, 1.5):
        args = (x, -0.5, np.arange(6.0), np.linspace(-1.0, 2.0, 6))
        kept = [np.copy(a) for a in args]
        with np.errstate(all="ignore"):
            wanted = run(module, *args)
            got = f(*args)
        assert same(got, wanted), emitted.text
        assert all(np.array_equal(a, b) for a, b in zip(args, kept, strict=True)), emitted.text
        if fresh:
            outputs = [storages(y) for y in got]
            for n, mine in enumerate(outputs):
                others = [*args[2:], *(a for m in outputs[:n] for a in m)]
                assert not any(np.shares_memory(a, b) for a in mine for b in others), emitted.text
    assert emit(module, fresh_results=fresh).text == emitted.text


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_random_ir(start: int) -> None:
    for seed in range(start, start + 50):
        check(seed, 6 + seed % 20)
