"""Elementwise functions, reductions and scans, in every form of their arguments.

In: nothing. Out: entries of ``forms_table.FORMS``.
"""

from __future__ import annotations

from tests.rules.forms_table import FORMS, forms

# -- binary ufuncs --------------------------------------------------------------------------------

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

# -- unary ufuncs ---------------------------------------------------------------------------------

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

# -- reductions -----------------------------------------------------------------------------------

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

# -- scans ----------------------------------------------------------------------------------------

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
forms("cumulative_sum cumulative_prod", "F(x, include_initial=True)", "F(A, axis=1, dtype=float)")
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
