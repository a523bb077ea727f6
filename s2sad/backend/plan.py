"""The plan: what the passes before writing have decided about one function.

``inline`` holds the values that are written where they are used, ``leaves`` gives the names such
a use reads, ``loops`` the loops that go through elements; `planning` makes all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..ir.nodes import Atom, Const, For, Function, If, Node, Op, Value
from .storage import Storage

Mutates: TypeAlias = Mapping[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop over elements: ``for targets in iterables``; ``gone`` are the ops it stands for."""

    #: "reversed" or "elements"; "enumerate" has the index as first target
    form: str
    iterables: tuple[Atom, ...]
    targets: tuple[Value | None, ...]
    unpack: bool
    gone: frozenset[Node]


@dataclass(slots=True, eq=False)
class Plan:
    """Facts for writing out one function."""

    function: Function
    facts: Storage
    inline: dict[Value, Op | If] = field(default_factory=dict)
    loops: dict[For, Loop] = field(default_factory=dict)
    gone: set[Node] = field(default_factory=set)
    #: ifs at the end of a region whose arms do the moves (or the return) themselves
    tails: set[If] = field(default_factory=set)
    #: ifs written as ``a and b``, ``a or b`` or ``a if c else b``
    conditional: set[If] = field(default_factory=set)
    uses: Counter[Value] = field(default_factory=Counter)
    #: what decides, at the end of a branch that ends a loop's body, whether to leave
    leaving: set[Value] = field(default_factory=set)
    locked: set[Value] = field(default_factory=set)
    #: per callee, the parameters it writes and the yields that are their new versions
    mutates: Mutates = field(default_factory=dict)
    _leaves: dict[Value, tuple[Value, ...]] = field(default_factory=dict)

    def leaves(self, atom: Atom) -> tuple[Value, ...]:
        """The named values that are read where ``atom`` is written."""
        if isinstance(atom, Const):
            return ()
        node = self.inline.get(atom)
        if node is None:
            return (atom,)
        known = self._leaves.get(atom)
        if known is None:
            atoms = branch_atoms(node) if isinstance(node, If) else node.args
            known = tuple(dict.fromkeys(leaf for a in atoms for leaf in self.leaves(a)))
            self._leaves[atom] = known
        return known

    def skipped(self, node: Node) -> bool:
        """True for nodes that are not statements."""
        if node in self.gone:
            return True
        return len(node.results) == 1 and node.results[0] in self.inline

    def header(self, node: For) -> tuple[Atom, ...]:
        """The atoms a loop's first line reads."""
        loop = self.loops.get(node)
        if loop is None:
            return (node.start, node.stop, node.step)
        return loop.iterables

    def head_values(self, node: For) -> tuple[Value, ...]:
        """The values a loop's first line assigns in each iteration."""
        loop = self.loops.get(node)
        if loop is None:
            return (node.body.params[0],)
        return tuple(t for t in loop.targets if t is not None)


def branch_atoms(node: If) -> tuple[Atom, ...]:
    """What an ``if`` written as an expression reads."""
    return (node.cond, node.then.yields[0], node.orelse.yields[0])
