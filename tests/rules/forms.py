"""Every NumPy function of the coverage page in the forms of its arguments that people write.

In: nothing. Out: ``FORMS``, a table from a function's name to expressions. The names in them are
the arguments: each expression becomes a program of the variables it mentions (``VALUES``).

    FORMS["np.clip"][0]   ->   "np.clip(n, -1.0, 1.0)"
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: What the names in the expressions stand for.
VALUES: dict[str, Any] = {
    "s": 0.7,
    "t": 1.9,
    "x": np.array([0.3, 1.7, 0.45, 2.6]),
    "y": np.array([0.93, 0.37, 2.23, 1.27]),
    "n": np.array([-1.3, 0.77, 2.4, -2.6, 0.15]),
    "u": np.array([-0.8, 0.7, 0.4, -0.65]),
    "w": np.array([1.35, 1.83, 2.4, 3.6]),
    "A": np.array([[0.5, 1.7, 0.9], [2.3, 0.35, 1.1]]),
    "C": np.array([[1.4, 0.2, 0.75], [0.6, 2.05, 1.3]]),
    "M": np.array([[2.1, 0.3, -0.4], [0.55, 1.6, 0.25], [-0.2, 0.8, 2.7]]),
    "B": np.sin(np.arange(24.0) * 1.7).reshape(2, 3, 4) + 1.6,
    "z": np.array(0.85),
    "e": np.zeros(0),
    "x32": np.array([0.3, 1.7, 0.45, 2.6], "float32"),
    "A32": np.array([[0.5, 1.7, 0.9], [2.3, 0.35, 1.1]], "float32"),
}

FORMS: dict[str, list[str]] = {}


def forms(names: str, *expressions: str) -> None:
    """Enter expressions for each function; ``F`` in them stands for it."""
    for name in names.split():
        full = name if "." in name else f"np.{name}"
        FORMS.setdefault(full, []).extend(e.replace("F(", f"{full}(").replace("F.", f"{full}.") for e in expressions)


# -- binary ufuncs -------------------------------------------------------------------------------

forms(
    "add subtract multiply divide true_divide power float_power maximum minimum fmax fmin hypot"
    " logaddexp logaddexp2 arctan2 mod remainder fmod copysign",
    "F(x, y)",
    "F(s, t)",
    "F(s, y)",
    "F(x, t)",
    "F(A, y[:3])",
    "F(A, y[:2, None])",
    "F(z, x)",
    "F(z, t)",
    "F(x32, np.float32(1.5))",
    "F(x32, x32[::-1])",
    "F(e, 2.0)",
    "F(x, y, out=np.empty(4))",
    "F(x, y, out=np.ones(4), where=x > y)",
    "F(A.T, C.T)",
    "F(x, [1.0, 2.0, 3.0, 4.5])",
    "F(x, y, dtype='float64')",
    "F.outer(x, y)",
)
forms("floor_divide", "x * F(x, 0.4)", "x * F(x, y)")
forms("heaviside", "F(n, 0.5)", "x * F(n[:4], y)", "F(n, s)")
forms("divmod", "F(x, y)[1] + F(x, y)[0]", "F(x, 0.4)[1]", "divmod(x, y)[1]")
forms("ldexp", "F(x, 3)", "F(x, np.array([1, 2, 3, 4]))", "F(s, 2)")
forms("modf", "F(x)[0]", "F(x)[0] * F(x)[1]", "F(s)[0]")
forms("frexp", "F(x)[0]", "F(x)[0] * 2.0 ** F(x)[1]", "F(s)[0]")
forms("nextafter", "x * F(x, 2.0)")
forms("spacing", "x * F(x)")

# -- unary ufuncs --------------------------------------------------------------------------------

forms(
    "negative positive abs absolute fabs reciprocal exp exp2 expm1 sin cos tan sinh cosh tanh"
    " arcsinh arctan deg2rad rad2deg radians degrees square sinc conj conjugate real angle"
    " real_if_close nan_to_num i0 sqrt cbrt log log2 log10 log1p",
    "F(x)",
    "F(s)",
    "F(A)",
    "F(z)",
    "F(e)",
    "F(x32)",
    "F(A[:, ::-1])",
    "F(B.T)",
    "F([s, t])",
)
forms(
    "negative exp sqrt log sin square abs tanh",
    "F(x, out=np.empty(4))",
    "F(x, where=x > 0.4, out=np.zeros(4))",
    "F(x, dtype='float64')",
    "F(x, np.empty(4))",
)
forms("arcsin arccos arctanh", "F(u)", "F(s)", "F(u[:2, None])")
forms("arccosh", "F(w)", "F(t)", "F(w[:2, None])")
forms("imag", "F(x * 1j)", "F(x)")
forms("real", "F(x * (1 + 2j))")
forms("angle", "F(x + 1j * y)", "F(x + 1j * y, deg=True)")
forms("abs", "F(n)", "abs(n)", "abs(x + 1j * y)")
forms("nan_to_num", "F(x, nan=1.0)", "F(x, copy=True, nan=0.0, posinf=1.0, neginf=-1.0)")
forms(
    "unwrap",
    "F(x)",
    "F(4.0 * n)",
    "F(7.0 * A)",
    "F(7.0 * A, axis=0)",
    "F(n, discont=1.5)",
    "F(n, period=1.7)",
)
forms("i0", "F(n)", "F(5.0 * n)")
forms("sinc", "F(0.0 * x)", "F(n)")

# -- reductions ----------------------------------------------------------------------------------

forms(
    "sum mean prod var std max min amax amin ptp median nansum nanmean nanprod nanvar nanstd"
    " nanmax nanmin nanmedian",
    "F(x)",
    "F(A)",
    "F(A, 0)",
    "F(A, axis=1)",
    "F(A, axis=-1)",
    "F(B, axis=(0, 2))",
    "F(B, axis=(-1, 0), keepdims=True)",
    "F(A, axis=None)",
    "F(A, axis=0, keepdims=True)",
    "F(A, keepdims=True)",
    "F(s)",
    "F(z)",
    "F(x32)",
    "F(A32, axis=1)",
    "F(A.T, axis=0)",
    "F(A[:, :1], axis=1)",
    "F([s, t, 1.1])",
    "F(A, axis=1, out=np.empty(2))",
)
forms(
    "sum mean prod var std max min nansum nanmean nanprod nanvar nanstd nanmax nanmin",
    "F(a=A)",
)
forms(
    "sum prod nansum nanprod",
    "F(A, where=A > 0.4)",
    "F(A, axis=1, where=A > 0.4)",
    "F(A, axis=0, keepdims=True, where=A > 0.4)",
    "F(A, initial=2.0)",
    "F(A, axis=1, initial=s)",
    "F(A, axis=0, where=A > 0.4, initial=2.0)",
    "F(A, dtype='float64')",
    "F(x32, dtype='float64')",
    "F(A, where=np.array([True, False, True]))",
    "F(e)",
)
forms(
    "mean nanmean",
    "F(A, where=A > 0.4)",
    "F(A, axis=1, where=A > 0.4)",
    "F(A, axis=0, keepdims=True, where=A > 0.4)",
    "F(x32, dtype='float64')",
)
forms(
    "var std nanvar nanstd",
    "F(A, ddof=1)",
    "F(A, axis=0, ddof=1)",
    "F(A, axis=1, ddof=1, keepdims=True)",
    "F(A, where=A > 0.4)",
    "F(A, axis=1, where=A > 0.4)",
    "F(B, axis=(0, 1), ddof=1)",
)
forms("var std", "F(A, correction=1)")
forms(
    "max min amax amin nanmax nanmin",
    "F(A, initial=1.0)",
    "F(A, axis=1, initial=s)",
    "F(A, axis=1, where=A > 0.4, initial=0.55)",
)
forms("sum mean prod var std max min ptp", "A.F(axis=0)".replace("F(", "F_METHOD("))
for _f in ("sum", "mean", "prod", "var", "std", "max", "min"):
    FORMS[f"np.{_f}"][-1] = f"A.{_f}(axis=0)"
    FORMS[f"np.{_f}"] += [f"A.{_f}(0)", f"B.{_f}((0, 2), keepdims=True)", f"x.{_f}()"]
    FORMS[f"np.{_f}"].append(f"A.{_f}(axis=-1, keepdims=True)")
FORMS["np.ptp"].pop()
for _f in ("sum", "mean", "prod"):
    FORMS[f"np.{_f}"].append(f"A.{_f}(axis=0, where=A > 0.4)")
forms(
    "average",
    "F(x)",
    "F(A)",
    "F(A, axis=0)",
    "F(A, axis=1, weights=y[:3])",
    "F(A, weights=C)",
    "F(A, axis=0, weights=C)",
    "F(A, 1, y[:3])",
    "F(x, weights=y)",
    "F(x, weights=y, returned=True)[0]",
    "F(x, weights=y, returned=True)[1]",
    "F(A, axis=1, weights=y[:3], keepdims=True)",
    "F(B, axis=(0, 1), weights=A)",
    "F(x, weights=[1.0, 2.0, 3.0, 4.0])",
)
forms(
    "quantile nanquantile",
    "F(x, 0.3)",
    "F(x, q=0.3)",
    "F(A, 0.3, axis=1)",
    "F(A, [0.1, 0.5], axis=0)",
    "F(A, np.array([0.1, 0.5, 0.9]))",
    "F(A, 0.3, axis=1, keepdims=True)",
    "F(B, 0.6, axis=(0, 2))",
    *(
        f"F(x, 0.45, method='{m}')"
        for m in ("linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull")
    ),
    *(
        f"F(A, [0.2, 0.55], axis=1, method='{m}')"
        for m in ("median_unbiased", "normal_unbiased", "inverted_cdf", "averaged_inverted_cdf")
    ),
    *(f"F(x, 0.45, method='{m}')" for m in ("interpolated_inverted_cdf", "closest_observation")),
    "F(x, 0.0)",
    "F(x, 1.0)",
    "F(x32, 0.3)",
)
forms(
    "percentile nanpercentile",
    "F(x, 30)",
    "F(A, 80.0, axis=1)",
    "F(A, [25, 75], axis=0)",
    "F(x, 45, method='lower')",
    "F(x, q=30)",
)
forms("quantile", "F(x, s)", "F(A, u[1:3], axis=1)")

# -- scans ---------------------------------------------------------------------------------------

forms(
    "cumsum cumprod nancumsum nancumprod",
    "F(x)",
    "F(A)",
    "F(A, 0)",
    "F(A, axis=1)",
    "F(B, axis=-2)",
    "F(x32)",
    "F(A32, axis=0)",
    "F(e)",
    "F(s)",
    "F(x, dtype='float64')",
    "F(A, axis=1, out=np.empty((2, 3)))",
    "F([s, t])",
)
FORMS["np.cumsum"] += ["x.cumsum()", "A.cumsum(axis=1)", "A.cumsum(0)"]
FORMS["np.cumprod"] += ["x.cumprod()", "A.cumprod(axis=1)"]
forms("cumulative_sum cumulative_prod", "F(x)", "F(A, axis=1)", "F(A, axis=0)")
forms(
    "cumulative_sum cumulative_prod", "F(x, include_initial=True)", "F(A, axis=1, dtype=float)"
)
forms(
    "diff",
    "F(x)",
    "F(x, 2)",
    "F(A)",
    "F(A, axis=0)",
    "F(A, n=2, axis=1)",
    "F(x, prepend=s)",
    "F(x, append=s)",
    "F(A, axis=0, prepend=C)",
    "F(x, prepend=0.0, append=y)",
    "F(x, n=0)",
    "F(x32)",
)
forms(
    "ediff1d",
    "F(x)",
    "F(A)",
    "F(x, to_begin=s)",
    "F(x, to_end=y)",
    "F(x, to_end=[1.0, 2.0], to_begin=s)",
)
forms(
    "gradient",
    "F(x)",
    "F(x, 0.5)",
    "F(x, s)",
    "F(x, np.array([0.0, 1.0, 1.5, 3.0]))",
    "F(x, np.cumsum(y))",
    "F(M)[0]",
    "F(M)[1]",
    "F(M, axis=0)",
    "F(M, 0.5, axis=1)",
    "F(M, 0.5, 2.0)[1]",
    "F(M, axis=(0, 1))[0]",
    "F(x, edge_order=2)",
    "F(x, np.array([0.0, 1.0, 1.5, 3.0]), edge_order=2)",
    "F(M, axis=-1, edge_order=2)",
)
forms(
    "trapezoid",
    "F(x)",
    "F(x, dx=0.5)",
    "F(x, dx=s)",
    "F(x, y)",
    "F(y=x, x=w)",
    "F(A)",
    "F(A, axis=0)",
    "F(A, y[:3])",
    "F(A, C, axis=1)",
    "F(A, y[:2], axis=0)",
    "F(B, dx=0.3, axis=1)",
    "F(x, np.linspace(0.0, 1.0, 4))",
)
forms(
    "cov",
    "F(A)",
    "F(x, y)",
    "F(A, C)",
    "F(x)",
    "F(M, rowvar=False)",
    "F(M, bias=True)",
    "F(M, ddof=0)",
    "F(M, aweights=y[:3])",
    "F(M, fweights=np.array([1, 2, 3]))",
)
forms("corrcoef", "F(M)", "F(x, y)", "F(M, rowvar=False)", "F(A, C[:, ::-1] * C)")
forms("linalg.norm".replace("linalg.norm", "np.linalg.norm"), "F(x)")

# -- shape ---------------------------------------------------------------------------------------

forms(
    "reshape",
    "F(A, (3, 2))",
    "F(A, -1)",
    "F(A, (3, -1))",
    "F(A, (3, 2), order='F')",
    "F(A, shape=(3, 2))",
    "F(A, [3, 2])",
    "A.reshape(3, 2)",
    "A.reshape((3, 2))",
    "A.reshape(-1)",
    "A.reshape(3, 2, order='F')",
    "F(A, x.shape[:1] + (-1,)) if False else F(B, (4, -1))",
    "F(A.T, 6)",
    "F(s, (1, 1))",
    "F(A, (3, 2), order='A')",
)
forms("ravel", "F(A)", "A.ravel()", "F(A.T)", "F(A, order='F')", "A.flatten()", "F(s)")
FORMS["np.ravel"] += ["A.flatten('F')", "A.ravel('F')"]
forms("squeeze", "F(A[None])", "F(A[:, None], 1)", "F(A[None, :, None], axis=(0, 2))")
FORMS["np.squeeze"].append("A[None].squeeze()")
FORMS["np.squeeze"].append("A[None].squeeze(axis=0)")
forms("expand_dims", "F(A, 0)", "F(A, axis=-1)", "F(A, axis=(0, 2))", "F(s, 0)")
forms(
    "transpose",
    "F(A)",
    "F(B, (1, 2, 0))",
    "F(B, axes=(2, 0, 1))",
    "A.T",
    "B.transpose(1, 0, 2)",
    "B.transpose((1, 0, 2))",
    "B.transpose()",
    "B.mT",
    "F(B, [2, 0, 1])",
)
forms("permute_dims", "F(B, (1, 2, 0))", "F(A)")
forms("matrix_transpose", "F(A)", "F(B)")
forms("swapaxes", "F(B, 0, 2)", "F(B, axis1=0, axis2=-1)", "B.swapaxes(0, 1)")
forms("moveaxis", "F(B, 0, -1)", "F(B, (0, 1), (2, 0))", "F(B, [0, 1], [-1, -2])")
forms("rollaxis", "F(B, 2)", "F(B, 2, 1)", "F(B, axis=1, start=3)", "F(B, -1)")
forms(
    "roll",
    "F(x, 2)",
    "F(A, -1, axis=1)",
    "F(A, 1)",
    "F(B, (1, 2), axis=(0, 1))",
    "F(A, shift=1, axis=0)",
    "F(B, 1, axis=(0, 1))",
    "F(B, [1, 2], axis=[0, 1])",
)
forms("flip", "F(x)", "F(A)", "F(A, 0)", "F(B, axis=(0, 2))", "x[::-1]")
forms("flipud fliplr", "F(A)", "F(B)")
forms("rot90", "F(A)", "F(A, 2)", "F(A, k=-1)", "F(B, 1, (1, 2))", "F(B, axes=(0, 2))")
forms(
    "repeat",
    "F(x, 2)",
    "F(A, 2)",
    "F(A, 2, axis=1)",
    "F(A, [1, 2], axis=0)",
    "F(A, repeats=3, axis=-1)",
    "x.repeat(2)",
    "A.repeat(2, axis=0)",
    "F(s, 3)",
    "F(x, [1, 0, 2, 1])",
)
forms("tile", "F(x, 2)", "F(A, (2, 1))", "F(A, (2, 1, 2))", "F(s, 3)", "F(x, [2, 2])")
forms("resize", "F(x, 6)", "F(A, (3, 3))", "F(A, (2, 2))", "F(x, (2, 4))", "F(x, 2)")
forms("broadcast_to", "F(x, (3, 4))", "F(s, (2, 3))", "F(A[:, :1], (2, 3))", "F(x, shape=(2, 4))")
forms("broadcast_arrays", "F(x, s)[1]", "F(A, y[:3])[1]", "F(A[:, :1], y)[0]")
forms("atleast_1d", "F(s)", "F(x)", "F(x, s)[1]", "F(A)")
forms("atleast_2d", "F(s)", "F(x)", "F(x, A)[0]", "F(A)")
forms("atleast_3d", "F(s)", "F(x)", "F(A)", "F(B)", "F(A, x)[1]")
forms("split", "F(x, 2)[1]", "F(x, [1, 3])[1]", "F(A, 3, axis=1)[0]", "F(A, [1], 1)[1]")
forms("array_split", "F(x, 3)[0]", "F(n, 2)[1]", "F(A, 2, axis=1)[1]", "np.sum(F(x, [1, 3])[2])")
forms("hsplit", "F(x, 2)[1]", "F(A, 3)[1]", "F(A, [1])[1]")
forms("vsplit", "F(A, 2)[1]", "F(A, [1])[0]")
forms("dsplit", "F(B, 2)[1]", "F(B, [1, 3])[1]")
forms("unstack", "F(A)[1]", "F(A, axis=1)[2]")
forms(
    "concatenate",
    "F((x, y))",
    "F([x, y])",
    "F([A, C], axis=1)",
    "F((A, C), 0)",
    "F((A, C), axis=None)",
    "F([x, e, y])",
    "F((x, [1.0, 2.0]))",
    "F([x32, x32])",
    "F([A, C], axis=-1)",
    "F((x, y), out=np.empty(8))",
    "F((x, y), dtype='float64')",
    "F([x[k:k + 1] for k in range(4)])",
    "F(A)",
)
forms("concat", "F((x, y))", "F((A, C), axis=1)")
forms("stack", "F((x, y))", "F([x, y], axis=1)", "F([A, C], axis=-1)", "F([s, t])", "F(A, axis=1)")
forms("vstack", "F((x, y))", "F([A, C])", "F([s, t])", "F([A, y[:3]])", "F(B)")
forms("hstack", "F((x, y))", "F([A, C])", "F([s, t])", "F([x, s])")
forms("dstack", "F((x, y))", "F([A, C])", "F([B, B[:, :, :1]])")
forms("column_stack", "F((x, y))", "F([A, y[:2]])", "F([A, C])")
forms("append", "F(x, y)", "F(x, s)", "F(A, C, axis=1)", "F(A, C)", "F(x, [1.0, 2.0])")
forms(
    "insert",
    "F(x, 1, s)",
    "F(x, 2, y)",
    "F(x, [1, 3], y[:2])",
    "F(A, 1, y[:3], axis=0)",
    "F(A, 1, s, axis=1)",
    "F(A, 1, s)",
    "F(x, slice(0, 2), s)",
    "F(x, -1, [1.0, 2.0])",
    "F(A, [0, 2], C[:, :2], axis=1)",
)
forms(
    "delete",
    "F(x, 1)",
    "F(x, [0, 2])",
    "F(A, 1, axis=1)",
    "F(A, [0, 2], axis=-1)",
    "F(x, slice(1, 3))",
    "F(A, 3)",
    "F(x, np.array([True, False, False, True]))",
    "F(x, -1)",
)
forms(
    "array asarray asanyarray",
    "F(x)",
    "F([s, t])",
    "F([[s, t], [t, s]])",
    "F((x, y))",
    "F(x, dtype=float)",
    "F(x, dtype=np.float64)",
    "F([x, y], float)",
    "F([x[0], s * x[1], 0.0])",
)
forms("array", "F(x, copy=True)", "F(x, ndmin=2)", "F(s)", "F(A, order='F')")
forms("ascontiguousarray asfortranarray", "F(A.T)", "F(x)")
forms("require", "F(x)", "F(x, float)", "F(A, requirements='C')")
forms("copy", "F(A)", "A.copy()", "F(A.T)", "A.copy(order='F')", "F([s, t])")
forms("full", "F(3, s)", "F((2, 3), s)", "F((2, 4), x)", "F(shape=2, fill_value=t)", "F(2, s, float)")
forms("full_like", "F(x, s)", "F(A, y[:3])", "F(A, fill_value=s)", "F(x, s, dtype=float)")
FORMS["np.full_like"].append("np.full_like(A, s, shape=(2, 2))")
forms(
    "linspace",
    "F(s, t)",
    "F(s, t, 5)",
    "F(s, t, num=5, endpoint=False)",
    "F(x, y, 3)",
    "F(0.0, t, 4)",
    "F(x, 2.0, 3, axis=-1)",
    "F(s, t, 4, retstep=True)[0]",
    "F(s, t, 4, retstep=True)[1]",
    "F(start=s, stop=t, num=3)",
    "F(s, t, 1)",
    "F(s, t, 5, dtype=float)",
)
forms("logspace", "F(s, t, 5)", "F(s, t, num=4, endpoint=False)", "F(s, t, 4, base=2.0)")
FORMS["np.logspace"] += ["np.logspace(x, y, 3)", "np.logspace(s, t, 3, base=t)"]
forms("geomspace", "F(s, t, 5)", "F(s, t, num=4, endpoint=False)", "F(x, y, 3)", "F(x, y, 3, axis=1)")
forms(
    "pad",
    *(
        f"F(x, {width}, mode='{mode}')"
        for mode in ("constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum")
        for width in ("2", "(1, 2)")
    ),
    *(
        f"F(x, {width}, mode='{mode}')"
        for mode in ("reflect", "symmetric", "wrap")
        for width in ("2", "(1, 6)")
    ),
    "F(x, 2)",
    "F(A, 1)",
    "F(A, ((1, 2), (0, 1)))",
    "F(A, ((1, 2), (3, 1)), 'edge')",
    "F(A, ((1, 2), (3, 1)), 'reflect')",
    "F(A, 1, 'wrap')",
    "F(A, ((1, 1), (2, 2)), mode='mean', stat_length=2)",
    "F(A, ((1, 1), (2, 2)), mode='maximum')",
    "F(A, 2, mode='linear_ramp', end_values=3.0)",
    "F(A, 1, constant_values=5.0)",
    "F(A, ((1, 0), (0, 2)), constant_values=((1.0, 2.0), (3.0, 4.0)))",
    "F(x, 1, constant_values=s)",
    "F(x, 2, mode='reflect', reflect_type='odd')",
    "F(x, 2, mode='symmetric', reflect_type='odd')",
    "F(x, (0, 2), mode='empty')[:4]",
    "F(x, pad_width=(1, 2), mode='edge')",
)
forms(
    "meshgrid",
    "F(x, y)[0]",
    "F(x, y)[1]",
    "F(x, y, indexing='ij')[0]",
    "F(x, y[:3], n)[2]",
    "F(x, y, sparse=True)[0]",
    "F(x, y, copy=False)[0]",
    "F(x, s)[1]",
)
forms("ix_", "A[F([0, 1], [2, 0])]")
forms("block", "F([x, y])", "F([[A, C], [C, A]])", "F([[s, t], [t, s]])", "F([A, y[:2, None]])", "F(x)")
FORMS["np.astype"] = [
    "np.astype(x, np.float64)",
    "x.astype(float)",
    "x.astype(np.float64)",
    "x.astype(float, copy=False)",
    "x32.astype(np.float64)",
]
FORMS["np.r_"] = ["np.r_[x, y]", "np.r_[x, s, y]", "np.r_[0.0, x]", "np.r_[x[1:], t]", "np.r_[1:4, x]"]
FORMS["np.r_"] += ["np.r_[A, C]", "np.r_['-1', A, C]", "np.r_[0:1:5j, x]"]
FORMS["np.c_"] = ["np.c_[x, y]", "np.c_[A, C]", "np.c_[x, x * y, y]", "np.c_[np.ones(4), x]"]
FORMS["np.s_"] = ["x[np.s_[1:3]]", "A[np.s_[:, 1]]", "A[np.index_exp[0, 1:]]"]

# -- selection -----------------------------------------------------------------------------------

FORMS["indexing"] = [
    "x[1]",
    "A[1]",
    "A[:, 1]",
    "A[..., None]",
    "A[1, ::-1]",
    "x[[0, 2, 2]]",
    "A[[0, 1], [2, 0]]",
    "A[x[:2] > 0.5]",
    "A[A > 0.7]",
    "B[:, [0, 2], 1:]",
    "B[0, :, [1, 2]]",
    "x[np.array([[0, 1], [2, 2]])]",
    "A[None, :, ::2]",
    "x[-1]",
    "x[np.argsort(x)]",
    "x.item(2)",
    "A.item(0, 1)",
    "A.item(4)",
    "x.flat[2]",
    "A.flat[3]",
    "A.flat[1:4]",
    "np.array(list(A.flat))",
    "np.sum(np.array(x.tolist()))",
    "z[()]",
    "z.item()",
]
forms(
    "where",
    "F(x > y, x, y)",
    "F(x > 0.5, x, 0.0)",
    "F(A > y[:3], A, s)",
    "F(s > 0.5, s, t)",
    "F(x > 0.5, np.log(x), 2.0 * x)",
    "x[F(x > 0.5)]",
    "F([True, False, True, True], x, y)",
    "F(x32 > 0.5, x32, 0)",
)
forms(
    "select",
    "F([x > 1.0, x > 0.4], [x, y])",
    "F([x > 1.0, x > 0.4], [x ** 2, y], default=s)",
    "F([x > 1.0, x > 0.4], [x ** 2, y], s)",
    "F([A > 1.0], [A], C)",
)
forms(
    "piecewise",
    "F(x, [x < 0.4, x >= 0.4], [lambda v: v ** 2, lambda v: 3.0 * v])",
    "F(x, [x < 0.4], [lambda v: v ** 2, 5.0])",
    "F(x, [x < 0.4, x > 2.0], [np.sin, np.cos, np.exp])",
    "F(x, x < 1.0, [1.0, lambda v: v])",
    "F(n, [n < 0, n >= 0], [lambda v, k: k * v, lambda v, k: v + k], 2.5)",
    "F(A, [A < 1.0, A >= 1.0], [np.square, np.sqrt])",
)
forms(
    "clip",
    "F(n, -1.0, 1.0)",
    "F(n, s, t)",
    "F(x, y, 2.0)",
    "F(x, None, 1.0)",
    "F(x, 0.5, None)",
    "n.clip(-1.0, 1.0)",
    "n.clip(min=-1.0)",
    "n.clip(max=1.0)",
    "F(n, a_min=-1.0, a_max=1.0)",
    "F(n, min=-1.0, max=1.0)",
    "F(n, -1.0, 1.0, out=np.empty(5))",
    "F(A, y[:3], 1.5)",
    "F(x32, 0.5, 1.0)",
    "F(s, 0.0, 1.0)",
)
forms(
    "choose",
    "F(np.array([0, 1, 1, 0]), [x, y])",
    "F([0, 1, 1, 0], (x, y))",
    "F(np.array([0, 2, 1, 0]), [x, s, 2.0], mode='clip')",
    "np.array([0, 1, 1, 0]).choose([x, y])",
)
forms(
    "compress",
    "F([True, False, True, True], x)",
    "F(x > 0.4, x)",
    "F([False, True], A, axis=0)",
    "F([True, False, True], A, axis=1)",
    "x.compress(x > 0.4)",
    "F([True, False, True], A)",
)
forms("extract", "F(x > 0.4, x)", "F(A > 0.7, A)", "F([True, False, True, True], x)")
forms(
    "take",
    "F(x, [0, 2])",
    "F(x, 1)",
    "F(A, [0, 2], axis=1)",
    "F(A, [0, 5])",
    "F(A, 1, 0)",
    "x.take([1, 1])",
    "A.take([0, 2], axis=1)",
    "F(x, [0, 5], mode='wrap')",
    "F(x, [0, 5], mode='clip')",
    "F(A, indices=np.array([[0, 1], [1, 0]]), axis=-1)",
)
forms(
    "take_along_axis",
    "F(A, np.argsort(A, axis=1), axis=1)",
    "F(A, np.array([[0], [2]]), 1)",
    "F(A, np.array([[0, 1, 1]]), axis=0)",
    "F(A, np.array([0, 3]), None)",
    "F(x, np.array([0, 3]), axis=0)",
    "F(A, np.array([[0], [2]]), axis=-1)",
)
forms(
    "sort",
    "F(x)",
    "F(A)",
    "F(A, 0)",
    "F(A, axis=-1)",
    "F(A, axis=None)",
    "F(B, axis=1)",
    "F(x, kind='stable')",
    "F(x)[::-1]",
    "F(x32)",
)
forms("partition", "F(x, 2)", "F(n, 2)", "F(A, 1, axis=0)", "F(A, 1)", "F(x, kth=1)", "F(x, [0, 2])")
forms("argpartition", "x[F(x, 2)]")
forms("lexsort", "x[F((y, x))]")
forms(
    "unique",
    "F(x)",
    "F(A)",
    "F(x, return_index=True)[0]",
    "F(x, return_counts=True)[0]",
    "F(A, axis=0)",
    "F(x, return_index=True, return_inverse=True)[0]",
)
forms("unique_values", "np.sort(F(x))")
forms("sort_complex", "np.real(F(x))")
forms("flatnonzero", "x[F(x > 0.4)]")
forms("argwhere", "x[F(x > 0.4)[:, 0]]")
forms("nonzero", "x[F(x > 0.4)]", "A[(A > 0.7).nonzero()]")
forms("diag", "F(x)", "F(M)", "F(M, 1)", "F(x, k=-1)", "F(A, k=1)")
forms("diagflat", "F(x)", "F(x, 1)", "F(A)", "F(s)")
forms(
    "diagonal",
    "F(M)",
    "F(A, 1)",
    "F(B, axis1=1, axis2=2)",
    "F(B, offset=-1, axis1=0, axis2=2)",
    "M.diagonal()",
    "M.diagonal(1)",
)
forms("trace", "F(M)", "F(A)", "F(M, 1)", "F(M, offset=-1)", "M.trace()", "F(B)", "F(B, 0, 1, 2)")
FORMS["np.trace"].append("np.trace(B, axis1=1, axis2=2)")
forms("triu tril", "F(M)", "F(M, 1)", "F(A, k=-1)", "F(B)")
forms("searchsorted", "x * F(np.sort(y), x)", "x * F(np.sort(y), x, side='right')")
forms(
    "interp",
    "F(x, [0.0, 1.0, 2.0, 3.0], y)",
    "F(s, [0.0, 1.0, 2.0, 3.0], y)",
    "F(x, w, y)",
    "F(t, w, y)",
    "F(x, [0.0, 1.0, 2.0], [3.0, s, t])",
    "F(A, w, y)",
    "F(x, w, y, left=0.5, right=2.0)",
    "F(x, w, y, left=s)",
    "F(x, w, y, period=2.5)",
    "F(z, w, y)",
)
forms("digitize", "x * F(x, [0.0, 1.0, 2.0])")

# -- polynomials, histograms ---------------------------------------------------------------------

forms("polyval", "F(x, t)", "F(x, y)", "F([s, t, 1.0], x)", "F(x, A)", "F(np.array([1.0, 2.0]), s)")
forms("polyder", "F(x)", "F(x, 2)", "F(x, m=1)", "F(x, 0)")
forms("polyint", "F(x)", "F(x, 2)", "F(x, m=1, k=3.0)", "F(x, k=s)", "F(x, 2, k=[s, t])")
forms("poly", "F(x)", "F([s, t])", "F(M)")
forms("polyadd polysub polymul", "F(x, y)", "F(x, y[:2])", "F(y[:3], x)", "F([s, t], x)", "F(x, 2.0)")
forms("vander", "F(x)", "F(x, 3)", "F(x, N=3)", "F(x, 3, increasing=True)", "F(x, 1)")
forms(
    "bincount",
    "F([0, 1, 1, 3], x)",
    "F(np.array([0, 1, 1, 3]), weights=x)",
    "F([0, 1, 1, 3], weights=x, minlength=6)",
)
forms(
    "histogram",
    "F([0.1, 0.5, 0.9, 0.7], bins=3, weights=x)[0]",
    "F(y, bins=[0.0, 1.0, 3.0], weights=x)[0]",
    "F([0.1, 0.5, 0.9, 0.7], bins=3, range=(0.0, 1.0), weights=x)[0]",
    "F([0.1, 0.5, 0.9, 0.7], 4, (0.0, 1.0), True, x)[0]",
    "x * F(y, bins=4)[0]",
)
FORMS["ufunc.reduce"] = [
    "np.add.reduce(x)",
    "np.add.reduce(A, axis=1)",
    "np.multiply.reduce(A)",
    "np.maximum.reduce(A, axis=None)",
    "np.minimum.reduce([x, y])",
    "np.maximum.reduce([x, y, 2.0 * y])",
    "np.add.reduce(A, 1, keepdims=True)",
    "np.multiply.reduce(x, initial=2.0)",
    "np.logaddexp.reduce(x)",
    "np.logaddexp.reduce(A, axis=1)",
    "np.hypot.reduce(x)",
    "np.subtract.reduce(x)",
    "np.add.reduce([x, y])",
    "np.divide.reduce(A, axis=1)",
    "np.fmax.reduce(x)",
]
FORMS["ufunc.accumulate"] = [
    "np.add.accumulate(x)",
    "np.add.accumulate(A, axis=1)",
    "np.multiply.accumulate(A)",
    "np.maximum.accumulate(n)",
    "np.minimum.accumulate(n)",
    "np.maximum.accumulate(A, axis=1)",
    "np.logaddexp.accumulate(x)",
    "np.subtract.accumulate(x)",
]
FORMS["ufunc.outer"] = [
    "np.multiply.outer(x, y)",
    "np.add.outer(x, A)",
    "np.subtract.outer(x, s)",
    "np.maximum.outer(x, y)",
    "np.power.outer(x, y)",
]
FORMS["np.apply_along_axis"] = [
    "np.apply_along_axis(lambda v: v * np.sum(v), 0, A)",
    "np.apply_along_axis(np.sum, 1, A)",
    "np.apply_along_axis(lambda v: np.sum(v ** 2), 1, B)",
    "np.apply_along_axis(lambda v, k: v * k, 0, A, 3.0)",
    "np.apply_along_axis(lambda v: v[::-1] ** 2, -1, A)",
    "np.apply_along_axis(np.cumsum, 0, x)",
    "np.apply_along_axis(lambda v: np.outer(v, v), 1, A)",
]
FORMS["np.apply_over_axes"] = ["np.apply_over_axes(np.sum, B, [0, 2])"]
FORMS["np.vectorize"] = [
    "np.vectorize(lambda v: v * v)(x)",
    "np.vectorize(lambda v, k: v * k if v > k else k)(x, y)",
    "np.vectorize(lambda v, k: v * k)(A, s)",
    "np.vectorize(lambda v, k: v * k)(A, y[:3])",
    "np.vectorize(lambda v: math.exp(v), otypes=[float])(x)",
    "np.vectorize(lambda v: np.sum(v ** 2), signature='(k)->()')(A)",
]
FORMS["np.fromiter"] = [
    "np.fromiter((v * v for v in x), float)",
    "np.fromiter([s, t, s * t], dtype=float)",
    "np.fromiter((v * v for v in x), float, count=4)",
]
FORMS["np.fromfunction"] = ["np.fromfunction(lambda i, j: s * i + t * j, (2, 3))"]

# -- zero derivative -----------------------------------------------------------------------------

forms(
    "floor ceil rint round around trunc fix sign signbit isnan isinf isfinite isreal iscomplex"
    " isposinf isneginf logical_not",
    "x * F(x)",
    "s * F(s)",
    "A * F(A)",
)
forms("round around", "x * F(x, 1)", "x * F(x, decimals=0)", "x * x.round(1)", "x * x.round()")
forms(
    "less less_equal greater greater_equal equal not_equal logical_and logical_or logical_xor"
    " isclose",
    "x * F(x, y)",
    "x * F(x, 0.5)",
)
forms(
    "any all count_nonzero",
    "x * F(x > 0.4)",
    "A * F(A > 0.4, axis=0)",
    "A * F(A > 0.4, axis=1, keepdims=True)",
)
FORMS["np.any"] += ["x * (x > 0.4).any()", "A * (A > 0.4).any(axis=0)"]
FORMS["np.all"] += ["x * (x > 0.4).all()"]
forms("argmax argmin nanargmax nanargmin", "x * F(x)", "A * F(A, axis=0)", "A * F(A, 1, keepdims=True)")
FORMS["np.argmax"] += ["x[x.argmax()]", "A * A.argmax(0)"]
forms("argsort", "A * F(A)", "A * F(A, axis=0)", "A * F(A, kind='stable')", "x[x.argsort()]")
forms("allclose array_equal array_equiv", "x * F(x, y)", "x * F(x, x)")
forms("isscalar iscomplexobj isrealobj", "x * F(x)")
forms("zeros ones", "x * F(4)", "A * F((2, 3))", "A * F(A.shape)", "x * F(4, dtype=float)", "x * F(x.shape, float)")
forms("zeros_like ones_like", "x * F(x)", "A * F(A, dtype=float)", "x * F(x, float)", "x[:2] * F(x, shape=2)")
forms("empty_like empty", "x + 0.0 * np.isnan(F(4))" if False else "x * F(x.shape).size")
FORMS["np.empty_like"] = ["x * np.empty_like(x).size"]
forms("eye", "M @ F(3)", "M @ F(3, k=1)", "A @ F(3, 2)", "M @ F(3, dtype=float)", "M @ F(3, 3, 1)")
forms("identity", "M @ F(3)", "M @ F(3, dtype=float)")
forms("tri", "M @ F(3)", "M * F(3, 3, 1)")
forms("arange", "x * F(4)", "x * F(1, 5)", "x * F(0.0, 2.0, 0.5)", "x * F(4.0)", "x * F(4, dtype=float)", "x * F(0, 4, 1, dtype=float)")
forms("shape ndim size", "x * np.sum(F(A))", "A * F(A)[0]" if False else "s * np.prod(F(A))")
FORMS["np.size"] += ["x * np.size(A, 1)", "x * A.size", "x * len(A)"]
FORMS["np.ndim"] += ["x * A.ndim"]
FORMS["np.shape"] += ["x * A.shape[1]"]
forms("result_type", "x.astype(F(x, np.float64))" if False else "x * (F(x, y) == np.float64)")
FORMS["np.dtype"] = ["x * (x.dtype == np.float64)", "np.zeros(4, x.dtype) + x", "x * x.itemsize", "x * x.nbytes"]
FORMS["np.iinfo"] = ["x * np.iinfo(np.int32).max * 1e-9", "x * np.iinfo('int8').min"]
FORMS["np.finfo"] = [
    "x + np.finfo(float).eps",
    "x * np.finfo(x.dtype).tiny + x",
    "np.maximum(x, np.finfo(np.float64).eps)",
]
forms("triu_indices tril_indices", "M[F(3)]", "M[F(3, 1)]", "M[F(3, k=-1)]")
forms("triu_indices_from tril_indices_from", "M[F(M)]", "M[F(M, k=1)]")
forms("diag_indices", "M[F(3)]")
forms("diag_indices_from", "M[F(M)]")
forms("indices", "A * F((2, 3))[0]")
forms("unravel_index", "A[F(4, (2, 3))]", "A[F(np.argmax(A), A.shape)]")
forms("ravel_multi_index", "A.ravel()[F((1, 2), (2, 3))]")
forms("isin", "x * F(x, [1.9])")
FORMS["np.ogrid"] = ["A * np.ogrid[:2, :3][0]"]
FORMS["np.mgrid"] = ["A * np.mgrid[:2, :3][1]", "x * np.mgrid[0:3:4j]"]
forms("may_share_memory shares_memory", "x * F(x, y)")
forms("hanning hamming blackman bartlett", "x * F(4)")
forms("kaiser", "x * F(4, 2.0)")
forms("broadcast_shapes", "A * F((2, 1), (3,))[0]")
forms("float64", "F(s)", "F(x)")
forms("min_scalar_type", "x * (F(3) == np.uint8)")
forms("isreal", "x[F(x)]")
forms("fabs", "F(n)")

# -- methods and attributes ----------------------------------------------------------------------

FORMS["methods"] = [
    "A.T.shape[0] * A",
    "x.real",
    "x.imag + x",
    "x.conj() * x",
    "x.conjugate() * x",
    "x.dot(y)",
    "A.dot(y[:3])",
    "x.argsort() * x",
    "A.sum(axis=1).max()",
    "M.trace(offset=1)",
    "x.ptp()" if False else "np.ptp(x)",
    "x.__len__() * x",
    "x.std(ddof=1)",
    "x.var(ddof=1)",
    "x.argmin() * x",
    "x.searchsorted(1.0) * x",
    "A.swapaxes(0, 1)",
    "s.real * s",
    "s.conjugate() * s",
    "x[0].item() * s",
    "x.sum().item()",
    "float(x.sum())",
    "x.__add__(y)",
    "np.array(x, copy=True).T",
    "x.max(initial=3.0)",
    "x.nonzero()[0] @ x",
]

# -- math, builtins, operators -------------------------------------------------------------------

for _f in (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos"),
    *("tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "atanh", "degrees"),
    *("radians", "fabs", "gamma", "lgamma", "erf", "erfc"),
):
    FORMS[f"math.{_f}"] = [f"math.{_f}(s)", f"math.{_f}(x[0])"]
FORMS["math"] = [
    "math.acosh(t)",
    "math.log(t, s)",
    "math.log(t, 10)",
    "math.atan2(s, t)",
    "math.hypot(s, t, 1.0)",
    "math.hypot(s)",
    "math.dist([s, t], [t, 1.0])",
    "math.dist(x, y)",
    "math.fsum([s, t])",
    "math.fsum(x)",
    "math.prod([s, t, 2.0])",
    "math.prod(x)",
    "math.prod([s, t], start=3.0)",
    "math.pow(s, t)",
    "math.fmod(t, s)",
    "math.remainder(t, s)",
    "math.copysign(s, -t)",
    "math.ldexp(s, 3)",
    "math.modf(t)[0]",
    "math.frexp(s)[0]",
    "s * math.floor(t) * math.ceil(t) * math.trunc(t)",
    "s * math.factorial(3) * math.isqrt(17) * math.comb(4, 2) * math.perm(4, 2)",
    "s * math.gcd(4, 6) * math.lcm(4, 6)",
    "s * math.pi * math.e * math.tau",
    "s if math.isfinite(s) and not math.isnan(s) and not math.isinf(s) else t",
    "s if math.isclose(s, t) else t",
    "math.nextafter(s, 1.0) * 0.0 + s * math.ulp(1.0)",
    "math.sumprod([s, t], [t, 2.0])" if hasattr(__import__("math"), "sumprod") else "s * t",
    "s * math.isclose(s, t, rel_tol=0.5, abs_tol=0.1)",
    "math.fma(s, t, s)" if hasattr(__import__("math"), "fma") else "s * t + s",
]
FORMS["builtins"] = [
    "abs(s)",
    "max(s, t)",
    "min(s, t)",
    "max([s, t, 1.0])",
    "min(x)",
    "max(x, key=lambda v: -v)",
    "max((s, t), key=lambda v: -v)",
    "min([s], default=t)",
    "max([], default=t)",
    "sum([s, t])",
    "sum([s, t], 1.0)",
    "sum([s, t], start=s)",
    "sum(x)",
    "sum(v * v for v in x)",
    "pow(s, t)",
    "pow(s, 2)",
    "s * round(t) * int(t)",
    "s * round(t, 1)",
    "divmod(t, s)[1]",
    "float(s)",
    "sorted([s, t])[0]",
    "sorted(x)[1]",
    "sorted(x, reverse=True)[1]",
    "sorted([s, t, 1.0], key=lambda v: -v)[0]",
    "list(map(lambda v: v * v, x))[1]",
    "sum(filter(lambda v: v > 0.4, x))",
    "sum(a * b for a, b in zip(x, y))",
    "sum(i * v for i, v in enumerate(x))",
    "sum(v / (i + 1) for i, v in enumerate(reversed(x)))",
    "s * any([True, False]) + t * all([True, False])",
    "s if isinstance(s, float) else t",
    "s * len(x)",
    "s + complex(s, t).real",
    "s * bool(t)",
    "sum(range(3)) * s",
    "+s - -t",
    "s // t + s % t",
    "s ** t",
    "A @ y[:3]",
    "x % y",
    "x // y * x",
    "divmod(x, y)[1]",
    "~(x > 0.4) * x",
    "(0.0 < s < 1.0) * t",
    "x ** -1",
    "2.0 ** x",
    "-x ** 2",
    "s.is_integer() * s + s",
    "abs(complex(s, t))",
]
FORMS["operator"] = [
    "operator.add(s, t)",
    "operator.sub(x, y)",
    "operator.mul(s, t)",
    "operator.truediv(s, t)",
    "operator.pow(s, t)",
    "operator.neg(x)",
    "operator.pos(x)",
    "operator.abs(n)",
    "operator.mod(t, s)",
    "operator.floordiv(t, s) * s",
    "operator.matmul(x, y)",
    "operator.getitem(x, 1)",
    "operator.itemgetter(1)(x)",
    "operator.lt(s, t) * s",
    "operator.not_(s) * t + s",
    "functools.reduce(operator.mul, [s, t, 2.0])",
    "functools.reduce(operator.mul, x)",
    "functools.reduce(lambda a, b: a * b + 1.0, x, s)",
    "functools.partial(np.power, 2.0)(x)",
    "list(itertools.accumulate(x))[2]",
    "list(itertools.accumulate([s, t], operator.mul))[1]",
    "sum(a * b for a, b in itertools.product([s, t], [t, 1.0]))",
    "sum(itertools.chain([s], [t, 2.0]))",
    "sum(a * b for a, b in itertools.combinations([s, t, 1.0], 2))",
    "sum(map(operator.mul, x, y))",
    "sum(itertools.starmap(operator.mul, zip(x, y)))",
    "sum(a * b for a, b in itertools.pairwise(x))",
    "sum(itertools.islice(x, 2))",
    "sum(a for a in itertools.repeat(s, 3))",
    "sum(itertools.accumulate([s, t], initial=1.0))",
]

#: Forms that are refused, with an error that points at the line.
REFUSED = {
    "np.reshape(A, (3, 2), order='A')",
    "np.require(A, requirements='C')",
    "np.poly(M)",
    "np.vectorize(lambda v: np.sum(v ** 2), signature='(k)->()')(A)",
    "x * x.itemsize",
    "x * x.nbytes",
    "x * np.mgrid[0:3:4j]",
    "x.__add__(y)",
    "x.__len__() * x",
}
