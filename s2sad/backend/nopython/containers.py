"""Dicts, dataclasses and short lists become tuples, which nopython mode compiles.

In: a module. Out: a module in which no value is a dict, a record or a list of unlike elements, and
how to take arguments apart and put results together again on the way in and out.

    item(params, "W")   ->   item(params, 0)
    {"W": W_bar}        ->   (W_bar,)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...ir.kinds import Array, Dict, FixedList, Kind, ListOf, Num, Record, Tuple
from ...ir.mapping import Mapper
from ...ir.nodes import (
    Atom,
    Const,
    Function,
    Module,
    Node,
    Op,
    Struct,
    Value,
    free_values,
)
from ...ir.tree import rebuild
from ...rules.registry import primitive

__all__ = ["Door", "as_tuples", "door"]

_PARTS = (Dict, Record, FixedList, Tuple)


def as_tuples(module: Module) -> Module:
    """The module with every container of known structure a tuple."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def tupled(kind: Kind) -> Kind:
    """The kind with every container of known structure a tuple."""
    match kind:
        case Dict():
            return Tuple(tuple(tupled(k) for _, k in kind.items))
        case Record():
            return Tuple(tuple(tupled(k) for _, k in kind.fields))
        case FixedList(items) if items and _are_alike(items):
            return ListOf(tupled(items[0]))
        case FixedList() | Tuple():
            return Tuple(tuple(map(tupled, kind.items)))
        case ListOf(elem) if elem is not None:
            return ListOf(tupled(elem))
        case _:
            return kind


def _are_alike(kinds: Sequence[Kind]) -> bool:
    """Whether Numba has one type for all of them."""
    return len({_machine(k) for k in kinds}) == 1


def _machine(kind: Kind) -> object:
    """What Numba sees of a kind: dtypes and ranks, no sizes."""
    match tupled(kind):
        case Num(dtype):
            return dtype
        case Array(dtype, dims):
            return dtype, None if dims is None else len(dims)
        case Tuple(items):
            return "tuple", *map(_machine, items)
        case ListOf(elem) if elem is not None:
            return "list", _machine(elem)
        case other:
            return other


def _keys(kind: Kind) -> tuple[Any, ...] | None:
    match kind:
        case Dict():
            return tuple(k for k, _ in kind.items)
        case Record():
            return tuple(k for k, _ in kind.fields)
        case Tuple(cls=cls) if cls is not None:
            return tuple(cls._fields)  # type: ignore[attr-defined]
        case _:
            return None


def _function(f: Function) -> Function:
    change = _Change()
    return replace(f, params=change.values(f.params), body=change.region(f.body))


class _Change(Mapper):
    def value(self, value: Value) -> Value:
        kind = tupled(value.kind)
        if kind == value.kind:
            return value
        new = self.known[value] = Value(kind, value.name, value.hint, value.primal)
        return new

    def op(self, op: Op) -> Sequence[Node]:
        whole = op.args[0] if op.args else None
        keys = None if whole is None else _keys(whole.kind)
        args = self.atoms(op.args)
        match op.fn:
            case "dict" | "record":
                return [Op(self.values(op.results), "tuple", args, {}, op.span)]
            case "list" if isinstance(tupled(op.results[0].kind), Tuple):
                return [Op(self.values(op.results), "tuple", args, {}, op.span)]
            case "attr" if keys is not None:
                place = Const.of(keys.index(op.attrs["name"]))
                return [Op(self.values(op.results), "item", (args[0], place), {}, op.span)]
            case "item" if keys is not None and isinstance(op.args[1], Const):
                key = op.args[1].value
                place = Const.of(keys.index(key)) if key in keys else op.args[1]
                return [Op(self.values(op.results), "item", (args[0], place), {}, op.span)]
            case "setitem" | "accumulate" if isinstance(args[0].kind, Tuple):
                return self.write(op, keys, args)
        return [Op(self.values(op.results), op.fn, args, op.attrs, op.span)]

    def write(self, op: Op, keys: tuple[Any, ...] | None, args: Sequence[Atom]) -> list[Node]:
        """A tuple cannot be written to: a new one is put together."""
        whole, index, value = args
        assert isinstance(whole.kind, Tuple)
        assert isinstance(index, Const)
        n = len(whole.kind.items)
        place = index.value % n if keys is None else keys.index(index.value)
        nodes: list[Node] = []
        parts: list[Atom] = []
        for k, kind in enumerate(whole.kind.items):
            if k == place and op.fn == "setitem":
                parts.append(value)
                continue
            part = Value(kind)
            nodes.append(Op((part,), "item", (whole, Const.of(k)), {}, op.span))
            if k == place:
                total = Value(primitive("add_to").kind((part, value), {}))  # type: ignore[arg-type]
                nodes.append(Op((total,), "add_to", (part, value), {}, op.span))
                part = total
            parts.append(part)
        return [*nodes, Op(self.values(op.results), "tuple", tuple(parts), {}, op.span)]


