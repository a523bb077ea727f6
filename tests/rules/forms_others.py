"""Polynomials, functions of functions, zero derivatives, math, builtins and operators, in every form of their arguments.

In: nothing. Out: entries of ``forms_table.FORMS``.
"""

from __future__ import annotations

from tests.rules.forms_table import FORMS, forms

# -- polynomials, histograms ----------------------------------------------------------------------

forms(
    "polyval", "F(x, t)", "F(x, y)", "F([s, t, 1.0], x)", "F(x, A)", "F(np.array([1.0, 2.0]), s)"
)
forms("polyder", "F(x)", "F(x, 2)", "F(x, m=1)", "F(x, 0)")
forms("polyint", "F(x)", "F(x, 2)", "F(x, m=1, k=3.0)", "F(x, k=s)", "F(x, 2, k=[s, t])")
forms("poly", "F(x)", "F([s, t])", "F(M)")
forms(
    "polyadd polysub polymul", "F(x, y)", "F(x, y[:2])", "F(y[:3], x)", "F([s, t], x)", "F(x, 2.0)"
)
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

# -- zero derivative ------------------------------------------------------------------------------

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
forms(
    "argmax argmin nanargmax nanargmin",
    "x * F(x)",
    "A * F(A, axis=0)",
    "A * F(A, 1, keepdims=True)",
)
FORMS["np.argmax"] += ["x[x.argmax()]", "A * A.argmax(0)"]
forms("argsort", "A * F(A)", "A * F(A, axis=0)", "A * F(A, kind='stable')", "x[x.argsort()]")
forms("allclose array_equal array_equiv", "x * F(x, y)", "x * F(x, x)")
forms("isscalar iscomplexobj isrealobj", "x * F(x)")
forms(
    "zeros ones",
    "x * F(4)",
    "A * F((2, 3))",
    "A * F(A.shape)",
    "x * F(4, dtype=float)",
    "x * F(x.shape, float)",
)
forms(
    "zeros_like ones_like",
    "x * F(x)",
    "A * F(A, dtype=float)",
    "x * F(x, float)",
    "x[:2] * F(x, shape=2)",
)
forms("empty_like empty", "x + 0.0 * np.isnan(F(4))" if False else "x * F(x.shape).size")
FORMS["np.empty_like"] = ["x * np.empty_like(x).size"]
forms("eye", "M @ F(3)", "M @ F(3, k=1)", "A @ F(3, 2)", "M @ F(3, dtype=float)", "M @ F(3, 3, 1)")
forms("identity", "M @ F(3)", "M @ F(3, dtype=float)")
forms("tri", "M @ F(3)", "M * F(3, 3, 1)")
forms(
    "arange",
    "x * F(4)",
    "x * F(1, 5)",
    "x * F(0.0, 2.0, 0.5)",
    "x * F(4.0)",
    "x * F(4, dtype=float)",
    "x * F(0, 4, 1, dtype=float)",
)
forms("shape ndim size", "x * np.sum(F(A))", "A * F(A)[0]" if False else "s * np.prod(F(A))")
FORMS["np.size"] += ["x * np.size(A, 1)", "x * A.size", "x * len(A)"]
FORMS["np.ndim"] += ["x * A.ndim"]
FORMS["np.shape"] += ["x * A.shape[1]"]
forms("result_type", "x.astype(F(x, np.float64))" if False else "x * (F(x, y) == np.float64)")
FORMS["np.dtype"] = [
    "x * (x.dtype == np.float64)",
    "np.zeros(4, x.dtype) + x",
    "x * x.itemsize",
    "x * x.nbytes",
]
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
FORMS["np.ogrid"] = [
    "A * np.ogrid[:2, :3][0]",
    "A * np.ogrid[: len(A), 3 : 3 - A.shape[1] : -1][1]",
]
FORMS["np.mgrid"] = [
    "A * np.mgrid[:2, :3][1]",
    "A * np.mgrid[1 : len(A) + 1, 0 : 2 * A.shape[1] : 2][1]",
    "x * np.mgrid[len(x) : 0 : -1]",
    "x * np.mgrid[0:3:4j]",
]
forms("may_share_memory shares_memory", "x * F(x, y)")
forms("hanning hamming blackman bartlett", "x * F(4)")
forms("kaiser", "x * F(4, 2.0)")
forms("broadcast_shapes", "A * F((2, 1), (3,))[0]")
forms("float64", "F(s)", "F(x)")
forms("min_scalar_type", "x * (F(3) == np.uint8)")
forms("isreal", "x[F(x)]")
forms("fabs", "F(n)")

# -- methods and attributes -----------------------------------------------------------------------

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

# -- math, builtins, operators --------------------------------------------------------------------

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
