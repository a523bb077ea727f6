"""Loops that only record, put back into the loops that read the record.

In: a module for Numba, whose tapes are still lists. Out: the same module, in which an iteration of
the reverse sweep computes what the forward sweep would have saved for it, where nothing else came
of that forward loop: its sum is not asked for, and no iteration needs the one before::

    for i in range(n):
        s = math.sqrt(x[i])
        tape.append(s)                    for i in range(n - 1, -1, -1):
    for i in range(n - 1, -1, -1):   ->       s = math.sqrt(x[i])
        s = tape[i]                           x_bar[i] += y_bar / (2.0 * s)
        x_bar[i] += y_bar / (2.0 * s)

Nothing is computed twice: the first loop is gone, and the way through memory with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...analysis.storage import Overwritten
from ...ir.clone import clone
from ...ir.kinds import Array, ListOf, Mixed
from ...ir.mapping import Mapper
from ...ir.nodes import (
    Atom,
    Call,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    free_values,
    walk,
)
from ...rules.registry import primitive
from .tape_facts import Tape, find_tapes
from .uses import Uses

__all__ = ["rejoin_loops"]


def rejoin_loops(module: Module) -> Module:
    """The module with such loops joined."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    while True:
        tapes, uses = find_tapes(f)
        by_loop: dict[Node, list[Tape]] = {}
        for tape in tapes:
            by_loop.setdefault(tape.loop, []).append(tape)
        overwritten = Overwritten(f.body) if tapes else None
        for of_loop in by_loop.values():
            if overwritten is not None and _only_records(of_loop, uses, overwritten):
                f = replace(f, body=_Joining(of_loop, uses).region(f.body))
                break
        else:
            return f


def _only_records(tapes: Sequence[Tape], uses: Uses, overwritten: Overwritten) -> bool:
    """Whether all that a loop does is to fill these tapes, and its reader could do the same."""
    first = tapes[0]
    loop, reader = first.loop, first.reader
    if not isinstance(loop, For) or len(tapes) != len(loop.init):
        return False
    for tape in tapes:
        result = loop.results[tape.position]
        if not tape.counted or tape.reader is not reader:
            return False
        if tape.read.args[0] is not result or uses.count(result) != 1:
            return False  # what the body reads may not be known where the tape is read
    appends = {t.append for t in tapes}
    for node in walk(loop.body):
        match node:
            case Op() if node not in appends:
                if primitive(node.fn).effect != "pure" or node.fn in ("list", "append", "pop"):
                    return False
            case Call():
                return False
    free = free_values(loop.body)
    return not any(v in overwritten and isinstance(v.kind, Array | ListOf | Mixed) for v in free)


class _Joining(Mapper):
    """Leaves the recording loop out, and puts its body at the head of the reader's."""

    def __init__(self, tapes: Sequence[Tape], uses: Uses) -> None:
        super().__init__()
        self.tapes = tapes
        self.uses = uses
        self.gone: set[Node] = set()
        for t in tapes:
            self.gone |= {t.made, t.append, t.read}
            if t.packed is not None:
                self.gone |= {t.packed, *(n for n, _ in uses.args[t.read.results[0]])}

    def op(self, op: Op) -> Sequence[Node]:
        return () if op in self.gone else super().op(op)

    def loop(self, node: For | While) -> Sequence[Node]:
        recording, reader = self.tapes[0].loop, self.tapes[0].reader
        if node is recording:
            return ()
        if node is not reader:
            return super().loop(node)
        kept = tuple(n for n in recording.body.ops if n not in self.gone)
        pairs = [pair for t in self.tapes for pair in t.entry_values(self.uses)]
        fields: tuple[Atom, ...] = tuple(a for a, _ in pairs)
        index: dict[Value, Atom] = {recording.body.params[0]: reader.body.params[0]}
        head, atoms = clone(Region((), kept, fields), index)
        self.known.update(zip((v for _, v in pairs), atoms, strict=True))
        body = self.region(reader.body)
        body = replace(body, ops=(*head, *body.ops))
        return (replace(reader, init=self.atoms(reader.init), body=body),)
