"""Statements: assignments, control flow and exits.

In: a list of statements. Out: nodes in the builder and a new state. Leaving is a matter of flags:
``$ret`` (the function has returned), ``$skip`` (the rest of the iteration is skipped) and
``$leave`` (the loop ends). Where one arm of an ``if`` always leaves, the rest of the list is sunk
into the other; where an arm may leave, the rest is guarded by the flag.

    if c: return a          if c: $val = a
    b = f(a)                else: b = f(a); $val = b
    return b
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections.abc import Callable, Sequence

from ..errors import Problem
from ..ir.kinds import Array, Mixed, Num
from ..ir.nodes import FALSE, TRUE, Atom, Const
from . import attributes, conditions, indexing, loops, lower_calls, lower_expr, matching, operators
from .context import Lowerer, Refuse, Unreachable
from .describe import describe_ref
from .refs import (
    UNASSIGNED,
    ArrayRef,
    Data,
    Entries,
    Fetch,
    HeapRef,
    Items,
    Lost,
    Ref,
    Root,
    Static,
    TupleRef,
    Val,
)

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


# -- leaving -------------------------------------------------------------------------------------


def guard_flag(cx: Lowerer) -> str:
    """The flag that guards the rest of the present list of statements."""
    return f"$skip{cx.loops[-1]}" if cx.loops else "$ret"


def unless(cx: Lowerer, flag: Ref, rest: Callable[[], None]) -> None:
    """Lower ``rest`` where the flag is not set."""
    atom = flag.atom if isinstance(flag, Val) else FALSE
    if isinstance(atom, Const):
        if not atom.value:
            rest()
        return

    frame = cx.frame
    same = [
        name
        for name, ref in cx.state.frames[frame].items()
        if name.startswith("$") and isinstance(ref, Val) and ref.atom is atom
    ]

    def known(value: Ref) -> None:
        for name in same:
            cx.state.set(frame, name, value)

    def skipped() -> None:
        known(TRUE_REF)

    def goes_on() -> None:
        known(FALSE_REF)
        rest()

    cx.branch(atom, skipped, goes_on)


def always_leaves(nodes: Sequence[ast.stmt]) -> bool:
    """Whether control never reaches the end of the list (by its text; raising aside)."""
    for node in nodes:
        match node:
            case ast.Return() | ast.Break() | ast.Continue():
                return True
            case ast.If() if always_leaves(node.body) and always_leaves(node.orelse):
                return True
            case ast.With() if always_leaves(node.body):
                return True
    return False


def may_leave(nodes: Sequence[ast.stmt]) -> bool:
    """Whether a return, or a break or continue of the enclosing loop, is inside."""

    def inside(node: ast.AST, depth: int) -> bool:
        match node:
            case ast.Return():
                return True
            case ast.Break() | ast.Continue():
                return depth == 0
            case ast.FunctionDef() | ast.Lambda() | ast.ClassDef():
                return False
        deeper = depth + isinstance(node, ast.For | ast.While)
        return any(inside(child, deeper) for child in ast.iter_child_nodes(node))

    return any(inside(n, 0) for n in nodes)


# -- lists of statements -------------------------------------------------------------------------


def block(cx: Lowerer, nodes: Sequence[ast.stmt]) -> None:
    """Lower a list of statements."""
    for n, node in enumerate(nodes):
        if cx.state.raised:
            return
        rest = nodes[n + 1 :]
        if isinstance(node, ast.If) and rest and may_leave([node]):
            then, orelse = list(node.body), list(node.orelse)
            if always_leaves(then):
                statement(cx, node, then, [*orelse, *rest])
                return
            if orelse and always_leaves(orelse):
                statement(cx, node, [*then, *rest], orelse)
                return
        statement(cx, node)
        if isinstance(node, ast.Return | ast.Break | ast.Continue):
            return
        flag = cx.state.get(cx.frame, guard_flag(cx))
        if isinstance(flag, Val) and flag.atom is not FALSE and not cx.state.raised:
            unless(cx, flag, lambda rest=rest: block(cx, rest))  # type: ignore[misc]
            return


def statement(
    cx: Lowerer,
    node: ast.stmt,
    then: Sequence[ast.stmt] | None = None,
    orelse: Sequence[ast.stmt] | None = None,
) -> None:
    """Lower one statement; what is wrong with it is noted, and its names are lost."""
    outer = cx.node
    cx.node = node
    cx.b.span = cx.span(node)
    loops_open = len(cx.loops)
    frame, stack = cx.frame, len(cx.stack)
    try:
        _statement(cx, node, then, orelse)
    except Unreachable:
        cx.frame = frame
        del cx.stack[stack:]
        del cx.loops[loops_open:]
        cx.state.raised = True
    except Refuse as error:
        problem = error.problem
        if problem is None and not cx.problems:
            problem = Problem("what this does cannot be told", cx.span(node))
        if problem is not None:
            cx.problems.append(problem)
        cx.frame = frame
        del cx.stack[stack:]
        del cx.loops[loops_open:]
        for name in _bound(node):
            cx.state.set(cx.frame, name, Lost("", quiet=True))
        if isinstance(node, ast.Return):
            leave_function(cx, Lost("", quiet=True))
    finally:
        cx.node = outer


def _bound(node: ast.stmt) -> list[str]:
    return [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]


def _statement(
    cx: Lowerer,
    node: ast.stmt,
    then: Sequence[ast.stmt] | None,
    orelse: Sequence[ast.stmt] | None,
) -> None:
    match node:
        case ast.Assign():
            assign_all(cx, node)
        case ast.AugAssign():
            augmented(cx, node)
        case ast.AnnAssign():
            if node.value is not None:
                assign(cx, node.target, lower_expr.expr(cx, node.value, _hint(node.target)))
        case ast.Expr():
            if not isinstance(node.value, ast.Constant):
                lower_expr.expr(cx, node.value)
        case ast.Return():
            value: Ref = Val(Const.of(None))
            if node.value is not None:
                value = lower_expr.expr(cx, node.value)
            leave_function(cx, value)
        case ast.If():
            _if(cx, node, node.body if then is None else then,
                node.orelse if orelse is None else orelse)  # fmt: skip
        case ast.For():
            _for(cx, node)
        case ast.While():
            _while(cx, node)
        case ast.Break():
            leave_loop(cx, True)
        case ast.Continue():
            leave_loop(cx, False)
        case ast.Pass():
            pass
        case ast.FunctionDef():
            _def(cx, node)
        case ast.Raise():
            _raise(cx, node)
        case ast.Assert():
            _assert(cx, node)
        case ast.Delete():
            for target in node.targets:
                _delete(cx, target)
        case ast.Import():
            for alias in node.names:
                module = importlib.import_module(alias.name)
                top = alias.name.partition(".")[0]
                name = alias.asname or top
                obj = module if alias.asname else importlib.import_module(top)
                cx.state.set(cx.frame, name, Static(obj, Fetch.of("object", obj, name)))
        case ast.ImportFrom():
            _import_from(cx, node)
        case ast.With():
            _with(cx, node)
        case ast.Match():
            matching.match_statement(cx, node)
        case ast.Global() | ast.Nonlocal():
            _outer_names(cx, node)
        case ast.Try():
            cx.fail(
                "'try' around differentiated code is not supported",
                "test for the condition with 'if' instead of catching the error",
            )
        case ast.ClassDef():
            cx.fail("a class defined inside a function is not supported", "define it outside")
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
            cx.fail("'async' has no derivative", "make it plain Python")
        case _:
            cx.fail(f"a '{type(node).__name__}' statement is not supported")


def _hint(target: ast.expr) -> str | None:
    return target.id.partition("$")[0] if isinstance(target, ast.Name) else None


# -- exits ---------------------------------------------------------------------------------------


def leave_function(cx: Lowerer, value: Ref) -> None:
    cx.state.set(cx.frame, "$val", value)
    cx.state.set(cx.frame, "$ret", TRUE_REF)
    if cx.loops:
        leave_loop(cx, True)


def leave_loop(cx: Lowerer, ends: bool) -> None:
    loop = cx.loops[-1]
    cx.state.set(cx.frame, f"$skip{loop}", TRUE_REF)
    if ends:
        cx.state.set(cx.frame, f"$leave{loop}", TRUE_REF)
        if f"$broke{loop}" in cx.state.frames[cx.frame]:
            cx.state.set(cx.frame, f"$broke{loop}", TRUE_REF)


# -- assignment ----------------------------------------------------------------------------------


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
            lower_expr.expr(cx, v, _hint(t))
            for t, v in zip(first.elts, node.value.elts, strict=True)
        ]
        value: Ref = TupleRef(tuple(refs))
        if isinstance(node.value, ast.List):
            value = cx.new(Items(tuple(refs)))
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
            indexing.set_item(cx, base, indexing.index(cx, target.slice), value)
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
    assign(cx, targets[star], cx.new(Items(tuple(items[star:stop]))))
    for t, item in zip(targets[star + 1 :], items[stop:], strict=True):
        assign(cx, t, item)


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
                indexing.set_item(cx, base, i, new)
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
        case HeapRef() if isinstance(op, ast.BitOr) and isinstance(cx.content(old), Entries):
            lower_calls.method(cx, old, "update", [value], {})
            return old
        case _:
            return operators.binary(cx, op, old, value)


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
            from .refs import Stale

            cx.state.heap[other] = Stale(
                cx.span(), "it may be a number or an array that was changed in place"
            )
    cx.state.heap[fresh] = Data(atom)
    return ArrayRef(fresh)


# -- control flow --------------------------------------------------------------------------------


def _if(cx: Lowerer, node: ast.If, then: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
    cond = conditions.condition(cx, node.test)
    if isinstance(cond, Const):
        block(cx, then if cond.value else orelse)
        return

    def side(nodes: Sequence[ast.stmt]) -> Callable[[], None]:
        return lambda: block(cx, nodes)

    cx.branch(cond, side(then), side(orelse))


def _for(cx: Lowerer, node: ast.For) -> None:
    iterable = lower_expr.expr(cx, node.iter)
    orelse = (lambda: block(cx, node.orelse)) if node.orelse else None
    loops.for_loop(
        cx,
        iterable,
        lambda ref: assign(cx, node.target, ref),
        lambda: block(cx, node.body),
        nodes=[node],
        orelse=orelse,
        target=node.target,
    )


def _while(cx: Lowerer, node: ast.While) -> None:
    orelse = (lambda: block(cx, node.orelse)) if node.orelse else None
    loops.while_loop(
        cx,
        lambda: conditions.condition(cx, node.test),
        lambda: block(cx, node.body),
        nodes=node.body,
        orelse=orelse,
    )


# -- the rest ------------------------------------------------------------------------------------


def _def(cx: Lowerer, node: ast.FunctionDef) -> None:
    ref = lower_expr.closure(cx, node)
    for decorator in reversed(node.decorator_list):
        wrapper = lower_expr.expr(cx, decorator)
        if isinstance(wrapper, Static) and getattr(wrapper.obj, "__name__", "") in (
            "njit", "jit", "lru_cache", "cache", "wraps", "staticmethod",
        ):  # fmt: skip
            continue
        ref = lower_calls.apply(cx, wrapper, [ref], {})
    set_name(cx, node.name, ref)


def _raise(cx: Lowerer, node: ast.Raise) -> None:
    args: list[Atom] = []
    match node.exc:
        case None:
            cx.fail("'raise' without an exception has no meaning here")
        case ast.Call(func, given, []):
            cls = lower_expr.expr(cx, func)
            args = [
                cx.atom(cls),
                *(lower_expr.printable(cx, lower_expr.expr(cx, a)) for a in given),
            ]
        case exc:
            args = [cx.atom(lower_expr.expr(cx, exc))]
    cx.ops("raise", *args)
    cx.state.raised = True


def _assert(cx: Lowerer, node: ast.Assert) -> None:
    cond = conditions.condition(cx, node.test)
    if isinstance(cond, Const) and cond.value:
        return
    if node.msg is None:
        cx.ops("assert", cond)
        return
    before = cx.state.copy()
    with cx.b.region() as nodes:
        message = lower_expr.printable(cx, lower_expr.expr(cx, node.msg))
    if isinstance(message, Const):
        cx.ops("assert", cond, message)
        return
    cx.state = before
    del nodes

    def fails() -> None:
        text = lower_expr.printable(cx, lower_expr.expr(cx, node.msg))  # type: ignore[arg-type]
        cx.ops("raise", Const.of(AssertionError), text)
        cx.state.raised = True

    cx.branch(cond, lambda: None, fails)


def _delete(cx: Lowerer, target: ast.expr) -> None:
    match target:
        case ast.Name(id):
            lower_expr.name_of(cx, target)
            cx.state.set(cx.frame, id, UNASSIGNED)
        case ast.Tuple(elts) | ast.List(elts):
            for t in elts:
                _delete(cx, t)
        case ast.Subscript():
            base = lower_expr.expr(cx, target.value)
            indexing.delete_item(cx, base, indexing.index(cx, target.slice))
        case _:
            cx.fail("attributes cannot be deleted")


def _import_from(cx: Lowerer, node: ast.ImportFrom) -> None:
    if node.level:
        package = cx.frame.source.globals.get("__package__") or ""
        module = importlib.import_module("." * node.level + (node.module or ""), package)
    else:
        module = importlib.import_module(node.module or "")
    for alias in node.names:
        obj = getattr(module, alias.name)
        fetch = Fetch.of("object", module).sub(alias.name)
        cx.state.set(cx.frame, alias.asname or alias.name, cx.captures.ref(fetch, obj))


def _with(cx: Lowerer, node: ast.With) -> None:
    import numpy as np

    for item in node.items:
        call = item.context_expr
        manager = lower_expr.expr(cx, call.func) if isinstance(call, ast.Call) else None
        harmless = isinstance(manager, Static) and manager.obj in (np.errstate, np.printoptions)
        if not harmless:
            cx.fail(
                "only 'with np.errstate(...)' is supported",
                "do what needs the context manager outside the differentiated function",
                item.context_expr,
            )
    block(cx, node.body)


def _outer_names(cx: Lowerer, node: ast.Global | ast.Nonlocal) -> None:
    """``nonlocal`` of a variable of this very call is like any other; all else is refused."""
    frame = cx.frame
    if isinstance(node, ast.Nonlocal) and all(_is_outer(cx, n) for n in node.names):
        cx.outer_names[frame] = {*cx.outer_names.get(frame, ()), *node.names}
        return
    word = "global" if isinstance(node, ast.Global) else "nonlocal"
    assigned = {
        n.id
        for n in ast.walk(frame.node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    if assigned & set(node.names):
        cx.fail(f"writing {word} variables has no derivative", "return the value instead")


def _is_outer(cx: Lowerer, name: str) -> bool:
    outer = cx.frame.outer
    while outer is not None:
        if name in cx.state.frames.get(outer, {}):
            return outer.stands_for is None
        outer = outer.outer
    return False