# -- in and out ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Door:
    """What is done to arguments before the compiled function runs, and to its result after.

    None where nothing is to be done.
    """

    enter: tuple[Callable[[Any], Any] | None, ...]
    leave: Callable[[Any], Any] | None

    @property
    def is_open(self) -> bool:
        return self.leave is None and not any(self.enter)


def door(function: Function, compiled: Function) -> Door:
    """How arguments and results of ``function`` fit what is compiled for it."""
    used = free_values(compiled.body)
    params = zip(function.params, compiled.params, strict=True)
    enter = tuple(_enter(p.kind) if q in used else _nothing for p, q in params)
    leave = _leave_struct(function.out, [y.kind for y in function.body.yields])
    return Door(enter, leave)


def _nothing(_: Any) -> None:
    """What stands for an argument nobody reads: Numba may have no type for it."""


def _enter(kind: Kind) -> Callable[[Any], Any] | None:
    match kind:
        case Dict():
            keys = _keys(kind)
            return _each([_enter(k) for _, k in kind.items], lambda x: [x[k] for k in keys or ()])
        case Record():
            names = _keys(kind)
            parts = [_enter(k) for _, k in kind.fields]
            return _each(parts, lambda x: [getattr(x, n) for n in names or ()])
        case FixedList() if isinstance(tupled(kind), Tuple):
            return _each([_enter(k) for k in kind.items], lambda x: x)
        case Tuple():
            parts = [_enter(k) for k in kind.items]
            if kind.cls is None and not any(parts):
                return None
            return _each(parts, lambda x: x)
        case ListOf(elem) if elem is not None:
            return _typed_list(_enter(elem))
        case FixedList((elem, *_)):
            return _typed_list(_enter(elem))
        case _:
            return None


def _each(
    parts: Sequence[Callable[[Any], Any] | None], take: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    if not any(parts):
        return lambda x: tuple(take(x))
    return lambda x: tuple(
        v if part is None else part(v) for part, v in zip(parts, take(x), strict=True)
    )


def _typed_list(part: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    def enter(x: Any) -> Any:
        from numba import typeof
        from numba.typed import List

        items = list(x) if part is None else list(map(part, x))
        if len({typeof(item) for item in items}) > 1:
            items = list(map(_in_order, items))
        out = List()
        for item in items:
            out.append(item)
        return out

    return enter


def _in_order(x: Any) -> Any:
    """Arrays with their elements in order: Numba tells other layouts apart by type."""
    if isinstance(x, tuple):
        return tuple(map(_in_order, x))
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x


def _leave(kind: Kind) -> Callable[[Any], Any] | None:
    """Puts a value of this kind together from what the compiled function returned."""
    match kind:
        case Dict():
            struct = Struct("dict", keys=tuple(k for k, _ in kind.items))
            return _together(struct, [_leave(k) for _, k in kind.items])
        case Record():
            struct = Struct("record", keys=tuple(k for k, _ in kind.fields), cls=kind.cls)
            return _together(struct, [_leave(k) for _, k in kind.fields])
        case FixedList() if isinstance(tupled(kind), Tuple):
            return _together(Struct("list"), [_leave(k) for k in kind.items])
        case Tuple():
            parts = [_leave(k) for k in kind.items]
            if kind.cls is None and not any(parts):
                return None
            return _together(Struct("tuple", cls=kind.cls), parts)
        case ListOf(elem) | FixedList((elem, *_)):
            part = None if elem is None else _leave(elem)
            return lambda x: list(x) if part is None else list(map(part, x))
        case _:
            return None


def _leave_struct(struct: Struct, kinds: Sequence[Kind]) -> Callable[[Any], Any] | None:
    match struct.form:
        case "leaf":
            return _leave(kinds[struct.index])
        case "const":
            return lambda _: struct.cls
    parts = [_leave_struct(child, kinds) for child in struct.children]
    if struct.form == "tuple" and struct.cls is None and not any(parts):
        return None
    return _together(struct, parts)


def _together(
    struct: Struct, parts: Sequence[Callable[[Any], Any] | None]
) -> Callable[[Any], Any]:
    return lambda x: rebuild(
        struct, [v if part is None else part(v) for part, v in zip(parts, x, strict=True)]
    )


def flat_out(struct: Struct) -> Struct:
    """The structure of a result with every container in it a tuple; constants become None."""
    match struct.form:
        case "leaf":
            return struct
        case "const":
            return Struct("const", cls=None)
    return Struct("tuple", tuple(map(flat_out, struct.children)))
