"""Captured data: everything a function reads that is not an argument or a local.

In: a way to fetch an object and the object. Out: numbers, arrays and containers become hidden
parameters, read live at each call; modules, functions, classes and other objects become constants
that a guard compares by identity (strings and None by value).

    K = 2.0                          captures: [Capture(global K, float)]
    def f(x): return np.sin(K * x)   guards:   [Guard(global np, is numpy)]
"""

from __future__ import annotations

import ast
import dataclasses
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir.builder import Builder
from ..ir.kinds import Array, Dict, FixedList, Kind, ListOf, Mixed, Num, Record, Tuple, kind_of
from ..ir.nodes import Const, Value
from .contents import Content, Data, Entries, Fields, Items
from .refs import ArrayRef, Fetch, HeapRef, Ref, Root, Static, TupleRef, Val


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """A hidden parameter: how to read it, its kind when it was read, its place in the IR."""

    fetch: Fetch
    kind: Kind
    param: Value


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """What must still hold for the derivative to be used again.

    ``how``: "is" (the same object), "eq" (an equal value of the same type).
    """

    fetch: Fetch
    value: Any
    how: str = "is"

    def holds(self, args: tuple[Any, ...] = ()) -> bool:
        """Whether the object is still what it was.

        >>> from .refs import Fetch
        >>> Guard(Fetch.of("object", 3), 3, "eq").holds()
        True
        """
        try:
            now = self.fetch.get(args)
        except (KeyError, ValueError, AttributeError, IndexError, TypeError):
            return False
        if self.how == "is":
            return now is self.value
        return type(now) is type(self.value) and bool(now == self.value)


class Respecialise(Exception):
    """A value must be a constant: lower again, with it as part of the key."""

    def __init__(self, fetch: Fetch) -> None:
        super().__init__(fetch)
        self.fetch = fetch


#: Containers of more than this many things are taken as they are.
_MOST_PARTS = 64
_PLAIN = (str, bytes, type(None), type(...), slice, range, frozenset, np.dtype)


class Captures:
    """Collects captures and guards while a function is lowered."""

    def __init__(self, frozen: set[Fetch], args: tuple[Any, ...]) -> None:
        #: values that are part of the key
        self.frozen = frozen
        self.args = args
        self.captures: list[Capture] = []
        self.guards: dict[Fetch, Guard] = {}
        self.ground: dict[Root, Content] = {}
        self.prelude = Builder()
        self.origin: dict[Value, Fetch] = {}
        self._refs: dict[Fetch, Ref] = {}
        #: captured lists that are appended to, and must not be read
        self.logs: set[Fetch] = set()

    def respecialise(self, value: Value) -> None:
        """Raise `Respecialise` if the value can be made part of the key."""
        fetch = self.origin.get(value)
        if fetch is not None and fetch not in self.frozen:
            raise Respecialise(fetch)

    def guard(self, fetch: Fetch, obj: Any, how: str = "is") -> None:
        """The code holds while what is fetched is ``obj``, or equal to it."""
        if isinstance(obj, types.MethodType | types.BuiltinMethodType) and not isinstance(
            obj.__self__, types.ModuleType
        ):
            how = "eq"  # `np.add.outer` is a new object whenever it is read
        self.guards.setdefault(fetch, Guard(fetch, obj, how))

    def ref(self, fetch: Fetch, obj: Any) -> Ref:
        """The reference to a captured object."""
        known = self._refs.get(fetch)
        if known is None:
            known = self._refs[fetch] = self._make(fetch, obj)
        return known

    def _make(self, fetch: Fetch, obj: Any) -> Ref:
        if isinstance(obj, _PLAIN):
            self.guard(fetch, obj, "eq")
            return Val(Const.of(obj)) if not isinstance(obj, np.dtype) else Static(obj, fetch)
        if is_data(obj):
            if fetch in self.frozen and isinstance(obj, bool | int | float | tuple | np.generic):
                self.guard(fetch, obj, "eq")
                return constant(obj)
            kind = kind_of(obj, ("captured", fetch))
            param = Value(kind, _name(fetch))
            self.captures.append(Capture(fetch, kind, param))
            label = _name(fetch)
            return self._leaf(param, label, f"'{label}' is captured, and is written here", fetch)
        if type(obj) in (list, tuple, dict) and len(obj) <= _MOST_PARTS:
            return self._container(fetch, obj)
        if not isinstance(obj, types.ModuleType) or not fetch.path:
            self.guard(fetch, obj)
        return Static(obj, fetch)

    def _container(self, fetch: Fetch, obj: Any) -> Ref:
        """A container of functions or of functions and numbers: part by part."""
        self.guard(fetch.sub("__len__()"), len(obj), "eq")
        label = _name(fetch)
        why = f"'{label}' is captured, and is written here"

        def part(key: Any) -> Ref:
            return self.ref(fetch.sub(("item", key)), obj[key])

        if isinstance(obj, dict):
            return self._heap(Entries({k: part(k) for k in obj}), label, why)
        parts = tuple(part(n) for n in range(len(obj)))
        return TupleRef(parts) if isinstance(obj, tuple) else self._heap(Items(parts), label, why)

    def _leaf(self, value: Value, label: str | None, why: str, fetch: Fetch) -> Ref:
        """References to the parts of a hidden parameter; its items are read in the prelude."""
        b = self.prelude

        def part(key: Any, attr: bool = False) -> Ref:
            if attr:
                return self._leaf(_attr(b, value, key), key, why, fetch.sub(key))
            item = b.op("item", value, Const.of(key))
            assert isinstance(item, Value)
            return self._leaf(item, label, why, fetch.sub(("item", key)))

        match value.kind:
            case Array() | Mixed() | ListOf():
                root = Root(label, frozen=why)
                root.site = fetch
                self.ground[root] = Data(value)
                return HeapRef(root) if isinstance(value.kind, ListOf) else ArrayRef(root)
            case Tuple(items, cls):
                return TupleRef(tuple(part(n) for n in range(len(items))), cls)
            case FixedList(items):
                return self._heap(Items(tuple(part(n) for n in range(len(items)))), label, why)
            case Dict(entries):
                return self._heap(Entries({k: part(k) for k, _ in entries}), label, why)
            case Record(cls, fields):
                return self._heap(Fields(cls, {n: part(n, True) for n, _ in fields}), label, why)
            case Num() if fetch in self.frozen:
                obj = fetch.get(self.args)
                self.guard(fetch, obj, "eq")
                return constant(obj)
            case Num():
                self.origin[value] = fetch
        return Val(value)

    def _heap(self, content: Content, label: str | None, why: str) -> Ref:
        root = Root(label, frozen=why)
        self.ground[root] = content
        return HeapRef(root)


