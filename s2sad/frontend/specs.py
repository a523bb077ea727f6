"""Specialisations: a recursive function lowered for the kinds of its arguments.

In: a `Spec`, the function and the shapes of its arguments. Out: the spec with its function of the
module; the body is lowered again until what it returns and writes is what was assumed.

    power(x, 3)      power(x: float, n: int); the inner call's result: float
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from ..errors import Problem
from ..ir.kinds import Kind, ListOf, forget_sizes, join
from ..ir.nodes import FALSE, Atom, Custom, Function, Region, Value
from . import inlining, recursion, shapes
from .captures import Captures
from .contents import Data
from .context import Lowerer
from .position import Unreachable
from .refs import ArrayRef, Fetch, Frame, FuncRef, HeapRef, PartialRef, Ref, Root, Static, Val
from .state import State


@dataclass(slots=True)
class Spec:
    """One function of the module while it is made."""

    key: Any
    name: str
    params: shapes.Shape
    aliases: tuple[int, ...]
    kinds: list[Kind]
    result: shapes.Shape | None = None
    result_kinds: list[Kind] = field(default_factory=list)
    #: leaf of the result -> leaves of the parameters it may share memory with
    shares: dict[int, set[int]] = field(default_factory=dict)
    #: leaves of the parameters that are written
    written: tuple[int, ...] = ()
    hidden: dict[Fetch, Any] = field(default_factory=dict)
    dirty: bool = False
    building: bool = False
    #: it calls one that was being made when it was lowered, in that round
    stale: bool = False
    round: int = 0
    function: Function | None = None
    #: what is wrong with it
    failed: tuple[Problem, ...] = ()
    custom: Custom | None = None
    #: captured data that functions which differentiate it read
    extras: dict[Fetch, Any] = field(default_factory=dict)
    #: these functions are being made
    attaching: bool = False

    @property
    def what(self) -> str:
        """What it is called in messages."""
        if self.custom is None:
            return "a recursive function"
        checkpoint = self.custom.how == "checkpoint"
        return "a checkpointed function" if checkpoint else "a function with a rule"


class _CalleeCaptures(Captures):
    """Captured data of a callee: hidden parameters of its own; the rest is the entry's."""

    def __init__(self, parent: Captures, spec: Spec) -> None:
        super().__init__(parent.frozen, parent.args)
        self.parent = parent
        self.spec = spec

    def ref(self, fetch: Fetch, obj: Any) -> Ref:
        found = super().ref(fetch, obj)
        if any(c.fetch == fetch for c in self.captures) and fetch not in self.spec.hidden:
            self.spec.hidden[fetch] = obj
            self.spec.dirty = True
        return found

    def guard(self, fetch: Fetch, obj: Any, how: str = "is") -> None:
        self.parent.guard(fetch, obj, how)


def specialise(
    cx: Lowerer,
    spec: Spec,
    func: Any,
    source: Any,
    node: ast.FunctionDef | ast.Lambda,
    outer: Frame | None,
    names: list[str],
    free: list[str],
) -> None:
    saved = (cx.state, cx.frame, cx.loops, cx.node, cx.b.span, cx.captures, cx.unrollable)
    problems = len(cx.problems)
    spec.building = True
    try:
        for again in range(16):
            cx.round += again > 0
            spec.dirty, spec.stale, spec.round = False, False, cx.round
            del cx.problems[problems:]
            _lower(cx, spec, source, node, outer, names, free, saved[5])
            if len(cx.problems) > problems:
                spec.failed = tuple(cx.problems[problems:])
                return
            if not spec.dirty:
                return
        cx.fail("the kinds of this recursive function do not settle")
    finally:
        spec.building = False
        if not any(s.building for s in cx.specs):
            for s in cx.specs:  # what they were waiting for has settled
                s.stale = False
        cx.state, cx.frame, cx.loops, cx.node, cx.b.span, cx.captures, cx.unrollable = saved


def _lower(
    cx: Lowerer,
    spec: Spec,
    source: Any,
    node: ast.FunctionDef | ast.Lambda,
    outer: Frame | None,
    names: list[str],
    free: list[str],
    parent: Captures,
) -> None:
    """Lower the body once, for the kinds that the specialisation has now."""
    captures = _CalleeCaptures(parent, spec)
    cx.captures = captures
    cx.state = State(captures.ground)
    cx.unrollable = 0
    for fetch, obj in spec.hidden.items():
        captures.ref(fetch, obj)
    with cx.b.region() as nodes:
        labels = _labels(spec.params)
        params = [Value(k, n) for k, n in zip(spec.kinds, labels, strict=True)]
        shape = shapes.with_kinds(spec.params, list(spec.kinds))
        values: list[Atom] = list(params)
        refs = [shapes.build(cx, c, values) for c in shape.children]
        roots = _param_roots(cx, params)
        bound = dict(zip(names, refs[: len(names)], strict=True))
        stand_in = None
        if outer is not None:
            stand_in = Frame(outer.source, outer.node, None)
            stand_in.outer = _bottom(outer)
            stand_in.stands_for = recursion.origin(outer)
            cx.state.frames[stand_in] = {
                n: _moved(r, stand_in) for n, r in zip(free, refs[len(names) :], strict=True)
            }
            if stand_in.outer is not None:
                cx.state.frames[stand_in.outer] = {}
        frame = Frame(source, node, stand_in)
        cx.state.frames[frame] = {**bound, "$ret": Val(FALSE)}
        cx.frame, cx.loops = frame, []
        before = dict(cx.state.heap)
        cx.stack.append(spec.key)
        try:
            result = inlining.function_body(cx, node)
        except Unreachable:
            return
        finally:
            cx.stack.pop()
        if cx.state.raised:
            return
        _close(cx, spec, nodes, params, roots, before, result, captures)


