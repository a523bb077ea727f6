"""Calls of registered functions: operands, static attributes, views, ``out=``.

In: a registry record and the references of a call's arguments. Out: a node, and a reference to its
result, which is a view of an operand where the record says so.

    np.sum(x, axis=k)     np.sum x {axis: 0}     (k must be known)
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.kinds import (
    BOOL,
    FLOAT,
    INT,
    STR,
    UNKNOWN,
    Array,
    Kind,
    Mixed,
    Num,
    Opaque,
    carries_derivative,
)
from ..ir.nodes import Atom, Const
from ..rules.optional import is_scipys
from ..rules.registry import Primitive, primitive
from . import optional, ufuncs
from .contents import Data, Items
from .context import Lowerer
from .describe import describe_ref
from .refs import (
    ArrayRef,
    BoundRef,
    Choice,
    FuncRef,
    HeapRef,
    IterRef,
    PartialRef,
    Perhaps,
    Ref,
    Static,
    TupleRef,
    Val,
    View,
)

#: Views for certain: writing the result writes the operand.
_VIEWS = {"np.transpose", "np.swapaxes", "np.squeeze", "np.expand_dims", "np.moveaxis",
          "np.real", "np.imag", "np.diagonal", "np.atleast_1d", "np.atleast_2d",
          "np.atleast_3d", "np.flip", "np.flipud", "np.fliplr", "np.rot90",
          "np.broadcast_to", "np.matrix_transpose", "np.permute_dims", "np.rollaxis"}  # fmt: skip
#: Views where the operand is contiguous, copies elsewhere.
_PERHAPS = {"np.reshape", "np.ravel"}
#: Functions that give an array back as it is.
_IDENTITIES = {"np.asarray", "np.asanyarray"}
#: Functions that do so for one value of an option: no difference, the first power.
_IDENTITIES_AT = {"np.diff": ("n", 0), "np.polyder": ("m", 0), "np.linalg.matrix_power": ("n", 1)}
#: Functions of any number of arrays that do to each what they do to one.
_EACH = {"np.atleast_1d", "np.atleast_2d", "np.atleast_3d"}
#: Functions whose results may be views of any of their operands.
_SPREADS = {"np.broadcast_arrays", "np.einsum", "np.meshgrid", "np.float64"}
#: Fresh arrays in C order.
_FRESH = {"np.zeros", "np.ones", "np.empty", "np.full", "np.arange", "np.linspace", "np.eye",
          "np.identity", "copy"}  # fmt: skip


def call(
    cx: Lowerer,
    record: Primitive,
    args: Sequence[Ref],
    kwargs: Mapping[str, Ref],
    *,
    method_call: bool = False,
) -> Ref:
    """The result of calling a registered function (``method_call``: as a method of its first)."""
    args = [optional.present(cx, a) for a in args]
    kwargs = {k: optional.present(cx, v) for k, v in kwargs.items()}
    out = kwargs.pop("out", None)
    if out is None and isinstance(record.fun, np.ufunc) and len(args) > record.fun.nin:
        args, out = args[: record.fun.nin], args[record.fun.nin]
    if out is not None and isinstance(out, TupleRef) and len(out.items) == 1:
        out = out.items[0]
    if out is not None and cx.known(out) and cx.value(out) is None:
        out = None
    if isinstance(record.fun, np.ufunc) and kwargs:
        return ufuncs.with_options(cx, record, args, kwargs, out)
    operands, attrs = arguments(cx, record, args, kwargs)
    if record.name in _IDENTITIES and isinstance(operands[0], ArrayRef):
        kind, dtype = cx.kind(operands[0]), attrs.get("dtype")
        if isinstance(kind, Array) and (dtype is None or np.dtype(dtype).name == kind.dtype):
            return operands[0]
    if record.name in _IDENTITIES_AT and isinstance(operands[0], ArrayRef):
        option, value = _IDENTITIES_AT[record.name]
        if attrs.get(option) == value:
            return operands[0]
    if record.name in _EACH and len(operands) > 1:
        parts = [call(cx, record, [r], {}) for r in operands]
        several = isinstance(np.atleast_1d(0, 0), tuple)  # a list before NumPy 2
        return TupleRef(tuple(parts)) if several else cx.new(Items(tuple(parts)))
    if record.name == "astype" and attrs.pop("copy", True) is False:
        kind = cx.kind(operands[0])
        if isinstance(kind, Array) and np.dtype(attrs["dtype"]).name == kind.dtype:
            return operands[0]
    if record.name in ("np.conj", "np.conjugate") and method_call:
        kind = cx.kind(operands[0])
        if isinstance(kind, Array) and kind.dtype[0] != "c":
            return operands[0]
    result = emit(cx, record, operands, attrs)
    if record.name in _SPREADS:
        result = _apart(cx, record, operands, result)
    return result if out is None else into(cx, record, out, result)


def into(cx: Lowerer, record: Primitive, out: Ref, result: Ref) -> Ref:
    """``out=``: the result is written into an array that exists."""
    from .assignment import write_all

    if not isinstance(out, ArrayRef):
        cx.fail(f"the 'out' of {record.name} must be an array")
    write_all(cx, out, cx.read(out), cx.atom(result))
    return out


def arguments(
    cx: Lowerer, record: Primitive, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> tuple[list[Ref], dict[str, Any]]:
    """Sort a call's arguments into operands and static attributes."""
    if record.signature is None:
        attrs = {k: cx.static(v, f"the '{k}' of {record.name}") for k, v in kwargs.items()}
        return list(args), attrs
    try:
        bound = record.signature.bind(*args, **kwargs)
    except TypeError as error:
        cx.fail(
            f"{record.name}: {error}",
            "leave the argument out, or register a rule that knows it",
        )
    operands: list[Ref] = []
    attrs = {}
    names = {n.lstrip("*") for n in record.operands}
    missing: list[Ref] = []
    for name, parameter in record.signature.parameters.items():
        given = name in bound.arguments
        if name in names:
            if not given:
                default = parameter.default
                missing.append(Val(Const.of(None if default is parameter.empty else default)))
                continue
            operands.extend(missing)
            missing = []
            value = bound.arguments[name]
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                operands.extend(value)
            else:
                operands.append(value)
        elif given:
            value = bound.arguments[name]
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                attrs[name] = tuple(cx.static(v, f"an argument of {record.name}") for v in value)
                continue
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                for key, v in value.items():
                    attrs[key] = cx.static(v, f"the '{key}' of {record.name}")
                continue
            known = cx.static(value, f"the '{name}' of {record.name}")
            if not _is_default(known, parameter.default):
                attrs[name] = known
    return operands, attrs


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (
        isinstance(value, int | float | str | tuple)
        and type(value) is type(default)
        and bool(value == default)
    )


