"""Recursive functions: lowered once per signature, and called.

In: a call of a function that calls itself. Out: a ``Call`` of a function of the module, whose
parameters are the flat leaves of the arguments, then the captured values it reads. Its results
are the leaves of what it returns, then the new versions of the arrays it writes.

    def power(x, n):                         power(x: float, n: int) -> one float
        if n == 0: return 1.0                power$ calls itself; kinds are joined until stable
        return x * power(x, n - 1)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import Problem
from ..ir.kinds import NONE, UNKNOWN, Array, Kind, Num, forget_sizes, join
from ..ir.nodes import FALSE, Atom, Call, Const, Function, Region, Struct, Value
from . import indexing, lower_calls
from .captures import Captures
from .context import Lowerer, Refuse, Unreachable
from .refs import (
    UNASSIGNED,
    ArrayRef,
    Data,
    Entries,
    Fetch,
    Fields,
    Frame,
    FuncRef,
    HeapRef,
    Items,
    PartialRef,
    Ref,
    Root,
    Static,
    TupleRef,
    Val,
    same_ref,
)
from .state import State

#: Specialisations of one function beyond this number mean that they do not end.
_MOST = 24


class Recursive(Exception):
    """A function that is being inlined is called again: it must be called instead."""

    def __init__(self, key: Any) -> None:
        super().__init__(key)
        self.key = key


# -- shapes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How a reference is made of flat leaves: ``kind`` for a leaf, ``ref`` for a constant."""

    form: str
    children: tuple[Shape, ...] = ()
    keys: tuple[Any, ...] = ()
    cls: Any = None
    kind: Kind | None = None
    ref: Ref | None = None


def flatten(cx: Lowerer, ref: Ref, leaves: list[Ref]) -> Shape:
    """The shape of a reference; its leaves are added to ``leaves``."""
    match ref:
        case Val():
            if isinstance(ref.atom, Const) and not isinstance(ref.kind, Num):
                return Shape("const", ref=ref)
            if ref.kind == NONE:
                return Shape("const", ref=Val(Const.of(None)))
            leaves.append(ref)
            return Shape("leaf", kind=forget_sizes(ref.kind))
        case ArrayRef():
            leaves.append(ref)
            return Shape("leaf", kind=forget_sizes(cx.kind(ref)))
        case TupleRef():
            parts = tuple(flatten(cx, r, leaves) for r in ref.items)
            return Shape("tuple", parts, cls=ref.cls)
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Data():
                    leaves.append(ref)
                    return Shape("leaf", kind=forget_sizes(content.atom.kind))
                case Items():
                    parts = tuple(flatten(cx, r, leaves) for r in content.items)
                    return Shape("list", parts)
                case Entries():
                    parts = tuple(flatten(cx, r, leaves) for r in content.items.values())
                    return Shape("dict", parts, tuple(content.items))
                case Fields():
                    parts = tuple(flatten(cx, r, leaves) for r in content.items.values())
                    return Shape("record", parts, tuple(content.items), content.cls)
    return Shape("const", ref=ref)


def kinds_of(shape: Shape) -> list[Kind]:
    if shape.form == "leaf":
        assert shape.kind is not None
        return [shape.kind]
    return [k for c in shape.children for k in kinds_of(c)]


def with_kinds(shape: Shape, kinds: list[Kind]) -> Shape:
    """The same shape with other kinds of leaves (consumed from the front)."""
    if shape.form == "leaf":
        return Shape("leaf", kind=kinds.pop(0))
    children = tuple(with_kinds(c, kinds) for c in shape.children)
    return Shape(shape.form, children, shape.keys, shape.cls, None, shape.ref)


def same_form(a: Shape, b: Shape) -> bool:
    if a.form != b.form or a.keys != b.keys or a.cls is not b.cls:
        return False
    if a.form == "leaf":
        assert a.kind is not None
        assert b.kind is not None
        return a.kind == b.kind or join(a.kind, b.kind) != UNKNOWN
    if a.form == "const":
        return a.ref is not None and b.ref is not None and _same_static(a.ref, b.ref)
    return len(a.children) == len(b.children) and all(map(same_form, a.children, b.children))


def _same_static(a: Ref, b: Ref) -> bool:
    if isinstance(a, FuncRef) and isinstance(b, FuncRef):
        return a.node is b.node and origin(a.frame) is origin(b.frame)
    return same_ref(a, b)


