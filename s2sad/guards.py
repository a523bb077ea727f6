"""Guards: the conditions under which compiled code may run, as text for a generated dispatcher.

In: a kind, and the text of an expression that gives a value. Out: conditions, cheapest first, all
of which hold exactly when ``kind_of(value)`` is that kind::

    conditions("x", Num("float64", True))          -> ["type(x) is float"]
    conditions("a", Array("float64", (n, m)))      -> ["type(a) is ndarray", "a.dtype is dtype_1",
                                                      "len(s_1 := a.shape) == 2",
                                                      "s_1[0] != 1", "s_1[1] != 1"]

The conditions may be stricter than the kind (a dtype is compared by identity): what they turn away
goes the slow way and still finds its code.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Num,
    Opaque,
    Record,
    Sym,
    Tuple,
    kind_of,
    not_one,
)

if TYPE_CHECKING:
    from .frontend.refs import Fetch

__all__ = ["Guard", "Is", "KindIs", "Names", "ValueIs", "apart", "conditions", "holds"]


@dataclass(frozen=True, slots=True, eq=False)
class KindIs:
    """The value has this kind; ``path`` names its sizes."""

    fetch: Fetch
    kind: Kind
    path: Hashable = None


@dataclass(frozen=True, slots=True, eq=False)
class Is:
    """It is this very object."""

    fetch: Fetch
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class ValueIs:
    """It has this value (and type): what was baked into the code."""

    fetch: Fetch
    value: Any

    by_value = True


Guard: TypeAlias = KindIs | Is | ValueIs


@dataclass(slots=True)
class Names:
    """Names for the objects that generated text refers to, none of them among ``taken``.

    ``scope`` are the globals the text will run under: their names stand for themselves.
    """

    taken: set[str] = field(default_factory=set)
    namespace: dict[str, Any] = field(default_factory=dict)
    scope: dict[str, Any] | None = None
    _read: set[str] = field(default_factory=set)
    _known: dict[int, str] = field(default_factory=dict)

    def fresh(self, hint: str) -> str:
        """A name that nothing has yet."""
        number = 1
        while (name := f"{hint}_{number}") in self.taken:
            number += 1
        self.taken.add(name)
        return name

    def hold(self, value: Any, hint: str) -> str:
        """The name under which the text finds ``value``; the same object has one name."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = self.fresh(hint)
            self.namespace[name] = value
        return name

    def builtin(self, function: Any) -> str:
        """The name of a builtin: its own, unless that is taken."""
        name: str = function.__name__
        if id(function) not in self._known and name not in self.taken:
            self.taken.add(name)
            self.namespace[name] = function
            self._known[id(function)] = name
        return self.hold(function, name)

    def fetch(self, fetch: Fetch, parameters: Sequence[str]) -> str:
        """The expression that does what ``fetch.get`` does."""
        match fetch.form:
            case "param":
                text: str = parameters[fetch.base]
            case "global":
                text = self.read(fetch.base, fetch.name)
            case "cell":
                text = f"{self.hold(fetch.base, 'cell')}.cell_contents"
            case "default":
                return f"{self.hold(fetch.get, 'fetch')}()"
            case _:
                text = self.hold(fetch.base, "held")
        for step in fetch.path:
            text += f"[{self.key(step[1])}]" if isinstance(step, tuple) else f".{step}"
        return text

    def read(self, scope: dict[str, Any], name: str) -> str:
        """The expression that reads a global; raises if there is none of that name."""
        if scope is self.scope and (name in self._read or name not in self.taken):
            self._read.add(name)
            self.taken.add(name)
            return name
        return f"{self.hold(scope, 'names')}[{name!r}]"

    def key(self, key: Any) -> str:
        return repr(key) if type(key) in (int, str, bool) else self.hold(key, "key")


def holds(guard: Guard, arguments: Sequence[Any]) -> bool:
    """Whether the guard holds for these arguments: what the generated text decides, slowly."""
    try:
        value = guard.fetch.get(tuple(arguments))
    except Exception:  # a name that is gone, a property that raises: the slow path will tell
        return False
    match guard:
        case KindIs():
            return bool(kind_of(value, guard.path) == guard.kind)
        case Is():
            return value is guard.value
        case ValueIs():
            return type(value) is type(guard.value) and bool(value == guard.value)


_PYTHON_TYPES = {"bool": bool, "int64": int, "float64": float, "complex128": complex}


