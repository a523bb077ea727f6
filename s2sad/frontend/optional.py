"""Values that may be None, as long as it is not known which.

In: references that are None on one path and something else on another. Out: a `Maybe`, a bool
computed at run time and what is there where it is true. Tests for None read the bool, and inside
the branch of such a test it is known what is there; whoever uses the value elsewhere raises the
TypeError that Python raises.

    best = None                         has_best = False
    for a in x:                         for a in x:
        if best is None or a < best:        if not has_best or a < best:
            best = a                            best = a; has_best = True
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..ir.nodes import Atom, Const, If, Node, Op, Value
from .contents import Entries, Fields, Items
from .refs import Frame, Maybe, Ref, Root, TupleRef, Val
from .state import State

if TYPE_CHECKING:
    from .context import Lowerer

NONE_REF = Val(Const.of(None))
_Place: TypeAlias = "tuple[Frame, str] | Root"


def present(cx: Lowerer, ref: Ref) -> Ref:
    """What is there; where nothing is, the program raises the TypeError that Python raises."""
    if not isinstance(ref, Maybe):
        return ref
    if ref.here in cx.state.sure:
        return ref.ref

    def missing() -> None:
        name = f"'{ref.name}'" if ref.name else "this value"
        cx.ops("raise", Const.of(TypeError), Const.of(f"{name} is None here"))
        cx.state.raised = True

    cx.branch(ref.here, lambda: None, missing)
    _settle(cx.state, {ref.here: True})
    return ref.ref


def either(
    cx: Lowerer, ref: Maybe, there: Callable[[Ref], Ref], nothing: Callable[[], Ref]
) -> Ref:
    """``there(value)`` where there is one, else ``nothing()``."""
    found = cx.branch(ref.here, lambda: there(ref.ref), nothing)
    assert found is not None
    return found


# -- what a condition says -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A place whose content is known better inside a branch: what it was, and what it is there."""

    place: _Place
    before: Any
    inside: Any


def narrow(
    state: State, nodes: Sequence[Node], definition: Any, cond: Atom, value: bool
) -> list[Narrowed]:
    """Put what is known where ``cond`` has this value into the state."""
    if not any(_holds_maybe(content) for _, content in _places(state)):
        return []
    known: dict[Atom, bool] = {}
    _imply(nodes, definition, cond, value, known)
    return _settle(state, known)


def _settle(state: State, known: dict[Atom, bool]) -> list[Narrowed]:
    """Put what is known of these bools into the state."""
    state.sure |= {a for a, value in known.items() if value}
    found = []
    for place, content in _places(state):
        inside = _refined(content, known)
        if inside is not content:
            found.append(Narrowed(place, content, inside))
            _put(state, place, inside)
    return found


def widen(state: State, narrowed: Sequence[Narrowed]) -> None:
    """Take back what was put in by `narrow`, where nothing else has been put since."""
    for n in narrowed:
        now: Any
        if isinstance(n.place, Root):
            now = state.heap.get(n.place)
        else:
            now = state.frames.get(n.place[0], {}).get(n.place[1])
        if now is n.inside:
            _put(state, n.place, n.before)


def _places(state: State) -> list[tuple[_Place, Any]]:
    found: list[tuple[_Place, Any]] = []
    for frame, names in state.frames.items():
        found += [((frame, name), ref) for name, ref in names.items()]
    return [*found, *state.heap.items()]


def _put(state: State, place: _Place, thing: Any) -> None:
    if isinstance(place, Root):
        state.heap[place] = thing
    else:
        state.set(*place, thing)


def _holds_maybe(thing: Any) -> bool:
    match thing:
        case Maybe():
            return True
        case TupleRef(items) | Items(items):
            return any(map(_holds_maybe, items))
        case Entries(items) | Fields(_, items):
            return any(map(_holds_maybe, items.values()))
    return False


def _refined(thing: Any, known: dict[Atom, bool]) -> Any:
    """The reference or content with every `Maybe` settled that is; itself where there is none."""
    match thing:
        case Maybe():
            here = known.get(thing.here)
            return thing if here is None else _refined(thing.ref, known) if here else NONE_REF
        case TupleRef(items) | Items(items):
            new = tuple(_refined(r, known) for r in items)
            if all(a is b for a, b in zip(items, new, strict=True)):
                return thing
            return TupleRef(new, thing.cls) if isinstance(thing, TupleRef) else Items(new)
        case Entries(items) | Fields(_, items):
            parts = {k: _refined(r, known) for k, r in items.items()}
            if all(parts[k] is r for k, r in items.items()):
                return thing
            return Entries(parts) if isinstance(thing, Entries) else Fields(thing.cls, parts)
    return thing


def _imply(
    nodes: Sequence[Node], definition: Any, cond: Atom, value: bool, known: dict[Atom, bool]
) -> None:
    """Collect the bools whose value follows from that of ``cond``."""
    if not isinstance(cond, Value) or cond in known:
        return
    known[cond] = value
    node = definition.get(cond)
    match node:
        case Op(fn="not"):
            _imply(nodes, definition, node.args[0], not value, known)
            return
        case Op(fn="and") if value:
            for a in node.args:
                _imply(nodes, definition, a, True, known)
            return
        case Op(fn="or") if not value:
            for a in node.args:
                _imply(nodes, definition, a, False, known)
            return
        case Op():
            return
    for node in reversed(nodes):
        if isinstance(node, If) and cond in node.results:
            n = node.results.index(cond)
            arms = (node.then.yields[n], node.orelse.yields[n])
            for arm, other, side in ((arms[0], arms[1], True), (arms[1], arms[0], False)):
                if isinstance(other, Const) and bool(other.value) is not value:
                    _imply(nodes, definition, node.cond, side, known)
                    region = node.then if side else node.orelse
                    _imply([*nodes, *region.ops], definition, arm, value, known)
            return


__all__ = ["Narrowed", "either", "narrow", "present", "widen"]
