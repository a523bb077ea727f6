"""Conditions: truth, comparisons, ``and``, ``or`` and conditional expressions.

In: an expression, or references. Out: the atom to branch on, or a reference. The right side is
computed only where Python computes it, or where computing it early does no harm.

    0.0 < x < y and f(x)      c = lt 0.0 x; d = lt x y; e = and c d; if e: yield f(x)
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from ..ir.kinds import Array, Mixed, Num, Opaque, Unknown
from ..ir.nodes import FALSE, TRUE, Atom, Const, Node, Op
from . import joins, lower_expr, operators, optional, tables
from .contents import Data, Entries, Fields, Items, Table
from .context import Lowerer
from .describe import describe_ref
from .position import Unreachable
from .refs import (
    UNASSIGNED,
    ArrayRef,
    BoundRef,
    Choice,
    FuncRef,
    HeapRef,
    Lost,
    Maybe,
    PartialRef,
    Ref,
    Static,
    TupleRef,
    Val,
)
from .sameness import same_ref

_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is_not", operator.is_not),
    ast.In: ("in", lambda x, y: x in y),
    ast.NotIn: ("not_in", lambda x, y: x not in y),
}
#: Nodes that cannot raise and cost next to nothing: ``and`` may compute its right side early.
_HARMLESS = {"add", "sub", "mul", "neg", "lt", "le", "gt", "ge", "eq", "ne", "not", "and", "or",
             "is", "is_not"}  # fmt: skip


def truth(cx: Lowerer, ref: Ref, node: ast.expr | None = None) -> Atom:
    """The atom to branch on."""
    match ref:
        case Val():
            if isinstance(ref.atom, Const):
                return TRUE if ref.atom.value else FALSE
            return ref.atom
        case ArrayRef():
            return cx.read(ref)
        case TupleRef():
            return TRUE if ref.items else FALSE
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Data():
                    return cx.op("gt", cx.op("len", content.atom), Const.of(0))
                case Items() | Entries():
                    return TRUE if content.items else FALSE
                case Table():
                    return cx.op("gt", tables.size(cx, ref), Const.of(0))
                case Fields(cls) if not hasattr(cls, "__bool__") and not hasattr(cls, "__len__"):
                    return TRUE
        case Static():
            return TRUE if ref.obj else FALSE
        case FuncRef() | PartialRef() | BoundRef() | Choice():
            return TRUE
        case Maybe():
            return cx.atom(
                optional.either(cx, ref, lambda r: Val(truth(cx, r, node)), lambda: FALSE_REF)
            )
    cx.fail(f"the truth of {describe_ref(ref)} cannot be told", node=node)


def condition(cx: Lowerer, node: ast.expr) -> Atom:
    """The atom to branch on for an expression of which only the truth is wanted."""
    with cx.at(node):
        match node:
            case ast.BoolOp(op, values):
                return _all_or_any(cx, values, isinstance(op, ast.And))
            case ast.UnaryOp(ast.Not(), operand):
                return operators.negate(cx, condition(cx, operand))
            case _:
                return truth(cx, lower_expr.expr(cx, node), node)


def _all_or_any(cx: Lowerer, values: list[ast.expr], is_and: bool) -> Atom:
    first = condition(cx, values[0])
    rest = values[1:]
    if not rest:
        return first
    if isinstance(first, Const):
        return _all_or_any(cx, rest, is_and) if bool(first.value) is is_and else first
    if isinstance(first.kind, Num) and first.kind.dtype == "bool":
        early = _early(cx, lambda: Val(_all_or_any(cx, rest, is_and)))
        if isinstance(early, Const):
            if bool(early.value) is is_and:
                return first
        elif early is not None:
            return cx.op("and" if is_and else "or", first, early)

    def others() -> Ref:
        return Val(_all_or_any(cx, rest, is_and))

    if is_and:
        found = cx.branch(first, others, lambda: FALSE_REF)
    else:
        found = cx.branch(first, lambda: TRUE_REF, others)
    assert found is not None
    return cx.atom(found)


def boolean(cx: Lowerer, values: list[ast.expr], is_and: bool) -> Ref:
    """``a and b``, ``a or b``: the right side is computed only where Python computes it."""
    left = lower_expr.expr(cx, values[0])
    if len(values) == 1:
        return left
    cond = truth(cx, left)
    if isinstance(cond, Const):
        return boolean(cx, values[1:], is_and) if bool(cond.value) is is_and else left
    kind = cx.kind(left)
    if kind == Num("bool", True) or (isinstance(kind, Num) and kind.dtype == "bool"):
        early = _early(cx, lambda: boolean(cx, values[1:], is_and))
        if early is not None:
            if isinstance(early, Const):
                if bool(early.value) is is_and:
                    return left
            return Val(cx.op("and" if is_and else "or", cond, early))

    def right() -> Ref:
        return boolean(cx, values[1:], is_and)

    if isinstance(left, Maybe) and not is_and:
        left = left.ref  # it is there if it is true
    found = (
        cx.branch(cond, right, lambda: left) if is_and else cx.branch(cond, lambda: left, right)
    )
    assert found is not None
    if isinstance(found, Lost):
        raise cx.lost(found)
    return found


def _early(cx: Lowerer, make: Callable[[], Ref]) -> Atom | None:
    """The right side, where computing it early does no harm; else None, nothing appended."""
    before = cx.state
    cx.state = before.copy()
    with cx.b.region() as nodes:
        ref = make()
    if (
        isinstance(ref, Val)
        and isinstance(ref.kind, Num)
        and ref.kind.dtype == "bool"
        and all(map(_harmless, nodes))
        and all(
            same_ref(r, before.frames[cx.frame].get(n, UNASSIGNED))
            for n, r in cx.state.frames[cx.frame].items()
        )
    ):
        cx.b.nodes.extend(nodes)
        cx.state = before
        return ref.atom
    cx.state = before
    return None


def _harmless(node: Node) -> bool:
    """Whether computing this although Python does not makes no difference."""
    if not isinstance(node, Op) or node.fn not in _HARMLESS:
        return False
    return node.fn in ("is", "is_not") or all(isinstance(a.kind, Num) for a in node.args)


def compare(cx: Lowerer, node: ast.Compare) -> Ref:
    """``a < b < c`` is ``a < b and b < c``, with b computed once."""
    left = lower_expr.expr(cx, node.left)
    return _chain(cx, left, list(node.ops), list(node.comparators))


def _chain(cx: Lowerer, left: Ref, ops: list[ast.cmpop], rights: list[ast.expr]) -> Ref:
    right = lower_expr.expr(cx, rights[0])
    first = compare_two(cx, ops[0], left, right)
    if len(ops) == 1:
        return first
    cond = truth(cx, first)
    if isinstance(cond, Const):
        return _chain(cx, right, ops[1:], rights[1:]) if cond.value else first
    rest = _early(cx, lambda: _chain(cx, right, ops[1:], rights[1:]))
    if rest is not None and isinstance(cond.kind, Num):
        return Val(cx.op("and", cond, rest))
    found = cx.branch(cond, lambda: _chain(cx, right, ops[1:], rights[1:]), lambda: first)
    assert found is not None
    return found


def compare_two(cx: Lowerer, op: ast.cmpop, left: Ref, right: Ref) -> Ref:
    fn, fun = _COMPARE[type(op)]
    if fn in ("is", "is_not"):
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Maybe) and joins.is_none(other):
                return Val(one.here if fn == "is_not" else cx.op("not", one.here))
        same = _identical(cx, left, right)
        if same is not None:
            return cx.constant(same is (fn == "is"))
    if fn in ("eq", "ne") and (isinstance(left, Maybe) or isinstance(right, Maybe)):
        return _equal_or_none(cx, op, left, right)
    left, right = optional.present(cx, left), optional.present(cx, right)
    if fn in ("in", "not_in"):
        found = _member(cx, left, right)
        if found is not None:
            if isinstance(found, Const):
                return cx.constant(bool(found.value) is (fn == "in"))
            return Val(found if fn == "in" else cx.op("not", found))
    if cx.known(left) and cx.known(right) and fn not in ("is", "is_not"):
        try:
            return cx.constant(bool(fun(cx.value(left), cx.value(right))))
        except Exception as error:
            cx.fail(f"this raises {type(error).__name__}: {error}")
    if fn in ("eq", "ne"):
        # None, a string or a function never equals a number.
        a, b = cx.kind(left), cx.kind(right)
        if _opposed(a, b) or _opposed(b, a):
            return cx.constant(fn == "ne")
        pairwise = _equal_parts(cx, left, right)
        if pairwise is not None:
            return Val(pairwise if fn == "eq" else operators.negate(cx, pairwise))
    return cx.ref(cx.op(fn, cx.atom(left), cx.atom(right)))


def _equal_or_none(cx: Lowerer, op: ast.cmpop, left: Ref, right: Ref) -> Ref:
    """``==`` where a side may be None: then the other must be None as well."""
    one, other = (left, right) if isinstance(left, Maybe) else (right, left)
    assert isinstance(one, Maybe)
    nothing = Val(Const.of(None))
    return optional.either(
        cx,
        one,
        lambda r: compare_two(cx, op, r, other),
        lambda: compare_two(cx, op, other, nothing),
    )


def _equal_parts(cx: Lowerer, left: Ref, right: Ref) -> Atom | None:
    """``==`` of two tuples or two lists of known length, part by part."""
    a, b = parts_of(cx, left), parts_of(cx, right)
    if a is None or b is None or type(left) is not type(right):
        return None
    if len(a) != len(b):
        return FALSE
    out: Atom = TRUE
    for x, y in zip(a, b, strict=True):
        same = truth(cx, compare_two(cx, ast.Eq(), x, y))
        if isinstance(same, Const):
            if not same.value:
                return FALSE
        else:
            out = same if isinstance(out, Const) else cx.op("and", out, same)
    return out


def parts_of(cx: Lowerer, ref: Ref) -> tuple[Ref, ...] | None:
    """The elements of a tuple or list of known length."""
    match ref:
        case TupleRef():
            return ref.items
        case HeapRef():
            content = cx.content(ref)
            if isinstance(content, Items):
                return content.items
    return None


def _opposed(a: Any, b: Any) -> bool:
    return (
        isinstance(a, Opaque) and isinstance(b, Num | Array | Mixed) and not isinstance(b, Mixed)
    )


def _identical(cx: Lowerer, left: Ref, right: Ref) -> bool | None:
    """``is``, where it can be told now."""
    if cx.known(left) and cx.known(right):
        a, b = cx.value(left), cx.value(right)
        if a is b:
            return True
        if a is None or b is None or isinstance(a, type | bool) or isinstance(b, type | bool):
            return False
    for one, other in ((left, right), (right, left)):
        if cx.known(one) and cx.value(one) is None:
            kind = cx.kind(other)
            if isinstance(kind, Unknown):
                return None
            if not (isinstance(kind, Opaque) and kind.cls is type(None)):
                return False
    if isinstance(left, ArrayRef) and isinstance(right, ArrayRef):
        if left.root is right.root and left.path == right.path == ():
            return True
        if not cx.state.may_share(left.root, right.root):
            return False
    if isinstance(left, HeapRef) and isinstance(right, HeapRef):
        if left.root is right.root:
            return True
        if not cx.state.may_share(left.root, right.root):
            return False
    return None


def _member(cx: Lowerer, left: Ref, right: Ref) -> Atom | None:
    """``in`` a container of known structure."""
    if isinstance(right, HeapRef):
        content = cx.content(right)
        if isinstance(content, Entries):
            key = tables.known_key(cx, right, left)
            return TRUE if key in content.items else FALSE
        if isinstance(content, Table):
            return tables.has(cx, right, left)
    parts = parts_of(cx, right)
    if parts is None:
        return None
    out: Atom = FALSE
    for part in parts:
        same = truth(cx, compare_two(cx, ast.Eq(), left, part))
        if isinstance(same, Const):
            if same.value:
                return TRUE
        else:
            out = same if isinstance(out, Const) else cx.op("or", out, same)
    return out


def conditional(cx: Lowerer, node: ast.IfExp) -> Ref:
    cond = condition(cx, node.test)
    if isinstance(cond, Const):
        return lower_expr.expr(cx, node.body if cond.value else node.orelse)
    return choose(
        cx, cond, lambda: lower_expr.expr(cx, node.body), lambda: lower_expr.expr(cx, node.orelse)
    )


def choose(cx: Lowerer, cond: Atom, first: Callable[[], Ref], second: Callable[[], Ref]) -> Ref:
    """One of two references, by a condition known at run time."""
    made: list[Ref] = []

    def side(make: Callable[[], Ref]) -> Callable[[], Ref]:
        def lowered() -> Ref:
            made.append(make())
            return TRUE_REF if lower_expr.is_callable(made[-1]) else made[-1]

        return lowered

    found = cx.branch(cond, side(first), side(second))
    if len(made) == 2 and lower_expr.is_callable(made[0]) and lower_expr.is_callable(made[1]):
        return Choice(cond, made[0], made[1])
    if found is None:
        raise Unreachable
    if isinstance(found, Lost):
        raise cx.lost(found)
    return found


TRUE_REF, FALSE_REF = Val(TRUE), Val(FALSE)
