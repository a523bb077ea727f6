"""What a batch pass knows of values: which are batched, in what form, and how to get another.

In: a value of the function, and the form in which it is wanted. Out: an atom of that form: itself,
or repeated for every member of the batch, in containers part by part.

    known: x is batched, y is not               conform y True   ->   np.full size y
    yield of a branch: (x, y) in one arm        conform it True  ->   tuple x (np.full size y)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..ir.builder import Builder
from ..ir.kinds import (
    NONE,
    SAVED,
    UNDEF,
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Record,
    Tuple,
)
from ..ir.naming import unused
from ..ir.nodes import Atom, Const, Function, Module, Node, Op, Value, walk
from ..rules import batching_shape
from ..rules.batching import NoBatchRule, Operand
from ..rules.batching_forms import Each, Form, any_batched, batched_kind, expand, full_form
from ..rules.kindrules import int_of_dim
from .adjoints import build_like, part_of, parts_of
from .batch_loop import for_each_element

__all__ = ["BatchValues", "Callee", "Shared", "canonical"]


@dataclass
class Callee:
    """A batched function of the module: its name, and the forms of its results so far."""

    name: str
    forms: tuple[Form, ...]
    function: Function | None = None


@dataclass
class Shared:
    """What the passes over all functions of a module have in common."""

    module: Module
    dim: Dim
    callees: dict[tuple[str, tuple[Form, ...]], Callee] = field(default_factory=dict)
    #: how often something opaque was not of the form it was wanted in, but in discarded attempts
    unsettled: int = 0

    def new_name(self, base: str) -> str:
        taken = {c.name for c in self.callees.values()} | set(self.module.functions)
        return unused(base, taken)


class BatchValues:
    """The values of one function; ``known`` says what each has become, where it is batched."""

    def __init__(self, shared: Shared, function: Function) -> None:
        self.shared = shared
        self.function = function
        self.dim = shared.dim
        self.b = Builder(tidy=True)
        for node in walk(function.body):
            if isinstance(node, Op):
                self.b.outer.update((r, node) for r in node.results)
        self.known: dict[Value, Operand] = {}
        self._size: Atom | None = None
        self._measured: list[Node] = []
        self._size_used = False
        self._in_lists = 0

    # -- the size of the batch --------------------------------------------------------------------

    def parameters(self, forms: Sequence[Form]) -> list[Value]:
        """The function's parameters in these forms."""
        return [self.fresh(p, f) for p, f in zip(self.function.params, forms, strict=True)]

    def measure(self, params: Sequence[Value], forms: Sequence[Form]) -> None:
        """The size of the batch is the length of the first batched array."""
        for new, old, form in zip(params, self.function.params, forms, strict=True):
            path = _first_leaf(form, old.kind)
            if path is None:
                continue
            with self.b.region() as nodes:
                x: Atom = new
                for key in path:
                    x = part_of(self.b, x, key)
                size = self.b.ops("len", x)[0]
            self.b.narrow(size, int_of_dim(self.dim))
            self.given_size(size, nodes)
            return

    def given_size(self, size: Atom, nodes: Sequence[Node] = ()) -> None:
        self._size, self._measured = size, list(nodes)

    def prologue(self) -> list[Node]:
        return self._measured if self._size_used else []

    def size(self) -> Atom:
        """The number of members of the batch."""
        if self._size is None:
            raise NoBatchRule
        self._size_used = True
        return self._size

    # -- values -----------------------------------------------------------------------------------

    def fresh(self, old: Value, form: Form) -> Value:
        """A new value for ``old`` in that form; the old one itself where nothing is batched."""
        if not any_batched(form):
            self.known.pop(old, None)
            return old
        kind = batched_kind(old.kind, form, self.dim)
        new = Value(kind, old.name, old.hint, old.primal)
        self.known[old] = Operand(new, old.kind, form)
        return new

    def look(self, atom: Atom) -> Operand:
        if isinstance(atom, Value) and (found := self.known.get(atom)) is not None:
            return found
        return Operand(atom, atom.kind, False)

    def bind(self, old: Value, atom: Atom, form: Form) -> None:
        """``old`` has become ``atom``: of the batch's shape and the old dtype."""
        form = canonical(form, old.kind)
        if form is True and isinstance(old.kind, Num | Array | Mixed):
            atom = self._checked(atom, old.kind)
        if isinstance(atom, Value):
            self.b.label(atom, old.name, old.hint, old.primal or old)
        self.known[old] = Operand(atom, old.kind, form)

    def _checked(self, atom: Atom, kind: Num | Array | Mixed) -> Atom:
        wanted = batched_kind(kind, True, self.dim)
        assert isinstance(wanted, Array)
        have = atom.kind
        if not isinstance(have, Array):
            raise NoBatchRule
        if have.rank is not None and wanted.rank is not None and have.rank != wanted.rank:
            raise NoBatchRule
        if have.dtype != wanted.dtype and kind.dtype[0] in "fc":
            atom = self.b.op("cast", atom, like=wanted.dtype)
        if isinstance(atom.kind, Array) and atom.kind.rank is None:
            self.b.narrow(atom, wanted)
        return atom

    def conform(self, x: Operand, form: Form, dtype: str | None = None) -> Atom:
        """The operand brought to a form that holds its own."""
        have, want = canonical(x.form, x.kind), canonical(form, x.kind)
        if have == want or x.kind in (UNDEF, NONE) or not any_batched(want):
            return x.atom
        b = self.b
        match x.kind:
            case Num() | Array() | Mixed():
                return self._widened(x, dtype)
            case Tuple() | FixedList() | Dict() | Record():
                assert isinstance(want, tuple)
                given = expand(have, x.kind)
                assert isinstance(given, tuple)
                keys, parts = [], []
                for (key, kind), f, w in zip(parts_of(x.kind), given, want, strict=True):
                    keys.append(key)
                    part = Operand(part_of(b, x.atom, key), kind, f)
                    parts.append(self.conform(part, w))
                return build_like(b, x.kind, keys, parts)
            case ListOf():
                if x.kind.elem is None or isinstance(x.atom, Const):
                    return x.atom
                given = expand(have, x.kind)
                assert isinstance(given, Each)
                assert isinstance(want, Each)
                kind, inner = x.kind.elem, given.form

                def change(element: Atom) -> Atom:
                    self._in_lists += 1
                    changed = self.conform(Operand(element, kind, inner), want.form)
                    self._in_lists -= 1
                    return changed

                return for_each_element(b, x.atom, batched_kind(x.kind, want, self.dim), change)
        return self._saved(x)

    def _saved(self, x: Operand) -> Atom:
        """What an unbatched sweep saves, as a batched one would."""
        if x.kind != SAVED:
            raise NoBatchRule
        node = self.b.origin(x.atom)
        if node is None:  # from a call whose forms may not be settled yet
            self.shared.unsettled += 1
            return x.atom
        if node.fn == "zeros_like":
            node = self.b.origin(node.args[0])
            zeros = True
        else:
            zeros = False
        if node is None or node.fn != "tuple":
            raise NoBatchRule
        parts = []
        for a in node.args:
            part = self.look(a)
            if zeros:
                part = Operand(self.b.op("zeros_like", part.atom), part.kind, part.form)
            parts.append(self.conform(part, full_form(part.kind)))
        packed = Value(SAVED)
        self.b.append(Op((packed,), "tuple", tuple(parts), {}, self.b.span))
        return packed

    def _widened(self, x: Operand, dtype: str | None) -> Atom:
        """A number or array repeated for every member of the batch."""
        b, atom = self.b, x.atom
        assert isinstance(x.kind, Num | Array | Mixed)
        node = b.origin(atom)
        if self._in_lists or self._from_saved(node):
            # what a tape or a sweep has for a branch not taken is None
            return b.op("batch_of", atom, self.size())
        if isinstance(x.kind, Num):
            return self._widened_number(atom, x.kind, dtype or x.kind.dtype)
        if node is not None and node.fn in ("zeros_like", "np.zeros_like", "np.zeros"):
            shape = node.args[0] if node.fn == "np.zeros" else b.op("shape", node.args[0])
            options = {} if x.kind.dtype == "float64" else {"dtype": x.kind.dtype}
            return b.op("np.zeros", batching_shape.batch_shape(self, shape), **options)
        whole = batching_shape.batch_shape(self, b.op("shape", atom))
        return b.op("np.broadcast_to", atom, whole)

    def _widened_number(self, atom: Atom, kind: Num, wanted: str) -> Atom:
        if isinstance(atom, Const) and atom.value == 0:
            options = {} if wanted in ("float64", "int64") else {"dtype": wanted}
            return self.b.op("np.zeros", self.size(), **options)
        same = wanted == kind.dtype or wanted == "float64" and kind.dtype != "int64"
        options = {} if same else {"dtype": wanted}
        return self.b.op("np.full", self.size(), atom, **options)

    def _from_saved(self, node: Op | None) -> bool:
        """Whether a value was saved, and may be None where the statement was not reached."""
        if node is None or not node.args:
            return False
        if node.fn == "zeros_like":
            return self._from_saved(self.b.origin(node.args[0]))
        whole = node.args[0].kind
        return node.fn == "item" and (whole == SAVED or isinstance(whole, Tuple | ListOf))


def canonical(form: Form, kind: Kind) -> Form:
    """One spelling for equal forms: False where nothing is batched, else spelled out."""
    return expand(form, kind) if any_batched(form) else False


def _first_leaf(form: Form, kind: Kind) -> list[object] | None:
    """The path to the first batched array in a container."""
    if form is True:
        return []
    if isinstance(form, Each) and isinstance(kind, ListOf) and kind.elem is not None:
        rest = _first_leaf(form.form, kind.elem)
        return None if rest is None else [0, *rest]
    if not isinstance(form, tuple):
        return None
    for (key, k), f in zip(parts_of(kind), form, strict=True):
        rest = _first_leaf(f, k)
        if rest is not None:
            return [key, *rest]
    return None
