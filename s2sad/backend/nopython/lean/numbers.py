"""Our own code for numbers.

In: sums, differences, products, quotients and comparisons of integers, floats of 64 bits and
complex numbers of two of them, and calls of ``max``, ``min``, ``int``, `ratio` and `plus`. Out:
LLVM's text of them::

    max(a, b)   ->   select (fcmp ogt b, a), b, a

Numba comes to the same instructions, but looks for each sum through all loops of a ufunc, twice.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.cpython.numbers import real_div_impl

from .... import runtime
from .own import Own

__all__ = ["TABLE", "has_product", "whole_power"]

_FLOAT, _INT, _COMPLEX = types.float64, types.int64, types.complex128
_OF_NUMBERS = (_FLOAT, _INT, _COMPLEX)


def _alike(*kinds: Any) -> Any:
    """The kind of two integers or two floats; those that differ Numba brings together."""
    first = kinds[0] if kinds else None
    return first if len(kinds) == 2 and kinds[1] == first and first in (_INT, _FLOAT) else None


def _floats(*kinds: Any) -> Any:
    return _FLOAT if kinds == (_FLOAT, _FLOAT) else None


def _numbers(*kinds: Any) -> Any:
    """The kind of two integers, two floats or two complex numbers."""
    return _COMPLEX if kinds == (_COMPLEX, _COMPLEX) else _alike(*kinds)


def _arithmetic(name: str, of_complex: Callable[..., tuple[Any, Any]]) -> Own:
    """A sum, a difference or a product; integers do not wrap around, as Numba has them."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if sig.return_type == _INT:
            return getattr(builder, name)(*args, flags=["nsw"])
        if sig.return_type == _FLOAT:
            return getattr(builder, "f" + name)(*args)
        parts = [builder.extract_value(z, k) for z in args for k in (0, 1)]
        made = llvm.Constant(args[0].type, llvm.Undefined)
        for k, part in enumerate(of_complex(builder, *parts)):
            made = builder.insert_value(made, part, k)
        return made

    return Own(_numbers, code)


def _sum(builder: Any, a: Any, b: Any, c: Any, d: Any) -> tuple[Any, Any]:
    return builder.fadd(a, c), builder.fadd(b, d)


def _difference(builder: Any, a: Any, b: Any, c: Any, d: Any) -> tuple[Any, Any]:
    return builder.fsub(a, c), builder.fsub(b, d)


def _product(builder: Any, a: Any, b: Any, c: Any, d: Any) -> tuple[Any, Any]:
    """As Python up to 3.13 multiplies infinities, and Numba with it."""
    real = builder.fsub(builder.fmul(a, c), builder.fmul(b, d))
    return real, builder.fadd(builder.fmul(a, d), builder.fmul(b, c))


def _truth(*kinds: Any) -> Any:
    """A bool, of two numbers of a kind."""
    return types.boolean if _alike(*kinds) else None


def _comparison(order: str) -> Own:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if sig.args[0] == _INT:
            return builder.icmp_signed(order, *args)
        # Nothing is equal to nan, and nothing is less or greater.
        compare = builder.fcmp_unordered if order == "!=" else builder.fcmp_ordered
        return compare(order, *args)

    return Own(_truth, code)


def _extremum(order: str) -> Own:
    """The first argument, unless the second comes before it in this order."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a, b = args
        compare = builder.icmp_signed if sig.return_type == _INT else builder.fcmp_ordered
        return builder.select(compare(order, b, a), b, a)

    return Own(_alike, code)


def _of_int(*kinds: Any) -> Any:
    if len(kinds) == 1 and kinds[0] in (_INT, types.boolean, _FLOAT):
        return _INT
    return None


def _int(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return context.cast(builder, args[0], sig.args[0], _INT)


def _float_of(*kinds: Any) -> Any:
    """A float, of a float and a float or an integer."""
    known = len(kinds) == 2 and _FLOAT in kinds and all(k in (_FLOAT, _INT) for k in kinds)
    return _FLOAT if known else None


def _ratio(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    above, below = (
        context.cast(builder, value, kind, _FLOAT)
        for kind, value in zip(sig.args, args, strict=True)
    )
    zero = llvm.Constant(above.type, 0.0)
    nothing = builder.fcmp_ordered("==", above, zero)
    return builder.select(nothing, builder.fmul(zero, above), builder.fdiv(above, below))


def _in_any_order(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fadd(*args, flags=["reassoc"])


def _unless_zero(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    g, c = args
    zero = llvm.Constant(g.type, 0.0)
    return builder.select(builder.fcmp_ordered("==", g, zero), zero, c)


def _one_of_two(*kinds: Any) -> Any:
    """Of a condition and two numbers of a kind, that kind."""
    known = (*_OF_NUMBERS, types.boolean)
    if len(kinds) != 3 or kinds[0] != types.boolean or kinds[1] not in known:
        return None
    return kinds[1] if kinds[1] == kinds[2] else None


def _chosen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.select(*args)


#: Powers up to this one are written out.
_GREATEST_POWER = 64


def has_product(kind: Any, exponent: int) -> bool:
    """Whether a power with this exponent is written as products."""
    return kind == _FLOAT and abs(exponent) <= _GREATEST_POWER


def whole_power(builder: Any, base: Any, exponent: int) -> Any:
    """A float to a whole power, squared and multiplied in the order in which Numba does it."""
    left, made = abs(exponent), None
    while left:
        if left & 1:
            made = base if made is None else builder.fmul(made, base)
        left >>= 1
        if left:
            base = builder.fmul(base, base)
    one = llvm.Constant(base.type, 1.0)
    if made is None:
        return one
    return builder.fdiv(one, made) if exponent < 0 else made


TABLE = {
    operator.add: _arithmetic("add", _sum),
    operator.iadd: _arithmetic("add", _sum),
    operator.sub: _arithmetic("sub", _difference),
    operator.isub: _arithmetic("sub", _difference),
    operator.mul: _arithmetic("mul", _product),
    operator.imul: _arithmetic("mul", _product),
    operator.truediv: Own(_floats, real_div_impl),
    operator.itruediv: Own(_floats, real_div_impl),
    operator.lt: _comparison("<"),
    operator.le: _comparison("<="),
    operator.gt: _comparison(">"),
    operator.ge: _comparison(">="),
    operator.eq: _comparison("=="),
    operator.ne: _comparison("!="),
    max: _extremum(">"),
    min: _extremum("<"),
    int: Own(_of_int, _int),
    runtime.ratio: Own(_float_of, _ratio),
    runtime.plus: Own(_floats, _in_any_order),
    runtime.unless_zero: Own(_floats, _unless_zero),
    runtime.chosen: Own(_one_of_two, _chosen),
}
