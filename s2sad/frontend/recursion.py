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
from typing import Any

from ..ir.kinds import Array, Num, join
from ..ir.naming import unused
from ..ir.nodes import Atom, Call, Custom, Value
from . import indexing, inlining, shapes, specs
from .contents import Data
from .context import Lowerer
from .describe import describe_ref
from .position import Refuse, Unreachable
from .refs import UNASSIGNED, ArrayRef, Frame, FuncRef, HeapRef, Ref, Static, TupleRef, Val

#: Specialisations of one function beyond this number mean that they do not end.
_MOST = 24


class Recursive(Exception):
    """A function that is being inlined is called again: it must be called instead."""

    def __init__(self, key: Any) -> None:
        super().__init__(key)
        self.key = key


# -- specialisations -----------------------------------------------------------------------------


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
    custom: Custom | None = None,
) -> Ref:
    """A call of a recursive function, or of one that is differentiated as ``custom`` says."""
    key = key_of(func) if custom is None else (custom, key_of(func))
    return emit(cx, *prepared(cx, func, source, node, outer, args, kwargs, key, custom))


def prepared(
    cx: Lowerer,
    func: Any,
    source: Any,
    node: ast.FunctionDef | ast.Lambda,
    outer: Frame | None,
    args: Sequence[Ref],
    kwargs: Mapping[str, Ref],
    key: Any,
    custom: Custom | None,
) -> tuple[specs.Spec, list[Ref]]:
    """The specialisation that a call is of, lowered, and the leaves of the arguments."""
    names = inlining.bind(cx, func, source, node, args, kwargs)
    free = _free(cx, node, outer) if outer is not None else {}
    given = (*names.values(), *free.values())
    leaves, shape = _flat(cx, given, (*names, *free))
    if custom is not None:  # one for numbers and one for arrays: rules return what they are given
        key = (key, tuple(shapes.kinds_of(shape)))
    for spec in [s for s in cx.specs if s.key == key]:
        if not shapes.same_form(spec.params, shape) and loosened(cx, spec.params, shape, given):
            leaves, shape = _flat(cx, given, (*names, *free))
    aliases = _aliases(cx, leaves)
    if custom is not None:
        for n, child in enumerate(shape.children):
            _refuse_captures(cx, child, custom, own=n >= len(names))
    spec = _find(cx, key, shape, aliases, getattr(node, "name", "function").strip("<>"))
    if spec.custom is None:
        spec.custom = custom
    if spec.failed:
        cx.problems.extend(p for p in spec.failed if p not in cx.problems)
        raise Refuse(None)
    widened = [join(a, b) for a, b in zip(spec.kinds, shapes.kinds_of(shape), strict=True)]
    if widened != spec.kinds:
        spec.kinds, spec.dirty, spec.function = widened, True, None
    if spec.building:  # what is being made around this call has to be made again
        for other in cx.specs:
            other.stale |= other.building and other is not spec
    outdated = spec.function is None or spec.stale and spec.round != cx.round
    if outdated and not spec.building:
        specs.specialise(cx, spec, func, source, node, outer, list(names), list(free))
    if spec.result is None:
        if not spec.building:
            cx.fail("this recursion never ends", "add a case that does not call the function")
        cx.state.raised = True  # nothing is known yet of what it returns: as if it never did
        raise Unreachable
    return spec, leaves


def _refuse_captures(cx: Lowerer, shape: shapes.Shape, custom: Custom, own: bool) -> None:
    """A function lowered on its own knows nothing of what is known where it is called.

    ``own``: it is a variable of a function around it.
    """
    if shape.form == "maybe":
        cx.fail(
            "what may be None is given to a function that is checkpointed or has a rule",
            "pass an array or number, and a bool that says whether it counts",
        )
    ref = shape.ref
    if isinstance(ref, FuncRef) and (own or not _free(cx, ref.node, ref.frame)):
        ref = None
    if ref is not None and not isinstance(ref, Val | Static) and ref is not UNASSIGNED:
        what = "a checkpointed function" if custom.how == "checkpoint" else "one with a rule"
        cx.fail(
            f"{describe_ref(ref)} of this program is given to {what}",
            "define it inside that function, or at module level",
        )
    for child in shape.children:
        _refuse_captures(cx, child, custom, own)


