"""Derivative objects kept by function, for what is called anew each time: ``jvp(f, …)``.

In: a function, the name of a derivative, and how to make it. Out: the object made the first time,
which has compiled code by now; what was used least recently goes first::

    kept(f, "jvp", lambda: Jvp(f))   ->   the same object for the same ``f``
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

__all__ = ["kept"]

_KEPT = 256
_objects: OrderedDict[Any, Any] = OrderedDict()
_lock = threading.Lock()


def kept(f: Callable[..., Any], name: str, make: Callable[[], Any]) -> Any:
    """The derivative object of that name; the same function has the same one."""
    try:
        with _lock:
            key = (name, f)
            found = _objects.get(key)
            if found is None:
                found = _objects[key] = make()
            _objects.move_to_end(key)
            if len(_objects) > _KEPT:
                _objects.popitem(last=False)
            return found
    except TypeError:
        try:
            hash(f)
        except TypeError:  # a callable object that can't be hashed: compiled every time
            return make()
        raise
