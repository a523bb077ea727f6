"""Kind rules: from the kinds of operands to the kind of the result, as NumPy and Python decide it.

In: atoms (constants can be looked at) and static attributes. Out: kinds, or ``KindError``.

    arithmetic(np.add)((x: Array(float32, (n,)), 2.0))   ->  Array(float32, (n,))
    item((x: Array(float64, (n,)), 0))                   ->  Num(float64, weak=False)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..ir.kinds import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Size,
    Tuple,
    broadcast_dim,
    join,
    join_dim,
    promote,
    shift_dim,
)
from ..ir.nodes import Atom, Const
from .registry import KindError, KindRule

_WEAK: dict[str, type] = {"bool": bool, "int64": int, "float64": float, "complex128": complex}


def numeric(k: Kind, what: str = "a number or an array") -> Num | Array | Mixed:
    """The kind itself where it is a number or an array; KindError otherwise."""
    if isinstance(k, Num | Array | Mixed):
        return k
    raise KindError(f"expected {what}, got {describe(k)}")


def of_numbers(result: Kind, *, real: bool) -> KindRule:
    """The kind of a function of Python's own: ``result``, from numbers only."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        for a in args:
            if isinstance(a.kind, Array) and a.kind.dims != ():
                raise KindError(f"expected numbers, got {describe(a.kind)}")
            numeric(a.kind, "a number")
            if real and isinstance(a.kind, Num) and a.kind.dtype[0] == "c":
                raise KindError("math has no functions of complex numbers")
        return result

    return kind


def describe(k: Kind) -> str:
    """A kind in words, for messages."""
    match k:
        case Num():
            return f"{'a Python' if k.weak else 'a'} {k.dtype} scalar"
        case Array():
            return f"a {k.dtype} array" if k.rank is None else f"a {k.rank}-d {k.dtype} array"
        case Tuple():
            return "a tuple"
        case FixedList() | ListOf():
            return "a list"
        case Dict():
            return "a dict"
        case _:
            return getattr(getattr(k, "cls", None), "__name__", "a value of unknown type")


def as_array(k: Kind) -> Num | Array | Mixed:
    """What NumPy makes of an operand: lists and tuples of numbers become arrays."""
    match k:
        case Num() | Array() | Mixed():
            return k
        case Tuple() | FixedList():
            return _stacked([as_array(i) for i in k.items], len(k.items))
        case ListOf() if k.elem is not None:
            return _stacked([as_array(k.elem)], Size())
        case ListOf():
            return Array("float64", (0,))
        case _:
            raise KindError(f"expected an array, got {describe(k)}")


def _stacked(items: list[Num | Array | Mixed], length: Dim) -> Array:
    if not items:
        return Array("float64", (0,))
    dtype = np.result_type(*[np.dtype(i.dtype) for i in items]).name
    inner: tuple[Dim, ...] | None = None
    for n, i in enumerate(items):
        dims = dims_of(i)
        if dims is None:
            return Array(dtype, None)
        if n == 0:
            inner = dims
        elif inner is None or len(inner) != len(dims):
            raise KindError("a ragged list is not an array")
        else:
            inner = tuple(map(join_dim, inner, dims))
    assert inner is not None
    return Array(dtype, (length, *inner))


def dims_of(k: Kind) -> tuple[Dim, ...] | None:
    """The dims of a number or array; None where the rank is unknown."""
    match k:
        case Num():
            return ()
        case Array():
            return k.dims
        case _:
            return None


def dtype_of(k: Kind) -> str:
    return numeric(k).dtype


def dim_of(atom: Atom) -> Dim:
    """The size an int atom stands for."""
    if isinstance(atom, Const):
        return max(int(atom.value), 0) if isinstance(atom.value, int | np.integer) else Size()
    return dim_of_kind(atom.kind)


def dim_of_kind(k: Kind) -> Dim:
    return k.dim if isinstance(k, Num) and k.dim is not None else Size()


def int_of_dim(d: Dim) -> Num:
    """A Python int that stands for the size ``d``."""
    return INT if isinstance(d, Size) else Num("int64", True, d)


