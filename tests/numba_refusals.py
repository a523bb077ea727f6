"""What the Numba backend refuses of the programs and rules of the tests, and why.

python -m tests.numba_refusals        prints the tables as they stand in docs/numba.md
"""

from __future__ import annotations

_DICT = "a dict or set whose keys are known only when it runs"
_TEXT = "text made of values"
_EMPTY = "a list that is empty when it is made"
_ABSENT = "a function that Numba does not have, or one in its derivative"
_HELPER = "a helper in its derivative that has no form for Numba"
_FORM = "a form of a function that Numba does not have, or one in its derivative"
_EITHER = "a number or an array, as the run goes"

#: Programs of tests/programs that are refused.
PROGRAMS: dict[str, str] = {
    "array_buffer": "an array of objects",
    "arrays_by_key": _DICT,
    "by_name": _DICT,
    "chained": _EMPTY,
    "comprehension_of_pairs": _DICT,
    "copied_tables": _DICT,
    "counted": _DICT,
    "default_of_a_missing_key": _DICT,
    "deleted_keys": _DICT,
    "filled_and_summed": _DICT,
    "formatted": _TEXT,
    "in_a_branch": _DICT,
    "index_of_the_largest": "list.index",
    "inner_and_outer": _DICT,
    "keys_that_are_floats": _DICT,
    "lists_by_key": _DICT,
    "logged": "appending to a list of the program's",
    "logged_in_a_loop": "appending to a list of the program's",
    "memoised": _DICT,
    "memoised_grid": _DICT,
    "number_or_array": _EITHER,
    "objects_in_a_list": _EMPTY,
    "optional_lookup": _DICT,
    "printed": _TEXT,
    "records": _EMPTY,
    "reshape_that_copies": "reshape of an array whose elements are not in order",
    "scalar_then_array": _EITHER,
    "set_at_run_time": _DICT,
    "shapes": "squeeze without an axis",
    "sum_of_squares": _EMPTY,
}

#: Functions whose rules are refused at the first of their samples.
RULES: dict[str, str] = {
    "math.cbrt": _ABSENT,
    "math.dist": _ABSENT,
    "math.gamma": _HELPER,
    "math.lgamma": _HELPER,
    "math.modf": _ABSENT,
    "math.prod": _FORM,
    "math.remainder": _ABSENT,
    "np.array": _FORM,
    "np.asfortranarray": _FORM,
    "np.atleast_1d": _FORM,
    "np.atleast_2d": _FORM,
    "np.atleast_3d": _FORM,
    "np.block": _HELPER,
    "np.broadcast_arrays": _FORM,
    "np.choose": _ABSENT,
    "np.compress": _ABSENT,
    "np.convolve": _HELPER,
    "np.correlate": _HELPER,
    "np.cross": _ABSENT,
    "np.cumprod": _HELPER,
    "np.cumulative_prod": _HELPER,
    "np.diff": _HELPER,
    "np.divmod": _FORM,
    "np.ediff1d": _HELPER,
    "np.frexp": _ABSENT,
    "np.gradient": _HELPER,
    "np.i0": _HELPER,
    "np.kron": _FORM,
    "np.linalg.cross": _ABSENT,
    "np.linalg.diagonal": _ABSENT,
    "np.linalg.eigvalsh": _FORM,
    "np.linalg.matrix_norm": _ABSENT,
    "np.linalg.multi_dot": _ABSENT,
    "np.linalg.svdvals": _ABSENT,
    "np.linalg.tensorinv": _ABSENT,
    "np.linalg.tensorsolve": _ABSENT,
    "np.linalg.trace": _ABSENT,
    "np.linalg.vector_norm": _ABSENT,
    "np.matvec": _ABSENT,
    "np.maximum.accumulate": _HELPER,
    "np.median": _HELPER,
    "np.meshgrid": _ABSENT,
    "np.minimum.accumulate": _HELPER,
    "np.modf": _ABSENT,
    "np.nancumprod": _HELPER,
    "np.nanmedian": _HELPER,
    "np.nanpercentile": _HELPER,
    "np.nanquantile": _HELPER,
    "np.nanstd": _FORM,
    "np.nanvar": _FORM,
    "np.pad": _ABSENT,
    "np.partition": _HELPER,
    "np.percentile": _HELPER,
    "np.poly": _HELPER,
    "np.polyadd": _ABSENT,
    "np.polyder": _ABSENT,
    "np.polyint": _ABSENT,
    "np.polymul": _ABSENT,
    "np.polysub": _ABSENT,
    "np.polyval": _ABSENT,
    "np.quantile": _HELPER,
    "np.rollaxis": _ABSENT,
    "np.rot90": _FORM,
    "np.sort": _FORM,
    "np.squeeze": _FORM,
    "np.take_along_axis": _HELPER,
    "np.unique": _FORM,
    "np.unique_values": _ABSENT,
    "np.vecmat": _ABSENT,
    "sorted": _FORM,
}


def table(title: str, refused: dict[str, str]) -> str:
    """A table in Markdown: each reason, with what is refused for it."""
    rows: dict[str, list[str]] = {}
    for name, reason in sorted(refused.items()):
        rows.setdefault(reason, []).append(f"`{name}`")
    lines = [f"| not compiled | {title} |", "|---|---|"]
    lines += [f"| {reason} | {', '.join(names)} |" for reason, names in sorted(rows.items())]
    return "\n".join(lines) + "\n"


def tables() -> str:
    """Both tables."""
    return table("programs", PROGRAMS) + "\n" + table("functions", RULES)


if __name__ == "__main__":
    print(tables(), end="")
