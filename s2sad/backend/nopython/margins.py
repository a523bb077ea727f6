"""Zeros around what every iteration writes anew are made once.

In: a module for Numba. Out: the same module in which an array that an iteration fills with zeros,
and then writes the same elements of as the iteration before, is made before the loop::

    for _ in range(steps):                        p = np.zeros(n + 2)
        p = np.zeros(n + 2)                       for _ in range(steps):
        for i in range(n): p[i + 1] = y[i]   ->       for i in range(n): p[i + 1] = y[i]
        for i in range(n): z[i] = p[i + 2]            for i in range(n): z[i] = p[i + 2]

What it reads of the array is either zero or has just been written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...ir.kinds import Array
from ...ir.mapping import map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    defined_in,
    never_leaves,
    operands_of,
    regions_in,
    version,
    walk,
)
from .commuting import OF_SIZES
from .fusion.views import Definitions, is_nonnegative

__all__ = ["margins_once"]


def margins_once(module: Module) -> Module:
    """The module in which such arrays are made once."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    if not any(isinstance(n, Op) and n.fn == "np.zeros" for n in walk(f.body)):
        return f
    definitions = {r: node for node in walk(f.body) for r in node.results}
    return replace(f, body=_region(f.body, definitions))


def _region(region: Region, definitions: Definitions) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        node = map_regions(node, lambda inner: _region(inner, definitions))
        if isinstance(node, For):
            node = _made_before(node, nodes, definitions)
        nodes.append(node)
    return with_nodes(region, nodes)


def _made_before(loop: For, before: list[Node], definitions: Definitions) -> For:
    """The loop, of which the arrays that can be are made by nodes before it."""
    body = _Body(loop, definitions)
    for op in loop.body.ops:
        if isinstance(op, Op) and op.fn == "np.zeros":
            needed = body.sizes(op)
            if needed is not None and body.is_written_alike(op.results[0]):
                body.moved += [n for n in (*needed, op) if n not in body.moved]
    zeros = [op for op in body.moved if op.fn == "np.zeros"]
    if not zeros:
        return loop
    before += body.moved
    params, ends, results = list[Value](), list[Atom](), list[Value]()
    inner: dict[Value, Value] = {}
    for op in zeros:
        (array,) = op.results
        inner[array] = version(array)
        params.append(inner[array])
        results.append(version(array))
        ends.append(body.ends[array])
    nodes = [_begun(n, inner) for n in loop.body.ops if n not in body.moved]
    region = Region((*loop.body.params, *params), tuple(nodes), (*loop.body.yields, *ends))
    init = (*loop.init, *(op.results[0] for op in zeros))
    return replace(loop, results=(*loop.results, *results), init=init, body=region)


def _begun(node: Node, inner: dict[Value, Value]) -> Node:
    """A node of the body, which begins with the arrays that the loop carries."""
    if not isinstance(node, For) or not any(a in inner for a in node.init):
        return node
    init = tuple(inner.get(a, a) if isinstance(a, Value) else a for a in node.init)
    return replace(node, init=init)


@dataclass(slots=True)
class _Body:
    """What is known of the body of a loop.

    ``moved`` are the ops that go before it; ``ends`` has what arrays are after an iteration.
    """

    loop: For
    definitions: Definitions
    moved: list[Op] = field(default_factory=list)
    ends: dict[Value, Value] = field(default_factory=dict)
    made: dict[Value, Node] = field(default_factory=dict)
    own: set[Atom] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.own.update(defined_in(self.loop.body))
        for node in walk(self.loop.body):
            self.made.update(dict.fromkeys(node.results, node))

    def sizes(self, op: Op) -> list[Op] | None:
        """The ops that compute an array's shape, which is the same in each iteration."""
        found: list[Op] = []
        at = set(self.loop.body.ops)

        def known(a: Atom) -> bool:
            if a not in self.own:
                return True
            node = self.of_sizes(a)
            if node is None or node not in at or not all(map(known, node.args)):
                return False
            if node not in found:
                found.append(node)
            return True

        (shape,) = op.args
        made = self.definitions.get(shape) if isinstance(shape, Value) else None
        lengths: tuple[Atom, ...] = (shape,)
        if isinstance(made, Op) and made.fn == "tuple":
            lengths = made.args
        elif isinstance(shape, Const) and type(shape.value) is tuple:
            lengths = tuple(map(Const.of, shape.value))
        # There must not be an error where the loop would not have been run.
        if not all(is_nonnegative(a, self.definitions) for a in lengths):
            return None
        return found if known(shape) else None

    def of_sizes(self, a: Atom) -> Op | None:
        """The op that computes a number or numbers of others, if one does."""
        node = self.made.get(a) if isinstance(a, Value) else None
        if not isinstance(node, Op) or node.fn not in OF_SIZES or isinstance(a.kind, Array):
            return None
        return None if node.fn == "item" and isinstance(node.args[0].kind, Array) else node

    def is_written_alike(self, array: Value) -> bool:
        """Whether each iteration first writes the same elements of it, and then reads it only."""
        user = self.only_user(array, self.loop.body)
        filled = self.written(user, array, frozenset()) if isinstance(user, For) else None
        if filled is None or self.yields(filled) or not self.is_only_read(filled):
            return False
        self.ends[array] = filled
        return True

    def written(self, node: Node, array: Value, counters: frozenset[Value]) -> Value | None:
        """The array after the node, if that writes elements that the counters alone determine."""
        if isinstance(node, Op):
            whole = node.fn == "setitem" and node.args[0] is array
            if not whole or array in node.args[1:] or not self.is_same(node.args[1], counters):
                return None
            return node.results[0]
        if not isinstance(node, For) or node.init.count(array) != 1:
            return None
        bounds = (node.start, node.stop, node.step)
        if array in bounds or not all(self.is_same(a, counters) for a in bounds):
            return None
        k = node.init.index(array)
        if not never_leaves(node):
            return None
        param, made = node.body.params[1 + k], node.body.yields[1 + k]
        user = self.only_user(param, node.body)
        if user is None or not isinstance(made, Value) or self.yields(made) != 1:
            return None
        # What is read in an iteration must not be of those that come later, as they were before.
        is_read = any(made in operands_of(n) for n in walk(self.loop.body))
        if is_read and not self.is_only_read(made):
            return None
        within = frozenset() if is_read else counters | {node.body.params[0]}
        return node.results[k] if self.written(user, param, within) is made else None

    def only_user(self, array: Value, region: Region) -> Node | None:
        """The one node of all that has an array as an operand, if it is of that region."""
        users = [n for n in walk(self.loop.body) if array in operands_of(n)]
        alone = len(users) == 1 and not self.yields(array)
        return users[0] if alone and users[0] in region.ops else None

    def is_same(self, a: Atom, counters: frozenset[Value]) -> bool:
        """Whether a number, or an index, follows from the counters in every iteration alike."""
        if a not in self.own or a in counters:
            return True
        node = self.of_sizes(a)
        return node is not None and all(self.is_same(x, counters) for x in node.args)

    def yields(self, v: Value) -> int:
        """How often a value is yielded."""
        return sum(region.yields.count(v) for region in regions_in(self.loop.body))

    def is_only_read(self, array: Value) -> bool:
        """Whether all that has an array as an operand reads a single element of it."""
        return all(
            isinstance(n, Op)
            and n.fn == "item"
            and n.args[0] is array
            and array not in n.args[1:]
            and not isinstance(n.results[0].kind, Array)
            for n in walk(self.loop.body)
            if array in operands_of(n)
        )
