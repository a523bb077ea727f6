"""`python -m s2sad show pkg.mod:f --args "1.0, np.ones(3)"`: what s2sad makes of a function.

In: where a function is, and arguments to call it with. Out, on the terminal: its source, its SSA
form, and the derivative written for arguments like these.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import s2sad
from s2sad.errors import ArgumentError
from s2sad.frontend.source import find_source
from s2sad.tools.paint import code, heading

__all__ = ["load", "parse_arguments", "show"]


def show(where: str, arguments: str = "", argnums: str = "0") -> None:
    """Print the source, the SSA form and the derivative of the function at `where`.

    `arguments` are written as in a call; they see the names of the function's module, `np` and
    `math`. `argnums` as for `grad`: a number, a parameter's name, or several with commas.
    """
    f = load(where)
    derivative: Any = f if hasattr(f, "primal") else s2sad.grad(f, parse_argnums(argnums))
    primal = derivative.primal
    source = find_source(primal)
    args, keywords = parse_arguments(arguments, source.globals)

    heading(f"{source.qualname}, line {source.first_line} of {source.filename}")
    code(source.text)
    if arguments.strip():
        heading("as SSA")
        code(str(s2sad.ssa(primal, *args, **keywords)), python=False)
    heading(repr(derivative).strip("<>"))
    code(str(derivative.source(*args, **keywords)))


def load(where: str) -> Callable[..., Any]:
    """The function at `package.module:name` or `path/to/file.py:name`; names may have dots.

    Raises `ArgumentError` when there is no such module or name.

    >>> load("math:hypot")(3.0, 4.0)
    5.0
    """
    place, colon, name = where.rpartition(":")
    if not colon or not place or not name:
        raise ArgumentError(f"{where!r} names no function: write package.module:function")
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise ArgumentError(f"{place} has no {name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise ArgumentError(f"{where} is not a function but {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _load_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that is there and cannot import another is the user's error, shown as it is.
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise ArgumentError(f"there is no module {name!r}") from None
        raise


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ArgumentError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ArgumentError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent))
    spec.loader.exec_module(module)
    return module


def parse_arguments(text: str, names: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments written in `text`, as in a call.

    >>> parse_arguments("1.0, k=[2, 3]", {})
    ((1.0,), {'k': [2, 3]})
    """

    def collect(*args: Any, **keywords: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, keywords

    scope = {"np": np, "numpy": np, "math": math, **names, "_s2sad_collect": collect}
    try:
        result: tuple[tuple[Any, ...], dict[str, Any]] = eval(f"_s2sad_collect({text})", scope)
    except Exception as error:
        raise ArgumentError(f"--args {text!r}: {type(error).__name__}: {error}") from error
    return result


def parse_argnums(text: str) -> int | str | tuple[int | str, ...]:
    """`"0"` is 0, `"x"` is "x", and `"0,x"` is (0, "x").

    >>> parse_argnums("0, x")
    (0, 'x')
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = tuple(int(part) if part.lstrip("-").isdigit() else part for part in parts)
    return found[0] if len(found) == 1 and "," not in text else found
