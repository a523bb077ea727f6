"""Results: derivatives in the structure, shape and dtype that the user is promised.

In: a value, and its adjoint or tangent (a dict of parts for containers, None for zero). Out: one
atom of the value's own type: a float for a Python float, an array of the same dtype for an array,
None for what carries no derivative.

    a value of kind np.float32 with tangent 0.5 * x_dot   ->   np.float32(0.5 * x_dot)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Num,
    Record,
    Tuple,
    carries_derivative,
)
from ..ir.nodes import Atom, Const, Struct
from .adjoints import build_like, part_of, parts_of
from .forward_values import Tangent, whole


def conformed(b: Builder, kind: Kind, value: Atom, t: Tangent | None) -> Atom:
    """The tangent of ``value`` as a result."""
    match kind:
        case Tuple() | FixedList() | Dict() | Record():
            keys: list[object] = []
            atoms: list[Atom] = []
            for key, k in parts_of(kind):
                keys.append(key)
                if not carries_derivative(k):
                    atoms.append(Const.of(None))
                    continue
                part = t.get(key) if isinstance(t, dict) else None
                if part is None and t is not None and not isinstance(t, dict):
                    part = part_of(b, t, key)
                inner = value if isinstance(k, Num) else part_of(b, value, key)
                atoms.append(conformed(b, k, inner, part))
            return build_like(b, kind, keys, atoms)
        case Num() if carries_derivative(kind):
            if t is None:
                t = Const.of(0j if kind.dtype[0] == "c" else 0.0)
            assert not isinstance(t, dict)
            if kind.weak is None and not isinstance(value, Const):
                return b.op("typed_like", t, value)
            return as_scalar(b, kind, t)
    if not carries_derivative(kind):
        return Const.of(None)
    found = whole(b, value, t)
    if isinstance(kind, ListOf) and not is_typed(found.kind, kind):
        return b.op("typed_like", found, value)
    if isinstance(kind, Array) and isinstance(found.kind, Num):
        return b.op("np.full_like", value, found)
    return found


def as_scalar(b: Builder, kind: Num, g: Atom) -> Atom:
    """``g`` as a Python number where ``kind`` is one, as a NumPy scalar of its dtype elsewhere."""
    if isinstance(g.kind, Array):
        g = b.op("item", g, Const.of(()))
    have = g.kind
    assert isinstance(have, Num)
    if kind.weak:
        wanted = "complex" if kind.dtype[0] == "c" else "float"
        if isinstance(g, Const) or have.weak and have.dtype[0] in "fc":
            return g
        return b.op(wanted, g)
    dtype = kind.dtype if kind.dtype[0] in "fc" else "float64"
    if have.weak is False and have.dtype == dtype:
        return g
    return b.op("cast", g, like=dtype)


def is_typed(have: Kind, kind: Kind) -> bool:
    """True where the numbers in a derivative are known to be of the right type."""
    match have, kind:
        case ListOf(elem=None), _:
            return True
        case ListOf(), ListOf(elem=Kind()):
            assert have.elem is not None
            assert kind.elem is not None
            return is_typed(have.elem, kind.elem)
        case Num(), Num():
            return (
                have.weak is not None
                and have.weak is kind.weak
                and (have.dtype == kind.dtype or kind.dtype[0] not in "fc")
            )
        case Array(), Array():
            return have.dtype == kind.dtype
        case Tuple(), Tuple() if len(have.items) == len(kind.items):
            return all(map(is_typed, have.items, kind.items))
        case _:
            return not carries_derivative(kind)


# -- structures ---------------------------------------------------------------------------------


def count(struct: Struct) -> int:
    """How many leaves a structure has."""
    return sum(1 for _ in paths(struct))


def paths(struct: Struct, path: tuple[object, ...] = ()) -> list[tuple[tuple[object, ...], int]]:
    """The path of keys to every leaf, with the leaf's index."""
    if struct.form == "leaf":
        return [(path, struct.index)]
    keys = struct.keys or range(len(struct.children))
    return [
        found
        for key, child in zip(keys, struct.children, strict=True)
        for found in paths(child, (*path, key))
    ]


def shift(struct: Struct, offset: int) -> Struct:
    """The structure over leaves that begin at ``offset``."""
    if struct.form == "leaf":
        return Struct("leaf", index=struct.index + offset)
    children = tuple(shift(c, offset) for c in struct.children)
    return Struct(struct.form, children, struct.keys, struct.cls)


def in_a_row(count: int) -> Struct:
    """The structure of so many results: a tuple of them, or the only one itself."""
    leaves = tuple(Struct("leaf", index=n) for n in range(count))
    return leaves[0] if count == 1 else Struct("tuple", leaves)


def compact(leaves: Sequence[Atom], out: Struct) -> tuple[list[Atom], Struct]:
    """Leaves that ``out`` does not mention are dropped."""
    used = sorted({index for _, index in paths(out)})
    place = {old: new for new, old in enumerate(used)}

    def move(s: Struct) -> Struct:
        if s.form == "leaf":
            return Struct("leaf", index=place[s.index])
        return Struct(s.form, tuple(map(move, s.children)), s.keys, s.cls)

    return [leaves[n] for n in used], move(out)


def kind_of_struct(struct: Struct, leaves: Sequence[Atom]) -> Kind:
    """The kind of the object a structure describes."""
    children = [kind_of_struct(c, leaves) for c in struct.children]
    match struct.form:
        case "leaf":
            return leaves[struct.index].kind
        case "const":
            return Const.of(struct.cls).kind
        case "dict":
            return Dict(tuple(zip(struct.keys, children, strict=True)))
        case "record":
            return Record(struct.cls, tuple(zip(struct.keys, children, strict=True)))
        case "list":
            return FixedList(tuple(children))
        case _:
            return Tuple(tuple(children), struct.cls)


def plain(name: str) -> str:
    """A function's name, where it has one that can be part of another."""
    return "lambda_" if name == "<lambda>" else name
