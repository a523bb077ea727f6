"""Every function of the coverage page in the forms of its arguments that people write.

In: nothing. Out: ``FORMS``, a table from a function's name to expressions, complete.

    FORMS["np.clip"][0]   ->   "np.clip(n, -1.0, 1.0)"
"""

from __future__ import annotations

from tests.rules import forms_arrays, forms_elementwise, forms_others  # noqa: F401
from tests.rules.forms_table import FORMS, VALUES

__all__ = ["FORMS", "REFUSED", "VALUES"]

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
    # new in Python 3.12 and 3.13, and without rules
    "math.sumprod([s, t], [t, 2.0])",
    "math.fma(s, t, s)",
}
