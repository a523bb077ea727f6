"""References in words, for messages.

In: a reference. Out: what a user would call it.

    describe_ref(TupleRef(()))   ->   "a tuple"
"""

from __future__ import annotations

from ..rules.kindrules import describe
from .refs import (
    ArrayRef,
    BoundRef,
    Choice,
    FuncRef,
    HeapRef,
    IterRef,
    Lost,
    Maybe,
    PartialRef,
    Pulled,
    Ref,
    Static,
    Super,
    TupleRef,
    Val,
)


def describe_ref(ref: Ref) -> str:
    """What a user would call it."""
    match ref:
        case Val():
            return describe(ref.kind)
        case Static():
            name = getattr(ref.obj, "__name__", None)
            return f"'{name}'" if isinstance(name, str) else f"a {type(ref.obj).__name__}"
        case ArrayRef():
            return "an array"
        case TupleRef():
            return "a tuple"
        case HeapRef():
            return "a list, dict or object"
        case FuncRef() | PartialRef() | Choice() | Pulled():
            return "a function"
        case Super():
            return "super()"
        case BoundRef():
            return f"the method '{ref.name}'"
        case IterRef():
            return f"a {ref.form}"
        case Maybe():
            return "a value that may be None"
        case Lost():
            return "this"
        case _:
            return "something unassigned"
