"""Who uses a value, and how: as an operand, to begin a loop with, or as what a region yields.

In: the body of a function in SSA. Out: `Uses`, which knows of each value all its uses, and of each
node and region what is around it::

    for i in range(n), a = x:          inits[x] = [(the loop, 0)]
        b = mul(a, y)            ->    args[y] = [(mul, 1)]
        yield b                        yields[b] = [(the loop's body, 1)]
"""

from __future__ import annotations

from ...ir.nodes import For, Node, Region, Value, While, operands_of, regions_of

__all__ = ["Uses"]


class Uses:
    """Who uses a value, and how."""

    def __init__(self, body: Region) -> None:
        self.args: dict[Value, list[tuple[Node, int]]] = {}
        self.inits: dict[Value, list[tuple[For | While, int]]] = {}
        self.yields: dict[Value, list[tuple[Region, int]]] = {}
        self.parent: dict[Region, Node] = {}
        self.region: dict[Node, Region] = {}
        self.definition: dict[Value, Node] = {}
        self._region(body)

    def _region(self, region: Region) -> None:
        for node in region.ops:
            self.region[node] = region
            for r in node.results:
                self.definition[r] = node
            skip = len(operands_of(node))
            if isinstance(node, For | While):
                for n, a in enumerate(node.init):
                    if isinstance(a, Value):
                        self.inits.setdefault(a, []).append((node, n))
                skip -= len(node.init)
            for n, a in enumerate(operands_of(node)[:skip]):
                if isinstance(a, Value):
                    self.args.setdefault(a, []).append((node, n))
            for inner in regions_of(node):
                self.parent[inner] = node
                self._region(inner)
        for n, a in enumerate(region.yields):
            if isinstance(a, Value):
                self.yields.setdefault(a, []).append((region, n))

    def around(self, node: Node) -> list[Node]:
        """The nodes around ``node``, innermost first."""
        found: list[Node] = []
        region = self.region[node]
        while region in self.parent:
            found.append(self.parent[region])
            region = self.region[found[-1]]
        return found

    def depth(self, node: Node) -> int:
        return len(self.around(node))

    def count(self, value: Value) -> int:
        return sum(len(d.get(value, ())) for d in (self.args, self.inits, self.yields))