def _bottom(frame: Frame) -> Frame | None:
    """An empty frame of the outermost function, through which captured names are found."""
    while frame.outer is not None:
        frame = frame.outer
    return None if frame.outer is None else frame


def _moved(ref: Ref, frame: Frame) -> Ref:
    """Functions of the enclosing frame, as they are in the callee."""
    match ref:
        case FuncRef() if recursion.origin(ref.frame) is recursion.origin(frame):
            return FuncRef(ref.node, ref.source, frame, ref.defaults, ref.kwdefaults)
        case PartialRef():
            return PartialRef(_moved(ref.func, frame), ref.args, ref.kwargs)
    return ref


def _labels(shape: shapes.Shape) -> list[str | None]:
    out: list[str | None] = []
    for name, child in zip(shape.keys, shape.children, strict=True):
        count = len(shapes.kinds_of(child))
        out += [name if count == 1 else f"{name}_{n}" for n in range(count)]
    return out


def _param_roots(cx: Lowerer, params: list[Value]) -> dict[Root, int]:
    found: dict[Root, int] = {}
    for root, content in cx.state.heap.items():
        if isinstance(content, Data) and content.atom in params:
            found[root] = params.index(content.atom)
    return found


def _close(
    cx: Lowerer,
    spec: Spec,
    nodes: list[Any],
    params: list[Value],
    roots: dict[Root, int],
    before: dict[Root, Any],
    result: Ref,
    captures: _CalleeCaptures,
) -> None:
    """Compare with what was assumed, and make the function."""
    from .prune import prune

    for root, content in before.items():
        if root not in roots and cx.state.heap.get(root) is not content:
            cx.fail(
                f"{spec.what} changes a list, dict or object it is given",
                "return the new value instead",
            )
    leaves: list[Ref] = []
    shape = shapes.flatten(cx, result, leaves)
    for part in _constants(shape):
        if not isinstance(part, Static | Val):
            cx.fail(f"{spec.what} returns a function", "return numbers and arrays")
    if spec.custom is not None and "maybe" in _forms(shape):
        cx.fail(f"{spec.what} returns what may be None", "return an array or number, and a bool")
    if spec.result is not None and not shapes.same_form(spec.result, shape):
        results = (shapes.Shape("args", (spec.result,)), shapes.Shape("args", (shape,)))
        if recursion.loosened(cx, *results, [result]):
            leaves.clear()
            shape = shapes.flatten(cx, result, leaves)
            if not shapes.same_form(spec.result, shape):
                spec.result, spec.result_kinds, spec.dirty = shape, shapes.kinds_of(shape), True
                spec.shares = {}
    if spec.result is not None and shapes.is_none(spec.result) and shape.form == "maybe":
        spec.result, spec.result_kinds, spec.dirty = shape, shapes.kinds_of(shape), True
    if spec.result is not None and not shapes.same_form(spec.result, shape):
        cx.fail(
            f"{spec.what} returns different kinds of things on different paths",
            "return the same kind of thing on every path",
        )
    kinds = shapes.kinds_of(shape)
    if spec.result is not None:
        kinds = [join(a, b) for a, b in zip(spec.result_kinds, kinds, strict=True)]
    written = tuple(sorted(n for root, n in roots.items() if _changed(cx, root, params[n])))
    if kinds != spec.result_kinds or spec.result is None or written != spec.written:
        spec.dirty = True
    if any(spec.aliases[n] != n or n in spec.aliases[n + 1 :] for n in written):
        cx.fail(
            f"{spec.what} writes an array that it is also given by another name",
            "pass a copy: .copy()",
        )
    spec.result, spec.result_kinds, spec.written = shape, kinds, written
    for n, leaf in enumerate(leaves):
        if isinstance(leaf, ArrayRef | HeapRef):
            shared = {p for root, p in roots.items() if cx.state.may_share(leaf.root, root)}
            if not shared <= spec.shares.get(n, set()):
                spec.shares[n] = spec.shares.get(n, set()) | shared
                spec.dirty = True
    atoms = [cx.atom(r) for r in leaves]
    by_number = {n: root for root, n in roots.items()}
    finals: list[Atom] = []
    for n in written:
        content = cx.state.content(by_number[n])
        if not isinstance(content, Data):
            cx.fail(f"{spec.what} writes an array in a way that cannot be told")
        finals.append(content.atom)
        grown = join(spec.kinds[n], forget_sizes(content.atom.kind))
        if isinstance(grown, ListOf) and grown != spec.kinds[n]:
            spec.kinds[n], spec.dirty = grown, True
    struct = shapes.struct_of(shape, [0])
    hidden = [c.param for c in captures.captures]
    body = prune(Region((), (*captures.prelude.nodes, *nodes), (*atoms, *finals)))
    spec.function = Function(
        spec.name,
        (*params, *hidden),
        body,
        struct,
        tuple((n, len(atoms) + m) for m, n in enumerate(written)),
        None,
        spec.custom,
    )


def _changed(cx: Lowerer, root: Root, param: Value) -> bool:
    content = cx.state.content(root)
    return not (isinstance(content, Data) and content.atom is param)


def _forms(shape: shapes.Shape) -> set[str]:
    return {shape.form}.union(*map(_forms, shape.children))


def _constants(shape: shapes.Shape) -> list[Ref]:
    if shape.form == "const":
        return [] if shape.ref is None else [shape.ref]
    return [r for c in shape.children for r in _constants(c)]


def label(ref: Ref) -> str | None:
    return ref.root.label if isinstance(ref, ArrayRef | HeapRef) else None
