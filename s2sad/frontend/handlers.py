"""The table of handlers: which function lowers the calls of an object.

In: a callable of the program. Out: its handler, entered where it is defined, or None.

    @handles(builtins.len)      handler(len) is _len
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from .context import Lowerer
from .refs import Ref, Static

Handler: TypeAlias = Callable[[Lowerer, list[Ref], dict[str, Ref]], Ref]
handlers: dict[Any, Handler] = {}


def handles(*objects: Any) -> Callable[[Handler], Handler]:
    def enter(h: Handler) -> Handler:
        for obj in objects:
            handlers[obj] = h
        return h

    return enter


def handler(obj: Any) -> Handler | None:
    """The function that lowers calls of ``obj``, if there is one."""
    try:
        return handlers.get(obj)
    except TypeError:
        return None


def lazy(cx: Lowerer, func: Ref, node: ast.Call) -> Ref | None:
    """Calls whose arguments must not be evaluated as usual."""
    if isinstance(func, Static) and func.obj is zip and len(node.args) == 1 and not node.keywords:
        (arg,) = node.args
        if isinstance(arg, ast.Starred):
            from .spreading import unzipped

            return unzipped(cx, arg)
    return None
