"""What a mask chooses is computed with where it stands.

In: a module whose tapes are stacked. Out: the same module, in which elements that a mask chooses,
that are computed with and written back where they came from, are chosen by ``np.where``. Nothing
is gathered or scattered, and loops over elements can do it::

    t = z[m]
    z[m] = t * t + c[m]      ->   z = np.where(m, z * z + c, z)

What is computed of elements that the mask does not choose is dropped: it cannot raise, costs
little, and is seen by nobody. The mask must be known to have the shape of the arrays. A tape that
would keep chosen elements keeps the array that they were chosen from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...ir.kinds import Array, Kind, Num, same_dim
from ...ir.mapping import Mapper
from ...ir.nodes import Atom, Const, Function, Module, Node, Op, Value, walk
from .fusion.common import computed_once
from .fusion.elements import is_elementwise
from .leftovers import without_unused
from .tapes import ENTRIES, GETS, PUTS
from .versions import copied_to_tapes, written_over

__all__ = ["masked_as_choices"]

#: What may be computed for nothing.
_CHEAP = frozenset({"add", "sub", "mul", "div", "neg", "pos", "pow", "abs", "np.where", "cast"})
_CHEAP |= {f"np.{f}" for f in ("add", "subtract", "multiply", "negative", "square", "abs")}
_CHEAP |= {f"np.{f}" for f in ("real", "imag", "conj", "conjugate", "maximum", "minimum")}
_CHEAP |= {"lt", "le", "gt", "ge", "eq", "ne", "add_to", "ratio"}
_CHOOSING = frozenset({"item", "setitem", "accumulate"})


def masked_as_choices(module: Module) -> Module:
    """The module with choices in the place of what is gathered by a mask and written back."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    if not any(isinstance(n, Op) and n.fn in _CHOOSING and _is_mask(n) for n in walk(f.body)):
        return f
    f = computed_once(f)
    dense = _Dense(f)
    body = dense.region(f.body)
    if not dense.written:
        return f
    body = written_over(without_unused(body, dense.dropped, dense.fields), dense.written)
    return replace(f, body=copied_to_tapes(body, dense.more))


