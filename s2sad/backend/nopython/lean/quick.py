"""What Numba looks up many times over while it compiles, in less time.

In: Numba's own functions, which go through each statement a dozen times. Out: the same answers,
while a function of ours is compiled and Numba's lock is held::

    the variables of  z = x + y   ->   [z, x, y], by the classes of z, x and y alone
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import ir, transforms
from numba.core.postproc import PostProcessor, VariableLifetime
from numba.core.targetconfig import TargetConfig

__all__ = ["quick"]

#: Classes of what is no variable and has none.
_PLAIN: set[type] = set()
_HOLDS = (ir.Var, ir.Inst, list, tuple, dict)


def _add_variables(value: Any, found: list[Any]) -> None:
    """The variables of part of a statement, in their order, added to those found before."""
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is ir.Var:
        found.append(value)
    elif kind is ir.Expr:
        _add_variables(value._kws, found)
    elif kind is dict:
        for part in value.values():
            _add_variables(part, found)
    elif kind is list or kind is tuple:
        for part in value:
            _add_variables(part, found)
    elif isinstance(value, _HOLDS):
        found += _usual_variables(value, value)
    else:
        _PLAIN.add(kind)


def _variables(_: Any, value: Any) -> list[Any]:
    """`Inst._rec_list_vars`: the variables of part of a statement."""
    found: list[Any] = []
    _add_variables(value, found)
    return found


def _after_pass(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    """`PostProcessor.run`, without what lives where each block begins, which generators ask."""
    if self.func_ir.is_generator:
        _usual_after_pass(self, emit_dels, extend_lifetimes)
        return
    self.func_ir.blocks = transforms.canonicalize_cfg(self.func_ir.blocks)
    self.func_ir.variable_lifetime = VariableLifetime(self.func_ir.blocks)
    self.func_ir.generator_info = None
    if emit_dels:
        self._insert_var_dels(extend_lifetimes=extend_lifetimes)


def _options(self: Any) -> dict[str, Any]:
    """`TargetConfig.values`: all options, of which Numba asks whether they are others' again."""
    kind = type(self)
    if kind not in _DEFAULTS:
        _DEFAULTS[kind] = {name: option.default for name, option in kind.options.items()}
    return {**_DEFAULTS[kind], **self._values}


#: What options are that nobody has set.
_DEFAULTS: dict[type, dict[str, Any]] = {}
_usual_variables = ir.Inst._rec_list_vars
_usual_after_pass = PostProcessor.run
_QUICK = (
    (ir.Inst, "_rec_list_vars", _variables),
    (PostProcessor, "run", _after_pass),
    (TargetConfig, "values", _options),
)


@contextmanager
def quick() -> Iterator[None]:
    """Numba with these functions, within."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in _QUICK]
    for owner, name, function in _QUICK:
        setattr(owner, name, function)
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
