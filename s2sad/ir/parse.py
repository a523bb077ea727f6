"""The parser of the IR's text form (see ``text``).

In: text, and the objects it mentions as ``@name``. Out: a module. Spans and origins are not part
of the text.

    parse("def f(x: float):\\n    y: float = mul(x, x)\\n    yield y\\n")
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from .kinds import (
    UNDEF,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Size,
    SliceOf,
    Sym,
    Tuple,
)
from .nodes import (
    LEAF0,
    UNDEFINED,
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Struct,
    Value,
    While,
)

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*")
    | (?P<number>\d[\w.]*(?:(?<=[eE])[+-]\d+)?j?)
    | (?P<object>@[\w.]+)
    | (?P<name>(?:%|[^\W\d])[\w.]*)
    | (?P<mark>->|.)
    )""",
    re.VERBOSE,
)
_PYTHON = {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128"}


def parse(source: str, objects: Mapping[str, Any] | None = None) -> Module:
    """The module the text describes; raises SyntaxError naming the line it cannot read."""
    lines = [line for line in source.splitlines() if line.strip()]
    functions: dict[str, Function] = {}
    at = 0
    while at < len(lines):
        reader = _Reader(lines, at, objects or {})
        function = reader.function()
        functions[function.name] = function
        at = reader.at
    return Module(functions)


class _Reader:
    def __init__(self, lines: list[str], at: int, objects: Mapping[str, Any]) -> None:
        self.lines = lines
        self.at = at
        self.objects = objects
        self.values: dict[str, Value] = {}
        self.tokens: list[tuple[str, str]] = []
        self.position = 0

    # -- tokens -----------------------------------------------------------------------------

    def open_line(self) -> None:
        line = self.lines[self.at]
        self.tokens = [(m.lastgroup or "", m[m.lastgroup or 0]) for m in _TOKEN.finditer(line)]
        self.tokens = [t for t in self.tokens if t[1].strip()]
        self.position = 0
        self.at += 1

    def peek(self, ahead: int = 0) -> str:
        n = self.position + ahead
        return self.tokens[n][1] if n < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        found = self.peek()
        if wanted is not None and found != wanted:
            raise SyntaxError(f"{wanted!r} expected, not {found!r}: {self.lines[self.at - 1]}")
        self.position += 1
        return found

    def taken(self, mark: str) -> bool:
        if self.peek() != mark:
            return False
        self.position += 1
        return True

    def many(self, close: str, one: Any) -> list[Any]:
        """Comma-separated parts up to a closing mark, which is taken."""
        parts = []
        while not self.taken(close):
            parts.append(one())
            self.taken(",")
        return parts

    # -- functions and nodes ----------------------------------------------------------------

    def function(self) -> Function:
        self.open_line()
        self.take("def")
        name = self.take()
        self.take("(")
        params = self.many(")", self.binder)
        out = self.struct() if self.taken("->") else LEAF0
        mutates = []
        while self.taken("mutates"):
            index = int(self.take())
            self.take(":")
            mutates.append((index, int(self.take())))
        body = self.region((), 1)
        return Function(name, tuple(params), body, out, tuple(mutates))

    def region(self, params: tuple[Value, ...], depth: int) -> Region:
        nodes: list[Node] = []
        while True:
            self.open_line()
            if self.taken("yield"):
                yields = []
                while self.peek():
                    yields.append(self.atom())
                    self.taken(",")
                return Region(params, tuple(nodes), tuple(yields))
            nodes.append(self.node(depth))

    def node(self, depth: int) -> Node:
        pending: list[tuple[str, Kind]] = []
        if self.peek(1) == ":" and self.peek() != "else":
            while not self.taken("="):
                name = self.take()
                self.take(":")
                pending.append((name, self.kind()))
                self.taken(",")
        if self.taken("if"):
            cond = self.atom()
            then = self.region((), depth + 1)
            self.open_line()
            self.take("else")
            orelse = self.region((), depth + 1)
            return If(self.bind(pending), cond, then, orelse)
        if self.taken("for"):
            index = self.binder()
            self.take("in")
            self.take("range")
            self.take("(")
            start, stop, step = self.many(")", self.atom)
            params, init = self.carried()
            body = self.region((index, *params), depth + 1)
            return For(self.bind(pending), start, stop, step, init, body)
        if self.taken("while"):
            params, init = self.carried()
            test = self.region(params, depth + 1)
            self.open_line()
            self.take("do")
            body = self.region(tuple(self.many(":", self.binder)), depth + 1)
            return While(self.bind(pending), init, test, body)
        is_call = self.peek() == "call" and self.peek(1) != "("
        if is_call:
            self.take()
        name = self.take()
        self.take("(")
        args: list[Atom] = []
        attrs: dict[str, Any] = {}
        while not self.taken(")"):
            if self.peek(1) == "=":
                key = self.take()
                self.take("=")
                attrs[key] = self.constant()
            else:
                args.append(self.atom())
            self.taken(",")
        if is_call:
            return Call(self.bind(pending), name, tuple(args))
        return Op(self.bind(pending), name, tuple(args), attrs)

    def carried(self) -> tuple[tuple[Value, ...], tuple[Atom, ...]]:
        params, init = [], []
        if self.taken("with"):
            while not self.taken(":"):
                params.append(self.binder())
                self.take("=")
                init.append(self.atom())
                self.taken(",")
        return tuple(params), tuple(init)

    # -- values and constants ---------------------------------------------------------------

    def bind(self, pending: list[tuple[str, Kind]]) -> tuple[Value, ...]:
        return tuple(self.value(name, kind) for name, kind in pending)

    def value(self, name: str, kind: Kind) -> Value:
        plain = None if name.startswith("%") else name.split(".", maxsplit=1)[0]
        self.values[name] = value = Value(kind, plain)
        return value

    def binder(self) -> Value:
        name = self.take()
        self.take(":")
        return self.value(name, self.kind())

    def atom(self) -> Atom:
        token = self.peek()
        if token in self.values and self.peek(1) != "(":
            self.take()
            return self.values[token]
        if self.taken("undef"):
            return UNDEFINED
        value = self.constant()
        return Const(value, self.kind()) if self.taken("as") else Const.of(value)

    def constant(self) -> Any:
        kind, token = self.tokens[self.position]
        self.position += 1
        if token == "(":
            return tuple(self.many(")", self.constant))
        if token == "[":
            return self.many("]", self.constant)
        if token == "{":
            return dict(self.many("}", self.entry))
        if token == "-":
            return -self.constant()
        if token in ("slice", "complex"):
            self.take("(")
            parts = self.many(")", self.constant)
            return slice(*parts) if token == "slice" else complex(*parts)
        if token == "kind" and self.taken("<"):
            found = self.kind()
            self.take(">")
            return found
        if kind == "object":
            return self.objects[token[1:]]
        if token in ("inf", "nan"):
            return float(token)
        if kind == "name":
            return {"True": True, "False": False, "None": None, "Ellipsis": ...}[token]
        return ast.literal_eval(token)

    def entry(self) -> tuple[Any, Any]:
        key = self.constant()
        self.take(":")
        return key, self.constant()

    # -- kinds and structures ---------------------------------------------------------------

    def kind(self) -> Kind:
        name = self.take()
        found: Any = self.objects[self.take()[1:]] if self.peek().startswith("@") else None
        match name:
            case "undef":
                return UNDEF
            case "unknown":
                return UNKNOWN
            case "opaque":
                return Opaque(found)
            case "kind":
                assert isinstance(found, Kind)
                return found
            case "slice":
                self.take("[")
                return SliceOf(slice, *self.many("]", self.bound))
            case "mixed":
                self.take("[")
                dtype = self.take()
                self.take("]")
                return Mixed(dtype)
            case "tuple" | "fixed" | "list" | "dict" | "record":
                self.take("[")
                if name in ("dict", "record"):
                    entries = tuple(self.many("]", self.kind_entry))
                    return Dict(entries) if name == "dict" else Record(found, entries)
                kinds = tuple(self.many("]", self.kind))
                if name == "list":
                    return ListOf(kinds[0] if kinds else None)
                return Tuple(kinds, found) if name == "tuple" else FixedList(kinds)
        if self.taken("["):
            if self.peek() == ".":
                self.many("]", self.take)
                return Array(name, None)
            return Array(name, tuple(self.many("]", self.dim)))
        weak: bool | None = name in _PYTHON
        if self.taken("?"):
            weak = None
        elif self.taken("!"):
            weak = True
        dim = None
        if self.taken("<"):
            dim = self.dim()
            self.take(">")
        return Num(_PYTHON.get(name, name) if weak else name, weak, dim)

    def kind_entry(self) -> tuple[Any, Kind]:
        key = self.constant()
        self.take(":")
        return key, self.kind()

    def bound(self) -> Dim | None:
        """A bound of a slice."""
        if self.taken("none"):
            return None
        if self.taken("-"):
            return -int(self.take())
        return self.dim()

    def dim(self) -> Dim:
        kind, token = self.tokens[self.position]
        self.position += 1
        if token in "+_":
            return Size(token == "+")
        if kind == "number":
            return int(token)
        base: Any
        if kind == "object":
            base = self.objects[token[1:]]
        else:
            first, *rest = token.split(".")
            base = first
            for part in rest:
                base = (base, int(part) if part.isdigit() else part)
        not_one = not self.taken("~")
        offset = 0
        if self.taken("-"):
            offset = -int(self.take())
        elif self.peek().isdigit():
            offset = int(self.take())
        return Sym(base, offset, not_one)

    def struct(self) -> Struct:
        if self.taken("$"):
            return Struct("leaf", index=int(self.take()))
        form = self.take()
        if form == "const":
            return Struct("const", cls=self.constant())
        cls = self.objects[self.take()[1:]] if self.peek().startswith("@") else None
        self.take("[")
        if form in ("dict", "record"):
            entries = self.many("]", self.struct_entry)
            keys = tuple(k for k, _ in entries)
            return Struct(form, tuple(c for _, c in entries), keys, cls)
        return Struct(form, tuple(self.many("]", self.struct)), cls=cls)

    def struct_entry(self) -> tuple[Any, Struct]:
        key = self.constant()
        self.take(":")
        return key, self.struct()
