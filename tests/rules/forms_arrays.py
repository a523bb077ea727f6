"""Functions that shape arrays and choose from them, in every form of their arguments.

In: nothing. Out: entries of ``forms_table.FORMS``.
"""

from __future__ import annotations

from tests.rules.forms_table import FORMS, forms

# -- shape ----------------------------------------------------------------------------------------

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
forms(
    "full", "F(3, s)", "F((2, 3), s)", "F((2, 4), x)", "F(shape=2, fill_value=t)", "F(2, s, float)"
)
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
forms(
    "geomspace", "F(s, t, 5)", "F(s, t, num=4, endpoint=False)", "F(x, y, 3)", "F(x, y, 3, axis=1)"
)
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
forms(
    "block",
    "F([x, y])",
    "F([[A, C], [C, A]])",
    "F([[s, t], [t, s]])",
    "F([A, y[:2, None]])",
    "F(x)",
)
FORMS["np.astype"] = [
    "np.astype(x, np.float64)",
    "x.astype(float)",
    "x.astype(np.float64)",
    "x.astype(float, copy=False)",
    "x32.astype(np.float64)",
]
FORMS["np.r_"] = [
    "np.r_[x, y]",
    "np.r_[x, s, y]",
    "np.r_[0.0, x]",
    "np.r_[x[1:], t]",
    "np.r_[1:4, x]",
]
FORMS["np.r_"] += ["np.r_[A, C]", "np.r_['-1', A, C]", "np.r_[0:1:5j, x]"]
FORMS["np.c_"] = ["np.c_[x, y]", "np.c_[A, C]", "np.c_[x, x * y, y]", "np.c_[np.ones(4), x]"]
FORMS["np.s_"] = ["x[np.s_[1:3]]", "A[np.s_[:, 1]]", "A[np.index_exp[0, 1:]]"]

# -- selection ------------------------------------------------------------------------------------

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
forms(
    "partition", "F(x, 2)", "F(n, 2)", "F(A, 1, axis=0)", "F(A, 1)", "F(x, kth=1)", "F(x, [0, 2])"
)
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
