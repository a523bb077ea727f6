"""Methods of arrays, lists, dicts, strings and numbers.

In: a receiver, a method's name and arguments. Out: a reference; mutation makes new versions.

    xs.append(v)      a list of known length grows; others: append xs v
    a.sum(axis=0)     np.sum a {axis: 0}
"""

from __future__ import annotations

import ast
import builtins
from typing import Any, TypeAlias

import numpy as np

from ..ir.kinds import INT, STR, Kind, Mixed, Num, Opaque, Tuple, Unknown
from ..ir.nodes import Const
from ..rules.optional import is_distribution
from ..rules.registry import array_method, lookup
from . import (
    array_methods,
    draws,
    indexing,
    iteration,
    lower_calls,
    lower_expr,
    optional,
    primitives,
    scipy_calls,
    tables,
)
from .contents import Data, Entries, Fields, Items, Table
from .context import Lowerer
from .describe import describe_ref
from .refs import ArrayRef, Fetch, HeapRef, IterRef, PartialRef, Ref, Static, TupleRef, Val

Args: TypeAlias = list[Ref]
Kwargs: TypeAlias = dict[str, Ref]


def call(cx: Lowerer, receiver: Ref, name: str, args: Args, kwargs: Kwargs) -> Ref:
    """``receiver.name(*args, **kwargs)``."""
    receiver = optional.present(cx, receiver)
    rng = draws.generator(cx, receiver)
    if rng is not None:
        return draws.method(cx, rng, name, args, kwargs)
    match receiver:
        case ArrayRef():
            return array_methods.call(cx, receiver, name, args, kwargs)
        case HeapRef():
            content = cx.content(receiver)
            match content:
                case Items() | Data():
                    return _list(cx, receiver, name, args, kwargs)
                case Entries():
                    return _dict(cx, receiver, content, name, args, kwargs)
                case Table():
                    return tables.method(cx, receiver, name, args, kwargs)
                case Fields():
                    from .attributes import attribute

                    return lower_calls.apply(cx, attribute(cx, receiver, name), args, kwargs)
        case TupleRef():
            return _tuple(cx, receiver, name, args, kwargs)
        case Val():
            return _value(cx, receiver, name, args, kwargs)
        case Static():
            return _static(cx, receiver, name, args, kwargs)
        case PartialRef(func=Static(obj)) if is_distribution(obj):
            return scipy_calls.frozen_method(cx, receiver, name, args, kwargs)
    cx.fail(f"{describe_ref(receiver)} has no method '{name}' here")


# -- lists ---------------------------------------------------------------------------------------


