"""A number of what a program computes.

In: a program, its arguments, and which of its outputs count. Out: a Python function of the same
arguments, and the same of JAX's version. The former is text, since s2sad reads source:

    def loss(n, A, b):
        A = A.copy()
        out = kernel(n, A, b)
        return np.sum(out) + np.sum(A)

An output is what the program returns or an argument that it has written. Both are found by
running it, and JAX's, which are returned in any order, by their values.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .checkout import Program

CALLABLE = "_program"
OUT = "_out"


@dataclass(frozen=True)
class Output:
    """Text that names an output once the program has run, whether it is complex, and its value."""

    text: str
    complex: bool
    value: Any


def outputs(program: Program, args: tuple[Any, ...]) -> tuple[list[Output], list[str]]:
    """All floating outputs, and the arguments that the program writes."""
    copies = [arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args]
    returned = getattr(program.numpy(), program.function)(*copies)
    if isinstance(returned, tuple):
        found = [(f"{OUT}[{n}]", value) for n, value in enumerate(returned)]
    else:
        found = [(OUT, returned)]
    same = [id(value) for _, value in found]
    written = []
    for name, before, after in zip(program.arguments, args, copies, strict=True):
        if isinstance(before, np.ndarray) and (
            name in program.written or not identical(before, after)
        ):
            written.append(name)
            if id(after) not in same:
                found.append((name, after))
    return [Output(text, kind(v) == "c", v) for text, v in found if kind(v) in "fc"], written


def identical(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=kind(a) in "fc")


def kind(value: Any) -> str:
    return "O" if value is None else np.asarray(value).dtype.kind


def chosen(program: Program, found: list[Output]) -> list[Output]:
    """The outputs that count when there is nobody to compare with: what is returned and what is
    said to be written, or else what has been."""
    return [o for o in found if o.text.startswith(OUT) or o.text in program.written] or found


def shared(found: list[Output], theirs: Sequence[Any]) -> tuple[list[int], list[int]]:
    """Which outputs are also JAX's, and which of JAX's these are."""
    ours: list[int] = []
    others: list[int] = []
    for n, other in enumerate(theirs):
        for m, output in enumerate(found):
            if m not in ours and alike(output.value, np.asarray(other)):
                ours.append(m)
                others.append(n)
                break
    return ours, others


def alike(a: Any, b: Any) -> bool:
    """Equal up to the rounding of single precision, which some programs keep results in."""
    if np.shape(a) != np.shape(b):
        return False
    scale = float(np.max(np.abs(a), initial=0.0))
    return np.allclose(a, b, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)


def term(output: Output, squares: bool) -> str:
    power = " ** 2" if squares else ""
    if not output.complex:
        return f"np.sum({output.text}{power})"
    return f"np.sum({output.text}.real{power}) + np.sum({output.text}.imag{power})"


def text(program: Program, written: Sequence[str], terms: Sequence[str]) -> str:
    """The module of the loss."""
    names = ", ".join(program.arguments)
    lines = [
        f"from {program.numpy().__name__} import {program.function} as {CALLABLE}",
        "import numpy as np",
        "",
        "",
        f"def loss({names}):",
        *(f"    {name} = {name}.copy()" for name in written),
        f"    {OUT} = {CALLABLE}({names})",
        f"    return {' + '.join(terms)}",
    ]
    return "\n".join(lines) + "\n"


def loss(source: str, folder: Path) -> Callable[..., Any]:
    """The function of such a module, which stays a file so that its source can be read."""
    path = folder / "npbench_loss.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made: types.ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made
    spec.loader.exec_module(made)
    f: Callable[..., Any] = made.loss
    return f


def listed(returned: Any) -> list[Any]:
    return list(returned) if isinstance(returned, (tuple, list)) else [returned]


def under_jax(
    program: Program,
    args: tuple[Any, ...],
    argnums: Sequence[int],
    which: Sequence[int],
    squares: bool,
) -> Callable[[], Any]:
    """JAX's gradient of the same number. What is no array is a constant to JAX: several of its
    versions ask for that."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    f = program.jax()
    places = [n for n, arg in enumerate(args) if isinstance(arg, np.ndarray)]

    def value(*arrays: Any) -> Any:
        given = list(args)
        for n, array in zip(places, arrays, strict=True):
            given[n] = array
        results = listed(f(*given))
        total = 0.0
        for n in which:
            parts = [results[n]]
            if jnp.iscomplexobj(results[n]):
                parts = [results[n].real, results[n].imag]
            total = total + sum(jnp.sum(p**2 if squares else p) for p in parts)
        return total

    df = jax.jit(jax.grad(value, tuple(places.index(n) for n in argnums)))
    given = tuple(jnp.asarray(args[n]) for n in places)
    return lambda: jax.block_until_ready(df(*given))


def jax_outputs(program: Program, args: tuple[Any, ...]) -> list[Any]:
    """What JAX's version returns."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    f = program.jax()
    places = [n for n, arg in enumerate(args) if isinstance(arg, np.ndarray)]

    @jax.jit
    def run(*arrays: Any) -> Any:
        given = list(args)
        for n, array in zip(places, arrays, strict=True):
            given[n] = array
        return f(*given)

    return [np.asarray(v) for v in listed(run(*(jnp.asarray(args[n]) for n in places)))]
