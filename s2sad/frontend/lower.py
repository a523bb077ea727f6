"""Lowering: from a Python function to structured SSA, specialised by the kinds of its arguments.

In: a function, the kinds and values of its parameters. Out: a ``Lowered``: the module, the
captured values it takes as hidden parameters, the guards under which it may be used again, and
which parameters it writes.

    def f(x):                     f(x: float):
        y = x * x                   y = mul x x
        return y                    return y

The frontend is an abstract interpreter: it walks the syntax tree once per signature with
references in place of values (`refs`), keeps what every name and root stands for (`state`), and
writes value-semantic nodes as it goes. Loops are walked until what they carry is stable (`loops`).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..controls import custom_rule
from ..errors import Problem, Problems, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import Array, Kind, ListOf, Mixed, Num, Opaque, kind_of
from ..ir.nodes import (
    FALSE,
    Atom,
    Const,
    Function,
    Module,
    Op,
    Region,
    Struct,
    Value,
    free_values,
    walk,
)
from ..rules.draws import GENERATORS
from ..rules.layout import copy_in_layout
from ..rules.registry import KindError
from . import custom, inlining, recursion, results
from .captures import Capture, Captures, Guard, Respecialise
from .contents import Data, Entries, Fields, Items
from .context import Lowerer
from .position import NeedsUnrolling, Refuse, Unreachable
from .prune import prune
from .refs import ArrayRef, Fetch, Frame, HeapRef, Ref, Root, Static, TupleRef, Val
from .source import Source, find_source
from .tables import Tabulate


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """A function in SSA and what it depends on.

    ``module.entry`` takes the function's parameters, then the captures in their order.
    ``mutated`` are indices of the parameters it writes; they are copied on entry.
    """

    module: Module
    captures: tuple[Capture, ...]
    guards: tuple[Guard, ...]
    mutated: frozenset[int]
    source: Source


def lower(
    f: Callable[..., Any],
    kinds: Sequence[Kind] | None = None,
    args: Sequence[Any] = (),
    *,
    aliases: Sequence[Sequence[int]] = (),
) -> Lowered:
    """Lower ``f`` for parameters of these kinds.

    ``kinds`` and ``args`` have one entry per parameter in the order of the signature, a tuple for
    ``*args`` and a dict for ``**kwargs``. ``aliases`` are groups of parameters that are one array.
    Raises `UnsupportedError` with everything that is wrong.

    >>> def square(x):
    ...     return x * x
    >>> len(lower(square, None, (2.0,)).module.entry.body.ops)
    1
    """
    source = find_source(f)
    if kinds is None:
        names = parameters(source)
        kinds = [kind_of(a, n) for a, n in zip(args, names, strict=True)]
    frozen: set[Fetch] = set()
    tables: frozenset[Any] = frozenset()
    while True:
        try:
            entry = _Entry(f, source, tuple(kinds), tuple(args), aliases, frozen)
            entry.cx.tables = tables
            return entry.lower()
        except Respecialise as again:
            frozen = {*frozen, again.fetch}
        except Tabulate as again:
            tables = tables | {again.site}


def parameters(source: Source) -> list[str]:
    """The names of all parameters, in the order of the signature."""
    a = source.node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    if a.vararg is not None:
        names.append(a.vararg.arg)
    names += [p.arg for p in a.kwonlyargs]
    if a.kwarg is not None:
        names.append(a.kwarg.arg)
    return names


class _Entry:
    """One lowering of the entry function."""

    def __init__(
        self,
        f: Callable[..., Any],
        source: Source,
        kinds: tuple[Kind, ...],
        args: tuple[Any, ...],
        aliases: Sequence[Sequence[int]],
        frozen: set[Fetch],
    ) -> None:
        self.f, self.source, self.kinds, self.args = f, source, kinds, args
        self.group = {i: min(g) for g in aliases for i in g}
        self.frozen = frozen
        self.captures = Captures(frozen, args)
        self.cx = Lowerer(self.captures)
        self.params: list[Value] = []
        #: (parameter, the value of its array or list at entry, its root's content)
        self.entries: list[tuple[int, Value]] = []

    def lower(self) -> Lowered:
        cx = self.cx
        names = parameters(self.source)
        bound: dict[str, Ref] = {}
        given = dict(self.source.bound_keywords)
        receivers = self.source.bound_args
        if len(self.kinds) < len(names) and len(self.kinds) + len(receivers) == len(names):
            bound.update(
                {
                    n: cx.captures.ref(Fetch.of("object", v, n), v)
                    for n, v in zip(names, receivers, strict=False)
                }
            )
        rest = [n for n in names if n not in bound]
        frame = Frame(self.source, self.source.node, None)
        cx.frame = frame
        cx.node = self.source.node
        cx.state.frames[frame] = bound
        first: dict[int, Ref] = {}
        for i, (name, kind) in enumerate(zip(rest, self.kinds, strict=True)):
            if name in given:
                continue
            param = Value(kind, name)
            self.params.append(param)
            twin = first.get(self.group.get(i, i))
            bound[name] = twin if twin is not None else self.parameter(i, param)
            first.setdefault(self.group.get(i, i), bound[name])
        bound["$ret"] = Val(FALSE)
        cx.stack.append(self.source.code)
        problem: Problem | None = None
        result: Ref | None = None
        try:
            result = self.body(frame, bound)
        except NeedsUnrolling as error:
            problem = error.refuse.problem
        except Unreachable:
            problem = Problem("this function never returns", cx.span(self.source.node))
        except Refuse as error:
            problem = error.problem
        except KindError as error:  # pragma: no cover - a rule raised outside of an op
            problem = Problem(str(error), cx.span())
        if problem is not None:
            cx.problems.append(problem)
        self.report()
        if result is None:
            raise UnsupportedError(Problem("this function cannot be lowered", self.source.span()))
        out, leaves = self.result(result)
        self.report()
        return self.finish(out, leaves)

    def body(self, frame: Frame, bound: dict[str, Ref]) -> Ref:
        """Lower the entry's body, or a call of it where it is recursive."""
        cx, source = self.cx, self.source
        key = source.code
        args = {n: r for n, r in bound.items() if n != "$ret"}

        if custom_rule(source.function) is not None:
            positional, keywords = _as_call(source, args, cx)
            return custom.call(cx, source.function, positional, keywords)

        def called() -> Ref:
            positional, keywords = _as_call(source, args, cx)
            return recursion.call(
                cx, source.function, source, source.node, None, positional, keywords
            )

        return recursion.guarded(cx, key, lambda: inlining.function_body(cx, source.node), called)

    def report(self) -> None:
        problems = Problems()
        for p in self.cx.problems:
            problems.add(p.span, p.message, p.help)
        problems.raise_if_any()

    def parameter(self, i: int, param: Value) -> Ref:
        """The reference to a parameter; arrays get a value of their own, so that they can be
        copied on entry if it turns out that they are written.
        """
        value = self.args[i] if i < len(self.args) else None
        fetch = Fetch.of("param", i, param.name)
        return self._param(i, param, fetch, value, i < len(self.args))

    def _param(self, i: int, value: Value, fetch: Fetch, obj: Any, known: bool) -> Ref:
        cx, kind = self.cx, value.kind
        match kind:
            case Num():
                if known and fetch in self.frozen:
                    cx.captures.guard(fetch, obj, "eq")
                    return cx.constant(obj)
                if known and kind.dtype[0] in "iub":
                    cx.captures.origin[value] = fetch
                return Val(value)
            case Array() | Mixed() | ListOf():
                inner = Value(kind, value.name)
                if value in self.params:
                    self.params[self.params.index(value)] = inner
                cx.given.add(inner)
                root = Root(value.name, param=i)
                cx.state.heap[root] = Data(inner if value not in cx.b.definition else value)
                if value not in cx.b.definition:
                    self.entries.append((i, inner))
                ref: Ref = HeapRef(root) if isinstance(kind, ListOf) else ArrayRef(root)
                return ref
            case Opaque():
                if not known or isinstance(obj, GENERATORS):
                    return Val(value)
                if isinstance(obj, str | bytes | type(None) | type(...)):
                    cx.captures.guard(fetch, obj, "eq")
                    return Val(Const.of(obj))
                cx.captures.guard(fetch, obj)
                return Static(obj, fetch)
        return self._structure(i, value, fetch, obj, known)

    def _structure(self, i: int, value: Value, fetch: Fetch, obj: Any, known: bool) -> Ref:
        """References to the parts of a tuple, list, dict or record: read on entry."""
        from ..ir.kinds import Dict, FixedList, Record, Tuple

        cx = self.cx

        def part(key: Any, name: str | None = None) -> Ref:
            item = cx.op("item", value, Const.of(key), name=name or _part_name(key))
            assert isinstance(item, Value)
            called = value.name or value.hint
            if isinstance(key, int) and called is not None:
                object.__setattr__(item, "hint", f"{called}_{key}")
            inner = obj[key] if known else None
            return self._param(i, item, fetch.sub(("item", key)), inner, known)

        def field(name: str) -> Ref:
            item = cx.attr(value, name)
            assert isinstance(item, Value)
            inner = getattr(obj, name) if known else None
            return self._param(i, item, fetch.sub(name), inner, known)

        match value.kind:
            case Tuple(items, cls):
                fields = getattr(cls, "_fields", (None,) * len(items))
                return TupleRef(tuple(part(n, fields[n]) for n in range(len(items))), cls)
            case FixedList(items):
                return self._heap(i, Items(tuple(part(n) for n in range(len(items)))), value)
            case Dict(entries):
                return self._heap(i, Entries({k: part(k) for k, _ in entries}), value)
            case Record(cls, fields):
                return self._heap(i, Fields(cls, {n: field(n) for n, _ in fields}), value)
        return Val(value)

    def _heap(self, i: int, content: Any, value: Value) -> Ref:
        root = Root(value.name, param=i)
        self.cx.state.heap[root] = content
        return HeapRef(root)

    def result(self, ref: Ref) -> tuple[Struct, list[Atom]]:
        """The leaves of the returned object and how they are put together."""
        leaves: list[Atom] = []
        try:
            out = results.take_apart(self.cx, ref, leaves)
        except Refuse as error:
            if error.problem is not None:
                self.cx.problems.append(error.problem)
            out = Struct("const")
        return out, leaves

    def finish(self, out: Struct, leaves: list[Atom]) -> Lowered:
        """Put parameters, captured items, copies on entry and the body together."""
        cx = self.cx
        params = list(self.params)
        copies = Builder()
        lowered = Region((), tuple(cx.b.nodes), ())
        asks = any(isinstance(n, Op) and n.fn == "is_view" for n in walk(lowered))
        for i, inner in self.entries:
            if i in cx.mutated and inner in params:
                fresh = Value(inner.kind, inner.name)
                params[params.index(inner)] = fresh
                copies.append(Op((inner,), self._copy_of(i, inner, asks), (fresh,), {}, None))
        ops = [*self.captures.prelude.nodes, *copies.nodes, *cx.b.nodes]
        body = prune(Region((), tuple(ops), tuple(leaves)))
        captures = self.without_logs(body)
        params += [c.param for c in captures]
        name = self.source.name if self.source.name.isidentifier() else "function"
        origin = self.f if isinstance(self.f, types.FunctionType) else self.source.function
        function = Function(name, tuple(params), body, out, (), origin)
        callees = {s.name: s.function for s in cx.specs if s.function is not None}
        callees.update(cx.callees)
        callees.pop(name, None)
        return Lowered(
            Module({name: function, **callees}),
            captures,
            tuple(self.captures.guards.values()),
            frozenset(cx.mutated),
            self.source,
        )

    def without_logs(self, body: Region) -> tuple[Capture, ...]:
        """The captures but for the lists that are only appended to."""
        logs = self.captures.logs
        if logs:
            read = free_values(body)
            for c in self.captures.captures:
                if c.fetch in logs and c.param in read:
                    what = f"'{c.param.name}' is captured, and is both appended to and read"
                    problem = Problem(what, self.source.span(), "return the values instead")
                    raise UnsupportedError(problem)
        return tuple(c for c in self.captures.captures if c.fetch not in logs)

    def _copy_of(self, i: int, param: Value, asks: bool) -> str:
        """The op that copies parameter ``i`` on entry.

        Sums over a strided array round in another order than over a contiguous one, so a copy
        keeps the strides where there are any; the code then serves strided arrays alone.
        """
        value = self.args[i] if i < len(self.args) else None
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return copy_in_layout(param.kind, asks)
        contiguous = value.flags.c_contiguous
        layout = Fetch.of("param", i).sub("flags").sub("c_contiguous")
        self.cx.captures.guard(layout, contiguous, "eq")
        return "copy" if contiguous and not asks else copy_in_layout(param.kind, True)


def _as_call(
    source: Source, bound: dict[str, Ref], cx: Lowerer
) -> tuple[list[Ref], dict[str, Ref]]:
    """The arguments of a call that binds the parameters to these references."""
    a = source.node.args
    positional = inlining.positional(a, bound)
    keywords = {p.arg: bound[p.arg] for p in a.kwonlyargs}
    if a.kwarg is not None:
        more = bound[a.kwarg.arg]
        content = cx.content(more) if isinstance(more, HeapRef) else None
        if isinstance(content, Entries):
            keywords |= dict(content.items)
    return positional, keywords


def _part_name(key: Any) -> str | None:
    return key if isinstance(key, str) and key.isidentifier() else None
