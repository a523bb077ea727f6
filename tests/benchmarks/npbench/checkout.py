"""The programs of a checkout of NPBench.

In: the path of a checkout. Out: `Program`s: a NumPy function, arguments of some size, and JAX's
version if there is one. Nothing is copied; the modules are imported from where they lie.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

COUNTED = {"compute", "floyd_warshall"}
"""Programs that get arrays of integers although they compute the same with any numbers. They get
fractions, too, so that none lies in a corner of ``clip`` or ``minimum``."""


@dataclass(frozen=True)
class Program:
    """One program: where its modules lie, and what its file of facts says."""

    name: str
    stem: Path
    function: str
    arguments: tuple[str, ...]
    written: tuple[str, ...]
    facts: dict[str, Any]

    def numpy(self) -> types.ModuleType:
        return module(self.stem.with_name(f"{self.stem.name}_numpy.py"))

    def jax(self) -> Callable[..., Any]:
        """JAX's version without its outermost ``jit``, which would make variables of the numbers
        of iterations, and JAX has no reverse mode through loops of unknown length."""
        path = self.stem.with_name(f"{self.stem.name}_jax.py")
        if not path.exists():
            raise NotImplementedError("NPBench has no JAX version")
        f = getattr(module(path), self.function)
        return getattr(f, "__wrapped__", f)

    def make(self, size: str) -> tuple[Any, ...]:
        """The arguments at a size, floats in double precision."""
        values = dict(self.facts["parameters"][size])
        init = self.facts.get("init")
        if init:
            given = [values[name] for name in init["input_args"]]
            made = getattr(module(self.stem.with_suffix(".py")), init["func_name"])(*given)
            names = init["output_args"]
            values |= zip(names, made if len(names) > 1 else (made,), strict=True)
        return tuple(self.doubled(values[name]) for name in self.arguments)

    def doubled(self, value: Any) -> Any:
        kind = getattr(value, "dtype", np.dtype(object)).kind
        if kind in "iu" and self.name in COUNTED and np.ndim(value):
            return value + np.random.default_rng(7).random(value.shape)
        if kind == "f":
            return value.astype(np.float64)
        return value.astype(np.complex128) if kind == "c" else value


def programs(checkout: Path, only: Sequence[str] = ()) -> Iterator[Program]:
    """Every program, or those with one of ``only`` in their name."""
    for path in sorted((checkout / "bench_info").glob("*.json")):
        if only and not any(part in path.stem for part in only):
            continue
        facts = json.loads(path.read_text())["benchmark"]
        yield Program(
            name=path.stem,
            stem=checkout / "npbench/benchmarks" / facts["relative_path"] / facts["module_name"],
            function=facts["func_name"],
            arguments=tuple(facts["input_args"]),
            written=tuple(facts["output_args"]),
            facts=facts,
        )


def module(path: Path) -> types.ModuleType:
    """The module of a file, imported once, under a name that no other has."""
    name = f"npbench_{path.parent.name}_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found