def _flat(
    cx: Lowerer, given: Sequence[Ref], names: tuple[str, ...]
) -> tuple[list[Ref], shapes.Shape]:
    leaves: list[Ref] = []
    return leaves, shapes.Shape("args", tuple(shapes.flatten(cx, r, leaves) for r in given), names)


def loosened(cx: Lowerer, known: shapes.Shape, shape: shapes.Shape, refs: Sequence[Ref]) -> bool:
    """Forget the lengths of lists that were of another length in an earlier call.

    True if that makes ``refs``, of which ``shape`` is made, more like the shape ``known``.
    """
    if len(known.children) != len(shape.children) or known.keys != shape.keys:
        return False
    done = False
    for a, b, ref in zip(known.children, shape.children, refs, strict=True):
        if shapes.same_form(a, b):
            continue
        if isinstance(ref, TupleRef) and a.form == b.form:
            done |= loosened(cx, a, b, ref.items)
        if isinstance(ref, HeapRef) and b.form == "list" and a.form in ("list", "leaf"):
            if all(isinstance(k, Num | Array) for k in shapes.kinds_of(b)) and not _unlike(b):
                indexing.loosen(cx, ref)
                done = True
    return done


def _unlike(shape: shapes.Shape) -> bool:
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


def _find(
    cx: Lowerer, key: Any, shape: shapes.Shape, aliases: tuple[int, ...], name: str
) -> specs.Spec:
    same: list[specs.Spec] = [s for s in cx.specs if s.key == key]
    for spec in same:
        if shapes.same_form(spec.params, shape) and spec.aliases == aliases:
            return spec
    if len(same) >= _MOST:
        cx.fail("this recursion passes something different on every level")
    taken = {*cx.callees, *(s.name for s in cx.specs)}
    unique = unused(f"{name}_call" if name else "call", taken)
    spec = specs.Spec(key, unique, shape, aliases, shapes.kinds_of(shape))
    cx.specs.append(spec)
    return spec


def emit(cx: Lowerer, spec: specs.Spec, leaves: list[Ref]) -> Ref:
    """The ``Call`` and the references to its results."""
    assert spec.result is not None
    atoms = [cx.atom(leaf) for leaf in leaves]
    atoms += [cx.atom(cx.captures.ref(fetch, obj)) for fetch, obj in spec.hidden.items()]
    atoms += [cx.atom(cx.captures.ref(fetch, obj)) for fetch, obj in spec.extras.items()]
    values = [Value(k) for k in spec.result_kinds]
    versions = [Value(spec.kinds[n], specs.label(leaves[n])) for n in spec.written]
    cx.b.append(Call((*values, *versions), spec.name, tuple(atoms), cx.b.span))
    for n, version in zip(spec.written, versions, strict=True):
        leaf = leaves[n]
        if isinstance(leaf, ArrayRef):
            cx.write(leaf, version)
        else:
            assert isinstance(leaf, HeapRef)
            cx.set_content(leaf, Data(version), deep=True)
    flat: list[Ref] = []
    shape = shapes.with_kinds(spec.result, list(spec.result_kinds))
    remaining: list[Atom] = list(values)
    ref = shapes.build(cx, shape, remaining)
    shapes.flatten(cx, ref, flat)
    for n, part in enumerate(flat):
        for p in spec.shares.get(n, ()):
            source = leaves[p]
            if isinstance(part, ArrayRef | HeapRef) and isinstance(source, ArrayRef | HeapRef):
                cx.state.share(part.root, source.root)
    return ref
