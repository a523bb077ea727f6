"""Local functions of random programs: lambdas, closures and functions that return one.

A float that a local function captures is not rebound afterwards; a captured array may be written.
"""

from __future__ import annotations

from .builder import FLOAT, Builder, Helper, Kind, least
from .functions import add, can_add, find, new_function
from .scalars import atom, condition, int_expr, squashed
from .statements import statement


def _capture(b: Builder) -> str:
    """A float name a local function may capture; it is not rebound afterwards."""
    var = b.pick("float")
    if var is None:
        return b.const()
    b.scope[var.name].captured = True
    return var.name


@statement("lambda", 3, 1.2)
def _lambda(b: Builder) -> bool:
    if b.loops or b.branches:
        return False
    name, e, s = b.fresh("g"), b.fresh("e"), _capture(b)
    body = b.one(f"math.sin({e}) * {s}", f"{e} * {s} + {b.small()}", f"{s} - {e} ** 2")
    b.emit(f"{name} = lambda {e}: {body}")
    b.bind(name, Kind("func", items=(FLOAT,)))
    return True


@statement("closure", 3, 1.2)
def _closure(b: Builder) -> bool:
    if b.loops or b.branches:
        return False
    name, e, s = b.fresh("g"), b.fresh("e"), _capture(b)
    vec = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if vec:
        b.scope[vec.name].captured = True
    b.emit(f"def {name}({e}):")
    if b.chance(0.5):
        b.emit(f"    if {e} > {b.const()}:")
        b.emit(f"        return {e} * {s}")
    tail = f"{vec.name}[{b.rng.randrange(least(vec.kind.shape[0]))}]" if vec else b.const()
    b.emit(f"    return math.sin({e} + {s}) * {tail}")
    b.bind(name, Kind("func", items=(FLOAT,)))
    return True


@statement("function returning a closure", 3, 2.0)
def _factory(b: Builder) -> bool:
    if b.loops or b.branches:
        return False
    helper = find(b, "make")
    if helper is None:
        if not can_add(b):
            return False
        s, e = b.fresh("s"), b.fresh("e")
        inner = new_function(b, [])
        if b.chance(0.5):
            inner.emit(f"return lambda {e}: math.sin({e}) * {s}")
        else:
            inner.emit(f"def inside({e}):")
            inner.emit(f"    return {e} * {s} + {s} * {s}")
            inner.emit("return inside")
        name = b.fresh("make")
        helper = add(b, inner, f"{name}({s})", Helper(name, (FLOAT,), None))
    name = b.fresh("g")
    b.emit(f"{name} = {helper.name}({squashed(b)})")
    b.bind(name, Kind("func", items=(FLOAT,)))
    return True


@statement("comprehension with call", 3, 2.5)
def _mapped(b: Builder) -> bool:
    fn = b.pick("func")
    if fn is None:
        return False
    name, e = b.fresh("s"), b.fresh("e")
    b.emit(
        f"{name} = sum([{fn.name}({b.small()} * ({e} + 1)) for {e} in range({int_expr(b)} % 3 + 1)])"
    )
    b.bind(name, FLOAT)
    return True


@statement("scaled by condition", 1, 0.5)
def _bool_value(b: Builder) -> bool:
    name, flag = b.fresh("s"), b.fresh("flag")
    b.emit(f"{flag} = {condition(b)}")
    b.emit(f"{name} = {squashed(b)} if {flag} else {atom(b)}")
    b.bind(name, FLOAT)
    b.tag("ternary")
    return True
