"""What is known of a function before its reverse sweep is written.

In: a function. Out: for each value where it is defined, by which node, how often it is used, and
whether it exists wherever it is read.

    y = x * x   ->   use_count[x] is 2, definition[y] the op, scope[y] the body of the loop
"""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.nodes import Atom, Call, For, Function, If, Node, Op, Region, Value, While, regions_of

__all__ = ["Scope", "Survey"]


class Scope:
    """Where a value is defined: the function, a loop body or an arm of a branch."""

    __slots__ = ("in_loop", "parent")

    def __init__(self, parent: Scope | None, in_loop: bool) -> None:
        self.parent = parent
        self.in_loop = in_loop


class Survey:
    """The facts about one function, in dicts keyed by its values."""

    def __init__(self, function: Function, top: Scope) -> None:
        self.definition: dict[Value, Op] = {}
        self.producer: dict[Value, Node] = {}
        self.scope: dict[Value, Scope] = dict.fromkeys(function.params, top)
        self.region_scope: dict[Region, Scope] = {}
        self.use_count: dict[Value, int] = {}
        #: results of nodes, in program order
        self.position: dict[Value, int] = {}
        #: values the user's program reads wherever they exist: they are never unassigned
        self.assigned: set[Value] = set()
        self._survey(function.body, top)

    def _survey(self, region: Region, scope: Scope) -> None:
        self.region_scope[region] = scope
        for p in region.params:
            self.scope[p] = scope
        for node in region.ops:
            for r in node.results:
                self.scope[r] = scope
                self.producer[r] = node
                self.position[r] = len(self.position)
            match node:
                case Op():
                    self.definition.update(dict.fromkeys(node.results, node))
                    self._use(node.args)
                    self.assigned.update(
                        a for a in node.args if isinstance(a, Value) and self.scope[a] is scope
                    )
                case Call():
                    self._use(node.args)
                case If():
                    self._use((node.cond,))
                case For() | While():
                    self._use(node.init)
            for inner in regions_of(node):
                self._survey(inner, Scope(scope, scope.in_loop or isinstance(node, For | While)))
        self._use(region.yields)

    def _use(self, atoms: Iterable[Atom]) -> None:
        for a in atoms:
            if isinstance(a, Value):
                self.use_count[a] = self.use_count.get(a, 0) + 1

    def is_inside(self, value: Value, scope: Scope) -> bool:
        """Whether a value is defined in the scope or in one inside it."""
        at = self.scope.get(value)
        while at is not None:
            if at is scope:
                return True
            at = at.parent
        return False

    def is_array(self, value: Atom, depth: int = 8) -> bool:
        """Whether a value of an array's kind is an array on every path, and not None on some."""
        if not isinstance(value, Value) or depth == 0:
            return False
        node = self.producer.get(value)
        ends: tuple[Atom, ...]
        match node:
            case If():
                k = node.results.index(value)
                ends = (node.then.yields[k], node.orelse.yields[k])
            case For() | While():
                k = node.results.index(value)
                ends = (node.init[k],)
            case _:
                return True
        return all(self.is_array(end, depth - 1) for end in ends)
