"""The structural primitives: operators, indexing, containers and effects.

In: nothing. Out: records in the registry. ``fun`` has value semantics everywhere: ``setitem``
returns a changed copy. That is what the reference interpreter runs and what emitted code must
agree with, whatever it does in place.

    setitem(a, 0, 5.0)   ->   a copy of a with a[0] = 5.0
"""

from __future__ import annotations

import copy as copy_module
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import runtime
from ..ir.kinds import (
    BOOL,
    Array,
    FixedList,
    Kind,
    ListOf,
    Num,
)
from ..ir.nodes import Atom
from . import indexkinds as ik
from . import kindrules as kr
from . import linear, staged
from .declare import define, points
from .registry import primitive

# -- arithmetic ----------------------------------------------------------------------------------

define(
    "add",
    operator.add,
    "x y",
    kr.add_kind,
    partials=("1", "1"),
    vjp=staged.add_vjp,
    jvp=staged.add_jvp,
    samples=staged.add_samples,
)
define(
    "sub",
    operator.sub,
    "x y",
    kr.sized_arithmetic(np.subtract, -1),
    partials=("1", "-1"),
    samples=points(2),
)
define(
    "mul",
    operator.mul,
    "x y",
    kr.mul_kind,
    partials=("y", "x"),
    vjp=staged.mul_vjp,
    jvp=staged.mul_jvp,
    samples=staged.mul_samples,
)
define(
    "div",
    operator.truediv,
    "x y",
    kr.arithmetic(np.true_divide, least=2),
    partials=("ratio(g, y)", "-ratio(ratio(g, y) * x, y)"),
    vjp=staged.div_vjp,
    jvp=staged.div_jvp,
    samples=points(2, "positive"),
)
define("floordiv", operator.floordiv, "x y", kr.arithmetic(np.floor_divide), zero=True)
define(
    "mod",
    operator.mod,
    "x y",
    kr.arithmetic(np.remainder),
    partials=("1", "-(x // y)"),
    samples=points(2, "apart"),
)
define(
    "pow",
    operator.pow,
    "x y",
    kr.pow_kind,
    partials=("power_slope(g, x, y)", "g * out * log_base(x)"),
    vjp=staged.pow_vjp,
    jvp=staged.pow_jvp,
    samples=staged.pow_samples,
)
define("neg", operator.neg, "x", kr.arithmetic(np.negative), partials=("-1",), samples=points(1))
define("pos", operator.pos, "x", kr.arithmetic(np.positive), partials=("1",), samples=points(1))
define("invert", operator.invert, "x", kr.arithmetic(np.invert), zero=True)
define("lshift", operator.lshift, "x y", kr.arithmetic(np.left_shift), zero=True)
define("rshift", operator.rshift, "x y", kr.arithmetic(np.right_shift), zero=True)
define("bitand", operator.and_, "x y", kr.bitwise(np.bitwise_and), zero=True)
define("bitor", operator.or_, "x y", kr.bitwise(np.bitwise_or), zero=True)
define("bitxor", operator.xor, "x y", kr.bitwise(np.bitwise_xor), zero=True)
define(
    "matmul",
    operator.matmul,
    "x y",
    kr.matmul_kind,
    vjp=linear.matmul_vjp,
    jvp=("x_dot @ y", "x @ y_dot"),
    samples=lambda: primitive("np.matmul").samples,
)

# -- comparisons and truth -----------------------------------------------------------------------

for _name, _fun, _ufunc in (
    ("lt", operator.lt, np.less),
    ("le", operator.le, np.less_equal),
    ("gt", operator.gt, np.greater),
    ("ge", operator.ge, np.greater_equal),
    ("eq", operator.eq, np.equal),
    ("ne", operator.ne, np.not_equal),
):
    define(_name, _fun, "x y", kr.compare_kind(_ufunc), zero=True)

define("is", operator.is_, "x y", kr.constant(BOOL), zero=True)
define("is_not", operator.is_not, "x y", kr.constant(BOOL), zero=True)
define("in", lambda x, y: x in y, "x y", kr.constant(BOOL), zero=True)
define("not_in", lambda x, y: x not in y, "x y", kr.constant(BOOL), zero=True)
define("not", operator.not_, "x", kr.constant(BOOL), zero=True)
define("and", lambda x, y: x and y, "x y", kr.joined, zero=True)
define("or", lambda x, y: x or y, "x y", kr.joined, zero=True)

# -- indexing ------------------------------------------------------------------------------------


def _item(x: Any, i: Any) -> Any:
    return x[i]


def _changed(a: Any) -> Any:
    """A copy deep enough for one level of item assignment."""
    return a.copy(order="K") if isinstance(a, np.ndarray) else copy_module.copy(a)


def _setitem(a: Any, i: Any, v: Any) -> Any:
    out = _changed(a)
    out[i] = v
    return out


def _accumulate(buf: Any, i: Any, g: Any) -> Any:
    return runtime.accumulate(_changed(buf), i, g)


def _accumulate_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """Arrays keep their kind; an element of a list may become what is added to it."""
    k = args[0].kind
    return ik.setitem(args, attrs) if isinstance(k, ListOf | FixedList) else k


def _add_to_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    buf, g = args[0].kind, args[1].kind
    if isinstance(buf, Num) and isinstance(g, Num):
        return kr.add_kind(args, attrs)
    return buf


def _real_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    z = args[0].kind
    return Array("float64", z.dims if isinstance(z, Array) else None)


define("item", _item, "x i", ik.item, view_of=0, answers_to=(operator.getitem,))
define("setitem", _setitem, "a i v", ik.setitem, writes=0)
define("accumulate", _accumulate, "buf i g", _accumulate_kind, writes=0)
define("add_to", runtime.add, "buf g", _add_to_kind, writes=0)
define("in_place", lambda f, x: f(x), "f x", kr.same(1), writes=1)
define("plus", runtime.plus, "total x", kr.add_kind)
define("chosen", runtime.chosen, "condition then otherwise", kr.same(1))
define("moduli", runtime.moduli, "z", _real_kind)
define("real_fft", runtime.real_fft, "z", _real_kind)
define("real_ifft", runtime.real_ifft, "z", _real_kind)
define("slice", slice, "start stop step", ik.slice_kind, zero=True)
define("len", len, "x", ik.length, zero=True)
define("shape", np.shape, "x", ik.shape, zero=True)
