"""Calls that are about memory rather than mathematics: making, filling and copying arrays.

In: such a call. Out: tape arrays whose places tell the whole story, without a rule.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..rules.registry import Primitive
from .places import is_active, place_of
from .record import Store
from .rules import bind, find, named
from .values import TapeArray, TapeValue, primal_of
from .where import refuse

if TYPE_CHECKING:
    from .dispatch import Recorder

__all__ = ["HANDLERS", "into", "write"]

Function = Callable[..., Any]


def into(recorder: Recorder, out: Any, value: Any) -> Any:
    """``out=``: the value computed without it, written there."""
    if isinstance(out, tuple):
        if len(out) == 1:
            return into(recorder, out[0], value)
        return tuple(
            v if o is None else into(recorder, o, v) for o, v in zip(out, value, strict=True)
        )
    if isinstance(out, TapeArray):
        if not np.can_cast(np.asarray(primal_of(value)).dtype, out.primal.dtype, "same_kind"):
            raise refuse(f"out= has type {out.primal.dtype}, which cannot hold the result")
        recorder.store(out, ..., value)
        return out
    if is_active(value):
        raise refuse(
            "a value that depends on the input is written to a plain array",
            "make the array inside the function",
        )
    out[...] = primal_of(value)
    return out


def where(
    recorder: Recorder, ufunc: np.ufunc, inputs: Sequence[Any], options: dict[str, Any]
) -> Any:
    """``ufunc(*inputs, out=out, where=mask)``: computed where the mask is true, nowhere else."""
    mask, out = primal_of(options.pop("where")), options.pop("out", None)
    out = out[0] if isinstance(out, tuple) else out
    if not isinstance(out, TapeArray):
        raise refuse(
            f"np.{ufunc.__name__}(where=...) leaves elements undefined", "use np.where, or out="
        )
    mask = np.broadcast_to(mask, out.primal.shape)
    chosen = [recorder.call(np.broadcast_to, (x, mask.shape), {})[mask] for x in inputs]
    recorder.store(out, mask, recorder.call(ufunc, chosen, options))
    return out


def write(
    recorder: Recorder,
    fn: Function,
    primitive: Primitive,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    """A function that changes its argument: a rule for the new content, then a write."""
    operands, attrs = bind(primitive, args, kwargs)
    target = operands[primitive.writes or 0]
    if not isinstance(target, TapeArray):
        if any(map(is_active, operands)):
            raise refuse("a value that depends on the input is written to a plain array")
        fn(*map(primal_of, args), **{k: primal_of(v) for k, v in kwargs.items()})
        return
    changed = primitive.fun(*map(primal_of, operands), **attrs)
    if any(map(is_active, operands)):
        value = recorder.record(primitive, f"'{primitive.name}'", operands, attrs, changed)
    else:
        value = changed
    recorder.store(target, ..., value)


def _array(recorder: Recorder, fn: Function, value: Any, *args: Any, **kwargs: Any) -> Any:
    return recorder.array(fn, value, *args, **kwargs)


def _copy(recorder: Recorder, fn: Function, value: Any, *args: Any, **kwargs: Any) -> Any:
    if not isinstance(value, TapeValue):
        return recorder.array(fn, value, *args, **kwargs)
    return recorder.copy(value, fn(primal_of(value), *args, **kwargs))


def _full(
    recorder: Recorder, fn: Function, like: Any, fill_value: Any, *args: Any, **kwargs: Any
) -> Any:
    if isinstance(fill_value, list | tuple):
        fill_value = recorder.array(np.array, fill_value)
    result = fn(primal_of(like), primal_of(fill_value), *args, **kwargs)
    out = recorder.wrap(result)
    if is_active(fill_value):
        if not isinstance(out, TapeArray):
            raise refuse(f"a value that depends on the input is stored as {result.dtype}")
        out.storage.active = True
        recorder.tape.steps.append(Store(out.window, ..., place_of(fill_value), None))
    return out


def _fresh(recorder: Recorder, fn: Function, *args: Any, **kwargs: Any) -> Any:
    """Zeros, ones and their like: only the shape of their arguments matters."""
    return recorder.wrap(fn(*map(primal_of, args), **{k: primal_of(v) for k, v in kwargs.items()}))


def _copyto(
    recorder: Recorder,
    fn: Function,
    dst: Any,
    src: Any,
    casting: str = "same_kind",
    where: Any = True,
) -> None:
    if where is True and isinstance(dst, TapeArray):
        into(recorder, dst, src)
        return
    mask = np.broadcast_to(primal_of(where), np.shape(primal_of(dst)))
    if isinstance(dst, TapeArray):
        if not isinstance(src, TapeValue):
            src = recorder.array(np.asarray, src)
        spread = recorder.call(np.broadcast_to, (src, mask.shape), {})
        recorder.store(dst, mask, spread[mask])
        return
    into(recorder, dst, src)


def _convert(recorder: Recorder, fn: Function, *args: Any, **kwargs: Any) -> Any:
    """``float(x)``, ``np.float64(x)`` ...: the same number as another type."""
    if len(args) == 1 and isinstance(args[0], TapeValue):
        return recorder.copy(args[0], fn(args[0].primal, **kwargs))
    if fn is complex and any(isinstance(a, TapeValue) for a in args):
        real, imag = args
        turned = recorder.operator("mul", operator.mul, (1j, imag))
        value = recorder.operator("add", operator.add, (real, turned))
        value.primal = complex(primal_of(real), primal_of(imag))  # keeps signs of zeros
        return value
    if any(isinstance(a, list | tuple) for a in args):
        return recorder.array(fn, *args, **kwargs)
    return fn(*args, **kwargs)


def _truncate(recorder: Recorder, fn: Function, *args: Any, **kwargs: Any) -> Any:
    """``int(x)``: constant between jumps, if the rules say so."""
    if any(isinstance(a, TapeValue) for a in args):
        primitive = named("int")
        if primitive is None or not primitive.zero:
            raise refuse("int() of a value that depends on the input", "use np.floor or np.trunc")
        args = tuple(map(primal_of, args))
    return fn(*args, **kwargs)


def _shape(recorder: Recorder, fn: Function, *args: Any, **kwargs: Any) -> Any:
    return fn(*map(primal_of, args), **{k: primal_of(v) for k, v in kwargs.items()})


def _mutate(recorder: Recorder, fn: Function, *args: Any, **kwargs: Any) -> Any:
    primitive = find(fn)
    if primitive is None or primitive.writes is None:
        raise refuse(f"np.{fn.__name__} changes its argument in a way the tape does not follow")
    write(recorder, fn, primitive, args, kwargs)


def _nan_to_num(recorder: Recorder, fn: Function, x: Any, copy: bool = True, **kwargs: Any) -> Any:
    if not copy:
        raise refuse("np.nan_to_num(copy=False) writes to its argument")
    return recorder.run(fn, find(fn), "'np.nan_to_num'", (x,), kwargs)


HANDLERS: dict[Any, Callable[..., Any]] = {
    np.array: _array,
    np.asarray: _array,
    np.asanyarray: _array,
    np.ascontiguousarray: _array,
    np.asfortranarray: _array,
    np.copy: _copy,
    np.full: _full,
    np.full_like: _full,
    np.zeros_like: _fresh,
    np.ones_like: _fresh,
    np.empty_like: _fresh,
    np.ndarray: _fresh,
    np.shape: _shape,
    np.ndim: _shape,
    np.size: _shape,
    np.isscalar: _shape,
    np.copyto: _copyto,
    np.place: _mutate,
    np.put: _mutate,
    np.put_along_axis: _mutate,
    np.putmask: _mutate,
    np.fill_diagonal: _mutate,
    np.random.shuffle: _mutate,
    np.nan_to_num: _nan_to_num,
    float: _convert,
    complex: _convert,
    int: _truncate,
    **dict.fromkeys((np.float16, np.float32, np.float64, np.longdouble), _convert),
    **dict.fromkeys((np.complex64, np.complex128, np.clongdouble), _convert),
}
