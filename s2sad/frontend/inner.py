"""Functions defined inside the program whose derivative is taken inside the program.

In: the reference of such a function: a nested ``def``, a lambda, a partial, a method of an object
that is not known now. Out: a stand-in, a Python function with the same parameters, which
derivative objects can be made of. What asks for its SSA gets the body lowered there and then, in
the state of the program at the call; what the body reads of the program are parameters after its
own.

    def f(x): return grad(lambda y: x * y)(2.0)      stand-in: lambda y; SSA: (y, x) -> mul x y

So what is captured is an ordinary input of the derivative, and an outer derivative sees it.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Span
from ..ir.kinds import Kind, carries_derivative
from ..ir.nodes import Atom, Call, Const, Function, Module, Region, Value, free_values, walk
from . import attributes, inlining, lower_calls, results
from .contents import Data, Entries, Fields, Items
from .context import Lowerer
from .describe import describe_ref
from .position import Refuse, Unreachable
from .prune import prune
from .refs import ArrayRef, Choice, FuncRef, HeapRef, PartialRef, Ref, Static, TupleRef, Val
from .sameness import same_content, same_ref
from .source import find_source
from .state import State

__all__ = ["Inner", "inner_of", "opened", "stand_in"]


def stand_in(cx: Lowerer, func: Ref) -> types.FunctionType:
    """The function that stands for ``func``; the same one for the same reference."""
    for known, function in cx.stand_ins:
        if same_ref(known, func):
            found: types.FunctionType = function
            return found
    signature = _signature(cx, func)
    made = signature.function()
    made.__s2sad_inner__ = Inner(cx, func, signature, cx.span())  # type: ignore[attr-defined]
    cx.stand_ins.append((func, made))
    return made


def inner_of(derivative: Any) -> Inner | None:
    """What a derivative object stands on, where that is a function of the program."""
    f = derivative
    while not isinstance(f, types.FunctionType):
        f = getattr(f, "primal", None)
        if f is None:
            return None
    found = getattr(f, "__s2sad_inner__", None)
    return found if isinstance(found, Inner) else None


# -- parameters ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Signature:
    """Parameters by name, and the references of their defaults."""

    name: str
    positional: tuple[str, ...]
    only: int = 0
    variadic: str = ""
    keyword_only: tuple[str, ...] = ()
    keywords: str = ""
    defaults: Mapping[str, Ref] = field(default_factory=dict)

    def function(self) -> types.FunctionType:
        """A Python function with these parameters; its defaults are references."""

        def named(names: Sequence[str]) -> list[ast.arg]:
            return [ast.arg(n) for n in names]

        last = [n for n in self.positional if n in self.defaults]
        arguments = ast.arguments(
            posonlyargs=named(self.positional[: self.only]),
            args=named(self.positional[self.only :]),
            vararg=ast.arg(self.variadic) if self.variadic else None,
            kwonlyargs=named(self.keyword_only),
            kw_defaults=[None] * len(self.keyword_only),
            kwarg=ast.arg(self.keywords) if self.keywords else None,
            defaults=[],
        )
        tree = ast.Expression(ast.Lambda(arguments, ast.Constant(None)))
        made = eval(compile(ast.fix_missing_locations(tree), "<inner>", "eval"), {})
        assert isinstance(made, types.FunctionType)
        made.__name__ = made.__qualname__ = self.name
        made.__defaults__ = tuple(self.defaults[n] for n in last)
        made.__kwdefaults__ = {
            n: self.defaults[n] for n in self.keyword_only if n in self.defaults
        }
        return made


def _signature(cx: Lowerer, func: Ref) -> _Signature:
    match func:
        case FuncRef():
            return _of_node(cx, func, func.node, func.source)
        case Static(obj) if isinstance(obj, types.FunctionType):
            source = find_source(obj)
            return _of_node(cx, obj, source.node, source)
        case PartialRef():
            return _of_partial(_signature(cx, func.func), func)
        case Choice():
            return _signature(cx, func.first)
        case HeapRef() if isinstance(cx.content(func), Fields):
            return _signature(cx, attributes.attribute(cx, func, "__call__"))
    cx.fail(
        f"the derivative of {describe_ref(func)} cannot be taken in here",
        "wrap it in a function: lambda x: ...",
    )


def _of_node(
    cx: Lowerer,
    func: FuncRef | types.FunctionType,
    node: ast.FunctionDef | ast.Lambda,
    source: Any,
) -> _Signature:
    a = node.args
    positional = [p.arg for p in (*a.posonlyargs, *a.args)]
    name = getattr(node, "name", "<lambda>")
    given = positional[len(positional) - len(a.defaults) :]
    given += [p.arg for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d is not None]
    return _Signature(
        name,
        tuple(positional),
        len(a.posonlyargs),
        a.vararg.arg if a.vararg else "",
        tuple(p.arg for p in a.kwonlyargs),
        a.kwarg.arg if a.kwarg else "",
        {n: inlining.default(cx, func, source, positional, n, name) for n in given},
    )


def _of_partial(whole: _Signature, func: PartialRef) -> _Signature:
    """What is left of the parameters; those given by name can still be given, by name alone."""
    left = whole.positional[len(func.args) :]
    cut = next((n for n, name in enumerate(left) if name in func.kwargs), len(left))
    only = (*left[cut:], *whole.keyword_only)
    return replace(
        whole,
        positional=left[:cut],
        only=max(0, whole.only - len(func.args)),
        keyword_only=only,
        defaults={**whole.defaults, **{k: v for k, v in func.kwargs.items() if k in only}},
    )


# -- the body ------------------------------------------------------------------------------------


class Inner:
    """A function of the program that is being lowered, behind its stand-in.

    ``span`` is where its derivative is taken.
    """

    def __init__(self, cx: Lowerer, func: Ref, signature: _Signature, span: Span | None) -> None:
        self.cx = cx
        self.func = func
        self.signature = signature
        self.span = span
        #: references of the arguments, and which are differentiated
        self.calls: list[tuple[Sequence[Ref], frozenset[int]]] = []

    @contextmanager
    def called(self, refs: Sequence[Ref], wrt: frozenset[int]) -> Iterator[None]:
        """While a derivative is built for a call with these arguments."""
        self.calls.append((refs, wrt))
        try:
            yield
        finally:
            self.calls.pop()

    def lower(self, kinds: Sequence[Kind]) -> tuple[Module, tuple[int, ...]]:
        """The SSA of the function, and which of its parameters it writes to.

        The entry takes the parameters, then the values of the program that it reads.
        """
        cx = self.cx
        refs, wrt = self.calls[-1]
        names = self.names()
        refs = refs[: len(names)]  # tangents come after
        params = [Value(kind, name) for kind, name in zip(kinds, names, strict=True)]
        before, problems = cx.state, len(cx.problems)
        cx.state = before.copy()
        leaves: list[Atom] = []
        try:
            with cx.b.region() as nodes:
                try:
                    inside = [
                        opened(cx, ref, param if n in wrt else None)
                        for n, (ref, param) in enumerate(zip(refs, params, strict=True))
                    ]
                    roots = [cx.state.roots_of(ref) for ref in inside]
                    start = cx.state.copy()
                    positional, keywords = self.as_call(inside)
                    result = lower_calls.apply(cx, self.func, positional, keywords)
                    out = results.take_apart(cx, result, leaves)
                except Unreachable:
                    self.raises = list(nodes)
                    raise
            if len(cx.problems) > problems:
                raise Refuse(None)
            written = tuple(
                n
                for n, mine in enumerate(roots)
                if any(cx.state.heap.get(r) is not start.heap.get(r) for r in mine)
            )
            self.check_outside(before, cx.state)
        except Unreachable:
            for node in self.raises:
                cx.b.append(node)
            raise
        finally:
            cx.state = before
        body = prune(Region((), tuple(nodes), tuple(leaves)))
        free = [v for v in free_values(body) if v not in params]
        for n in written:
            self.check_unread(refs[n], free)
        name = self.signature.name if self.signature.name.isidentifier() else "function"
        entry = Function(name, (*params, *free), body, out)
        called = {n.callee for n in walk(body) if isinstance(n, Call)}
        callees = {s.name: s.function for s in cx.specs if s.function is not None}
        if not called <= set(callees):
            cx.fail("the derivative of a recursive function is taken inside the recursion")
        return Module({name: entry, **(callees if called else {})}), written

    def names(self) -> tuple[str, ...]:
        """All parameters, in the order of values."""
        s = self.signature
        stars = (s.variadic,) if s.variadic else ()
        double = (s.keywords,) if s.keywords else ()
        return (*s.positional, *stars, *s.keyword_only, *double)

    def as_call(self, refs: Sequence[Ref]) -> tuple[list[Ref], dict[str, Ref]]:
        """The arguments of a call that gives the parameters these references."""
        bound = dict(zip(self.names(), refs, strict=True))
        s = self.signature
        positional = [bound[n] for n in s.positional]
        if s.variadic:
            rest = bound[s.variadic]
            assert isinstance(rest, TupleRef)
            positional += rest.items
        keywords = {n: bound[n] for n in s.keyword_only}
        if s.keywords:
            more = bound[s.keywords]
            content = self.cx.content(more) if isinstance(more, HeapRef) else None
            assert isinstance(content, Entries)
            keywords |= content.items
        return positional, keywords

    def check_outside(self, before: State, after: State) -> None:
        """Refuse a function that changes what belongs to the program around it."""
        for root, content in before.heap.items():
            if not same_content(content, after.heap.get(root, content)):
                self.fail_written(root.label)
        for frame, variables in before.frames.items():
            now = after.frames.get(frame, variables)
            for name, ref in variables.items():
                if not same_ref(ref, now.get(name, ref)):
                    self.fail_written(name)

    def fail_written(self, name: str | None) -> None:
        what = f"'{name}'" if name else "an array or a list"
        self.cx.fail(
            f"{what} is written in a function whose derivative is taken here",
            "give it as an argument, or return the new value",
        )

    def check_unread(self, ref: Ref, free: Sequence[Value]) -> None:
        """Refuse if an argument that is written is also read by its name outside."""
        cx = self.cx
        for root in cx.state.roots_of(ref):
            for other in (root, *cx.state.shares.get(root, ())):
                content = cx.state.content(other) if cx.state.has(other) else None
                if not isinstance(content, Data):
                    continue
                seen = {content.atom}
                seen |= {v for (base, _), v in cx.state.views.items() if base is content.atom}
                if not seen.isdisjoint(free):
                    cx.fail(
                        "this derivative's function writes to an argument that it also reads "
                        "by another name",
                        "pass a copy of it",
                    )


def opened(cx: Lowerer, ref: Ref, atom: Atom | None) -> Ref:
    """The reference to an argument inside: its memory is the function's own.

    ``atom`` is its value where it is differentiated; parts that carry no derivative stay known.
    """
    if atom is not None and not carries_derivative(atom.kind):
        atom = None

    def part(r: Ref, key: Any) -> Ref:
        if atom is None or not carries_derivative(cx.kind(r)):
            return opened(cx, r, None)
        return opened(cx, r, cx.op("item", atom, Const.of(key), name=_name(key)))

    match ref:
        case Val() if atom is not None:
            return Val(atom)
        case ArrayRef():
            return cx.ref(cx.atom(ref) if atom is None else atom, ref.root.label)
        case TupleRef():
            return TupleRef(tuple(part(r, n) for n, r in enumerate(ref.items)), ref.cls)
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Data():
                    return cx.ref(content.atom if atom is None else atom, ref.root.label)
                case Items(items):
                    return cx.new(Items(tuple(part(r, n) for n, r in enumerate(items))))
                case Entries(entries):
                    return cx.new(Entries({k: part(r, k) for k, r in entries.items()}))
                case Fields(cls, fields):
                    parts = {
                        n: opened(cx, r, cx.attr(atom, n))
                        if atom is not None and carries_derivative(cx.kind(r))
                        else opened(cx, r, None)
                        for n, r in fields.items()
                    }
                    return cx.new(Fields(cls, parts))
    return ref


def _name(key: Any) -> str | None:
    return key if isinstance(key, str) and key.isidentifier() else None