def _attr(b: Builder, value: Value, name: str) -> Value:
    from ..ir.nodes import Op
    from ..rules.registry import primitive

    kind = primitive("attr").kind((value,), {"name": name})
    assert isinstance(kind, Kind)
    result = Value(kind, name)
    b.append(Op((result,), "attr", (value,), {"name": name}, b.span))
    return result


def _name(fetch: Fetch) -> str | None:
    for step in reversed(fetch.path):
        if isinstance(step, str):
            return step
    return fetch.name if isinstance(fetch.name, str) else None


def is_data(obj: Any) -> bool:
    """Whether an object is numbers all through: read live, never compared by identity."""
    match obj:
        case bool() | int() | float() | complex() | np.generic():
            return True
        case np.ndarray():
            return obj.dtype.kind in "biufc"
        case tuple() | list():
            return all(map(is_data, obj))
        case dict():
            return all(map(is_data, obj.values()))
        case _:
            return (
                dataclasses.is_dataclass(obj)
                and not isinstance(obj, type)
                and all(is_data(getattr(obj, f.name)) for f in dataclasses.fields(obj))
            )


def constant(obj: Any) -> Ref:
    """The reference to a value that is part of the key."""
    if type(obj) is tuple:
        return TupleRef(tuple(map(constant, obj)))
    return Val(Const.of(obj))


def names_of(node: ast.FunctionDef | ast.Lambda) -> frozenset[str]:
    """The names local to a function: parameters and whatever its own statements bind."""
    a = node.args
    found = {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)}
    found |= {p.arg for p in (a.vararg, a.kwarg) if p is not None}
    outside: set[str] = set()

    def visit(n: ast.AST, inner: bool) -> None:
        """``inner``: inside a comprehension, whose own targets are not the function's."""
        match n:
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                found.add(n.name)
                return
            case ast.Lambda():
                return
            case ast.Name(id, ast.Store() | ast.Del()) if not inner:
                found.add(id)
            case ast.NamedExpr(ast.Name(id)):
                found.add(id)
            case ast.Import() | ast.ImportFrom():
                for alias in n.names:
                    found.add(alias.asname or alias.name.partition(".")[0])
            case ast.Global() | ast.Nonlocal():
                outside.update(n.names)
            case ast.MatchAs() | ast.MatchStar() if n.name:
                found.add(n.name)
            case ast.ExceptHandler() if n.name:
                found.add(n.name)
        comprehension = isinstance(n, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
        for child in ast.iter_child_nodes(n):
            visit(child, inner or comprehension)

    for child in node.body if isinstance(node, ast.FunctionDef) else [node.body]:
        visit(child, False)
    return frozenset(found - outside)
