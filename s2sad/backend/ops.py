"""What the backend asks about single nodes: effects, what they write, which memory they name.

In: a node. Out: small facts. The backend's one op of its own is ``store``, to which ``normal``
brings every indexed write: ``store(root, *path, value)`` with ``how`` in "=", "+=", "-=" …, "at".

    writes(setitem(a, i, v))   ->   0
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Tuple,
    Undef,
)
from ..ir.nodes import Atom, Call, Const, Node, Op, Value, regions_of
from ..rules.registry import primitive

_IMMUTABLE = (str, bytes, type(None), slice, type, range, np.dtype, type(Ellipsis))

#: The backend's own ops: an indexed write, a copy of all that a value holds, all items of a tuple.
OWN = frozenset({"store", "copied", "unpack"})

#: Ops that may hand their first operand back unchanged.
MAY_PASS = frozenset(
    {"unbroadcast", "cast", "fitted", "np.asarray", "np.ascontiguousarray"}
    | {"np.linalg.matrix_power"}  # the first power is the matrix itself
)

#: Functions whose result may be, or hold, a view of any operand, as a rule that says no more.
SHARING = frozenset({"np.einsum", "np.broadcast_arrays", "np.float64", "np.diff", "np.polyder"})

#: Views that NumPy does not let anyone write to.
READ_ONLY = frozenset(
    {"broadcast_like", "np.broadcast_to", "np.broadcast_arrays", "np.diagonal", "np.diag"}
    | {"np.linalg.diagonal"}
)

#: Ops that put their operands into a container.
CONTAINERS = frozenset({"tuple", "list", "dict", "record", "append", "insert", "extend", "store"})

#: Arithmetic that always makes new storage.
ARITHMETIC = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "lshift": "<<",
    "rshift": ">>",
    "bitand": "&",
    "bitor": "|",
    "bitxor": "^",
}


@lru_cache(maxsize=4096)
def has_memory(kind: Kind) -> bool:
    """True where a value of this kind is, or holds, something that can be written in place."""
    match kind:
        case Num() | Undef():
            return False
        case Tuple(items):
            return any(map(has_memory, items))
        case Opaque():
            return not issubclass(kind.cls, _IMMUTABLE)
        case _:
            return True


@lru_cache(maxsize=4096)
def holds_memory(kind: Kind) -> bool:
    """True for a container among whose elements something can be written in place."""
    match kind:
        case Tuple(items) | FixedList(items):
            return any(map(has_memory, items))
        case ListOf(elem):
            return elem is None or has_memory(elem)
        case Dict(entries) | Record(_, entries):
            return any(has_memory(v) for _, v in entries)
        case _:
            return True


def is_container(kind: Kind) -> bool:
    return isinstance(kind, Tuple | FixedList | ListOf | Dict | Record)


def is_list(kind: Kind) -> bool:
    return isinstance(kind, FixedList | ListOf | Dict)


def effect(node: Node) -> bool:
    """True for a node that does more than compute its results (or calls who knows what)."""
    match node:
        case Op():
            return node.fn not in OWN and primitive(node.fn).effect != "pure"
        case Call():
            return True
        case _:
            return any(effect(inner) for r in regions_of(node) for inner in r.ops)


def writes(op: Op) -> int | None:
    """Index of the operand whose buffer the first result takes over."""
    if op.fn in OWN:
        return 0 if op.fn == "store" else None
    return primitive(op.fn).writes


def view_of(op: Op) -> int | None:
    return None if op.fn in OWN else primitive(op.fn).view_of


def is_basic_index(atom: Atom, definitions: dict[Value, Node]) -> bool:
    """True for ints, slices, None, Ellipsis and tuples of them: such an index gives a view."""
    if isinstance(atom, Value):
        node = definitions.get(atom)
        if isinstance(node, Op) and node.fn in ("tuple", "slice"):
            return all(is_basic_index(a, definitions) for a in node.args)
    return _basic_kind(atom.kind)


def _basic_kind(kind: Kind) -> bool:
    match kind:
        case Num(dtype):
            return dtype != "bool"
        case Opaque(cls):
            return cls in (slice, type(None), type(Ellipsis))
        case Tuple(items):
            return all(map(_basic_kind, items))
        case _:
            return False


def is_mask(atom: Atom) -> bool:
    """True for a boolean array used as the whole index."""
    return isinstance(atom.kind, Array) and atom.kind.dtype == "bool"


def same_index(a: Atom, b: Atom, definitions: dict[Value, Node]) -> bool:
    """True where two index atoms are certainly equal."""
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and _equal(a.value, b.value)
    if isinstance(a, Value) and isinstance(b, Value):
        x, y = definitions.get(a), definitions.get(b)
        if isinstance(x, Op) and isinstance(y, Op) and x.fn == y.fn and x.attrs == y.attrs:
            cheap = x.fn in ("tuple", "slice") or (x.fn in ARITHMETIC and isinstance(a.kind, Num))
            return (
                cheap
                and len(x.args) == len(y.args)
                and all(same_index(p, q, definitions) for p, q in zip(x.args, y.args, strict=True))
            )
    return False


def _equal(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return a is b
    return bool(a == b)


def rank(kind: Kind) -> int | None:
    """The rank of a number or array, where it is known."""
    match kind:
        case Num():
            return 0
        case Array(_, dims) if dims is not None:
            return len(dims)
        case _:
            return None


def fits_in_place(buffer: Kind, operand: Kind, result: Kind) -> bool:
    """True where ``buffer op= operand`` gives what ``buffer = buffer op operand`` would."""
    if not isinstance(buffer, Array) or not isinstance(operand, Num | Array | Mixed):
        return False
    if not isinstance(result, Array) or result.dtype != buffer.dtype:
        return False
    if isinstance(operand, Num) and operand.weak:
        return True
    if rank(result) != rank(buffer):
        return False
    return np.can_cast(np.result_type(buffer.dtype, operand.dtype), buffer.dtype, "same_kind")
