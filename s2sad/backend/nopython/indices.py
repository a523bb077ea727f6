"""Reading and writing at arrays of indices, for Numba, which takes one such array at a time.

In: nothing; `install` is called once. Out: Numba knows ``a[i, j]`` and ``a[:, i] = v`` with arrays
or lists of whole numbers, broadcast against each other, and how to add at them::

    a[i, j]   ->   for k in ndindex(shape of i and j): out[k] = a[i[k], j[k]]
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from numba import types

from ...rules import gather_helpers
from .written import declare, dtype_text, written

__all__ = ["accumulated", "install"]


def _is_places(t: Any) -> bool:
    if isinstance(t, types.List | types.UniTuple):
        return isinstance(t.dtype, types.Integer)
    return isinstance(t, types.Array) and isinstance(t.dtype, types.Integer)


def _rank(t: Any) -> int:
    return t.ndim if isinstance(t, types.Array) else 1


class _Places:
    """The text that walks over the elements an index chooses."""

    def __init__(self, rank: int, entries: Sequence[Any], one: bool) -> None:
        self.lines: list[str] = []
        arrays = [n for n, t in enumerate(entries) if _is_places(t)]
        self.wide = max(_rank(entries[n]) for n in arrays)
        entry = ["i" if one else f"i[{n}]" for n in range(len(entries))]
        for n in arrays:
            if isinstance(entries[n], types.Array):
                self.lines.append(f"    p{n} = {entry[n]}")
            else:
                self.lines.append(f"    p{n} = np.array({entry[n]})")
        sizes = []
        for k in range(self.wide):
            size = "1"
            for n in arrays:
                axis = k - (self.wide - _rank(entries[n]))
                if axis >= 0:
                    mine = f"p{n}.shape[{axis}]"
                    size = mine if size == "1" else f"({mine} if {size} == 1 else {size})"
            self.lines.append(f"    b{k} = {size}")
            for n in arrays:
                axis = k - (self.wide - _rank(entries[n]))
                if axis >= 0:
                    self.lines.append(
                        f"    if p{n}.shape[{axis}] != b{k} and p{n}.shape[{axis}] != 1:\n"
                        '        raise IndexError("indices could not be broadcast together")'
                    )
            sizes.append(f"b{k}")
        fixed = [n for n, t in enumerate(entries) if _is_places(t) or isinstance(t, types.Integer)]
        together = fixed == list(range(fixed[0], fixed[-1] + 1))
        #: loops of the result, in the order of its axes: (counter, size)
        self.loops: list[tuple[str, str]] = []
        target = []
        shared = [(f"k{k}", sizes[k]) for k in range(self.wide)]
        if not together:
            self.loops += shared
        for n in range(rank):
            t = entries[n] if n < len(entries) else None
            if t is not None and _is_places(t):
                lead = self.wide - _rank(t)
                at = ", ".join(
                    f"0 if p{n}.shape[{a}] == 1 else k{a + lead}" for a in range(_rank(t))
                )
                self.lines.append(
                    f"    for q in p{n}.flat:\n"
                    f"        if q < -a.shape[{n}] or q >= a.shape[{n}]:\n"
                    '            raise IndexError("index is out of bounds")'
                )
                target.append(f"p{n}[{at}]")
            elif t is not None and isinstance(t, types.Integer):
                self.lines.append(
                    f"    if {entry[n]} < -a.shape[{n}] or {entry[n]} >= a.shape[{n}]:\n"
                    '        raise IndexError("index is out of bounds")'
                )
                target.append(entry[n])
            else:
                if t is not None:
                    self.lines.append(
                        f"    s{n}, e{n}, d{n} = {entry[n]}.indices(a.shape[{n}])\n"
                        f"    z{n} = len(range(s{n}, e{n}, d{n}))"
                    )
                    target.append(f"s{n} + d{n} * j{n}")
                else:
                    self.lines.append(f"    z{n} = a.shape[{n}]")
                    target.append(f"j{n}")
                self.loops.append((f"j{n}", f"z{n}"))
            if together and n == fixed[-1]:
                self.loops += shared
        self.target = f"a[{', '.join(target)}]"

    @property
    def shape(self) -> str:
        return "(" + "".join(f"{size}, " for _, size in self.loops) + ")"

    @property
    def place(self) -> str:
        return ", ".join(counter for counter, _ in self.loops)

    def walk(self, statement: str) -> str:
        text, indent = "", "    "
        for counter, size in self.loops:
            text += f"{indent}for {counter} in range({size}):\n"
            indent += "    "
        return f"{text}{indent}{statement}\n"


def _places(a: Any, i: Any) -> _Places | None:
    if not isinstance(a, types.Array):
        return None
    one = not isinstance(i, types.BaseTuple)
    entries = (i,) if one else tuple(i.types)
    known = all(_is_places(t) or isinstance(t, types.Integer | types.SliceType) for t in entries)
    if not known or len(entries) > a.ndim or not any(map(_is_places, entries)):
        return None
    if not any(_rank(t) for t in entries if _is_places(t)):
        return None
    return _Places(a.ndim, entries, one)


def _getitem(a: Any, i: Any) -> Any:
    places = _places(a, i)
    if places is None:
        return None
    return written(
        "def impl(a, i):\n"
        + "\n".join(places.lines)
        + f"\n    out = np.empty({places.shape}, {dtype_text(a.dtype)})\n"
        + places.walk(f"out[{places.place}] = {places.target}")
        + "    return out"
    )


def _writing(a: Any, i: Any, v: Any, sign: str, names: str, last: str) -> Any:
    places = _places(a, i)
    if places is None or not isinstance(v, types.Array | types.Number | types.Boolean):
        return None
    lines = list(places.lines)
    if isinstance(v, types.Array):
        if v.ndim > len(places.loops):
            return None
        lines.append(f"    w = np.broadcast_to(v.copy(), {places.shape})")
        value = f"w[{places.place}]"
    else:
        value = "v"
    return written(
        f"def impl({names}):\n"
        + "".join(f"    {line}\n" for line in _renamed(names))
        + "\n".join(lines)
        + "\n"
        + places.walk(f"{places.target} {sign} {value}")
        + last
    )


def _renamed(names: str) -> list[str]:
    pairs = zip(names.split(", "), "aiv", strict=True)
    return [f"{mine} = {name}" for name, mine in pairs if name != mine]


def _setitem(a: Any, i: Any, v: Any) -> Any:
    return _writing(a, i, v, "=", "a, i, v", "")


def accumulated(buf: Any, i: Any, g: Any) -> Any:
    """How ``buf[i] += g`` is compiled where repeated indices add up; None where it is not."""
    return _writing(buf, i, g, "+=", "buf, i, g", "    return buf")


def _true_places(mask: Any, a: Any) -> Any:
    if not isinstance(mask, types.Array) or not isinstance(a, types.Array):
        return None
    differ = " or ".join(f"mask.shape[{n}] != a.shape[{n}]" for n in range(mask.ndim))
    axes = range(mask.ndim)
    at = ", ".join(f"i{n}" for n in axes)
    deep = "    " * (mask.ndim + 1)
    loops = [f"{'    ' * (n + 1)}for i{n} in range(mask.shape[{n}]):" for n in axes]
    return written(
        "\n".join(
            [
                "def impl(mask, a):",
                f"    if {differ}:",
                '        raise IndexError("boolean index did not match indexed array")',
                "    count = 0",
                *loops,
                f"{deep}count += mask[{at}]",
                *(f"    p{n} = np.empty(count, np.int64)" for n in axes),
                "    k = 0",
                *loops,
                f"{deep}if mask[{at}]:",
                *(f"{deep}    p{n}[k] = i{n}" for n in axes),
                f"{deep}    k += 1",
                f"    return ({', '.join(f'p{n}' for n in axes)})",
            ]
        )
    )


def install() -> None:
    """Tell Numba about several arrays of indices at once."""
    declare(
        {
            operator.getitem: _getitem,
            operator.setitem: _setitem,
            gather_helpers.true_places: _true_places,
        }
    )
