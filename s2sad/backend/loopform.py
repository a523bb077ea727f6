"""The forms of loops: those over indices that are better written over elements.

In: a plan. Out: its ``loops``, and the ops they stand for among those ``gone``.

    for k in range(len(tape) - 1, -1, -1): e = item(tape, k); a = item(e, 0) …
        ->   for a, b in tape[::-1]: …
"""

from __future__ import annotations

from ..ir.kinds import Array, FixedList, ListOf, Tuple
from ..ir.nodes import (
    Atom,
    Const,
    For,
    Node,
    Op,
    Region,
    Value,
    is_int,
    operands_of,
    read_in,
    regions_of,
)
from .plan import Loop, Plan


def find_loops(made: Plan) -> None:
    """Enter every loop that goes through the elements of something."""
    _Loops(made).region(made.function.body)


class _Loops:
    """Finds loops over elements written as loops over indices."""

    def __init__(self, made: Plan) -> None:
        self.made = made
        self.definitions = made.facts.definitions

    def region(self, region: Region) -> None:
        for node in region.ops:
            if isinstance(node, For):
                loop = self.backward(node) or self.forward(node)
                if loop is not None:
                    self.made.loops[node] = loop
                    self.made.gone |= loop.gone
            for inner in regions_of(node):
                self.region(inner)

    def defined(self, atom: Atom, fn: str) -> Op | None:
        node = self.definitions.get(atom) if isinstance(atom, Value) else None
        return node if isinstance(node, Op) and node.fn == fn else None

    def readers(self, region: Region, value: Value) -> list[Node | None]:
        """The nodes that read a value; None stands for a region's yields."""
        found: list[Node | None] = []
        for node in region.ops:
            found.extend(node for a in operands_of(node) if a is value)
            for inner in regions_of(node):
                found.extend(self.readers(inner, value))
        found.extend(None for a in region.yields if a is value)
        return found

    def backward(self, node: For) -> Loop | None:
        """``for k in range(len(tape) - 1, -1, -1)`` whose k only reads ``tape[k]``."""
        index = node.body.params[0]
        last = self.defined(node.start, "sub")
        if last is None or not (
            is_int(node.stop, -1) and is_int(node.step, -1) and is_int(last.args[1], 1)
        ):
            return None
        length = self.defined(last.args[0], "len")
        if length is None:
            return None
        tape = length.args[0]
        readers = self.readers(node.body, index)
        if len(readers) != 1 or not isinstance(tape.kind, ListOf | FixedList):
            return None
        entry = readers[0]
        if not (isinstance(entry, Op) and entry.fn == "item" and entry.args[0] is tape):
            return None
        if entry not in node.body.ops or entry.args[1] is not index:
            return None
        return self.unpacked(node, "reversed", tape, entry, ())

    def unpacked(
        self, node: For, form: str, iterable: Atom, entry: Op, first: tuple[Value, ...]
    ) -> Loop:
        element = entry.results[0]
        gone: set[Node] = {entry}
        if isinstance(element.kind, Tuple):
            targets: list[Value | None] = [None] * len(element.kind.items)
            readers = self.readers(node.body, element)
            whole = readers[0] if len(readers) == 1 else None
            if (
                isinstance(whole, Op)
                and whole.fn == "unpack"
                and not whole.attrs
                and whole in node.body.ops
            ):
                read = read_in(node.body)
                parts = tuple(r if r in read else None for r in whole.results)
                gone.add(whole)
                return Loop(form, (iterable,), (*first, *parts), True, frozenset(gone))
            for reader in readers:
                if not (isinstance(reader, Op) and reader.fn == "item"):
                    break
                place = reader.args[1]
                if not isinstance(place, Const) or type(place.value) is not int:
                    break
                if reader not in node.body.ops or targets[place.value] is not None:
                    break
                targets[place.value] = reader.results[0]
                gone.add(reader)
            else:
                if targets:
                    return Loop(form, (iterable,), (*first, *targets), True, frozenset(gone))
            gone = {entry}
        return Loop(form, (iterable,), (*first, element), False, frozenset(gone))

    def forward(self, node: For) -> Loop | None:
        """``for i in range(len(x))`` that stands for the user's ``for a in x``, or for a zip."""
        if not (is_int(node.start, 0) and is_int(node.step, 1)):
            return None
        over = self.ranged_over(node.stop)
        index = node.body.params[0]
        readers = self.readers(node.body, index)
        entries = [self.entry(node, readers, x) for x in over]
        found = [e for e in entries if e is not None]
        if not found or len(found) < len(entries):
            return None
        gone = frozenset[Node](found)
        plain = len(readers) == len(found)
        if plain and len(found) == 1:
            return self.unpacked(node, "elements", over[0], found[0], ())
        elements = tuple(e.results[0] for e in found)
        if plain:
            return Loop("elements", over, elements, True, gone)
        return Loop("enumerate", over, (index, *elements), False, gone)

    def ranged_over(self, stop: Atom) -> tuple[Value, ...]:
        """What a loop to ``len(x)``, or to the least of several lengths, may go through."""
        least = self.defined(stop, "min")
        lengths = [self.defined(a, "len") for a in (least.args if least else (stop,))]
        found = [n.args[0] for n in lengths if n is not None]
        kinds = ListOf | FixedList | Array
        over = tuple(x for x in found if isinstance(x, Value) and isinstance(x.kind, kinds))
        return over if len(over) == len(lengths) == len(set(over)) else ()

    def entry(self, node: For, readers: list[Node | None], over: Value) -> Op | None:
        """The op that takes the loop's element of ``over``."""
        for r in readers:
            if isinstance(r, Op) and r.fn == "item" and r.args[0] is over:
                own = r in node.body.ops and _same_line(r, node)
                return r if own and r.args[1] is node.body.params[0] else None
        return None


def _same_line(entry: Op, node: For) -> bool:
    """True where the element is taken by the loop's own line, as ``for a in x`` does."""
    if entry.span is None or node.span is None:
        return node.body.params[0].name is None and entry.results[0].name is not None
    return (entry.span.filename, entry.span.line) == (node.span.filename, node.span.line)
