"""Which code objects are the same?

In: two code objects, one that runs and one that was just compiled from the text. Out: whether they
have the same instructions, constants, names and positions; asserts that pytest has rewritten are
set aside.

    lambda: x + 1 and lambda: x + 1     the same, if they stand in the same place
"""

from __future__ import annotations

import dis
import re
import types
from collections.abc import Iterator, Sequence
from typing import TypeAlias

_FIELDS = (
    *("co_name", "co_qualname", "co_firstlineno", "co_flags"),
    *("co_argcount", "co_posonlyargcount", "co_kwonlyargcount"),
    *("co_names", "co_varnames", "co_freevars", "co_cellvars"),
    *("co_code", "co_exceptiontable"),
)


# First and last line, first and last column: the order of `co_positions`.
_Position: TypeAlias = tuple[int | None, int | None, int | None, int | None]


Stretch: TypeAlias = tuple[tuple[int, int], tuple[int, int]]  # (line, column) to (line, column)

_JUMPS = re.compile(r"_(FORWARD|BACKWARD)(?=_|$)")
_NO_MEANING = ("NOP", "CACHE", "EXTENDED_ARG", "RESUME")


def same_code(a: types.CodeType, b: types.CodeType) -> bool:
    """The same to the position of every instruction."""
    return (
        all(getattr(a, name) == getattr(b, name) for name in _FIELDS)
        and len(a.co_consts) == len(b.co_consts)
        and all(map(_same_constant, a.co_consts, b.co_consts))
        and _same_positions(list(a.co_positions()), list(b.co_positions()))
    )


def _same_constant(a: object, b: object) -> bool:
    """Equality that tells 1, 1.0 and True apart, and 0.0 from -0.0."""
    if isinstance(a, types.CodeType):
        return isinstance(b, types.CodeType) and same_code(a, b)
    return _constant_key(a) == _constant_key(b)


def same_constant_but_code(a: object, b: object) -> bool:
    """The same constant, or two code objects, whatever these are."""
    return isinstance(a, types.CodeType) or _constant_key(a) == _constant_key(b)


def _constant_key(value: object) -> tuple[object, ...]:
    if isinstance(value, tuple):
        return (tuple, *map(_constant_key, value))
    if isinstance(value, frozenset):
        return (frozenset, *sorted(repr(_constant_key(item)) for item in value))
    return (type(value), repr(value))


def _same_positions(a: Sequence[_Position], b: Sequence[_Position]) -> bool:
    if a == b:
        return True
    if len(a) != len(b) or not (_without_columns(a) or _without_columns(b)):
        return False
    # One side was compiled under -X no_debug_ranges (its .pyc may be older than this process).
    return all(one[0] == two[0] for one, two in zip(a, b, strict=True))


def _without_columns(positions: Sequence[_Position]) -> bool:
    return all(column is None for _, _, column, _ in positions)


def has_rewritten_asserts(code: types.CodeType) -> bool:
    names = (*code.co_varnames, *code.co_cellvars, *code.co_names)
    return any(name.startswith("@py") for name in names) or any(
        map(has_rewritten_asserts, codes_in(code))
    )


def same_but_asserts(a: types.CodeType, b: types.CodeType, asserts: list[Stretch]) -> bool:
    """Whether both say the same outside of the given spans.

    What pytest puts in place of an assert has the assert's position. Inside of one the code
    differs; outside of all, every instruction must be the same in what it does, to what, and
    where it stands in the source. (As sets: the layout of blocks depends on the asserts.)
    """
    for name in ("co_name", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags"):
        if getattr(a, name) != getattr(b, name):
            return False
    if a.co_varnames[: a.co_argcount] != b.co_varnames[: b.co_argcount]:
        return False
    if set(_instructions(a, asserts)) != set(_instructions(b, asserts)):
        return False
    ours, theirs = (
        [inner for inner in codes_in(code) if not _all_inside(inner, asserts)] for code in (a, b)
    )
    return len(ours) == len(theirs) and all(
        same_but_asserts(one, two, asserts) for one, two in zip(ours, theirs, strict=True)
    )


def _instructions(code: types.CodeType, asserts: list[Stretch]) -> Iterator[tuple[object, ...]]:
    for instruction in dis.get_instructions(code):
        name, value = instruction.opname, instruction.argval
        at = instruction.positions
        if name in _NO_MEANING or name.startswith("JUMP_") or at is None:
            continue
        place = (at.lineno, at.end_lineno, at.col_offset, at.end_col_offset)
        if _inside(place, asserts):
            continue
        if "JUMP" in name or name in ("FOR_ITER", "SEND", "SETUP_FINALLY"):
            yield (_JUMPS.sub("", name), place)
        elif "_FAST" in name:
            # 3.13 joins neighbours into LOAD_FAST_LOAD_FAST where the slots' numbers allow it.
            names = value if isinstance(value, tuple) else (value,)
            parts = re.findall(r"(LOAD|STORE)_FAST", name) or [name] * len(names)
            for part, variable in zip(parts, names, strict=True):
                yield (part, variable, at.lineno)
        elif isinstance(value, types.CodeType):
            yield (name, value.co_name, place)
        else:
            yield (name, _constant_key(value), place)


def _all_inside(code: types.CodeType, asserts: list[Stretch]) -> bool:
    places = [place for place in code.co_positions() if place[2] is not None and place[3]]
    return bool(places) and all(_inside(place, asserts) for place in places)


def _inside(place: _Position, stretches: list[Stretch]) -> bool:
    line, end_line, column, end_column = place
    if line is None or end_line is None or column is None or end_column is None:
        return False
    return any(
        start <= (line, column) and (end_line, end_column) <= end for start, end in stretches
    )


def codes_in(code: types.CodeType) -> list[types.CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