def build(cx: Lowerer, shape: Shape, values: list[Atom]) -> Ref:
    """A reference of this shape on these leaves (consumed from the front)."""
    match shape.form:
        case "leaf":
            return cx.ref(values.pop(0))
        case "tuple":
            return TupleRef(tuple(build(cx, c, values) for c in shape.children), shape.cls)
        case "list":
            return cx.new(Items(tuple(build(cx, c, values) for c in shape.children)))
        case "dict":
            parts = [build(cx, c, values) for c in shape.children]
            return cx.new(Entries(dict(zip(shape.keys, parts, strict=True))))
        case "record":
            parts = [build(cx, c, values) for c in shape.children]
            return cx.new(Fields(shape.cls, dict(zip(shape.keys, parts, strict=True))))
    assert shape.ref is not None
    return shape.ref


def struct_of(shape: Shape, count: list[int]) -> Struct:
    """The ``Struct`` of a shape; ``count`` holds the number of leaves so far."""
    if shape.form == "leaf":
        count[0] += 1
        return Struct("leaf", index=count[0] - 1)
    if shape.form == "const":
        known = shape.ref
        value = (
            known.atom.value if isinstance(known, Val) and isinstance(known.atom, Const) else None
        )
        return Struct("const", cls=known.obj if isinstance(known, Static) else value)
    children = tuple(struct_of(c, count) for c in shape.children)
    return Struct(shape.form, children, shape.keys, shape.cls)


# -- specialisations -----------------------------------------------------------------------------


@dataclass(slots=True)
class Spec:
    """One function of the module while it is made."""

    key: Any
    name: str
    params: Shape
    aliases: tuple[int, ...]
    kinds: list[Kind]
    result: Shape | None = None
    result_kinds: list[Kind] = field(default_factory=list)
    #: leaf of the result -> leaves of the parameters it may share memory with
    shares: dict[int, set[int]] = field(default_factory=dict)
    #: leaves of the parameters that are written
    written: tuple[int, ...] = ()
    hidden: dict[Fetch, Any] = field(default_factory=dict)
    dirty: bool = False
    building: bool = False
    function: Function | None = None
    #: what is wrong with it
    failed: tuple[Problem, ...] = ()


def origin(frame: Frame) -> Frame:
    """The frame of the program that a callee's stand-in stands for."""
    return frame.stands_for or frame


def key_of(func: Any) -> Any:
    """What identifies a function on the stack."""
    if isinstance(func, FuncRef):
        return (func.node, origin(func.frame))
    return func.__code__


def guarded(cx: Lowerer, key: Any, run: Callable[[], Ref], instead: Callable[[], Ref]) -> Ref:
    """Inline a function; if it turns out to be recursive, call it instead."""
    mark = (cx.state.copy(), len(cx.problems), len(cx.b.nodes), cx.b.nodes)
    place = (cx.frame, cx.loops, cx.node, cx.b.span, list(cx.stack), cx.captures)
    try:
        return run()
    except Recursive as error:
        if error.key != key:
            raise
        cx.recursive.add(key)
        cx.state, cx.b.nodes = mark[0], mark[3]
        del cx.problems[mark[1] :]
        del cx.b.nodes[mark[2] :]
        cx.frame, cx.loops, cx.node, cx.b.span, cx.stack, cx.captures = place
        return instead()


def call(
    cx: Lowerer,
    func: Any,
    source: Any,
    node: ast.FunctionDef | ast.Lambda,
    outer: Frame | None,
    args: Sequence[Ref],
    kwargs: Mapping[str, Ref],
) -> Ref:
    """A call of a recursive function."""
    key = key_of(func)
    names = lower_calls.bind(cx, func, source, node, args, kwargs)
    free = _free(cx, node, outer) if outer is not None else {}
    given = (*names.values(), *free.values())
    leaves, shape = _flat(cx, given, (*names, *free))
    for spec in [s for s in cx.specs if s.key == key]:
        if not same_form(spec.params, shape) and _loosened(cx, spec.params, shape, given):
            leaves, shape = _flat(cx, given, (*names, *free))
    aliases = _aliases(cx, leaves)
    spec = _find(cx, key, shape, aliases, getattr(node, "name", "function").strip("<>"))
    if spec.failed:
        cx.problems.extend(p for p in spec.failed if p not in cx.problems)
        raise Refuse(None)
    widened = [join(a, b) for a, b in zip(spec.kinds, kinds_of(shape), strict=True)]
    if widened != spec.kinds:
        spec.kinds, spec.dirty, spec.function = widened, True, None
    if spec.function is None and not spec.building:
        _build(cx, spec, func, source, node, outer, list(names), list(free))
    if spec.result is None:
        if not spec.building:
            cx.fail("this recursion never ends", "add a case that does not call the function")
        cx.state.raised = True  # nothing is known yet of what it returns: as if it never did
        raise Unreachable
    return _emit(cx, spec, leaves)