def _list(cx: Lowerer, base: HeapRef, name: str, args: Args, kwargs: Kwargs) -> Ref:
    content = cx.content(base)
    none = cx.constant(None)
    items = content.items if isinstance(content, Items) else None
    match name:
        case "append" if isinstance(base.root.site, Fetch):
            return _log(cx, base, base.root.site, args[0])
        case "append":
            if items is not None:
                cx.set_content(base, Items((*items, args[0])))
            else:
                value = cx.atom(args[0])
                _hold_once(cx, base, args[0])
                new = cx.op("append", content.atom, value, name=base.root.label)
                cx.set_content(base, Data(new))
            return none
        case "extend":
            more = iteration.static_items(cx, args[0])
            if items is not None and more is not None:
                cx.set_content(base, Items((*items, *more)))
                return none
            from .comprehensions import to_list

            other = to_list(cx, args[0])
            data = indexing.loosen(cx, base)
            new = cx.op("extend", data.atom, cx.atom(other), name=base.root.label)
            if isinstance(other, HeapRef) and indexing.holds_memory(cx.kind(other)):
                base.root.twice |= other.root.twice
                if cx.state.may_share(base.root, other.root):
                    base.root.twice = True
                cx.state.share(base.root, other.root)
            cx.set_content(base, Data(new))
            return none
        case "insert":
            if items is not None and cx.known(args[0]):
                changed = list(items)
                changed.insert(cx.value(args[0]), args[1])
                cx.set_content(base, Items(tuple(changed)))
                return none
            data = indexing.loosen(cx, base)
            _hold_once(cx, base, args[1])
            new = cx.op(
                "insert", data.atom, cx.atom(args[0]), cx.atom(args[1]), name=base.root.label
            )
            cx.set_content(base, Data(new))
            return none
        case "pop":
            return _pop(cx, base, items, args)
        case "popleft":
            return _pop(cx, base, items, [cx.constant(0)])
        case "appendleft":
            return _list(cx, base, "insert", [cx.constant(0), args[0]], {})
        case "copy":
            if items is not None:
                return cx.new(Items(items), fresh=True)
            new_list = cx.new(Data(content.atom), fresh=True)
            if indexing.holds_memory(content.atom.kind):
                cx.state.share(new_list.root, base.root)
                new_list.root.twice = base.root.twice
            return new_list
        case "clear":
            cx.set_content(base, Items(()))
            return none
        case "reverse" if items is not None:
            cx.set_content(base, Items(items[::-1]))
            return none
        case "reverse":
            turned = cx.op("item", content.atom, Const.of(slice(None, None, -1)))
            cx.set_content(base, Data(turned))
            return none
        case "sort" if items is not None and all(map(cx.known, items)) and not kwargs:
            ordered = sorted(items, key=cx.value)
            cx.set_content(base, Items(tuple(ordered)))
            return none
        case "sort":
            from .handlers import handler

            make = handler(sorted)
            assert make is not None
            new_ref = make(cx, [base, *args], kwargs)
            assert isinstance(new_ref, HeapRef)
            cx.set_content(base, cx.content(new_ref))
            return none
        case "index" | "count" if items is not None and all(map(cx.known, (*items, args[0]))):
            return cx.constant(getattr(list(map(cx.value, items)), name)(cx.value(args[0])))
        case "index" | "count" if len(args) == 1 and not kwargs:
            at = indexing.loosen(cx, base).atom
            found = cx.op(
                "call", Const.of(getattr(builtins.list, name)), at, cx.atom(args[0]), result=INT
            )
            return Val(found)
        case "add" if isinstance(base.root.site, ast.AST) and not (
            items is not None and cx.known(args[0])
        ):
            raise tables.Tabulate(base.root.site)
        case "add" if items is not None and cx.known(args[0]):
            if cx.value(args[0]) not in map(cx.value, items):
                cx.set_content(base, Items((*items, args[0])))
            return none
    cx.fail(f"the method '.{name}()' is not supported here", "build the list with append")


def _log(cx: Lowerer, base: HeapRef, fetch: Fetch, value: Ref) -> Ref:
    """A number is appended to a captured list, which the program does not read."""
    if not _is_plain(cx.kind(value)):
        cx.check_writable(base)  # refuses it
    logged = fetch.get(cx.captures.args)
    cx.captures.logs.add(fetch)
    cx.captures.guard(fetch, logged)
    cx.ops("log", Const.of(logged.append), cx.atom(value))
    return cx.constant(None)


def _is_plain(kind: Kind) -> bool:
    if isinstance(kind, Tuple):
        return all(map(_is_plain, kind.items))
    return isinstance(kind, Num) or kind == STR


def _hold_once(cx: Lowerer, base: HeapRef, ref: Ref) -> None:
    indexing.hold(cx, base, ref)


def _pop(cx: Lowerer, base: HeapRef, items: tuple[Ref, ...] | None, args: Args) -> Ref:
    if items is not None and all(map(cx.known, args)):
        at = cx.value(args[0]) if args else -1
        changed = list(items)
        try:
            found = changed.pop(at)
        except IndexError as error:
            cx.fail(f"this raises IndexError: {error}")
        cx.set_content(base, Items(tuple(changed)))
        return found
    data = indexing.loosen(cx, base)
    rest, x = cx.ops("pop", data.atom, *map(cx.atom, args), names=(base.root.label,))
    ref = cx.ref(x)
    indexing.share_all(cx, ref, base)
    cx.check_writable(base)
    cx.state.heap[base.root] = Data(rest)
    return ref


# -- dicts, tuples -------------------------------------------------------------------------------


def _dict(
    cx: Lowerer, base: HeapRef, content: Entries, name: str, args: Args, kwargs: Kwargs
) -> Ref:
    items: dict[Any, Ref] = dict(content.items)
    key: Any
    match name:
        case "keys" | "values" | "items":
            return IterRef(name, (base,))
        case "get":
            key = tables.known_key(cx, base, args[0])
            missing = args[1] if len(args) > 1 else cx.constant(None)
            return items.get(key, missing)
        case "copy":
            return cx.new(Entries(items))
        case "update":
            if args:
                other = cx.content(args[0]) if isinstance(args[0], HeapRef) else None
                if not isinstance(other, Entries):
                    cx.fail("update() needs a dict with known keys")
                items.update(other.items)
            items.update(kwargs)
            cx.set_content(base, Entries(items))
            return cx.constant(None)
        case "setdefault":
            key = tables.known_key(cx, base, args[0])
            if key not in items:
                items[key] = args[1] if len(args) > 1 else cx.constant(None)
                cx.set_content(base, Entries(items))
            return items[key]
        case "pop":
            key = tables.known_key(cx, base, args[0])
            if key not in items:
                if len(args) > 1:
                    return args[1]
                cx.fail(f"this raises KeyError: {key!r}")
            found = items.pop(key)
            cx.set_content(base, Entries(items))
            return found
        case "clear":
            cx.set_content(base, Entries({}))
            return cx.constant(None)
    cx.fail(f"the dict method '.{name}()' is not supported")


