"""A random program as a value: source, two argument sets, and how to load, call and copy them.

``load(source)`` writes a real temporary file, so that ``inspect`` and ``linecache`` find the text.
Arguments are floats, ints, bools, arrays and tuples, lists and dicts of these.
"""

from __future__ import annotations

import atexit
import importlib.util
import linecache
import math
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

NAME = "f"
_counter = 0
_folder: Path | None = None


@dataclass(slots=True)
class Program:
    """One program; ``args`` holds two argument sets of the same kinds."""

    label: str
    source: str
    argnums: tuple[int, ...]
    args: tuple[tuple[Any, ...], ...]
    features: frozenset[str] = frozenset()
    level: int = 3
    attempts: int = 0
    gradients: list[list[Any]] = field(default_factory=list)
    """Per argument set and active argument: finite differences (see ``differences``)."""


class TooLong(Exception):
    """A program ran past its time limit."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TooLong`` after so many seconds of the processor, however busy the machine is.

    In the main thread of a POSIX process; elsewhere there is no limit.
    """

    def stop(*_: object) -> None:
        raise TooLong(f"no result after {seconds} s")

    try:
        old = signal.signal(signal.SIGPROF, stop)
    except (ValueError, AttributeError):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


@contextmanager
def load(source: str) -> Iterator[Any]:
    """The module with this source, imported from a temporary file that is removed afterwards."""
    global _counter, _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="s2sad_fuzz_"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    _counter += 1
    name = f"fuzz_program_{_counter}"
    path = _folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.dont_write_bytecode, old = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.dont_write_bytecode = old
        sys.modules.pop(name, None)
        linecache.cache.pop(str(path), None)
        with suppress(OSError):
            path.unlink()


# -- argument values -----------------------------------------------------------------------


def clone(value: Any) -> Any:
    """A copy that keeps memory layout and the writeable flag."""
    if isinstance(value, np.ndarray):
        if value.flags.c_contiguous or value.flags.f_contiguous:
            copy = np.array(value, order="K")
        else:
            copy = strided(value)
        copy.flags.writeable = value.flags.writeable
        return copy
    if isinstance(value, dict):
        return {k: clone(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(clone(v) for v in value)
    return value


def strided(value: np.ndarray) -> np.ndarray:
    """A copy that is every second element of a larger array, along the last axis."""
    base = np.zeros((*value.shape[:-1], 2 * value.shape[-1]))
    base[..., ::2] = value
    return base[..., ::2]


def leaves(value: Any) -> list[float]:
    """All floats of a value in order."""
    if isinstance(value, np.ndarray):
        return [float(v) for v in value.ravel(order="C")]
    if isinstance(value, dict):
        return [x for v in value.values() for x in leaves(v)]
    if isinstance(value, (tuple, list)):
        return [x for v in value for x in leaves(v)]
    return [float(value)]


def rebuild(value: Any, numbers: Iterator[float]) -> Any:
    """A value shaped as ``value`` with its floats taken from ``numbers``."""
    if isinstance(value, np.ndarray):
        copy = clone(value)
        copy.flags.writeable = True
        for where in np.ndindex(copy.shape):
            copy[where] = next(numbers)
        copy.flags.writeable = value.flags.writeable
        return copy
    if isinstance(value, dict):
        return {k: rebuild(v, numbers) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(rebuild(v, numbers) for v in value)
    return next(numbers)


def same_structure(value: Any, gradient: Any) -> str | None:
    """None if ``gradient`` has the structure and shapes of ``value``, else what differs."""
    if isinstance(value, np.ndarray):
        if not isinstance(gradient, np.ndarray):
            return f"array argument, gradient of type {type(gradient).__name__}"
        if gradient.shape != value.shape or gradient.dtype != value.dtype:
            return f"gradient {gradient.dtype}{gradient.shape} for {value.dtype}{value.shape}"
        return None
    if isinstance(value, dict):
        if not isinstance(gradient, dict) or list(gradient) != list(value):
            return "dict argument, gradient is not a dict with the same keys"
        return next((s for k in value if (s := same_structure(value[k], gradient[k]))), None)
    if isinstance(value, (tuple, list)):
        if type(gradient) is not type(value) or len(gradient) != len(value):
            return f"{type(value).__name__} argument, gradient of type {type(gradient).__name__}"
        pairs = zip(value, gradient, strict=True)
        return next((s for v, g in pairs if (s := same_structure(v, g))), None)
    return None if isinstance(gradient, float) else f"gradient of type {type(gradient).__name__}"


def text_of(value: Any) -> str:
    """Python source of an argument value (memory layout included)."""
    if isinstance(value, np.ndarray):
        text = f"np.array({value.tolist()!r})"
        if value.flags.c_contiguous:
            return text
        return f"np.asfortranarray({text})" if value.flags.f_contiguous else f"strided({text})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {text_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    if isinstance(value, tuple):
        return "(" + "".join(f"{text_of(v)}, " for v in value) + ")"
    return repr(float(value)) if isinstance(value, np.floating) else repr(value)


def bits(value: Any) -> bytes:
    """The bytes of a scalar result, for comparison bit by bit."""
    return np.asarray(value, dtype=float).tobytes()


def plain(f: Callable[..., Any], args: tuple[Any, ...]) -> float:
    """The function's value on copies of the arguments; raises unless it is a finite float.

    Overflow on the way raises too, even where nobody reads what overflowed: a zero cotangent times
    an infinite factor is nan in every reverse mode.
    """
    with np.errstate(all="ignore", over="raise"):
        out = f(*(clone(a) for a in args))
    if isinstance(out, bool) or not isinstance(out, (float, np.floating)):
        raise TypeError(f"result of type {type(out).__name__}")
    if not math.isfinite(out):
        raise ArithmeticError("result is not finite")
    return out  # type: ignore[return-value]  # a NumPy float stays one: bits are compared
