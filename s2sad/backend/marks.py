"""Marks: operations that only tell a transform something are gone when text is written.

In: a module. Out: the same one without them; what read a mark reads what was marked.

    stop2 = checkpointed(stop, 8); for t in range(stop2)   ->   for t in range(stop)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.mapping import Mapper
from ..ir.nodes import Module, Node, Op, walk

__all__ = ["without_marks"]

MARKS = frozenset({"checkpointed", "stop_gradient"})


def without_marks(module: Module) -> Module:
    """The module without marks."""
    functions = {}
    for name, f in module.functions.items():
        marked = any(isinstance(n, Op) and n.fn in MARKS for n in walk(f.body))
        functions[name] = replace(f, body=_Unmarked().region(f.body)) if marked else f
    return Module(functions)


class _Unmarked(Mapper):
    def op(self, op: Op) -> Sequence[Node]:
        if op.fn not in MARKS:
            return super().op(op)
        self.known[op.results[0]] = self.atom(op.args[0])
        return ()
