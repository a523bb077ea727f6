"""Results: how a returned object is put together from the values it holds.

In: the reference of what a function returns. Out: its ``Struct`` and the leaves in their order;
from a ``Struct`` and leaves, a reference again.

    return {"a": x, "b": (y, 2.0)}    ->   {"a": leaf 0, "b": (leaf 1, leaf 2)}, [x, y, 2.0]
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.kinds import Num
from ..ir.nodes import Atom, Const, Struct, Value
from .contents import Entries, Fields, Items
from .context import Lowerer
from .describe import describe_ref
from .optional import present
from .refs import ArrayRef, HeapRef, Lost, Maybe, Ref, Static, TupleRef, Val


def take_apart(cx: Lowerer, ref: Ref, leaves: list[Atom]) -> Struct:
    """The structure of ``ref``; its leaves are added to ``leaves``."""
    match ref:
        case TupleRef():
            return Struct(
                "tuple", tuple(take_apart(cx, r, leaves) for r in ref.items), (), ref.cls
            )
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Items():
                    parts = tuple(take_apart(cx, r, leaves) for r in content.items)
                    return Struct("list", parts)
                case Entries():
                    parts = tuple(take_apart(cx, r, leaves) for r in content.items.values())
                    return Struct("dict", parts, tuple(content.items))
                case Fields():
                    parts = tuple(take_apart(cx, r, leaves) for r in content.items.values())
                    return Struct("record", parts, tuple(content.items), content.cls)
        case Static():
            return Struct("const", cls=ref.obj)
        case Val(atom) if isinstance(atom, Const) and not isinstance(atom.kind, Num):
            return Struct("const", cls=atom.value)
        case Lost():
            raise cx.lost(ref)
        case Maybe():
            return take_apart(cx, present(cx, ref), leaves)
        case Val() | ArrayRef():
            pass
        case _:
            cx.fail(
                f"{describe_ref(ref)} is returned, which has no derivative",
                "return numbers and arrays",
            )
    leaves.append(cx.atom(ref))
    return Struct("leaf", index=len(leaves) - 1)


def put_together(cx: Lowerer, out: Struct, leaves: Sequence[Atom]) -> Ref:
    """The reference to an object of this structure; nothing else refers to its parts."""
    parts = [put_together(cx, child, leaves) for child in out.children]
    match out.form:
        case "leaf":
            leaf = leaves[out.index]
            return cx.ref(leaf, leaf.name if isinstance(leaf, Value) else None)
        case "tuple":
            return TupleRef(tuple(parts), out.cls)
        case "list":
            return cx.new(Items(tuple(parts)))
        case "dict":
            return cx.new(Entries(dict(zip(out.keys, parts, strict=True))))
        case "record":
            return cx.new(Fields(out.cls, dict(zip(out.keys, parts, strict=True))))
        case _:
            return Val(Const.of(out.cls))
