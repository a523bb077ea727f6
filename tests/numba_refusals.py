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
    "reshape_that_copies": "writing to a reshape that may be a copy",
    "scalar_then_array": _EITHER,
    "set_at_run_time": _DICT,
    "sum_of_squares": _EMPTY,
}

#: Functions whose rules are refused at the first of their samples.
RULES: dict[str, str] = {
    "np.asfortranarray": _FORM,
    "np.block": _HELPER,
    "np.choose": _ABSENT,
    "np.linalg.tensorinv": _ABSENT,
    "np.linalg.tensorsolve": _ABSENT,
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
