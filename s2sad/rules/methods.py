"""Array methods and attributes: which primitive each one means.

In: nothing. Out: entries of the registry. ``x.reshape(2, 3)`` packs its arguments into a tuple.

    method("sum", "np.sum")
"""

from __future__ import annotations

from .registry import method

for _name in (
    *("sum", "mean", "prod", "var", "std", "max", "min", "ptp", "cumsum", "cumprod", "dot"),
    *("ravel", "squeeze", "swapaxes", "diagonal", "trace", "repeat", "take", "clip", "argmax"),
    *("argmin", "any", "all", "nonzero", "searchsorted", "round"),
):
    method(_name, f"np.{_name}")
method("argsort", "np.argsort")
method("reshape", "np.reshape", packs=True)
method("transpose", "np.transpose", packs=True)
method("flatten", "flatten")
method("copy", "copy")
method("astype", "astype")
method("conj", "np.conj")
method("conjugate", "np.conj")
method("item", "to_item")
method("tolist", "tolist")
method("T", "np.transpose", is_property=True)
method("mT", "np.matrix_transpose", is_property=True)
method("real", "np.real", is_property=True)
method("imag", "np.imag", is_property=True)
method("shape", "shape", is_property=True)
method("ndim", "np.ndim", is_property=True)
method("size", "np.size", is_property=True)
method("dtype", "dtype", is_property=True)
