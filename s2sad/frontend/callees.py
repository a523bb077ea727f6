"""Functions that a derivative put in place of its call brings along.

In: the module of the derivative. Out: its entry, whose calls are of functions of this program's
module, under names that are free there.

    h_step, which is taken   ->   h_step_2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.mapping import Mapper
from ..ir.naming import unused
from ..ir.nodes import Call, Function, Module, Node, Region, walk
from .context import Lowerer

__all__ = ["adopt"]


def adopt(cx: Lowerer, module: Module, roots: Sequence[str]) -> list[Function]:
    """The functions ``roots`` of a module; what they call becomes part of this program."""
    nodes = (node for f in module.functions.values() for node in walk(f.body))
    called = {node.callee for node in nodes if isinstance(node, Call)}
    rules = [f.custom for f in module.functions.values() if f.custom is not None]
    called.update(name for custom in rules for name in custom.functions)
    others = {n: f for n, f in module.functions.items() if n in called and n not in roots}
    names: dict[str, str] = {}
    taken = {*cx.callees, *(spec.name for spec in cx.specs), *roots}
    for name in others:
        new = unused(name, taken)
        taken.add(new)
        names[name] = new
    for name, f in others.items():
        custom = f.custom
        if custom is not None:
            functions = tuple(names.get(n, n) for n in custom.functions)
            custom = replace(custom, functions=functions)
        body = _renamed(f.body, names)
        cx.callees[names[name]] = replace(f, name=names[name], body=body, custom=custom)
    found = [module.functions[root] for root in roots]
    return [replace(f, body=_renamed(f.body, names)) for f in found]


def _renamed(region: Region, names: dict[str, str]) -> Region:
    if not names:
        return region
    return _Renamer(names).region(region)


class _Renamer(Mapper):
    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.names = names

    def call(self, call: Call) -> Sequence[Node]:
        return (replace(call, callee=self.names.get(call.callee, call.callee)),)