def broadcast_dims(
    *shapes: tuple[Dim, ...] | None,
) -> tuple[Dim, ...] | None:
    """NumPy's broadcasting of shapes; None where a rank is unknown."""
    out: tuple[Dim, ...] = ()
    for dims in shapes:
        if dims is None:
            return None
        if len(dims) < len(out):
            dims = (1,) * (len(out) - len(dims)) + dims
        elif len(out) < len(dims):
            out = (1,) * (len(dims) - len(out)) + out
        out = tuple(map(broadcast_dim, out, dims))
    return out


@lru_cache(maxsize=8192)
def ufunc_dtypes(ufunc: Any, *operands: tuple[str, bool | None]) -> tuple[str, ...]:
    """NumPy's result dtypes for operands given as (dtype, weak)."""
    given: list[Any] = [
        _WEAK[dtype] if weak and dtype in _WEAK and dtype != "bool" else np.dtype(dtype)
        for dtype, weak in operands
    ]
    try:
        resolved = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    except TypeError as e:
        names = ", ".join(d for d, _ in operands)
        raise KindError(f"np.{ufunc.__name__} has no form for {names}") from e
    return tuple(d.name for d in resolved[ufunc.nin :])


def _operand(k: Num | Array | Mixed) -> tuple[str, bool | None]:
    return (k.dtype, isinstance(k, Num) and k.weak)


def true_dtype(*kinds: Num | Array | Mixed) -> str:
    """The dtype of arithmetic on these that divides: never an int."""
    dtype = promote(*kinds)
    return dtype if dtype[0] in "fc" else "float64"


def elementwise_kind(dtype: str, operands: Sequence[Num | Array | Mixed]) -> Kind:
    """The result of an elementwise NumPy operation: a NumPy scalar where every rank is 0."""
    known = [dims_of(k) for k in operands]
    if all(d == () for d in known):
        return Num(dtype, False)
    dims = broadcast_dims(*known)
    if dims is not None:
        return Array(dtype, dims)
    return Array(dtype, None) if any(known) else Mixed(dtype)


def ufunc_kind(ufunc: Any) -> KindRule:
    """The kind rule of a NumPy ufunc."""

    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind | tuple[Kind, ...]:
        operands = [as_array(a.kind) for a in args]
        if len(operands) > 1:
            dtypes = ufunc_dtypes(ufunc, *map(_operand, operands))
        else:
            (k,) = operands
            dtypes = ufunc_dtypes(ufunc, (k.dtype, False))
        kinds = tuple(elementwise_kind(d, operands) for d in dtypes)
        return kinds if len(kinds) > 1 else kinds[0]

    return rule


# -- Python's operators --------------------------------------------------------------------------

_PYTHON_RANK = {"bool": 0, "int64": 1, "float64": 2, "complex128": 3}
_PYTHON_KINDS = (BOOL, INT, FLOAT, COMPLEX)


def python_number(*operands: Num, least: int = 1) -> Num:
    """The Python number that arithmetic on these gives; at least an int."""
    return _PYTHON_KINDS[max(least, *(_PYTHON_RANK.get(k.dtype, 2) for k in operands))]


def arithmetic(ufunc: Any, *, least: int = 1) -> KindRule:
    """The kind rule of an arithmetic operator on numbers and arrays; Python's own for scalars."""

    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        operands = [numeric(a.kind, "numbers or arrays") for a in args]
        nums = [k for k in operands if isinstance(k, Num)]
        if len(nums) == len(operands) and not any(k.weak is False for k in nums):
            result = python_number(*nums, least=least)
            if all(k.weak for k in nums):
                return result
            dtype = ufunc_dtypes(ufunc, *((k.dtype, False) for k in nums))[0]
            return Num(max(dtype, result.dtype, key=lambda d: np.dtype(d).num), None)
        dtypes = ufunc_dtypes(ufunc, *map(_operand, operands))
        return elementwise_kind(dtypes[0], operands)

    return rule


def sized_arithmetic(ufunc: Any, sign: int) -> KindRule:
    """``+`` or ``-``: as ``arithmetic``, but ints keep the size they stand for."""
    plain = arithmetic(ufunc)

    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        result = plain(args, attrs)
        if result == INT and len(args) == 2:
            a, b = args
            if isinstance(b, Const) and isinstance(a.kind, Num) and a.kind.dim is not None:
                return int_of_dim(shift_dim(a.kind.dim, sign * int(b.value)))
            if sign > 0 and isinstance(a, Const):
                if isinstance(b.kind, Num) and b.kind.dim is not None:
                    return int_of_dim(shift_dim(b.kind.dim, int(a.value)))
        assert isinstance(result, Kind)
        return result

    return rule