def _apart(cx: Lowerer, record: Primitive, operands: Sequence[Ref], result: Ref) -> Ref:
    """Results that may be views, copied: they may be used, and not observed to be views."""
    arrays = [r for r in operands if isinstance(r, ArrayRef)]
    if record.name == "np.einsum" and len(arrays) != 1:
        return result

    def copied(ref: Ref) -> Ref:
        new = cx.ref(cx.op("copy", cx.atom(ref)))
        if isinstance(new, ArrayRef):
            for base in arrays:
                cx.state.share(new.root, base.root)
            if record.name == "np.broadcast_arrays":
                new.root.frozen = "results of np.broadcast_arrays share memory with one another"
        return new

    if isinstance(result, ArrayRef):
        return copied(result)
    if isinstance(result, TupleRef):
        return TupleRef(tuple(map(copied, result.items)))
    if isinstance(result, HeapRef):
        content = cx.content(result)
        if isinstance(content, Items):
            return cx.new(Items(tuple(map(copied, content.items))))
    return result


def operand(cx: Lowerer, record: Primitive, ref: Ref) -> Atom:
    """The atom of an operand; iterables become lists."""
    match ref:
        case IterRef():
            from .comprehensions import to_list

            return cx.atom(to_list(cx, ref))
        case FuncRef() | BoundRef() | PartialRef() | Choice():
            cx.fail(f"{record.name} cannot take {describe_ref(ref)}", "write it as a loop")
    return cx.atom(ref)


def emit(cx: Lowerer, record: Primitive, operands: Sequence[Ref], attrs: Mapping[str, Any]) -> Ref:
    """Append the node; the reference to its result."""
    base = None
    if record.view_of is not None and record.view_of < len(operands):
        base = operands[record.view_of]
    if isinstance(base, ArrayRef):
        return _view(cx, record, base, operands, attrs)
    atoms = [operand(cx, record, r) for r in operands]
    results = cx.ops(record.name, *atoms, **attrs)
    refs = [cx.ref(r) for r in results]
    for ref in refs:
        if record.name in _FRESH and isinstance(ref, ArrayRef):
            ref.root.contiguous = True
    if not refs:
        return Val(Const.of(None))
    return refs[0] if len(refs) == 1 else TupleRef(tuple(refs))


def _view(
    cx: Lowerer,
    record: Primitive,
    base: ArrayRef,
    operands: Sequence[Ref],
    attrs: Mapping[str, Any],
) -> Ref:
    """The result of a function that may give a view of its operand."""
    rest = [operand(cx, record, r) for n, r in enumerate(operands) if n != record.view_of]
    row = record.name == "np.reshape" and getattr(cx.kind(base), "rank", None) == 1
    certain = record.name in _VIEWS or (
        record.name in _PERHAPS
        and (row or base.root.contiguous and all(map(_keeps_order, base.path)))
        and attrs.get("order", "C") == "C"
    )
    if certain and record.view_of == 0:
        step = View.of(record.name, tuple(rest), attrs)
        atom = cx.view(cx.read(base), step)
        if isinstance(atom.kind, Array | Mixed):
            return ArrayRef(base.root, (*base.path, step))
        return cx.ref(atom)
    atoms = [operand(cx, record, r) for r in operands]
    results = cx.ops(record.name, *atoms, **attrs)
    refs = [cx.ref(r) for r in results]
    for ref in refs:
        if isinstance(ref, HeapRef) and isinstance(cx.state.content(ref.root), Data):
            cx.state.share(ref.root, base.root)
            ref.root.twice = True
        for part in _arrays(cx, ref):
            if record.name != "np.array" or attrs.get("copy", True) is not True:
                cx.state.share(part.root, base.root)
            part.root.contiguous = record.name in _FRESH
    if record.name in _PERHAPS and isinstance(refs[0], ArrayRef):
        _undecided(cx, record, base, refs[0], rest, attrs)
    return refs[0] if len(refs) == 1 else TupleRef(tuple(refs))


