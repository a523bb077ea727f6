"""Where a tangent stands: before the statement it belongs to, or after it.

In: the nodes that compute a tangent, and the results of the statement. Out: those that can do
without the results, and those that cannot. The first go before the statement, so that
``y = y * x`` and its tangent read the same y.

    y = exp x;  c = cos t;  y_dot = mul y c     ->     [c = cos t], [y_dot = mul y c]
"""

from __future__ import annotations

from ..ir.nodes import Atom, Node, Value, operands_of, read_in, regions_of

__all__ = ["parted"]


def parted(nodes: list[Node], results: tuple[Value, ...]) -> tuple[list[Node], list[Node]]:
    """The nodes that can do without ``results``, and those that cannot."""
    late: set[Atom] = set(results)
    before: list[Node] = []
    after: list[Node] = []
    for node in nodes:
        read = {*operands_of(node), *(a for r in regions_of(node) for a in read_in(r))}
        if read & late:
            late.update(node.results)
            after.append(node)
        else:
            before.append(node)
    return before, after
