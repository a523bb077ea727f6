"""The forms of branches: as expressions, or as the end of a loop's body or of the function.

In: a plan. Out: its ``conditional`` ifs and its ``tails``.

    r = if c: yield a, else: yield b       ->   r = a if c else b
    leave, y1 = if c: yield True, y …      ->   if c: break
"""

from __future__ import annotations

from ..ir.kinds import Num, Undef
from ..ir.nodes import (
    Atom,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    regions_of,
)
from .ops import effect, writes
from .plan import Plan

#: Arms of more ops are not written as expressions.
LARGEST_ARM = 9


def find_conditionals(made: Plan, region: Region) -> None:
    """Enter the ifs that are written as ``and``, ``or`` or ``a if c else b``."""
    for node in region.ops:
        for inner in regions_of(node):
            find_conditionals(made, inner)
        if isinstance(node, If) and _is_conditional(made, node):
            made.conditional.add(node)
            for y in (node.then.yields[0], node.orelse.yields[0]):
                if y is node.cond and isinstance(y, Value):
                    made.uses[y] -= 1  # ``a and b`` is written with one a
            for arm in (node.then, node.orelse):
                for op in arm.ops:
                    made.inline[op.results[0]] = op  # type: ignore[assignment]
                    made.locked.add(op.results[0])


def _is_conditional(made: Plan, node: If) -> bool:
    if len(node.results) != 1 or not (_is_logic(node) or _on_one_line(node)):
        return False
    for arm in (node.then, node.orelse):
        if isinstance(arm.yields[0].kind, Undef) or len(arm.ops) > LARGEST_ARM:
            return False
        for op in arm.ops:
            if len(op.results) != 1 or op.results[0].name is not None or effect(op):
                return False
            if isinstance(op, Op):
                if writes(op) is not None or op.fn in ("copy", "copied"):
                    return False
            elif op not in made.conditional:
                return False
            cheap = isinstance(op, Op) and op.fn in ("slice", "tuple")
            if made.uses[op.results[0]] != 1 and not cheap:
                return False
    return True


def _is_logic(node: If) -> bool:
    """True for ``a and b`` and ``a or b``."""
    then, orelse = node.then.yields[0], node.orelse.yields[0]
    if node.then.ops and node.orelse.ops:
        return False
    if orelse is node.cond or (_is_truth(orelse, False) and _is_bool(node.cond)):
        return not node.orelse.ops
    if then is node.cond or (_is_truth(then, True) and _is_bool(node.cond)):
        return not node.then.ops
    return False


def _is_truth(atom: Atom, truth: bool) -> bool:
    return isinstance(atom, Const) and atom.value is truth


def _is_bool(atom: Atom) -> bool:
    return isinstance(atom.kind, Num) and atom.kind.dtype == "bool"


def _on_one_line(node: If) -> bool:
    """True where the user wrote ``a if c else b``."""
    if node.span is None:
        return False
    text = node.span.text.strip()
    if text.startswith(("if ", "if(", "elif ", "while ", "for ", "else")):
        return False
    return " if " in text and " else " in text


def find_tails(made: Plan, region: Region, function: bool, loop: bool = False) -> None:
    """An ``If`` that ends a loop body and decides whether to leave, or that ends the function."""
    for node in region.ops:
        for inner in regions_of(node):
            in_loop = isinstance(node, For | While) and inner is regions_of(node)[-1]
            find_tails(made, inner, False, in_loop)
    if loop:
        _mark_tail(made, region, region.yields, 0)
    elif function and region.ops and isinstance(region.ops[-1], If):
        node = region.ops[-1]
        if node in made.conditional:
            return
        used = [r for r in node.results if r in region.yields]
        if all(r.name is None for r in used) or _leaves_early(node):
            made.tails.add(node)
            for arm in (node.then, node.orelse):
                find_tails(made, arm, True)


def _leaves_early(node: If) -> bool:
    return any(arm.ops and _raises(arm.ops[-1]) for arm in (node.then, node.orelse))


def _raises(node: Node) -> bool:
    return isinstance(node, Op) and node.fn == "raise"


def _mark_tail(made: Plan, region: Region, yields: tuple[Atom, ...], place: int) -> None:
    """``yields[place]`` says whether to leave: follow it into the arms that decide it."""
    if not region.ops or not isinstance(region.ops[-1], If):
        return
    node = region.ops[-1]
    leave = yields[place]
    if leave not in node.results or node in made.conditional:
        return
    at = node.results.index(leave)
    if made.uses[node.results[at]] > 1:
        return
    made.tails.add(node)
    for arm in (node.then, node.orelse):
        _mark_tail(made, arm, arm.yields, at)
        made.leaving.update(y for y in arm.yields[at : at + 1] if isinstance(y, Value))