def conditions(expression: str, kind: Kind, names: Names, path: Hashable = None) -> list[str]:
    """Conditions that the value of ``expression`` has this kind, to be joined by ``and``.

    ``expression`` is evaluated once if it is not a name.
    """
    first, x = _named(expression, names)
    type_, len_, tuple_, list_, dict_ = map(names.builtin, (type, len, tuple, list, dict))
    match kind:
        case Num(weak=True) if kind.dim is None or kind.dim == Sym(path):
            return [f"{type_}({first}) is {names.builtin(_PYTHON_TYPES[kind.dtype])}"]
        case Num(weak=False):
            return [f"{type_}({first}) is {names.hold(np.dtype(kind.dtype).type, 'scalar')}"]
        case Array() if kind.dims is not None:
            return _array_conditions(first, x, kind, names)
        case Tuple():
            cls = names.hold(kind.cls, "cls") if kind.cls else tuple_
            parts = [f"{type_}({first}) is {cls}", f"{len_}({x}) == {len(kind.items)}"]
            for i, item in enumerate(kind.items):
                parts += conditions(f"{x}[{i}]", item, names, _sub(path, i))
            return parts
        case FixedList():
            parts = [f"{type_}({first}) is {list_}", f"{len_}({x}) == {len(kind.items)}"]
            for i, item in enumerate(kind.items):
                parts += conditions(f"{x}[{i}]", item, names, _sub(path, i))
            return parts
        case ListOf(elem=None):
            return [f"{type_}({first}) is {list_}", f"not {x}"]
        case ListOf(elem=Num() as elem) if elem.weak is not None and elem.dim is None:
            if elem.weak:
                cls = names.builtin(_PYTHON_TYPES[elem.dtype])
            else:
                cls = names.hold(np.dtype(elem.dtype).type, "scalar")
            # One pass in C: as many elements of the class as there are elements.
            return [
                f"{type_}({first}) is {list_}",
                f"{{*{names.builtin(map)}({type_}, {x})}} == {{{cls}}}",
            ]
        case Dict():
            keys = names.hold([k for k, _ in kind.items], "keys")
            parts = [f"{type_}({first}) is {dict_}", f"[*{x}] == {keys}"]
            for key, item in kind.items:
                text = names.key(key)
                parts += conditions(f"{x}[{text}]", item, names, _sub(path, key))
            return parts
        case Record():
            parts = [f"{type_}({first}) is {names.hold(kind.cls, 'cls')}"]
            for name, item in kind.fields:
                parts += conditions(f"{x}.{name}", item, names, _sub(path, name))
            return parts
        case Opaque() if kind.cls is type(None):
            return [f"{expression} is None"]
        case Opaque() if not issubclass(kind.cls, np.ndarray):
            return [f"{type_}({first}) is {names.hold(kind.cls, 'cls')}"]
    # What is left is rare: arrays of objects, long lists of arrays.
    same = f"{names.hold(kind_of, 'kind_of')}({expression}, {names.hold(path, 'path')})"
    return [f"{same} == {names.hold(kind, 'kind')}"]


def _array_conditions(first: str, x: str, kind: Array, names: Names) -> list[str]:
    dims = kind.dims or ()
    ones = [d == 1 for d in dims]
    type_, len_ = names.builtin(type), names.builtin(len)
    parts = [
        f"{type_}({first}) is {names.hold(np.ndarray, 'ndarray')}",
        f"{x}.dtype is {names.hold(np.dtype(kind.dtype), 'dtype')}",
    ]
    if not all(one or not_one(d) for one, d in zip(ones, dims, strict=True)):
        raise AssertionError(f"not the kind of a value: {kind}")
    if not dims:
        return [*parts, f"not {x}.ndim"]
    if len(dims) == 1:
        return [*parts, f"{x}.ndim == 1", f"{len_}({x}) {'==' if ones[0] else '!='} 1"]
    shape = names.fresh("s")
    parts.append(f"{len_}({shape} := {x}.shape) == {len(dims)}")
    return parts + [f"{shape}[{i}] {'==' if one else '!='} 1" for i, one in enumerate(ones)]


def _named(expression: str, names: Names) -> tuple[str, str]:
    """The expression as it is written first, and the name it has from there on."""
    if expression.isidentifier():
        return expression, expression
    name = names.fresh("v")
    return f"{name} := {expression}", name


def _sub(path: Hashable, key: Hashable) -> Hashable:
    return None if path is None else (path, key)


# ------------------------------------------------------------------------------ shared memory


def apart(written: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether nothing reachable from ``written`` may share memory with anything else.

    Both are lists of arguments; an object that is in ``written`` twice is shared, too. Only the
    bounds of arrays are compared, so False may be a false alarm, True never is.
    """
    mine = [buffer for value in written for buffer in buffers(value)]
    theirs = [buffer for value in others for buffer in buffers(value)]
    return not any(may_share(a, b) for i, a in enumerate(mine) for b in (*mine[i + 1 :], *theirs))


def buffers(value: Any) -> list[Any]:
    """The arrays and mutable containers that a write through ``value`` could reach."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, (list, dict, tuple)):
        found = [] if isinstance(value, tuple) else [value]
        for part in value.values() if isinstance(value, dict) else value:
            if type(part) is not float:
                found += buffers(part)
        return found
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return [value, *(b for name in fields for b in buffers(getattr(value, name, None)))]
    return []


def may_share(a: Any, b: Any) -> bool:
    """Whether two buffers may be (parts of) one: bounds of arrays, identity of containers."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return bool(np.may_share_memory(a, b))
    return a is b


def do_share(a: Any, b: Any) -> bool:
    """The same, exactly; where that is too hard to find out, True."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        try:
            return bool(np.shares_memory(a, b, max_work=100_000))  # type: ignore[arg-type]
        except np.exceptions.TooHardError:
            return True
    return a is b