def _is_mask(op: Op) -> bool:
    """Whether the index is a mask that is known to have the shape of the array."""
    array, mask = op.args[0].kind, op.args[1].kind
    if not isinstance(array, Array) or not isinstance(mask, Array) or mask.dtype != "bool":
        return False
    if not mask.dims or array.dims is None or len(mask.dims) != len(array.dims):
        return False
    return isinstance(op.args[1], Value) and all(map(same_dim, array.dims, mask.dims))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Elements that a mask has chosen of an array, which has more of them."""

    mask: Atom
    array: Atom


class _Dense(Mapper):
    """Computes with the arrays beside what is computed with the elements chosen of them."""

    def __init__(self, f: Function) -> None:
        super().__init__()
        self.chosen: dict[Value, _Chosen] = {}
        #: everywhere known, since they are computed before all loops and branches
        self.outside = {*f.params, *(r for n in f.body.ops for r in n.results)}
        self.once = _once_put(f)
        #: of each tape: where masks are in an entry, and what else is put there at which place
        self.fields: dict[int, dict[int, _Chosen]] = {}
        self.masks: dict[int, dict[Atom, int]] = {}
        self.copies: dict[Value, Atom] = {}
        #: ops that nobody misses where their results are not read
        self.dropped: set[Node] = set()
        #: new versions of arrays, and what has been put on tapes
        self.written: set[Value] = set()
        self.more: set[Value] = set()

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        if new.fn == "item" and _is_mask(new):
            self.chosen[new.results[0]] = _Chosen(new.args[1], new.args[0])
            self.dropped.add(new)
        elif new.fn in ("setitem", "accumulate") and _is_mask(new):
            return self.write(new)
        elif new.fn == "setitem":
            self.replaced(new)
        elif new.fn == "copied":
            return self.copied(new)
        elif new.fn == "unbroadcast":
            return self.narrowed(new)
        elif new.fn in PUTS:
            return (self.put(new),)
        elif new.fn in GETS:
            return (self.get(new),)
        elif new.fn in _CHEAP and len(new.results) == 1:
            return self.computed(new)
        return (new,)

    # -- arithmetic -------------------------------------------------------------------------------

    def computed(self, op: Op) -> Sequence[Node]:
        """The op, and the same of arrays where all it reads has been chosen by one mask."""
        mask = self.mask_of(op.args)
        result = op.results[0].kind
        if mask is None or not isinstance(result, Array) or not isinstance(mask.kind, Array):
            return (op,)
        value = Value(Array(result.dtype, mask.kind.dims), op.results[0].name)
        fn = "add" if op.fn == "add_to" else op.fn
        whole = Op((value,), fn, self.arrays(op.args), op.attrs, op.span)
        if not is_elementwise(whole):
            return (op,)
        self.chosen[op.results[0]] = _Chosen(mask, value)
        self.dropped |= {op, whole}
        return (op, whole)

    def mask_of(self, atoms: Sequence[Atom]) -> Atom | None:
        """The mask that has chosen all that are no numbers."""
        found: Atom | None = None
        for a in atoms:
            if isinstance(a.kind, Num):
                continue
            known = self.chosen.get(a) if isinstance(a, Value) else None
            if known is None or found not in (None, known.mask):
                return None
            found = known.mask
        return found

    def arrays(self, atoms: Sequence[Atom]) -> tuple[Atom, ...]:
        known = [self.chosen.get(a) if isinstance(a, Value) else None for a in atoms]
        return tuple(a if c is None else c.array for a, c in zip(atoms, known, strict=True))

    def replaced(self, op: Op) -> None:
        """All that has been chosen, written anew: ``t = z[m]; t += y[m]``."""
        old, index, new = op.args
        whole = isinstance(index, Const) and index.value is ...
        if whole and self.mask_of((new,)) is not None and old.kind == new.kind:
            assert isinstance(new, Value)
            if self.mask_of((old,)) is self.mask_of((new,)):
                self.chosen[op.results[0]] = self.chosen[new]
                self.dropped.add(op)

    def copied(self, op: Op) -> Sequence[Node]:
        known = self.chosen.get(op.args[0])  # type: ignore[arg-type]
        if known is not None:
            self.chosen[op.results[0]] = known
            self.dropped.add(op)
        self.copies[op.results[0]] = op.args[0]
        return (op,)

    def narrowed(self, op: Op) -> Sequence[Node]:
        """What one mask has chosen of two arrays has one shape."""
        g, like = (self.chosen.get(a) for a in op.args)  # type: ignore[arg-type]
        if g is None or like is None or g.mask is not like.mask:
            return (op,)
        self.known[op.results[0]] = op.args[0]
        return ()

    def write(self, op: Op) -> Sequence[Node]:
        """A new version of an array, with what was there where the mask does not choose."""
        array, mask, value = op.args
        is_number = isinstance(value.kind, Num)
        if not is_number and self.mask_of((value,)) is not mask:
            return (op,)
        (new,) = self.arrays((value,))
        if not _fits(new.kind, array.kind):
            return (op,)
        (result,) = op.results
        nodes: list[Node] = []
        if op.fn == "accumulate":
            total = Value(array.kind)
            nodes.append(Op((total,), "add", (array, new), {}, op.span))
            new = total
        choice = Op((result,), "np.where", (mask, new, array), {}, op.span)
        if not all(isinstance(n, Op) and is_elementwise(n) for n in (*nodes, choice)):
            return (op,)
        self.written.add(result)
        return (*nodes, choice)

    # -- tapes ------------------------------------------------------------------------------------

    def put(self, op: Op) -> Op:
        """With the arrays, after all else: for each field one, a number where there is none."""
        tape = op.attrs["tape"]
        if tape not in self.once:
            return op
        held = op.args[op.attrs.get("axes", 0) :]
        sources = [self.copies.get(a, a) if isinstance(a, Value) else a for a in held]
        self.masks[tape] = {a: k for k, a in reversed([*enumerate(sources)])}
        self.fields[tape] = {}
        arrays: list[Atom] = []
        for k, a in enumerate(held):
            known = self.chosen.get(a) if isinstance(a, Value) else None
            at_hand = known is not None and (
                known.mask in self.masks[tape] or known.mask in self.outside
            )
            if known is None or not at_hand:
                arrays.append(Const.of(0))
                continue
            self.fields[tape][k] = known
            arrays.append(known.array)
            self.more.update(v for v in (known.array,) if isinstance(v, Value))
        return replace(op, args=(*op.args, *arrays))

    def get(self, op: Op) -> Op:
        tape = op.attrs["tape"]
        if tape not in self.fields:
            return op
        arrays: list[Value] = []
        for k in range(len(op.results)):
            known = self.fields[tape].get(k)
            if known is None:
                arrays.append(Value(Num("int64", True)))
                continue
            array = Value(known.array.kind, getattr(known.array, "name", None))
            at = self.masks[tape].get(known.mask)
            mask = known.mask if at is None else op.results[at]
            self.chosen[op.results[k]] = _Chosen(mask, array)
            arrays.append(array)
        return replace(op, results=(*op.results, *arrays))


def _once_put(f: Function) -> dict[int, Op]:
    """The tapes that one op fills and one, further down, reads; by what they are filled."""
    found: dict[int, list[Op]] = {}
    for n in walk(f.body):
        if isinstance(n, Op) and n.fn in ENTRIES:
            found.setdefault(n.attrs["tape"], []).append(n)
    made = {t: [n for n in ops if n.fn == "tape_new"] for t, ops in found.items()}
    puts = {t: [n for n in ops if n.fn in PUTS] for t, ops in found.items()}
    gets = {t: [n for n in ops if n.fn in GETS] for t, ops in found.items()}
    return {
        t: puts[t][0]
        for t, ops in found.items()
        if len(made[t]) == len(puts[t]) == len(gets[t]) == 1
        and ops.index(puts[t][0]) < ops.index(gets[t][0])
    }


def _fits(value: Kind, array: Kind) -> bool:
    """Whether numbers of that kind can be written into the array without loss."""
    if not isinstance(array, Array) or not isinstance(value, Num | Array):
        return False
    order = ("bool", "int64", "float64", "complex128")
    if value.dtype not in order or array.dtype not in order:
        return False
    return order.index(value.dtype) <= order.index(array.dtype)
