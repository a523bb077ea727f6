"""Sharing: code compiled for one function object serves another made from the same ``def``.

In: a function and what was compiled for it. Out: the same for its twin, with the twin's closure
cells and defaults in place of the first one's. So a loop that writes

    grad(lambda w: loss(w, batch))(w)

compiles its lambda once, although each round makes another one. What is kept refers to no cell,
so it keeps no data alive.
"""

from __future__ import annotations

import dataclasses
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from .controls import custom_rule
from .dispatch import Specialization, Values
from .frontend.refs import Fetch
from .guards import Guard

__all__ = ["Shared"]

_KEPT = 256
_TWINS = 8


class Shared:
    """Compiled code by code object; what was used least recently goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The code object is part of the entry, so that its id is not used again.
        self._kept: OrderedDict[Hashable, tuple[Any, list[Specialization]]] = OrderedDict()

    def find(
        self, function: types.FunctionType, key: Hashable, values: Values
    ) -> Specialization | None:
        """Code compiled for a twin of ``function`` that fits these values."""
        entry = self._kept.get(_identity(function, key))
        for template in tuple(entry[1]) if entry is not None else ():
            own = _map_fetches(template, lambda fetch: _filled(fetch, function))
            if own.fits(values):
                return own
        return None

    def add(self, function: types.FunctionType, key: Hashable, one: Specialization) -> None:
        """Keep what was compiled for ``function``."""
        template = _map_fetches(one, lambda fetch: _emptied(fetch, function))
        at = _identity(function, key)
        with self._lock:
            _, twins = self._kept.setdefault(at, (function.__code__, []))
            twins.insert(0, template)
            del twins[_TWINS:]
            self._kept.move_to_end(at)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _identity(function: types.FunctionType, key: Hashable) -> Hashable:
    return id(function.__code__), id(function.__globals__), custom_rule(function), key


def _map_fetches(one: Specialization, change: Callable[[Fetch], Fetch]) -> Specialization:
    # A capture and its guard hold the same fetch; they must go on to do so.
    known: dict[int, Fetch] = {}

    def changed(fetch: Fetch) -> Fetch:
        return known.setdefault(id(fetch), change(fetch))

    guards: list[Guard] = [
        dataclasses.replace(guard, fetch=changed(guard.fetch)) for guard in one.guards
    ]
    captures = tuple(map(changed, one.captures))
    return dataclasses.replace(one, captures=captures, guards=tuple(guards))


def _emptied(fetch: Fetch, function: types.FunctionType) -> Fetch:
    """The fetch with its cell replaced by the cell's number."""
    if fetch.form == "cell":
        for number, cell in enumerate(function.__closure__ or ()):
            if cell is fetch.base:
                return dataclasses.replace(fetch, form="cell number", base=number)
    elif fetch.form == "default" and fetch.base is function:
        return dataclasses.replace(fetch, form="own default", base=None)
    return fetch


def _filled(fetch: Fetch, function: types.FunctionType) -> Fetch:
    """The other way round, for a twin."""
    if fetch.form == "cell number":
        cell = (function.__closure__ or ())[fetch.base]
        return dataclasses.replace(fetch, form="cell", base=cell, base_id=id(cell))
    if fetch.form == "own default":
        return dataclasses.replace(fetch, form="default", base=function, base_id=id(function))
    return fetch
