"""The text form of the IR: a printer, and a parser that reads it back.

In: a module. Out: text such as ::

    def f(x: float, n: int):
        y: float = for i: int in range(0, n, 1) with y: float = x:
            y.2: float = mul(y, x)
            yield False, y.2
        yield y

Values are named after the user's variables; a second value of that name is ``y.2``, a nameless
one ``%1``. Constants print as literals where they have one; any other object prints as ``@name``
and is handed to the parser by that name.
"""

from __future__ import annotations

from typing import Any

from .kinds import (
    Array,
    Dict,
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
    Undef,
    kind_of,
)
from .nodes import (
    LEAF0,
    UNDEFINED,
    Atom,
    Call,
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
from .parse import parse

__all__ = ["objects", "parse", "text"]

_WEAK = {"bool": "bool", "int64": "int", "float64": "float", "complex128": "complex"}
_LITERALS = (bool, int, float, str, bytes, type(None), type(Ellipsis))


def text(module: Module) -> str:
    """The module as text, one function after the other."""
    printer = _Printer()
    return "\n".join(printer.function(f) for f in module.functions.values())


def objects(module: Module) -> dict[str, Any]:
    """The constants and classes that ``text`` prints by name, for ``parse(text, objects)``."""
    printer = _Printer()
    for f in module.functions.values():
        printer.function(f)
    return printer.objects


class _Printer:
    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.lines: list[str] = []
        self.names: dict[Value, str] = {}
        self.counts: dict[str, int] = {}

    def function(self, f: Function) -> str:
        self.lines, self.names, self.counts = [], {}, {}
        out = "" if f.out == LEAF0 else f" -> {self.struct(f.out)}"
        mutates = "".join(f" mutates {i}:{j}" for i, j in f.mutates)
        self.lines.append(f"def {f.name}({self.binders(f.params)}){out}{mutates}:")
        self.region(f.body, 1)
        return "\n".join(self.lines) + "\n"

    # -- values -----------------------------------------------------------------------------

    def bind(self, value: Value) -> str:
        base = value.name or "%"
        count = self.counts[base] = self.counts.get(base, 0) + 1
        name = f"%{count}" if base == "%" else base if count == 1 else f"{base}.{count}"
        self.names[value] = name
        return f"{name}: {self.kind(value.kind)}"

    def binders(self, values: tuple[Value, ...]) -> str:
        return ", ".join(self.bind(v) for v in values)

    def atom(self, atom: Atom) -> str:
        if isinstance(atom, Value):
            return self.names[atom]
        if atom is UNDEFINED or isinstance(atom.kind, Undef):
            return "undef"
        shown = self.constant(atom.value)
        return shown if atom.kind == kind_of(atom.value) else f"{shown} as {self.kind(atom.kind)}"

    def constant(self, value: Any) -> str:
        cls = type(value)
        if cls is complex:
            return f"complex({value.real!r}, {value.imag!r})"
        if cls in _LITERALS:
            return repr(value)
        if cls is slice:
            return f"slice({', '.join(map(self.constant, (value.start, value.stop, value.step)))})"
        if cls is tuple:
            return f"({''.join(self.constant(v) + ', ' for v in value)})"
        if cls is list:
            return f"[{', '.join(map(self.constant, value))}]"
        if cls is dict:
            entries = (f"{self.constant(k)}: {self.constant(v)}" for k, v in value.items())
            return "{" + ", ".join(entries) + "}"
        if isinstance(value, Kind):
            return f"kind<{self.kind(value)}>"
        return self.object(value)

    def object(self, value: Any) -> str:
        base = getattr(value, "__qualname__", None) or type(value).__qualname__
        base = "".join(c if c.isalnum() or c in "_." else "_" for c in base)
        name, n = base, 1
        while self.objects.setdefault(name, value) is not value:
            n += 1
            name = f"{base}.{n}"
        return f"@{name}"

    # -- kinds ------------------------------------------------------------------------------

    def kind(self, k: Kind) -> str:
        match k:
            case Num(dtype, weak, dim):
                name = _WEAK.get(dtype) if weak else None
                shown = name or dtype + {True: "!", False: "", None: "?"}[weak]
                return shown if dim is None else f"{shown}<{self.dim(dim)}>"
            case Array(dtype, dims):
                if dims is None:
                    return f"{dtype}[...]"
                return f"{dtype}[{', '.join(map(self.dim, dims))}]"
            case Mixed(dtype):
                return f"mixed[{dtype}]"
            case Tuple(items, cls):
                named = "" if cls is None else self.object(cls)
                return f"tuple{named}[{', '.join(map(self.kind, items))}]"
            case FixedList(items):
                return f"fixed[{', '.join(map(self.kind, items))}]"
            case ListOf(elem):
                return f"list[{'' if elem is None else self.kind(elem)}]"
            case Dict(items):
                entries = (f"{self.constant(key)}: {self.kind(v)}" for key, v in items)
                return f"dict[{', '.join(entries)}]"
            case Record(cls, fields):
                entries = (f"{self.constant(key)}: {self.kind(v)}" for key, v in fields)
                return f"record{self.object(cls)}[{', '.join(entries)}]"
            case Opaque(cls) if type(k) is Opaque:
                return f"opaque{self.object(cls)}"
            case SliceOf():
                bounds = (s if s is None else self.dim(s) for s in (k.start, k.stop, k.step))
                return f"slice[{', '.join('none' if s is None else s for s in bounds)}]"
            case Undef():
                return "undef"
            case _ if type(k).__name__ == "Unknown":
                return "unknown"
            case _:
                return f"kind{self.object(k)}"

    def dim(self, d: Any) -> str:
        match d:
            case int():
                return str(d)
            case Size(not_one):
                return "+" if not_one else "_"
            case Sym(base, offset, not_one):
                shown = _path(base) or self.object(base)
                return f"{shown}{'' if not_one else '~'}{offset or ''}"
            case _:
                raise TypeError(f"{d!r} is not a size")

    # -- nodes ------------------------------------------------------------------------------

    def line(self, depth: int, content: str) -> None:
        self.lines.append("    " * depth + content)

    def region(self, region: Region, depth: int) -> None:
        for node in region.ops:
            self.node(node, depth)
        self.line(depth, f"yield {', '.join(map(self.atom, region.yields))}".rstrip())

    def node(self, node: Node, depth: int) -> None:
        at = len(self.lines)
        match node:
            case Op():
                attrs = [f"{k}={self.constant(v)}" for k, v in node.attrs.items()]
                head = f"{node.fn}({', '.join([*map(self.atom, node.args), *attrs])})"
            case Call():
                head = f"call {node.callee}({', '.join(map(self.atom, node.args))})"
            case If():
                head = f"if {self.atom(node.cond)}:"
                self.region(node.then, depth + 1)
                self.line(depth, "else:")
                self.region(node.orelse, depth + 1)
            case For():
                init = [self.atom(a) for a in node.init]
                bounds = ", ".join(map(self.atom, (node.start, node.stop, node.step)))
                index, *carried = map(self.bind, node.body.params)
                head = f"for {index} in range({bounds}){_carried(carried, init)}:"
                self.region(node.body, depth + 1)
            case While():
                init = [self.atom(a) for a in node.init]
                head = f"while{_carried([self.bind(p) for p in node.test.params], init)}:"
                self.region(node.test, depth + 1)
                self.line(depth, f"do {self.binders(node.body.params)}:")
                self.region(node.body, depth + 1)
        results = self.binders(node.results)
        head = f"{results} = {head}" if results else head
        self.lines.insert(at, "    " * depth + head)

    def struct(self, s: Struct) -> str:
        inner = ", ".join(map(self.struct, s.children))
        cls = "" if s.cls is None else self.object(s.cls)
        match s.form:
            case "leaf":
                return f"${s.index}"
            case "const":
                return f"const {self.constant(s.cls)}"
            case "dict" | "record":
                entries = (
                    f"{self.constant(k)}: {self.struct(c)}"
                    for k, c in zip(s.keys, s.children, strict=True)
                )
                return f"{s.form}{cls}[{', '.join(entries)}]"
            case form:
                return f"{form}{cls}[{inner}]"


def _carried(names: list[str], init: list[str]) -> str:
    pairs = ", ".join(f"{p} = {a}" for p, a in zip(names, init, strict=True))
    return f" with {pairs}" if pairs else ""


def _path(base: Any) -> str | None:
    """Nested ``("x", 0)`` as ``x.0``; None for what does not read back so."""
    if isinstance(base, str):
        return base if base.isidentifier() else None
    if isinstance(base, tuple) and len(base) == 2:
        outer, key = _path(base[0]), base[1]
        plain = type(key) is int and key >= 0 or isinstance(key, str) and key.isidentifier()
        return f"{outer}.{key}" if outer and plain else None
    return None
