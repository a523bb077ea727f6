"""NumPy's elementwise functions: one line each, a partial per operand.

In: nothing. Out: records in the registry. A partial that mentions ``g`` is the whole product; it
is written so where a zero seed must give zero at a singular point (``ratio(0, 0)`` is 0).

    elementwise(np.sin, "cos(x)")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.nodes import Atom, Const
from . import helpers, staged
from . import kindrules as kr
from .declare import LN2, LN10, each, elementwise, rule, sample, zero
from .examplekinds import by_example

if TYPE_CHECKING:
    from ..ir.builder import Builder

INF, NAN = float("inf"), float("nan")

# -- arithmetic ----------------------------------------------------------------------------------

elementwise(np.add, "1", "1")
elementwise(np.subtract, "1", "-1")
elementwise(np.multiply, "y", "x")
elementwise(
    np.divide,
    "ratio(g, y)",
    "-ratio(ratio(g, y) * x, y)",
    domain="positive",
    at=[sample(np.array([1.0, 0.0]), np.array([2.0, 4.0]))],
)
rule(
    np.power,
    "x y",
    vjp=staged.pow_vjp,
    jvp=staged.pow_jvp,
    kind=kr.ufunc_kind(np.power),
    samples=staged.pow_samples,
)
rule(
    np.float_power,
    "x y",
    vjp=staged.pow_vjp,
    jvp=staged.pow_jvp,
    kind=kr.ufunc_kind(np.float_power),
    samples=staged.pow_samples,
)
elementwise(np.remainder, "1", "-floor_divide(x, y)", name="np.mod", domain="apart")
elementwise(np.fmod, "1", "-trunc(x / y)", domain="apart")
elementwise(np.negative, "-1")
elementwise(np.positive, "1")
elementwise(np.reciprocal, "-ratio(ratio(g, x), x)", domain="positive")
elementwise(np.square, "2.0 * x")
elementwise(
    np.sqrt,
    "ratio(g, 2.0 * out)",
    domain="positive",
    at=[sample(np.array([4.0, 0.0]), expect=(np.array([0.25, INF]),))],
)
elementwise(np.cbrt, "ratio(g, 3.0 * out * out)", domain="positive")

# -- exponentials and logarithms -----------------------------------------------------------------

elementwise(np.exp, "out")
elementwise(np.exp2, f"{LN2} * out")
elementwise(np.expm1, "exp(x)")
elementwise(np.log, "ratio(g, x)", domain="positive")
elementwise(np.log2, f"ratio(g, {LN2} * x)", domain="positive")
elementwise(np.log10, f"ratio(g, {LN10} * x)", domain="positive")
elementwise(np.log1p, "ratio(g, 1 + x)", domain="positive")
elementwise(np.logaddexp, "exp(x - out)", "exp(y - out)")
elementwise(np.logaddexp2, "exp2(x - out)", "exp2(y - out)")

# -- trigonometry --------------------------------------------------------------------------------

elementwise(np.sin, "cos(x)")
elementwise(np.cos, "-sin(x)")
elementwise(np.tan, "1 + out * out", domain="unit")
elementwise(np.arcsin, "ratio(g, sqrt(1 - x * x))", domain="unit")
elementwise(np.arccos, "-ratio(g, sqrt(1 - x * x))", domain="unit")
elementwise(np.arctan, "g / (1 + x * x)")
elementwise(np.sinh, "cosh(x)")
elementwise(np.cosh, "sinh(x)")
elementwise(np.tanh, "1 - out * out")
elementwise(np.arcsinh, "g / sqrt(x * x + 1)")
elementwise(np.arccosh, "ratio(g, sqrt(x - 1) * sqrt(x + 1))", domain="above one")
elementwise(np.arctanh, "ratio(g, 1 - x * x)", domain="unit")
elementwise(
    np.arctan2, "ratio(g * y, x * x + y * y)", "-ratio(g * x, x * x + y * y)", domain="positive"
)
elementwise(
    np.hypot,
    "ratio(g * x, out)",
    "ratio(g * y, out)",
    domain="apart",
    at=[sample(0.0, 0.0, expect=(0.0, 0.0)), sample(0.0, 2.0, expect=(0.0, 1.0))],
)
elementwise(np.deg2rad, "0.017453292519943295")
elementwise(np.radians, "0.017453292519943295")
elementwise(np.rad2deg, "57.29577951308232")
elementwise(np.degrees, "57.29577951308232")
elementwise(
    np.sinc,
    "where(abs(x) < 0.02, g * -3.289868133696453 * x * (1 - 0.9869604401089358 * x * x"
    " * (1 - 0.35248587146747707 * x * x)),"
    " ratio(g * (cos(3.141592653589793 * x) - out), x))",
    kind=by_example(np.sinc),
    at=[sample(0.0, expect=(0.0,)), sample(np.array([0.0, 0.019, 0.021, 1.0]))],
)

rule(
    np.i0,
    "x",
    vjp="g * bessel_i1(x)",
    jvp="x_dot * bessel_i1(x)",
    samples=[
        sample(np.array([-1.5, 0.7, 4.0, 12.0])),
        sample(0.5),
        sample(np.array([[0.7]], "float32")),
        sample(np.zeros(0)),
        sample(np.array([0.0]), expect=(np.array([0.0]),)),
    ],
)
elementwise(
    helpers.bessel_i1,
    "where(x == 0, 0.5, i0(x) - ratio(bessel_i1(x), x))",
    name="bessel_i1",
    kind=by_example(helpers.bessel_i1),
    samples=[
        sample(np.array([-1.5, 0.7, 4.0, 12.0])),
        sample(np.array([0.0]), expect=(np.array([0.5]),)),
    ],
)

# -- kinks: ties are split evenly ----------------------------------------------------------------

_TIE = [
    sample(1.0, np.array([1.0, 2.0, 0.5]), expect=(1.5, np.array([0.5, 1.0, 0.0]))),
    sample(np.array([1.0, 1.0]), 1.0, expect=(np.array([0.5, 0.5]), 1.0)),
]
_TIE_MIN = [sample(1.0, np.array([1.0, 2.0, 0.5]), expect=(1.5, np.array([0.5, 0.0, 1.0])))]


def _first(before: str) -> str:
    return f"where(x {before} y, g, where(x == y, 0.5 * g, 0.0))"


def _larger_or_other_nan(x: str, y: str) -> str:
    return f"where(({x} > {y}) | ({y} != {y}), g, where({x} == {y}, 0.5 * g, 0.0))"


elementwise(np.maximum, _first(">"), _first("<"), domain="apart", at=_TIE)
elementwise(np.minimum, _first("<"), _first(">"), domain="apart", at=_TIE_MIN)
elementwise(
    np.fmax,
    _larger_or_other_nan("x", "y"),
    _larger_or_other_nan("y", "x"),
    domain="apart",
    at=[*_TIE, sample(1.0, NAN, expect=(1.0, 0.0))],
)
elementwise(
    np.fmin,
    _larger_or_other_nan("-x", "-y").replace("(-y != -y)", "(y != y)"),
    _larger_or_other_nan("-y", "-x").replace("(-x != -x)", "(x != x)"),
    domain="apart",
    at=_TIE_MIN,
)
rule(
    np.abs,
    "x",
    name="np.abs",
    vjp=staged.abs_vjp,
    jvp=staged.abs_jvp,
    kind=kr.ufunc_kind(np.abs),
    samples=[
        sample(-1.5),
        sample(np.array([[1.5, -2.0]])),
        sample(np.array([-1.0, 2.0], "float32")),
        sample(np.array([1.0 + 2.0j, -3.0j])),
        sample(np.array([0.0, -1.0]), expect=(np.array([0.0, -1.0]),)),
        sample(np.zeros(0)),
    ],
)
rule(
    np.sign,
    "x",
    name="np.sign",
    vjp=staged.sign_vjp,
    jvp=staged.sign_jvp,
    zero_if_real=True,
    kind=kr.ufunc_kind(np.sign),
    samples=[sample(np.array([1.0, -2.0])), sample(np.array([1.0 + 2.0j, -0.5j])), sample(-1.5)],
)
elementwise(np.fabs, "sign(x)", domain="apart", at=[sample(0.0, expect=(0.0,))])
elementwise(np.copysign, "g * copysign(1.0, x) * copysign(1.0, y)", None, domain="apart")
elementwise(
    np.heaviside,
    None,
    "where(x == 0, g, 0.0)",
    domain="apart",
    at=[sample(0.0, np.array([1.0, 2.0]), expect=(None, np.ones(2)))],
)
rule(
    np.nan_to_num,
    "x",
    "copy=True, nan=0.0, posinf=None, neginf=None",
    vjp="where(isfinite(x), g, 0.0)",
    jvp="where(isfinite(x), x_dot, 0.0)",
    samples=[
        sample(1.5),
        sample(np.array([[1.5, -2.0]], "float32")),
        sample(np.array(0.5), nan=1.0),
        sample(np.zeros(0)),
        sample(np.array([NAN, 1.0, INF]), expect=(np.array([0.0, 1.0, 0.0]),)),
        sample(np.array([NAN, 1.0]), nan=3.0, posinf=1.0, expect=(np.array([0.0, 1.0]),)),
    ],
)
rule(
    np.clip,
    "a a_min=None a_max=None",
    vjp=staged.clip_vjp,
    jvp=staged.clip_jvp,
    samples=[
        sample(np.array([-2.0, 0.5, 3.0]), -1.0, 1.0),
        sample(np.array([[-2.0], [0.5]], "float32"), np.array([-1.0, 0.0], "float32"), 1.0),
        sample(np.array([-2.0, 0.5]), None, 0.0),
        sample(np.array([-2.0, 0.5]), 0.0, None),
        sample(0.5, -1.0, 1.0),
        sample(np.array([-1.0, 1.0]), -1.0, 1.0, expect=(np.ones(2), 0.0, 0.0)),
    ],
)
rule(
    np.where,
    "condition x y",
    vjp=(None, "where(condition, g, 0.0)", "where(condition, 0.0, g)"),
    jvp=staged.where_jvp,
    samples=[
        sample(np.array([True, False]), np.array([1.0, 2.0]), 3.0),
        sample(np.array([[True], [False]]), np.array([1.0, 2.0], "float32"), np.float32(3.0)),
        sample(True, 1.0, 2.0),
        sample(np.array([True, False]), 1.0, np.zeros((2, 1))),
    ],
)

# -- complex numbers -----------------------------------------------------------------------------
# A cotangent g of z means dL = Re(g dz): holomorphic rules need no conjugates.

elementwise(np.conjugate, "conj(g)", name="np.conj", at=[sample(np.array([1.0 + 2.0j, 3.0j]))])
rule(
    np.real,
    "x",
    vjp="g",
    jvp="linear",
    view_of=0,
    samples=[sample(np.array([1.0 + 2.0j])), sample(np.array([1.0, 2.0])), sample(2.0 + 1j)],
)
rule(
    np.imag,
    "x",
    vjp="-1j * g",
    jvp="linear",
    view_of=0,
    samples=[sample(np.array([1.0 + 2.0j])), sample(2.0 + 1j)],
)


def angle_vjp(b: Builder, g: Atom, out: Atom, z: Atom, deg: bool = False) -> list[Any]:
    """A real number has the angle 0 or pi wherever it moves."""
    if staged.dtype_of(z)[0] != "c":
        return [None]
    return [b.text("ratio(-1j * g, z)", g=_in_degrees(b, g, deg), z=z)]


def angle_jvp(b: Builder, dots: Any, out: Atom, z: Atom, deg: bool = False) -> Atom | None:
    if staged.dtype_of(z)[0] != "c":
        return None
    return _in_degrees(b, b.text("imag(ratio(t, z))", t=dots[0], z=z), deg)


def _in_degrees(b: Builder, x: Atom, deg: bool) -> Atom:
    return b.mul(Const.of(57.29577951308232), x) if deg else x


rule(
    np.angle,
    "z",
    "deg=False",
    vjp=angle_vjp,
    jvp=angle_jvp,
    samples=[
        sample(np.array([1.0 + 2.0j, 1.0 - 0.5j])),
        sample(np.array([1.0 + 2.0j, 1.0 - 0.5j]), deg=True),
        sample(np.array([2.0, -1.0])),
        sample(1.0 + 2.0j),
    ],
)
rule(
    np.real_if_close,
    "a",
    "tol=100",
    vjp="g",
    jvp="a_dot",
    view_of=0,
    samples=[sample(np.array([1.0, 2.0])), sample(np.array([1.0], "float32")), sample(1.5)],
)

# -- zero derivative -----------------------------------------------------------------------------

for _f in each(np.floor, np.ceil, np.rint, np.trunc, np.signbit, np.isnan, np.isinf):
    zero(_f, "x", kind=kr.ufunc_kind(_f))
for _f in each(np.isfinite, np.logical_not, np.bitwise_not):
    zero(_f, "x", kind=kr.ufunc_kind(_f))
for _f in each(np.isreal, np.iscomplex, np.isposinf, np.isneginf):
    zero(_f, "x")
for _f in (
    *(np.floor_divide, np.less, np.less_equal, np.greater, np.greater_equal, np.equal),
    *(np.not_equal, np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and),
    *(np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift, np.gcd, np.lcm),
):
    zero(_f, "x y", kind=kr.ufunc_kind(_f))
zero(np.round, "a decimals=0", aliases=(np.around,))
zero(np.fix, "x")
zero(np.isclose, "a b", "rtol=1e-05, atol=1e-08, equal_nan=False")
rule(
    np.divmod,
    "x y",
    vjp=staged.divmod_vjp,
    jvp=staged.divmod_jvp,
    kind=kr.ufunc_kind(np.divmod),
    samples=[
        sample(np.array([5.5, -2.25]), 2.0),
        sample(np.array([5.5]), np.array([[2.0], [3.0]])),
    ],
)
elementwise(
    np.ldexp,
    "ldexp(g, y)",
    None,
    samples=[sample(np.array([1.5, -2.0]), 3), sample(0.5, np.array([1, 2]))],
)
rule(
    np.modf,
    "x",
    vjp=lambda b, g, out, x: [g[0]],
    jvp=lambda b, dots, out, x: (dots[0], None),
    kind=kr.ufunc_kind(np.modf),
    samples=[sample(2.75), sample(np.array([[1.5, -2.25]])), sample(np.array([1.5], "float32"))],
)
rule(
    np.frexp,
    "x",
    vjp=lambda b, g, out, x: [None if g[0] is None else b.op("np.ldexp", g[0], b.neg(out[1]))],
    jvp=lambda b, dots, out, x: (b.op("np.ldexp", dots[0], b.neg(out[1])), None),
    kind=kr.ufunc_kind(np.frexp),
    samples=[sample(2.75), sample(np.array([[1.5, -2.25]])), sample(np.array([1.5], "float32"))],
)
rule(
    np.nextafter,
    "x y",
    vjp=("g", None),
    jvp=("x_dot", None),
    kind=kr.ufunc_kind(np.nextafter),
    samples=[sample(np.array([1.5, -2.25]), 3.0)],
)
zero(np.spacing, "x", kind=kr.ufunc_kind(np.spacing))
