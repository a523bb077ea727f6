"""What steers differentiation from inside a program: ``checkpoint``, ``checkpointed``.

In: calls of these. Out: a ``Call`` of a function of the module that is marked, a marked range.

    y = block(x), block a checkpoint   ->   y = call block_call(x)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import FunctionType

from .. import checkpointing, controls
from ..errors import UnsupportedError
from ..ir.kinds import Num, carries_derivative
from ..ir.nodes import Const, Custom
from . import recursion
from .contents import Data, Entries, Fields, Items
from .context import Lowerer
from .handlers import handles
from .refs import ArrayRef, FuncRef, HeapRef, IterRef, PartialRef, Ref, Static, TupleRef, Val, View
from .source import find_source

CHECKPOINT = Custom("checkpoint")


@handles(checkpointing.checkpoint)
def _checkpoint(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """``checkpoint(f)`` inside a program: calls of the result go to `_call_local`."""
    (f,) = (*args, *kwargs.values())
    if isinstance(f, Static) and callable(f.obj):
        return Static(checkpointing.checkpoint(f.obj))
    if isinstance(f, FuncRef):
        return PartialRef(Static(_call_local), (f,))
    cx.fail("checkpoint() takes a function", "apply it to a function, not to its value")


def _call_local() -> None:  # pragma: no cover - stands for calls of a local checkpoint
    raise NotImplementedError


@handles(_call_local)
def _called_local(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    f, *rest = args
    assert isinstance(f, FuncRef)
    return recursion.call(cx, f, f.source, f.node, f.frame, rest, kwargs, CHECKPOINT)


def call_checkpoint(
    cx: Lowerer, f: FunctionType, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> Ref:
    """A call of a function made by ``checkpoint``."""
    try:
        source = find_source(f)
    except UnsupportedError as error:
        problem = error.problems[0]
        cx.fail(problem.message, problem.help or "register a rule for it")
    return recursion.call(cx, f, source, source.node, None, args, kwargs, CHECKPOINT)


@handles(checkpointing.checkpointed)
def _checkpointed(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    steps = args[0] if args else kwargs.get("steps")
    if isinstance(steps, Val) and isinstance(steps.atom, Const):
        known = steps.atom.value
        if isinstance(known, range):
            bounds = (known.start, known.stop, known.step)
            steps = IterRef("range", tuple(map(cx.constant, bounds)))
    if not (isinstance(steps, IterRef) and steps.form == "range"):
        cx.fail("checkpointed() takes a range", "write checkpointed(range(n), snapshots=8)")
    snapshots, memory = (
        None if ref is None or isinstance(ref, Val) and _is_none(ref) else ref
        for ref in (kwargs.get("snapshots"), kwargs.get("memory"))
    )
    if (snapshots is None) == (memory is None):
        cx.fail("checkpointed() takes one of snapshots= and memory=")
    if memory is not None:
        try:
            size = checkpointing.bytes_of(cx.static(memory, "the 'memory'"))
        except ValueError as error:
            cx.fail(str(error))
        return IterRef("checkpointed", (steps,), size)
    assert snapshots is not None
    kind = cx.kind(snapshots)
    if not (isinstance(kind, Num) and kind.dtype[0] in "iu"):
        cx.fail("the number of snapshots must be an int")
    if cx.known(snapshots) and cx.value(snapshots) < 1:
        cx.fail("checkpointed() needs at least one snapshot")
    return IterRef("checkpointed", (steps, snapshots))


def _is_none(ref: Val) -> bool:
    return isinstance(ref.atom, Const) and ref.atom.value is None


@handles(controls.stop_gradient)
def _stop_gradient(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """The same parts in other containers, as `controls.stop_gradient` does it."""
    (x,) = (*args, *kwargs.values())
    return _stopped(cx, x)


def _stopped(cx: Lowerer, ref: Ref) -> Ref:
    match ref:
        case Val(atom):
            if isinstance(atom, Const) or not carries_derivative(atom.kind):
                return ref
            return Val(cx.op("stop_gradient", atom))
        case ArrayRef():
            return ArrayRef(ref.root, (*ref.path, View.of("stop_gradient", (), {})))
        case TupleRef():
            return TupleRef(tuple(_stopped(cx, r) for r in ref.items), ref.cls)
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Items():
                    return cx.new(Items(tuple(_stopped(cx, r) for r in content.items)))
                case Entries():
                    parts = {k: _stopped(cx, r) for k, r in content.items.items()}
                    return cx.new(Entries(parts))
                case Fields():
                    parts = {k: _stopped(cx, r) for k, r in content.items.items()}
                    return cx.new(Fields(content.cls, parts))
                case Data(atom):
                    new = cx.new(Data(cx.op("stop_gradient", atom)))
                    cx.state.share(new.root, ref.root)
                    return new
    return ref


@handles(controls.custom_vjp, controls.custom_jvp)
def _custom(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    cx.fail(
        "a function is given a rule inside the differentiated program",
        "define the function and its rule outside, and pass what they read as arguments",
    )
