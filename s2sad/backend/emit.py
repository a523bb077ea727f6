"""The emitter: a module in value semantics becomes readable Python text.

In: a module. Out: ``Emitted``: the text, the name of its entry, and the globals it needs.

    y = mul(x, x); yield y   ->   def f(x):
                                      return x * x
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..function_values import FunctionValue
from ..ir.naming import unused
from ..ir.nodes import Function, Module, walk
from .check import check_names
from .constants import named_constants
from .expr import Expressions
from .literals import Namespace
from .marks import without_marks
from .names import name_values
from .normal import normalize
from .outofssa import Result, out_of_ssa
from .stmt import Writer
from .storage import summarize
from .text import check, to_text
from .unpack import saved_sizes, unpack_items


@dataclass(frozen=True, slots=True)
class Emitted:
    """Python text, the function in it to call, and the globals it refers to."""

    text: str
    entry_name: str
    namespace: Mapping[str, Any]


def emit(
    module: Module,
    *,
    fresh_results: bool = False,
    private_from: int | None = None,
    namespace: Namespace | None = None,
) -> Emitted:
    """Write a module out as Python text.

    With ``fresh_results`` nothing the entry returns shares memory with its arguments or with
    another result. Yields of the entry from ``private_from`` on are saved for later: they share
    nothing with the arguments or with what is returned before them. ``namespace`` is that of the
    text which this one becomes a part of.
    """
    module = without_marks(module)
    sizes = saved_sizes(module)
    normal = {name: unpack_items(normalize(f), sizes) for name, f in module.functions.items()}
    shaped = Module(normal)
    summaries = summarize(shaped)
    mutating = {name: f.mutates for name, f in normal.items()}
    whole = namespace is None
    namespace = Namespace() if namespace is None else namespace
    results: dict[str, Result] = {}
    for name, f in normal.items():
        entry = f is shaped.entry
        results[name] = out_of_ssa(
            f,
            summaries,
            mutating,
            fresh_results=fresh_results and entry,
            private_from=private_from if entry else None,
        )
    for result in results.values():
        _enter_globals(result, namespace)
    names = _function_names(module, namespace if whole else None)
    reserved = {*namespace.objects, *namespace.builtins, *names.values()}
    texts = []
    tight = any(map(_writes_tight_powers, normal.values()))
    for name, result in results.items():
        constants = named_constants(result.plan, reserved)
        values = name_values(result.plan, result.functional, reserved | set(constants))
        check_names(result.plan, result.functional, values)
        writer = Writer(result, values, namespace, names, module, constants)
        tree = writer.function(names[name])
        text = to_text([tree], tight=tight)
        check(text, [tree])
        texts.append(text)
    if whole:
        texts = [*_function_values(namespace), *texts]
    return Emitted("\n\n".join(texts), names[module.entry.name], dict(namespace.objects))


def _function_values(namespace: Namespace) -> list[str]:
    """The texts of the functions that SciPy is given, each before those that use it."""
    texts: dict[str, str] = {}
    while True:
        todo = [
            (name, f)
            for name, f in namespace.objects.items()
            if isinstance(f, FunctionValue) and name not in texts
        ]
        if not todo:
            break
        for name, f in todo:
            texts[name] = f.emitted(name, namespace).text
    for name in texts:
        del namespace.objects[name]
    return list(texts.values())[::-1]


def _function_names(module: Module, namespace: Namespace | None) -> dict[str, str]:
    """Identifiers for the functions of a module, in its order; none means a global."""
    taken = namespace.objects if namespace is not None else {}
    names: dict[str, str] = {}
    for name in module.functions:
        base = "".join(c if c.isalnum() or c == "_" else "_" for c in name).strip("_") or "f"
        if base[0].isdigit() or keyword.iskeyword(base) or hasattr(builtins, base):
            base = f"f_{base}"
        names[name] = unused(base, {*names.values(), *taken})
    return names


def _writes_tight_powers(function: Function) -> bool:
    """Whether the user writes ``x**2`` and not ``x ** 2``."""
    texts = {node.span.text for node in walk(function.body) if node.span is not None}
    if any(re.search(r"[\w)\]]\*\*[-\w(]", text) for text in texts):
        return True
    loose = any(re.search(r"\w \*\* -?\w", text) for text in texts)
    return not loose and any(" ** " in text for text in texts)


def _enter_globals(result: Result, namespace: Namespace) -> None:
    """Meet every op once, so that the globals are known before names are chosen."""
    expressions = Expressions(result.plan, {}, namespace)
    function: Function = result.plan.function
    for node in walk(function.body):
        Writer.globals_of(node, expressions)
    for y in function.body.yields:
        expressions.atom(y)