def _flat(
    cx: Lowerer, given: Sequence[Ref], names: tuple[str, ...]
) -> tuple[list[Ref], Shape]:
    leaves: list[Ref] = []
    return leaves, Shape("args", tuple(flatten(cx, r, leaves) for r in given), names)


def _loosened(cx: Lowerer, known: Shape, shape: Shape, refs: Sequence[Ref]) -> bool:
    """Forget the lengths of lists that were of another length in an earlier call.

    True if that makes ``refs``, of which ``shape`` is made, more like the shape ``known``.
    """
    if len(known.children) != len(shape.children) or known.keys != shape.keys:
        return False
    done = False
    for a, b, ref in zip(known.children, shape.children, refs, strict=True):
        if same_form(a, b):
            continue
        if isinstance(ref, TupleRef) and a.form == b.form:
            done |= _loosened(cx, a, b, ref.items)
        if isinstance(ref, HeapRef) and b.form == "list" and a.form in ("list", "leaf"):
            if all(isinstance(k, Num | Array) for k in kinds_of(b)) and not _unlike(b):
                indexing.loosen(cx, ref)
                done = True
    return done


def _unlike(shape: Shape) -> bool:
    return any(c.form != "leaf" for c in shape.children)


def _free(cx: Lowerer, node: ast.AST, outer: Frame) -> dict[str, Ref]:
    """Variables of the enclosing functions that a function, or one it refers to, reads."""
    found: dict[str, Ref] = {}
    todo = [node]
    seen: set[int] = set()
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for n in ast.walk(current):
            if not isinstance(n, ast.Name) or n.id in found:
                continue
            frame: Frame | None = outer
            while frame is not None:
                ref = cx.state.frames.get(frame, {}).get(n.id, UNASSIGNED)
                if ref is not UNASSIGNED:
                    found[n.id] = ref
                    if isinstance(ref, FuncRef):
                        todo.append(ref.node)
                    break
                frame = frame.outer
    return found


def _aliases(cx: Lowerer, leaves: list[Ref]) -> tuple[int, ...]:
    """For every leaf, the first leaf that it may share memory with."""
    out = []
    for n, leaf in enumerate(leaves):
        first = n
        for m in range(n):
            a, b = leaf, leaves[m]
            if (
                isinstance(a, ArrayRef | HeapRef)
                and isinstance(b, ArrayRef | HeapRef)
                and cx.state.may_share(a.root, b.root)
            ):
                first = m
                break
        out.append(first)
    return tuple(out)


def _find(cx: Lowerer, key: Any, shape: Shape, aliases: tuple[int, ...], name: str) -> Spec:
    same: list[Spec] = [s for s in cx.specs if s.key == key]
    for spec in same:
        if same_form(spec.params, shape) and spec.aliases == aliases:
            return spec
    if len(same) >= _MOST:
        cx.fail("this recursion passes something different on every level")
    taken = {s.name for s in cx.specs}
    full = f"{name}_call" if name else "call"
    number = 1
    unique = full
    while unique in taken:
        number += 1
        unique = f"{full}_{number}"
    spec = Spec(key, unique, shape, aliases, kinds_of(shape))
    cx.specs.append(spec)
    return spec


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


