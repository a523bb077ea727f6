"""The builder: appends nodes to regions and infers kinds on the way.

In: ``b.op("mul", x, y)``. Out: the result atom, with a node appended to the open region. With
``tidy=True`` (adjoints and rules, never the user's own arithmetic) the algebra of a neat person is
applied as nodes are built: ``1 * x -> x``, ``0.5 * (2 * x) -> x``, ``-(-x) -> x``,
``x + (-y) -> x - y``.

    b = Builder(tidy=True)
    b.op("mul", Const.of(1.0), x)   ->   x
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import Span
from .kinds import Kind, Num
from .nodes import Atom, Const, Node, Op, Region, Value

#: Functions whose second use is worth a variable; loads and index arithmetic are not.
_COSTLY = frozenset(
    f"{m}.{f}" for m in ("np", "math") for f in ("sin", "cos", "exp", "log", "sqrt", "tanh")
)
_WORTH_KEEPING = _COSTLY | frozenset(
    {"mul", "div", "pow", "neg", "ratio", "power_slope", "np.where", "np.sign", "np.abs"}
)


def _key(fn: str, args: Sequence[Atom], attrs: Mapping[str, Any]) -> Hashable:
    """Equal keys are equal computations; None where the operation is better repeated."""
    if fn not in _WORTH_KEEPING or attrs:
        return None
    parts: list[Hashable] = [fn]
    for a in args:
        if isinstance(a, Value):
            parts.append(a)
        elif type(a.value) in (int, float):
            parts.append((type(a.value), repr(a.value)))
        else:
            return None
    return tuple(parts)


class Shorthands:
    """How staged rules write arithmetic, on every builder."""

    def op(self, fn: str, *args: Atom, name: str | None = None, **attrs: Any) -> Atom:
        """The result of an operation."""
        raise NotImplementedError

    def add(self, x: Atom, y: Atom) -> Atom:
        return self.op("add", x, y)

    def sub(self, x: Atom, y: Atom) -> Atom:
        return self.op("sub", x, y)

    def mul(self, x: Atom, y: Atom) -> Atom:
        return self.op("mul", x, y)

    def div(self, x: Atom, y: Atom) -> Atom:
        return self.op("div", x, y)

    def neg(self, x: Atom) -> Atom:
        return self.op("neg", x)

    def text(self, source: str, **names: Atom) -> Atom:
        """The value of rule text, e.g. ``b.text("g * cos(x)", g=g, x=x)``."""
        from ..rules.text import build_text

        return build_text(self, source, names)  # type: ignore[arg-type]


class Builder(Shorthands):
    """Collects nodes; ``span`` is given to every node built while it is set."""

    def __init__(self, *, tidy: bool = False) -> None:
        self.tidy = tidy
        self.span: Span | None = None
        self.nodes: list[Node] = []
        #: definition of every value built here, for peepholes
        self.definition: dict[Value, Op] = {}
        #: definition of values from elsewhere, which prove shapes and signs but are never undone
        self.outer: dict[Value, Op] = {}
        #: values of unknown shape that are known to have the shape of another
        self.shaped_like: dict[Value, Value] = {}
        #: a value of the same shape that is at hand for less, where there is one
        self.cheaper: Callable[[Value], Value] = lambda value: value
        #: what has been computed in the open regions, innermost last (tidy builders only)
        self._computed: list[dict[Hashable, Value]] = [{}]

    # -- regions ------------------------------------------------------------------------------

    @contextmanager
    def region(self) -> Iterator[list[Node]]:
        """Nodes built inside the block go to the list it gives, not to the enclosing region."""
        outer, self.nodes = self.nodes, []
        inner = self.nodes
        self._computed.append({})
        try:
            yield inner
        finally:
            self.nodes = outer
            self._computed.pop()

    @staticmethod
    def close(
        nodes: Sequence[Node], yields: Sequence[Atom], params: Sequence[Value] = ()
    ) -> Region:
        return Region(tuple(params), tuple(nodes), tuple(yields))

    @contextmanager
    def knowing(self, nodes: Sequence[Node]) -> Iterator[None]:
        """Inside, sines and the like of numbers that ``nodes`` compute are not computed again."""
        known: dict[Hashable, Value] = {}
        for node in nodes:
            if isinstance(node, Op) and node.fn in _COSTLY:
                key = _key(node.fn, node.args, node.attrs)
                if key is not None and isinstance(node.results[0].kind, Num):
                    known.setdefault(key, node.results[0])
        self._computed.insert(0, known)
        try:
            yield
        finally:
            self._computed.pop(0)

    # -- nodes --------------------------------------------------------------------------------

    def append(self, node: Node) -> None:
        self.nodes.append(node)
        if isinstance(node, Op):
            for r in node.results:
                self.definition[r] = node

    def op(self, fn: str, *args: Atom, name: str | None = None, **attrs: Any) -> Atom:
        """A node with one result; raises KindError if the kinds do not fit."""
        if self.tidy:
            from .tidy import tidy

            simple = tidy(self, fn, args, attrs)
            if simple is not None:
                return simple
            key = _key(fn, args, attrs)
            for computed in self._computed if key is not None else ():
                if (known := computed.get(key)) is not None:
                    return known
        (result,) = self.ops(fn, *args, names=(name,), **attrs)
        if self.tidy and key is not None:
            self._computed[-1][key] = result
        return result

    def ops(
        self, fn: str, *args: Atom, names: Sequence[str | None] = (), **attrs: Any
    ) -> tuple[Value, ...]:
        """A node with any number of results."""
        from ..rules.registry import primitive

        kinds = primitive(fn).kind(args, attrs)
        many: tuple[Kind, ...] = kinds if isinstance(kinds, tuple) else (kinds,)
        padded = [*names, *[None] * (len(many) - len(names))]
        results = tuple(Value(k, n) for k, n in zip(many, padded, strict=True))
        self.append(Op(results, fn, args, attrs, self.span))
        return results

    def label(
        self,
        value: Value,
        name: str | None,
        hint: str | None,
        primal: Value,
        mark: str = "bar",
    ) -> None:
        """Name a value that was built here without a name; a name is no part of its identity."""
        if value in self.definition:
            if value.primal is None or (value.name is None and name is not None):
                object.__setattr__(value, "primal", primal)
                object.__setattr__(value, "mark", mark)
            for slot, new in (("name", name), ("hint", hint)):
                if getattr(value, slot) is None:
                    object.__setattr__(value, slot, new)

    def defined_by(self, atom: Atom, fn: str) -> Op | None:
        """The node that defines ``atom``, if it is an ``fn``.

        A value with a name becomes a variable: nobody looks through it and computes it again.
        """
        if isinstance(atom, Const) or atom.name is not None:
            return None
        node = self.definition.get(atom)
        return node if node is not None and node.fn == fn else None

    def origin(self, atom: Atom) -> Op | None:
        """The node that defines ``atom``, wherever it was built."""
        if isinstance(atom, Const):
            return None
        return self.definition.get(atom) or self.outer.get(atom)

    # -- values --------------------------------------------------------------------------------

    def const(self, value: Any) -> Const:
        return Const.of(value)

    def narrow(self, value: Atom, kind: Kind) -> None:
        """Give a value just built here, which nobody has read, the kind it is known to have."""
        if isinstance(value, Value) and value in self.definition:
            object.__setattr__(value, "kind", kind)