def add_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """``+``: numbers, arrays, lists, tuples, strings."""
    a, b = (x.kind for x in args)
    match a, b:
        case Tuple(), Tuple():
            return Tuple(a.items + b.items)
        case FixedList(), FixedList():
            return FixedList(a.items + b.items)
        case ((FixedList() | ListOf()), (FixedList() | ListOf())):
            return join(_loose(a), _loose(b))
        case _ if a == b and getattr(a, "cls", None) is str:
            return a
    return _number_add(args, attrs)  # type: ignore[return-value]


_number_add = sized_arithmetic(np.add, 1)


def _loose(k: FixedList | ListOf) -> ListOf:
    from ..ir.kinds import loosen

    return loosen(k)


def mul_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """``*``: numbers, arrays, and sequences times an int."""
    a, b = args
    for seq, n in ((a, b), (b, a)):
        match seq.kind:
            case Tuple() | FixedList() if isinstance(n, Const) and isinstance(n.value, int):
                cls = type(seq.kind)
                return cls(seq.kind.items * n.value)
            case FixedList() | ListOf():
                return _loose(seq.kind)
            case Tuple():
                return UNKNOWN
            case k if getattr(k, "cls", None) is str:
                return k
    return _number_mul(args, attrs)  # type: ignore[return-value]


_number_mul = arithmetic(np.multiply)


def pow_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """``**``: a Python int to a negative constant is a float."""
    exponent = args[1]
    result = _number_pow(args, attrs)
    if result == INT and isinstance(exponent, Const) and exponent.value < 0:
        return FLOAT
    assert isinstance(result, Kind)
    return result


_number_pow = arithmetic(np.power)


def compare_kind(ufunc: Any) -> KindRule:
    """``<`` and its kin: a Python bool for Python operands, NumPy's otherwise."""

    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        kinds = [a.kind for a in args]
        operands = [k for k in kinds if isinstance(k, Num | Array | Mixed)]
        if len(operands) < len(kinds):
            if not any(isinstance(k, Array | Mixed) for k in kinds):
                return BOOL
            if any(getattr(k, "cls", None) in (type(None), str) for k in kinds):
                return UNKNOWN
            operands = [as_array(k) for k in kinds]
        if all(isinstance(k, Num) for k in operands):
            weak = [k.weak for k in operands if isinstance(k, Num)]
            return Num("bool", True if all(weak) else False if False in weak else None)
        return elementwise_kind("bool", operands)

    return rule


def bitwise(ufunc: Any) -> KindRule:
    """``&``, ``|``, ``^``: Python bools stay bools."""
    plain = arithmetic(ufunc, least=0)

    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        if any(isinstance(a.kind, Num | Array | Mixed) and a.kind.dtype[0] in "fc" for a in args):
            raise KindError(f"np.{ufunc.__name__} has no form for floats")
        result = plain(args, attrs)
        assert isinstance(result, Kind)
        return result

    return rule


def constant(k: Kind) -> KindRule:
    """A result of the same kind whatever the operands are."""
    return lambda args, attrs: k


def same(index: int = 0) -> KindRule:
    """A result of the kind of one operand."""
    return lambda args, attrs: args[index].kind


def joined(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """A result that is one of the operands."""
    out = args[0].kind
    for a in args[1:]:
        out = join(out, a.kind)
    return out


def mapped(change: Callable[[Kind], Kind]) -> KindRule:
    """A result whose kind is computed from that of the first operand."""
    return lambda args, attrs: change(args[0].kind)


def matmul_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """``x @ y`` for vectors, matrices and stacks of them."""
    x, y = (as_array(a.kind) for a in args)
    dtype = ufunc_dtypes(np.matmul, (x.dtype, False), (y.dtype, False))[0]
    a, b = dims_of(x), dims_of(y)
    if a is None or b is None:
        return Mixed(dtype)
    if not a or not b:
        raise KindError("@ needs arrays of at least one axis")
    rows = a[-2:-1]
    columns = b[-1:] if len(b) > 1 else ()
    batch = broadcast_dims(a[:-2], b[:-2])
    assert batch is not None
    dims = (*batch, *rows, *columns)
    return Array(dtype, dims) if dims else Num(dtype, False)