def _build(
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
        for _ in range(16):
            spec.dirty = False
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
        shape = with_kinds(spec.params, list(spec.kinds))
        values: list[Atom] = list(params)
        refs = [build(cx, c, values) for c in shape.children]
        roots = _param_roots(cx, params)
        bound = dict(zip(names, refs[: len(names)], strict=True))
        stand_in = None
        if outer is not None:
            stand_in = Frame(outer.source, outer.node, None)
            stand_in.outer = _bottom(outer)
            stand_in.stands_for = origin(outer)
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
            result = lower_calls.function_body(cx, node)
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
        case FuncRef() if origin(ref.frame) is origin(frame):
            return FuncRef(ref.node, ref.source, frame, ref.defaults, ref.kwdefaults)
        case PartialRef():
            return PartialRef(_moved(ref.func, frame), ref.args, ref.kwargs)
    return ref


def _labels(shape: Shape) -> list[str | None]:
    out: list[str | None] = []
    for name, child in zip(shape.keys, shape.children, strict=True):
        count = len(kinds_of(child))
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
                "a recursive function changes a list, dict or object it is given",
                "return the new value instead",
            )
    leaves: list[Ref] = []
    shape = flatten(cx, result, leaves)
    for part in _constants(shape):
        if not isinstance(part, Static | Val):
            cx.fail("a recursive function returns a function", "return numbers and arrays")
    if spec.result is not None and not same_form(spec.result, shape):
        results = (Shape("args", (spec.result,)), Shape("args", (shape,)))
        if _loosened(cx, *results, [result]):
            leaves.clear()
            shape = flatten(cx, result, leaves)
            if not same_form(spec.result, shape):
                spec.result, spec.result_kinds, spec.dirty = shape, kinds_of(shape), True
                spec.shares = {}
    if spec.result is not None and not same_form(spec.result, shape):
        cx.fail(
            "a recursive function returns different kinds of things on different paths",
            "return the same kind of thing on every path",
        )
    kinds = kinds_of(shape)
    if spec.result is not None:
        kinds = [join(a, b) for a, b in zip(spec.result_kinds, kinds, strict=True)]
    written = tuple(sorted(n for root, n in roots.items() if _changed(cx, root, params[n])))
    if kinds != spec.result_kinds or spec.result is None or written != spec.written:
        spec.dirty = True
    if any(spec.aliases[n] != n or n in spec.aliases[n + 1 :] for n in written):
        cx.fail(
            "a recursive function writes an array that it is also given by another name",
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
            cx.fail("a recursive function writes an array in a way that cannot be told")
        finals.append(content.atom)
    struct = struct_of(shape, [0])
    hidden = [c.param for c in captures.captures]
    body = prune(Region((), (*captures.prelude.nodes, *nodes), (*atoms, *finals)))
    spec.function = Function(
        spec.name,
        (*params, *hidden),
        body,
        struct,
        tuple((n, len(atoms) + m) for m, n in enumerate(written)),
        None,
    )


def _changed(cx: Lowerer, root: Root, param: Value) -> bool:
    content = cx.state.content(root)
    return not (isinstance(content, Data) and content.atom is param)


def _constants(shape: Shape) -> list[Ref]:
    if shape.form == "const":
        return [] if shape.ref is None else [shape.ref]
    return [r for c in shape.children for r in _constants(c)]


def _emit(cx: Lowerer, spec: Spec, leaves: list[Ref]) -> Ref:
    """The ``Call`` and the references to its results."""
    assert spec.result is not None
    atoms = [cx.atom(leaf) for leaf in leaves]
    atoms += [cx.atom(cx.captures.ref(fetch, obj)) for fetch, obj in spec.hidden.items()]
    values = [Value(k) for k in spec.result_kinds]
    versions = [Value(spec.kinds[n], _label(leaves[n])) for n in spec.written]
    cx.b.append(Call((*values, *versions), spec.name, tuple(atoms), cx.b.span))
    for n, version in zip(spec.written, versions, strict=True):
        leaf = leaves[n]
        if isinstance(leaf, ArrayRef):
            cx.write(leaf, version)
        else:
            assert isinstance(leaf, HeapRef)
            cx.set_content(leaf, Data(version), deep=True)
    flat: list[Ref] = []
    shape = with_kinds(spec.result, list(spec.result_kinds))
    remaining: list[Atom] = list(values)
    ref = build(cx, shape, remaining)
    flatten(cx, ref, flat)
    for n, part in enumerate(flat):
        for p in spec.shares.get(n, ()):
            source = leaves[p]
            if isinstance(part, ArrayRef | HeapRef) and isinstance(source, ArrayRef | HeapRef):
                cx.state.share(part.root, source.root)
    return ref


def _label(ref: Ref) -> str | None:
    return ref.root.label if isinstance(ref, ArrayRef | HeapRef) else None
