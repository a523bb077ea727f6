"""What is computed twice on arrays is computed once.

In: a function. Out: the same function in which an elementwise op that repeats one before it, on
the same operands, is that one::

    p = mul(0.125, t); …; q = mul(0.125, t); use(q)   ->   p = mul(0.125, t); …; use(p)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from ....ir.kinds import INT
from ....ir.mapping import Mapper
from ....ir.nodes import Atom, Const, Function, Node, Op, Region, Value
from .elements import is_elementwise

__all__ = ["computed_once"]


def computed_once(f: Function, others: Callable[[Op], bool] = lambda op: False) -> Function:
    """The function without repeated elementwise ops, nor such ``others`` without attributes."""
    return replace(f, body=_Once(others).region(f.body))


class _Once(Mapper):
    def __init__(self, others: Callable[[Op], bool]) -> None:
        super().__init__()
        self.others = others
        #: what has been computed in the open regions, innermost last
        self.computed: list[dict[Hashable, Value]] = []
        self.made: dict[Value, Op] = {}

    def like(self, op: Op) -> Op:
        """``np.broadcast_to(g, x.shape)`` in terms of x, which need not exist for that."""
        g, shape = op.args
        made = self.made.get(shape) if isinstance(shape, Value) else None
        if made is None or made.fn != "shape":
            return op
        return Op(op.results, "broadcast_like", (g, made.args[0]), {}, op.span)

    def region(self, region: Region) -> Region:
        self.computed.append({})
        made = super().region(region)
        self.computed.pop()
        return made

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        self.made[new.results[0] if new.results else Value(INT)] = new
        if new.fn == "np.broadcast_to" and not new.attrs:
            new = self.like(new)
        if not (is_elementwise(new) or self.others(new)) or new.fn == "add_to":
            return (new,)
        key = (new.fn, *map(_same, new.args))
        for scope in self.computed:
            if key in scope:
                self.known[op.results[0]] = scope[key]
                return ()
        self.computed[-1][key] = new.results[0]
        return (new,)


def _same(a: Atom) -> Hashable:
    """Equal for atoms that are certainly one value."""
    if isinstance(a, Const) and type(a.value) in (int, float, bool):
        return type(a.value), repr(a.value)
    return a
