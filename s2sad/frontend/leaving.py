"""Leaving: which statements leave a list, a loop or a function, and the flags that say so.

In: statements, or the present frame. Out: whether they may leave or always do, flags set, and
the rest of a list lowered where no flag is set.

    if c: return a          if c: $ret = True; $val = a
    b = f(a)                if not $ret: b = f(a)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from ..ir.nodes import FALSE, TRUE, Const
from .context import Lowerer
from .refs import Ref, Val

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


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
