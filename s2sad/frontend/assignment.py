"""Assignments: names, attributes, elements and the unpacking of several; ``op=`` in place.

In: a target and the reference that it is given. Out: the state changed; arrays and lists are
written in place where Python writes them in place.

    a, b = b, a          two names exchanged: no nodes
    x[1:] += y           setitem x0 1: (add (item x0 1:) y): a new version of x's root
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence

from ..ir.kinds import Array, Mixed, Num
from ..ir.nodes import FALSE, TRUE, Atom, Const
from . import attributes, indexing, lower_calls, lower_expr, lower_stmt, operators, storing
from .contents import Data, Entries, Fields, Items
from .context import Lowerer
from .describe import describe_ref
from .refs import ArrayRef, HeapRef, Ref, Root, TupleRef, Val

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


def assign_all(cx: Lowerer, node: ast.Assign) -> None:
    if isinstance(node.value, ast.GeneratorExp):
        cx.fail(
            "a generator bound to a name is not supported", "make it a list: [...]", node.value
        )
    hint = next((t.id for t in node.targets if isinstance(t, ast.Name)), None)
    first = node.targets[0]
    if (
        isinstance(first, ast.Tuple | ast.List)
        and isinstance(node.value, ast.Tuple | ast.List)
        and len(first.elts) == len(node.value.elts)
        and not any(isinstance(e, ast.Starred) for e in (*first.elts, *node.value.elts))
    ):
        refs = [
            lower_expr.expr(cx, v, lower_stmt.hint(t))
            for t, v in zip(first.elts, node.value.elts, strict=True)
        ]
        value: Ref = TupleRef(tuple(refs))
        if isinstance(node.value, ast.List):
            value = cx.new(Items(tuple(refs)), fresh=True)
    else:
        value = lower_expr.expr(cx, node.value, hint)
    for target in node.targets:
        assign(cx, target, value)


def assign(cx: Lowerer, target: ast.expr, value: Ref) -> None:
    """``target = value``."""
    with cx.at(target):
        _assign(cx, target, value)


def _assign(cx: Lowerer, target: ast.expr, value: Ref) -> None:
    match target:
        case ast.Name(id):
            label = id.partition("$")[0]
            lower_expr.christen(cx, value, label)
            set_name(cx, id, _named(value, label))
        case ast.Tuple(elts) | ast.List(elts):
            unpack(cx, elts, value)
        case ast.Subscript():
            base = lower_expr.expr(cx, target.value)
            storing.set_item(cx, base, indexing.index(cx, target.slice), value)
        case ast.Attribute():
            attributes.set_attribute(cx, lower_expr.expr(cx, target.value), target.attr, value)
        case ast.Starred():
            assign(cx, target.value, value)
        case _:
            cx.fail("this cannot be assigned to")


def _named(value: Ref, name: str) -> Ref:
    """A float that is known now goes by the name it is bound to first."""
    if isinstance(value, Val) and isinstance(value.atom, Const) and value.atom.name is None:
        if type(value.atom.value) is float:
            return Val(Const(value.atom.value, value.atom.kind, name))
    return value


def set_name(cx: Lowerer, name: str, value: Ref) -> None:
    frame = cx.frame
    if name in cx.outer_names.get(frame, ()):
        outer = frame.outer
        while outer is not None:
            if name in cx.state.frames.get(outer, {}):
                cx.state.set(outer, name, value)
                return
            outer = outer.outer
    cx.state.set(frame, name, value)


def unpack(cx: Lowerer, targets: Sequence[ast.expr], value: Ref) -> None:
    """``a, *b, c = value``."""
    from .iteration import length, static_items

    star = next((n for n, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
    items = static_items(cx, value)
    if items is None and star is not None and isinstance(value, ArrayRef | HeapRef):
        _unpack_unknown(cx, targets, star, value)
        return
    if items is None:
        if star is not None or not isinstance(value, ArrayRef | HeapRef | Val):
            cx.fail(
                f"{describe_ref(value)} has no length that is known when the derivative is built",
                "index it instead of unpacking it",
            )
        size = length(cx, value)
        right = cx.op("eq", size, Const.of(len(targets)))
        cx.ops("assert", right, Const.of(f"{len(targets)} values are unpacked"))
        items = [indexing.item(cx, value, Val(Const.of(n))) for n in range(len(targets))]
    if star is None:
        if len(items) != len(targets):
            cx.fail(f"{len(items)} values are unpacked into {len(targets)} names")
        for t, item in zip(targets, items, strict=True):
            assign(cx, t, item)
        return
    after = len(targets) - star - 1
    if len(items) < star + after:
        cx.fail(f"{len(items)} values are too few for {len(targets)} names")
    stop = len(items) - after
    for t, item in zip(targets[:star], items[:star], strict=True):
        assign(cx, t, item)
    assign(cx, targets[star], cx.new(Items(tuple(items[star:stop])), fresh=True))
    for t, item in zip(targets[star + 1 :], items[stop:], strict=True):
        assign(cx, t, item)


def _unpack_unknown(
    cx: Lowerer, targets: Sequence[ast.expr], star: int, value: ArrayRef | HeapRef
) -> None:
    """``first, *rest, last = xs``, however many there are."""
    from .comprehensions import to_list
    from .counts import demand
    from .iteration import length

    after = len(targets) - star - 1
    least = star + after
    if least:
        enough = cx.op("ge", length(cx, value), Const.of(least))
        demand(cx, enough, ValueError, f"at least {least} values are unpacked")
    for n, t in enumerate(targets[:star]):
        assign(cx, t, indexing.item(cx, value, Val(Const.of(n))))
    middle = slice(star or None, -after or None)
    assign(cx, targets[star], to_list(cx, indexing.item(cx, value, Val(Const.of(middle)))))
    for n, t in enumerate(targets[star + 1 :]):
        assign(cx, t, indexing.item(cx, value, Val(Const.of(n - after))))


def augmented(cx: Lowerer, node: ast.AugAssign) -> None:
    """``target op= value``: in place for arrays and lists, rebinding for all else."""
    target = node.target
    match target:
        case ast.Name(id):
            old = lower_expr.name_of(cx, ast.copy_location(ast.Name(id, ast.Load()), target))
            value = lower_expr.expr(cx, node.value)
            new = in_place(cx, node.op, old, value)
            lower_expr.christen(cx, new, id)
            set_name(cx, id, new)
        case ast.Subscript():
            base = lower_expr.expr(cx, target.value)
            i = indexing.index(cx, target.slice)
            if not cx.known(i):
                i = Val(cx.atom(i))  # one atom for the reading and the writing
            old = indexing.item(cx, base, i)
            new = in_place(cx, node.op, old, lower_expr.expr(cx, node.value))
            if not (new is old and isinstance(base, ArrayRef) and isinstance(old, ArrayRef)
                    and old.path and old.root is base.root):  # fmt: skip
                storing.set_item(cx, base, i, new)
        case ast.Attribute():
            base = lower_expr.expr(cx, target.value)
            old = attributes.attribute(cx, base, target.attr)
            new = in_place(cx, node.op, old, lower_expr.expr(cx, node.value))
            if new is not old:
                attributes.set_attribute(cx, base, target.attr, new)


def in_place(cx: Lowerer, op: ast.operator, old: Ref, value: Ref) -> Ref:
    """What ``old op= value`` leaves in ``old``: the same reference if it is changed in place."""
    match old:
        case ArrayRef():
            if isinstance(cx.kind(old), Mixed):
                return _mixed_in_place(cx, op, old, value)
            current = cx.read(old)
            new = cx.atom(operators.binary(cx, op, old, value))
            if isinstance(new.kind, Array) and isinstance(current.kind, Array):
                # NumPy lets no operand broadcast the array that is changed in place
                cx.b.narrow(new, dataclasses.replace(new.kind, dims=current.kind.dims))
            write_all(cx, old, current, new)
            return old
        case HeapRef() if isinstance(op, ast.Add) and isinstance(cx.content(old), Items | Data):
            lower_calls.method(cx, old, "extend", [value], {})
            return old
        case HeapRef() if isinstance(cx.content(old), Fields) and _own(cx, op, old) is not None:
            method = attributes.attribute(cx, old, _own(cx, op, old) or "")
            return lower_calls.apply(cx, method, [value], {})
        case HeapRef() if isinstance(op, ast.BitOr) and isinstance(cx.content(old), Entries):
            lower_calls.method(cx, old, "update", [value], {})
            return old
        case _:
            return operators.binary(cx, op, old, value)


_IN_PLACE = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv",
             ast.MatMult: "matmul", ast.Pow: "pow"}  # fmt: skip


def _own(cx: Lowerer, op: ast.operator, ref: HeapRef) -> str | None:
    """The method by which an object's class does ``op=`` itself."""
    content = cx.content(ref)
    name = f"__i{_IN_PLACE.get(type(op))}__"
    return name if isinstance(content, Fields) and hasattr(content.cls, name) else None