def _keeps_order(step: View) -> bool:
    """Whether a view of a contiguous array is contiguous: a row, or rows next to each other."""
    if step.fn in _PERHAPS:
        return True
    if step.fn != "item":
        return False
    index = step.args[0]
    if isinstance(index.kind, Num):
        return True
    value = index.value if isinstance(index, Const) else None
    return isinstance(value, slice) and value.step in (None, 1)


def _undecided(
    cx: Lowerer,
    record: Primitive,
    base: ArrayRef,
    made: ArrayRef,
    rest: Sequence[Atom],
    attrs: Mapping[str, Any],
) -> None:
    """A reshape that the layout makes a view or a copy: asked of NumPy where it can be.

    It is asked of a second reshape, which nobody writes, and only where the array has the layout
    that it has in the user's program.
    """
    content = cx.state.content(base.root)
    if base.root.frozen or not isinstance(content, Data):
        return
    if not _has_own_layout(cx, content.atom, set()):
        return
    if set(cx.state.shares.get(made.root, ())) != {base.root}:
        return
    before = cx.read(base)
    again = cx.op(record.name, before, *rest, **attrs)
    cond = cx.op("is_view", before, again)
    step = View.of(record.name, tuple(rest), attrs)
    cx.state.perhaps[made.root] = Perhaps(base, step, cond)


def _has_own_layout(cx: Lowerer, atom: Atom, seen: set[Atom]) -> bool:
    """Whether the derivative computes an array in the layout of the user's program."""
    if isinstance(atom, Const) or not isinstance(atom.kind, Array | Mixed) or atom in seen:
        return True
    seen.add(atom)
    node = cx.b.definition.get(atom)
    if node is None:
        return atom in cx.given
    written = primitive(node.fn).writes
    if written is not None:
        return _has_own_layout(cx, node.args[written], seen)
    return all(_has_own_layout(cx, a, seen) for a in node.args)


def _arrays(cx: Lowerer, ref: Ref) -> list[ArrayRef]:
    match ref:
        case ArrayRef():
            return [ref]
        case TupleRef():
            return [a for r in ref.items for a in _arrays(cx, r)]
        case HeapRef():
            content = cx.state.content(ref.root)
            if isinstance(content, Items):
                return [a for r in content.items for a in _arrays(cx, r)]
    return []


# -- opaque calls --------------------------------------------------------------------------------


def opaque(cx: Lowerer, func: Static, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """A call of what has neither source nor rule: allowed where nothing differentiable goes in."""
    name = getattr(func.obj, "__qualname__", None) or getattr(func.obj, "__name__", repr(func.obj))
    module = getattr(func.obj, "__module__", None)
    full = f"{module}.{name}" if isinstance(module, str) and module != "builtins" else str(name)
    for ref in [*args, *kwargs.values()]:
        if not inert(cx, ref):
            cx.fail(
                f"{full} has neither Python source nor a rule",
                "register a rule for it, or write it with functions that have one",
            )
    atoms = [cx.atom(r) for r in args]
    options = {k: cx.static(v, f"the '{k}' of {name}") for k, v in kwargs.items()}
    result = _result_kind(cx, func.obj, args, kwargs)
    return cx.ref(cx.op("call", Const.of(func.obj), *atoms, result=result, **options))


def inert(cx: Lowerer, ref: Ref) -> bool:
    """Whether nothing that could be differentiated is inside."""
    if isinstance(ref, FuncRef | BoundRef | PartialRef | Choice):
        return False
    if isinstance(ref, Static):
        return True
    if cx.known(ref):
        return True
    return not carries_derivative(cx.kind(ref))


def _result_kind(cx: Lowerer, f: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Kind:
    """The kind of an opaque call's result, where its annotations tell."""
    if f in (time.time, time.perf_counter, time.monotonic, time.process_time):
        return FLOAT
    if isinstance(f, type) and is_scipys(f):
        return Opaque(f)
    hints = getattr(f, "__annotations__", {})
    by_name: dict[Any, Kind] = {float: FLOAT, int: INT, bool: BOOL, str: STR}
    return by_name.get(hints.get("return"), UNKNOWN)
