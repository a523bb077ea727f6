"""Stepping: the elements of an iterable one after the other, each as it is when it is reached.

In: a reference to an iterable whose length is known now. Out: a function that gives the next
element, or None after the last.

    zip(items, (x, y))      (items[0], x), then (items[1], y), then None
"""

from __future__ import annotations

from collections.abc import Callable

from . import iteration, lower_calls
from .contents import Entries, Items
from .context import Lowerer
from .refs import HeapRef, IterRef, Ref, TupleRef


def stepper(cx: Lowerer, ref: Ref) -> Callable[[int], Ref | None]:
    """The element at each step, as it is when the step is made; None after the last.

    Python's iterators look at the container at every step, so that writes of the body are seen.
    """
    match ref:
        case HeapRef():
            content = cx.content(ref)
            if isinstance(content, Items):
                return lambda n: _at(cx, ref, n)
            if isinstance(content, Entries):
                return _dict_stepper(cx, ref, "keys", len(content.items))
        case IterRef("zip" | "map"):
            iteration.consume(cx, ref)
            parts = [stepper(cx, r) for r in ref.args]

            def together(n: int) -> Ref | None:
                found: list[Ref] = []
                for part in parts:
                    r = part(n)
                    if r is None:
                        return None
                    found.append(r)
                if ref.form == "map":
                    return lower_calls.apply(cx, ref.extra, found, {})
                return TupleRef(tuple(found))

            return together
        case IterRef("enumerate") if cx.known(ref.args[1]):
            iteration.consume(cx, ref)
            inner, first = stepper(cx, ref.args[0]), cx.value(ref.args[1])

            def counted(n: int) -> Ref | None:
                r = inner(n)
                return None if r is None else TupleRef((cx.constant(first + n), r))

            return counted
        case IterRef("reversed", args=(HeapRef() as base,)):
            content = cx.content(base)
            if isinstance(content, Items):
                iteration.consume(cx, ref)
                last = len(content.items) - 1
                return lambda n: _at(cx, base, last - n) if n <= last else None
        case IterRef("keys" | "values" | "items" as form, args=(HeapRef() as base,)):
            content = cx.content(base)
            if isinstance(content, Entries):
                return _dict_stepper(cx, base, form, len(content.items))
        case IterRef("generator" | "list"):
            iteration.consume(cx, ref)
            return stepper(cx, ref.args[0])
    items = iteration.static_items(cx, ref)
    if items is None:
        cx.fail("the number of elements of this is not known when the derivative is built")
    return lambda n: items[n] if n < len(items) else None


def _at(cx: Lowerer, ref: HeapRef, n: int) -> Ref | None:
    content = cx.content(ref)
    if not isinstance(content, Items):
        cx.fail("a list is changed while it is looped over", "loop over a copy: list(xs)")
    return content.items[n] if n < len(content.items) else None


def _dict_stepper(cx: Lowerer, ref: HeapRef, form: str, size: int) -> Callable[[int], Ref | None]:
    def step(n: int) -> Ref | None:
        content = cx.content(ref)
        assert isinstance(content, Entries)
        if len(content.items) != size:
            cx.fail("a dict changes its size while it is looped over: this raises RuntimeError")
        view = iteration.dict_view(cx, content, form)
        return view[n] if n < len(view) else None

    return step
