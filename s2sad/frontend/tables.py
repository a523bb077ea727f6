"""Dicts whose keys only the run knows: a dict of positions, and a list of values.

In: references to such a dict and to keys. Out: what the operations of a dict mean for the two: the
values are a list like any other, so that everything known about lists holds for them, and the
positions carry no derivative. The keys are a list of their own, which goes where nobody asks.

    d[k] = v      if k in at: values[at[k]] = v
                  else: at[k] = len(at); keys.append(k); values.append(v)
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..ir.kinds import NONE, FixedList, Kind, ListOf
from ..ir.nodes import Atom, Const
from . import indexing, lower_calls, storing
from .captures import Respecialise
from .contents import Data, Entries, Items, Table
from .position import Refuse, Unreachable
from .refs import HeapRef, IterRef, Ref, Static, Val

if TYPE_CHECKING:
    from .context import Lowerer


class Tabulate(Exception):
    """A dict made at ``site`` is given a key that only the run knows: lower again, as a table."""

    def __init__(self, site: Any) -> None:
        super().__init__(site)
        self.site = site


def known_key(cx: Lowerer, base: HeapRef, key: Ref) -> Any:
    """The key of a dict of known keys; raises `Tabulate` where it is not known now."""
    try:
        return cx.static(key, "a key")
    except Respecialise:
        if base.root.site is not None and isinstance(key, Val):
            raise Tabulate(base.root.site) from None
        raise
    except Refuse:
        if base.root.site is None:
            raise
        raise Tabulate(base.root.site) from None


def made_at(cx: Lowerer, site: Any, content: Entries, default: Ref | None = None) -> HeapRef:
    """A dict made at a place of the program: a table where it has to be one."""
    if site not in cx.tables and default is None:
        ref = cx.new(content, fresh=True)
        ref.root.site = site
        return ref
    ref = cx.new(of_entries(cx, Entries({}), default), fresh=True)
    for key, value in content.items.items():
        store(cx, ref, cx.constant(key), value)
    return ref


def of_entries(cx: Lowerer, content: Entries, default: Ref | None = None) -> Table:
    """A table with the entries of a dict of known keys."""
    at = cx.new(Data(cx.op("positions", *[Const.of(k) for k in content.items])), fresh=True)
    keys = cx.new(Items(tuple(map(cx.constant, content.items))), fresh=True)
    values = cx.new(Items(tuple(content.items.values())), fresh=True)
    return Table(at, keys, values, default)


def _elements(kind: Kind) -> tuple[Kind, ...]:
    match kind:
        case ListOf(elem):
            return () if elem is None else (elem,)
        case FixedList(items):
            return items
    return (kind,)


def is_set(cx: Lowerer, ref: HeapRef) -> bool:
    """Whether the keys are the elements of a set."""
    site = ref.root.site
    return isinstance(site, ast.Call | ast.Set | ast.SetComp) and all(
        kind == NONE for kind in _elements(cx.kind(table(cx, ref).values))
    )


def christen(t: Table, name: str) -> None:
    """Call the parts after the variable that the dict is bound to."""
    for ref, suffix in ((t.at, "at"), (t.keys, "keys"), (t.values, "values")):
        if ref.root.label is None:
            ref.root.label = f"{name}_{suffix}"


def table(cx: Lowerer, ref: HeapRef) -> Table:
    content = cx.content(ref)
    assert isinstance(content, Table)
    return content


def _at(cx: Lowerer, t: Table) -> Atom:
    content = cx.content(t.at)
    assert isinstance(content, Data)
    return content.atom


def has(cx: Lowerer, ref: HeapRef, key: Ref) -> Atom:
    """``key in d``."""
    return cx.op("in", cx.atom(key), _at(cx, table(cx, ref)))


def size(cx: Lowerer, ref: HeapRef) -> Atom:
    return cx.op("len", _at(cx, table(cx, ref)))


def lookup(cx: Lowerer, ref: HeapRef, key: Ref) -> Ref:
    """``d[key]``; a missing key raises KeyError, or has the default of a defaultdict."""
    t = table(cx, ref)
    if t.default is not None:
        default = t.default
        cx.branch(has(cx, ref, key), lambda: None, lambda: _add(cx, ref, key, _made(cx, default)))
    return _element(cx, t, key)


def _made(cx: Lowerer, default: Ref) -> Ref:
    """What the function of a defaultdict makes."""
    if isinstance(default, Static) and default.obj in (bool, int, float, complex):
        return cx.constant(default.obj())
    return lower_calls.apply(cx, default, [], {})


def _element(cx: Lowerer, t: Table, key: Ref) -> Ref:
    held = cx.kind(t.values)
    if _keys_of(cx, t) == [] or held == ListOf(None):  # nothing is ever stored
        cx.ops("raise", Const.of(KeyError), cx.atom(key))
        raise Unreachable
    place = cx.op("item", _at(cx, t), cx.atom(key))
    return indexing.item(cx, t.values, Val(place))


def store(cx: Lowerer, ref: HeapRef, key: Ref, value: Ref) -> None:
    """``d[key] = value``."""
    cx.check_writable(ref)
    t = table(cx, ref)

    def replace() -> None:
        place = cx.op("item", _at(cx, t), cx.atom(key))
        storing.set_item(cx, t.values, Val(place), value)

    known = _keys_of(cx, t)
    if known is not None and cx.known(key):
        if cx.value(key) in known:
            replace()
        else:
            _add(cx, ref, key, value)
        return
    if known == []:
        _add(cx, ref, key, value)
        return
    cx.branch(has(cx, ref, key), replace, lambda: _add(cx, ref, key, value))


def _keys_of(cx: Lowerer, t: Table) -> list[Any] | None:
    """The keys, while all of them are known."""
    at = _at(cx, t)
    made = cx.b.definition.get(at)  # type: ignore[arg-type]
    if made is not None and made.fn == "positions":
        return [a.value for a in made.args if isinstance(a, Const)]
    return None


def _add(cx: Lowerer, ref: HeapRef, key: Ref, value: Ref) -> None:
    t = table(cx, ref)
    at = _at(cx, t)
    new = cx.op("setitem", at, cx.atom(key), cx.op("len", at), name=t.at.root.label)
    lower_calls.method(cx, t.keys, "append", [key], {})
    lower_calls.method(cx, t.values, "append", [value], {})
    cx.store(t.at.root, Data(new))


def delete(cx: Lowerer, ref: HeapRef, key: Ref) -> Ref:
    """``del d[key]``: what was there."""
    cx.check_writable(ref)
    t = table(cx, ref)
    at = _at(cx, t)
    place = cx.op("item", at, cx.atom(key))
    lower_calls.method(cx, t.keys, "pop", [Val(place)], {})
    found = lower_calls.method(cx, t.values, "pop", [Val(place)], {})
    cx.store(t.at.root, Data(cx.op("without", at, cx.atom(key))))
    return found


def drop(cx: Lowerer, ref: HeapRef, key: Ref) -> None:
    """Delete a key, whatever was there."""
    delete(cx, ref, key)


def view(cx: Lowerer, ref: HeapRef, form: str) -> Ref:
    """What ``d.keys()``, ``d.values()`` or ``d.items()`` goes through."""
    t = table(cx, ref)
    if form == "items":
        return IterRef("zip", (t.keys, t.values), False)
    return t.keys if form == "keys" else t.values


def method(cx: Lowerer, ref: HeapRef, name: str, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """``d.name(*args)``."""
    none = cx.constant(None)

    def chosen(missing: Callable[[], Ref], there: Callable[[], Ref]) -> Ref:
        found = cx.branch(has(cx, ref, args[0]), there, missing)
        assert found is not None
        return found

    match name:
        case "add":
            cx.branch(has(cx, ref, args[0]), lambda: None, lambda: _add(cx, ref, args[0], none))
            return none
        case "remove":
            delete(cx, ref, args[0])
            return none
        case "discard":
            cx.branch(has(cx, ref, args[0]), lambda: drop(cx, ref, args[0]), lambda: None)
            return none
        case "keys" | "values" | "items":
            return view(cx, ref, name)
        case "get":
            default = args[1] if len(args) > 1 else none
            return chosen(lambda: default, lambda: _element(cx, table(cx, ref), args[0]))
        case "setdefault":
            default = args[1] if len(args) > 1 else none
            cx.branch(has(cx, ref, args[0]), lambda: None, lambda: _add(cx, ref, args[0], default))
            return _element(cx, table(cx, ref), args[0])
        case "pop" if len(args) == 1:
            return delete(cx, ref, args[0])
        case "pop":
            return chosen(lambda: args[1], lambda: delete(cx, ref, args[0]))
        case "update" if args and isinstance(args[0], HeapRef) and not kwargs:
            other = cx.content(args[0])
            if isinstance(other, Entries):
                for key, value in other.items.items():
                    store(cx, ref, cx.constant(key), value)
                return none
        case "copy":
            t = table(cx, ref)
            at = cx.new(Data(cx.op("copy", _at(cx, t))), fresh=True)
            keys, values = (lower_calls.method(cx, r, "copy", [], {}) for r in (t.keys, t.values))
            assert isinstance(keys, HeapRef)
            assert isinstance(values, HeapRef)
            return cx.new(Table(at, keys, values, t.default), fresh=True)
        case "clear":
            t = table(cx, ref)
            cx.store(t.at.root, Data(cx.op("positions")))
            lower_calls.method(cx, t.keys, "clear", [], {})
            return lower_calls.method(cx, t.values, "clear", [], {})
    cx.fail(f"the method '.{name}()' of a dict whose keys only the run knows is not supported")