def _tuple(cx: Lowerer, base: TupleRef, name: str, args: Args, kwargs: Kwargs) -> Ref:
    if base.cls is not None:
        fields = base.cls._fields  # type: ignore[attr-defined]
        if name == "_replace":
            items = dict(zip(fields, base.items, strict=True)) | kwargs
            return TupleRef(tuple(items[f] for f in fields), base.cls)
        if name == "_asdict":
            return cx.new(Entries(dict(zip(fields, base.items, strict=True))))
    if name in ("index", "count") and cx.known(base) and cx.known(args[0]):
        return cx.constant(getattr(cx.value(base), name)(cx.value(args[0])))
    cx.fail(f"the method '.{name}()' is not supported here")


# -- values --------------------------------------------------------------------------------------


def _value(cx: Lowerer, base: Val, name: str, args: Args, kwargs: Kwargs) -> Ref:
    kind = base.kind
    if isinstance(base.atom, Const) and all(map(cx.known, [*args, *kwargs.values()])):
        value = base.atom.value
        if isinstance(value, str | bytes | int | tuple):
            given = {k: cx.value(v) for k, v in kwargs.items()}
            try:
                result = getattr(value, name)(*map(cx.value, args), **given)
            except Exception as error:
                cx.fail(f"this raises {type(error).__name__}: {error}")
            if isinstance(result, list):
                return cx.new(Items(tuple(map(cx.constant, result))))
            return cx.constant(result)
    if isinstance(kind, Opaque) and kind.cls is str:
        if name == "format" and isinstance(base.atom, Const) and not kwargs:
            atoms = [lower_expr.printable(cx, a) for a in args]
            return Val(cx.op("format", *atoms, template=base.atom.value))
        if name == "join":
            from .comprehensions import to_list

            return Val(
                cx.op(
                    "call",
                    Const.of(str.join),
                    base.atom,
                    cx.atom(to_list(cx, args[0])),
                    result=kind,
                )
            )
        method = getattr(str, name, None)
        if method is not None:
            return Val(
                cx.op("call", Const.of(method), base.atom, *map(cx.atom, args), result=kind)
            )
    if isinstance(kind, Num):
        return _number(cx, base, name, args, kwargs)
    if isinstance(kind, Unknown | Mixed):
        record = array_method(name)
        if record is not None:
            return primitives.call(cx, record, [base, *args], kwargs)
    cx.fail(f"the method '.{name}()' of {describe_ref(base)} is not supported")


def _number(cx: Lowerer, base: Val, name: str, args: Args, kwargs: Kwargs) -> Ref:
    assert isinstance(base.kind, Num)
    match name:
        case "item":
            return array_methods.python_number(cx, base)
        case "copy" | "__float__" | "squeeze" | "ravel" if name == "copy":
            return base
        case "conjugate" | "conj" if base.kind.dtype[0] != "c":
            return base
        case "astype":
            dtype = np.dtype(cx.static(args[0], "the dtype of astype"))
            return cx.ref(cx.op("cast", base.atom, like=dtype.name))
        case "tolist":
            return array_methods.python_number(cx, base)
        case "is_integer":
            return Val(cx.op("eq", cx.op("mod", base.atom, Const.of(1)), Const.of(0)))
    record = array_method(name) or lookup(getattr(np, name, None))
    if record is None:
        cx.fail(f"the method '.{name}()' of a number is not supported")
    return primitives.call(cx, record, [base, *args], kwargs)


# -- methods of constants ------------------------------------------------------------------------


def _static(cx: Lowerer, base: Static, name: str, args: Args, kwargs: Kwargs) -> Ref:
    obj = getattr(base.obj, name)
    return lower_calls.apply(cx, Static(obj), args, kwargs)