def write_all(cx: Lowerer, ref: ArrayRef, current: Atom, new: Atom) -> None:
    """Every element of the array is overwritten by ``new``, whose dtype and shape give way."""
    kind, made = current.kind, new.kind
    assert isinstance(kind, Array)
    if isinstance(made, Array | Num | Mixed) and made.dtype != kind.dtype:
        if (
            kind.dtype[0] in "iub"
            and made.dtype[0] in "fc"
            or (made.dtype[0] == "c" and kind.dtype[0] != "c")
        ):
            cx.fail(
                f"an array of {kind.dtype} cannot hold {made.dtype} (NumPy refuses this too)",
                "make it an array of floats first, or use a new name",
            )
        new = cx.op("cast", new, like=kind.dtype)
        made = new.kind
    if made != kind or not ref.path:
        new = cx.op("setitem", current, Const.of(...), new, name=getattr(current, "name", None))
    cx.write(ref, new)


def _mixed_in_place(cx: Lowerer, op: ast.operator, old: ArrayRef, value: Ref) -> Ref:
    """A number is rebound, an array is changed: what else refers to it can't be told any more."""
    new = operators.binary(cx, op, old, value)
    atom = cx.atom(new)
    cx.check_writable(old)
    fresh = Root(old.root.label)
    for other in (old.root, *cx.state.shares.get(old.root, ())):
        if other in cx.state.heap:
            from .contents import Stale

            cx.state.heap[other] = Stale(
                cx.span(), "it may be a number or an array that was changed in place"
            )
    cx.state.heap[fresh] = Data(atom)
    return ArrayRef(fresh)
