"""The values a taped program computes with: a number or an array, and its place on the tape.

In: whatever the user's operators and NumPy calls do to them. Out: the same on the primal, to the
bit, and a step on the tape where a derivative passes through.

Neither class defines ``__float__`` or ``__array__``: code that would turn a value into a constant
behind the tape's back fails instead.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .record import Slot, Storage, Window
from .where import refuse

if TYPE_CHECKING:
    from .dispatch import Recorder

__all__ = ["TapeArray", "TapeScalar", "TapeValue", "bare", "primal_of", "primal_or_bare"]


_FUNCTIONS = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "div": "truediv",
    "floordiv": "floordiv",
    "mod": "mod",
    "pow": "pow",
    "matmul": "matmul",
}


def _binary(name: str, fun: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    def forward(self: TapeValue, other: Any) -> Any:
        return self.recorder.operator(name, fun, (self, other))

    def backward(self: TapeValue, other: Any) -> Any:
        return self.recorder.operator(name, fun, (other, self))

    return forward, backward


def _unary(name: str, fun: Callable[[Any], Any]) -> Any:
    def apply(self: TapeValue) -> Any:
        return self.recorder.operator(name, fun, (self,))

    return apply


def _compare(fun: Callable[[Any, Any], Any]) -> Any:
    def compare(self: TapeValue, other: Any) -> Any:
        return fun(self.primal, primal_of(other))

    return compare


def _inplace(name: str) -> Any:
    fun, in_place = getattr(operator, _FUNCTIONS[name]), getattr(operator, "i" + _FUNCTIONS[name])

    def apply(self: TapeArray, other: Any) -> TapeArray:
        value = self.recorder.operator(name, fun, (self, other))
        plain = np.asarray(primal_of(value))
        if plain.shape != self.primal.shape or not np.can_cast(
            plain.dtype, self.primal.dtype, "same_kind"
        ):
            in_place(self.primal.copy(), primal_of(other))  # NumPy's own error
        self.recorder.store(self, ..., value)
        return self

    return apply


class TapeValue:
    """What numbers and arrays on a tape have in common."""

    __slots__ = ("primal", "recorder")
    __array_priority__ = 1000.0

    primal: Any
    recorder: Recorder

    __add__, __radd__ = _binary("add", operator.add)
    __sub__, __rsub__ = _binary("sub", operator.sub)
    __mul__, __rmul__ = _binary("mul", operator.mul)
    __truediv__, __rtruediv__ = _binary("div", operator.truediv)
    __floordiv__, __rfloordiv__ = _binary("floordiv", operator.floordiv)
    __mod__, __rmod__ = _binary("mod", operator.mod)
    __pow__, __rpow__ = _binary("pow", operator.pow)
    __matmul__, __rmatmul__ = _binary("matmul", operator.matmul)
    __neg__ = _unary("neg", operator.neg)
    __pos__ = _unary("pos", operator.pos)
    __abs__ = _unary("abs", abs)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    __lt__ = _compare(operator.lt)
    __le__ = _compare(operator.le)
    __gt__ = _compare(operator.gt)
    __ge__ = _compare(operator.ge)
    __eq__ = _compare(operator.eq)
    __ne__ = _compare(operator.ne)
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __repr__(self) -> str:
        return repr(self.primal)

    def __str__(self) -> str:
        return str(self.primal)

    def __format__(self, spec: str) -> str:
        return format(self.primal, spec)

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.primal) if ndigits is None else round(self.primal, ndigits)

    def __floor__(self) -> Any:
        return np.floor(self.primal).__int__()

    def __reduce__(self) -> Any:
        raise refuse("a value on the tape cannot be copied or pickled from outside")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.recorder.ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, fn: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.recorder.call(fn, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return self.recorder.attribute(self, name)


class TapeScalar(TapeValue):
    """A Python or NumPy number that depends on an input."""

    __slots__ = ("slot",)

    def __init__(self, recorder: Recorder, primal: Any) -> None:
        self.recorder = recorder
        self.primal = primal
        self.slot = Slot(type(primal))

    def __copy__(self) -> TapeScalar:
        return self

    def __s2sad_stopped__(self) -> Any:
        """The number, as `controls.stop_gradient` gives it."""
        return self.primal

    def __deepcopy__(self, memo: Any) -> TapeScalar:
        return self

    def __getitem__(self, key: Any) -> Any:
        self.primal[key]  # a Python number says so itself
        return self if key == () else self.recorder.as_array(self)[key]


class TapeArray(TapeValue):
    """A floating-point array, whether it depends on an input or not (it may yet be written)."""

    __slots__ = ("_window", "storage")

    def __init__(self, recorder: Recorder, primal: Any, storage: Storage) -> None:
        self.recorder = recorder
        self.primal = primal
        self.storage = storage
        self._window: Window | None = None

    def __s2sad_stopped__(self) -> TapeArray:
        """The same elements without a derivative, as `controls.stop_gradient` gives them."""
        plain = self.primal.copy(order="K")
        why = "the result of stop_gradient is written"
        return TapeArray(self.recorder, plain, Storage(plain, why))

    @property
    def window(self) -> Window:
        """The place of the elements."""
        if self._window is None:
            self._window = Window(self.storage, self.primal)
        return self._window

    __iadd__ = _inplace("add")
    __isub__ = _inplace("sub")
    __imul__ = _inplace("mul")
    __itruediv__ = _inplace("div")
    __ifloordiv__ = _inplace("floordiv")
    __imod__ = _inplace("mod")
    __ipow__ = _inplace("pow")
    __imatmul__ = _inplace("matmul")

    def __len__(self) -> int:
        return len(self.primal)

    def __iter__(self) -> Iterator[Any]:
        iter(self.primal)  # a 0-d array says so itself
        return (self[i] for i in range(len(self.primal)))

    def __contains__(self, value: Any) -> bool:
        return primal_of(value) in self.primal

    def __getitem__(self, key: Any) -> Any:
        return self.recorder.load(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.recorder.store(self, key, value)

    def __copy__(self) -> Any:
        return self.recorder.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.recorder.copy(self)


def bare(value: Any) -> Any:
    """The thing itself where it is a proxy: a dtype, or a function passed as an argument."""
    if getattr(type(value), "is_proxy", False):
        return value.__wrapped__
    if type(value) is tuple:
        return tuple(map(bare, value))
    return value


def primal_of(value: Any) -> Any:
    """The plain value of anything, containers included."""
    if isinstance(value, TapeValue):
        return value.primal
    match value:
        case tuple() if type(value) is tuple:
            return tuple(map(primal_of, value))
        case list():
            return list(map(primal_of, value))
        case dict():
            return {key: primal_of(v) for key, v in value.items()}
        case slice():
            return slice(*map(primal_of, (value.start, value.stop, value.step)))
    return value


def primal_or_bare(value: Any) -> Any:
    """The primal of a tape value; anything else as it is."""
    return value.primal if isinstance(value, TapeValue) else bare(value)
