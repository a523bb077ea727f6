"""Writing: elements of arrays, lists and dicts that are assigned or deleted.

In: a container, an index and a value, as references. Out: a new version of the container's root.

    a[i] = v        a1 = setitem a0 i v          del xs[0]      xs1, _ = pop xs0 0
"""

from __future__ import annotations

from ..ir.kinds import (
    Array,
    Kind,
    Mixed,
    Num,
    kind_of,
)
from ..ir.nodes import Atom, Const
from . import attributes, indexing, lower_calls, lower_expr, optional, tables
from .contents import Data, Entries, Fields, Items, Table
from .context import Lowerer
from .describe import describe_ref
from .position import NeedsUnrolling
from .refs import ArrayRef, HeapRef, Ref


def set_item(cx: Lowerer, base: Ref, i: Ref, value: Ref) -> None:
    """``base[i] = value``."""
    base = optional.present(cx, base)
    match base:
        case ArrayRef():
            set_array(cx, base, cx.atom(i), cx.atom(value))
        case HeapRef():
            content = cx.content(base)
            match content:
                case Entries():
                    key = tables.known_key(cx, base, i)
                    cx.set_content(base, Entries({**content.items, key: value}))
                case Table():
                    tables.store(cx, base, i, value)
                case Items() if cx.known(i):
                    items = list(content.items)
                    key = cx.value(i)
                    try:
                        if isinstance(key, slice):
                            items[key] = lower_expr.spread(cx, value, cx.node)  # type: ignore[arg-type]
                        else:
                            items[key] = value
                    except (IndexError, TypeError, ValueError) as error:
                        cx.fail(f"this raises {type(error).__name__}: {error}")
                    cx.set_content(base, Items(tuple(items)))
                case Items() | Data():
                    if isinstance(content, Items):
                        unlike = not all(isinstance(cx.kind(r), Num) for r in content.items)
                        if unlike and cx.unrollable:
                            raise NeedsUnrolling(cx.refuse("this index is not known now"))
                    data = indexing.loosen(cx, base)
                    new = cx.op(
                        "setitem", data.atom, cx.atom(i), cx.atom(value), name=base.root.label
                    )
                    cx.set_content(base, Data(new))
                    indexing.hold(cx, base, value)
                case Fields():
                    method = attributes.attribute(cx, base, "__setitem__")
                    lower_calls.apply(cx, method, [i, value], {})
                case _:
                    cx.fail("items of this cannot be assigned")
        case _:
            cx.fail(f"items of {describe_ref(base)} cannot be assigned")


def check_fits(cx: Lowerer, array: Kind, value: Atom) -> None:
    """Refuse to store floats in an integer array, which would cut them off."""
    if isinstance(array, Array | Mixed) and array.dtype[0] in "iub":
        k = value.kind
        if isinstance(k, Num | Array | Mixed) and k.dtype[0] in "fc":
            exact = isinstance(value, Const) and value.value == int(value.value)
            if not exact:
                cx.fail(
                    f"floats are stored in an array of {array.dtype}, which cuts them off",
                    "make it an array of floats: np.zeros(n), np.array([0.0, 1.0])",
                )


def set_array(cx: Lowerer, base: ArrayRef, i: Atom, value: Atom) -> None:
    """A new version of the root of ``base``."""
    cx.check_writable(base)
    chosen = cx.state.chosen.get(base.root)
    if chosen is not None:
        first, second = chosen.through(base.path)
        cx.to_chosen(
            base,
            lambda: set_array(cx, first, i, value),
            lambda: set_array(cx, second, i, value),
        )
        return
    ref, at = base, i
    while ref.path and ref.path[-1].fn == "item":
        outer = ref.path[-1].args[0]
        joined = _composed(cx, outer, at)
        if joined is None:
            break
        ref, at = ArrayRef(ref.root, ref.path[:-1]), joined
    old = cx.read(ref)
    if isinstance(old.kind, Mixed):
        cx.fail("this may be a number or an array", "make it an array: np.zeros(n)")
    check_fits(cx, old.kind, value)
    cx.write(ref, cx.op("setitem", old, at, value, name=getattr(old, "name", None)))


def _composed(cx: Lowerer, outer: Atom, inner: Atom) -> Atom | None:
    """The one index that does what two do, where the first is of ints only."""
    first, second = indexing.components(cx, outer), indexing.components(cx, inner)
    if first is None or second is None:
        return None
    if not all(isinstance(a.kind, Num) and a.kind.dtype[0] in "iu" for a in first):
        return None
    if not all(indexing.is_basic(a.kind) for a in second):
        return None
    parts = (*first, *second)
    if all(isinstance(a, Const) for a in parts):
        value = tuple(a.value for a in parts if isinstance(a, Const))
        return Const(value, kind_of(value))
    return cx.op("tuple", *parts)


def delete_item(cx: Lowerer, base: Ref, i: Ref) -> None:
    """``del base[i]``."""
    if not isinstance(base, HeapRef):
        cx.fail(f"items of {describe_ref(base)} cannot be deleted")
    content = cx.content(base)
    if isinstance(content, Data) or isinstance(content, Items) and not cx.known(i):
        _delete_unknown(cx, base, i)
        return
    if isinstance(content, Entries):
        tables.known_key(cx, base, i)
    if isinstance(content, Table):
        tables.delete(cx, base, i)
        return
    key = cx.static(i, "what is deleted")
    match content:
        case Entries():
            if key not in content.items:
                cx.fail(f"this raises KeyError: {key!r}")
            cx.set_content(base, Entries({k: v for k, v in content.items.items() if k != key}))
        case Items():
            items = list(content.items)
            del items[key]
            cx.set_content(base, Items(tuple(items)))
        case _:
            cx.fail(f"items of {describe_ref(base)} cannot be deleted")


def _delete_unknown(cx: Lowerer, base: HeapRef, i: Ref) -> None:
    """``del xs[i]``, ``del xs[:i]`` and ``del xs[i:]`` of a list of any length."""
    data = indexing.loosen(cx, base)
    bounds = cx.value(i) if cx.known(i) else None
    label = base.root.label
    if isinstance(bounds, slice):
        start, stop, step = bounds.start, bounds.stop, bounds.step
        if step not in (None, 1) or start is not None and stop is not None:
            cx.fail("this part of a list cannot be deleted", "delete up to or from an index")
        kept = slice(stop, None) if start is None else slice(None, start)
        if start is None and stop is None:
            kept = slice(0, 0)
        new = cx.op("item", data.atom, Const.of(kept), name=label)
    else:
        new, _ = cx.ops("pop", data.atom, cx.atom(i), names=(label,))
    cx.set_content(base, Data(new))
