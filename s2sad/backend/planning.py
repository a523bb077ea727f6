"""Planning: which ops become parts of expressions, and which shape loops and branches take.

In: a function in normal form and the storage facts. Out: a ``Plan``.

    t = mul(x, x); y = add(t, b)             ->   t inline:  y = x * x + b
    for k in range(len(tape) - 1, -1, -1)    ->   for a, b in tape[::-1]
"""

from __future__ import annotations

from ..ir.nodes import (
    For,
    Function,
    Op,
    Region,
    Value,
    operands_of,
    regions_of,
)
from .branchform import find_conditionals, find_tails
from .inline import inline_expressions
from .loopform import find_loops
from .ops import effect
from .plan import Mutates, Plan
from .storage import Storage


def plan(function: Function, facts: Storage, mutates: Mutates) -> Plan:
    """Decide the shapes of loops and what is written inside expressions."""
    made = Plan(function, facts, mutates=mutates)
    find_loops(made)
    _count(made, function.body)
    if made.gone:
        _drop_unread(made, function.body)
    find_conditionals(made, function.body)
    find_tails(made, function.body, True)
    inline_expressions(made)
    return made


def _count(made: Plan, region: Region) -> None:
    for node in region.ops:
        if node in made.gone:
            continue
        atoms = (*made.header(node), *node.init) if isinstance(node, For) else operands_of(node)
        made.uses.update(a for a in atoms if isinstance(a, Value))
        for inner in regions_of(node):
            _count(made, inner)
    made.uses.update(a for a in region.yields if isinstance(a, Value))


def _drop_unread(made: Plan, region: Region) -> None:
    """Ops that only served a loop over indices, such as the length it went to."""
    for node in reversed(region.ops):
        for inner in regions_of(node):
            _drop_unread(made, inner)
        if isinstance(node, Op) and node not in made.gone and not effect(node):
            if not any(made.uses[r] for r in node.results):
                made.gone.add(node)
                made.uses.subtract(a for a in node.args if isinstance(a, Value))
