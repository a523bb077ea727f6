"""Helper functions and recursion in random programs; local functions are in ``closures``.

Helpers are module-level functions with a typed signature; a program reuses them.  What a caller has
to know (does it write its argument, does its result view it) stands in ``Helper``.
"""

from __future__ import annotations

from .arrays import fresh_vector, some_shape, vector, views
from .builder import FLOAT, Builder, Helper, Kind, N, array, integer, least, registrar
from .scalars import SCALARS, atom, scalar, squashed
from .statements import block, statement

scalar_rule = registrar(SCALARS)


def new_function(b: Builder, params: list[tuple[str, Kind]]) -> Builder:
    """A builder for a module-level function's body, its parameters in scope."""
    inner = Builder(b.rng, b.level, parent=b)
    inner.budget = 3
    for name, kind in params:
        inner.used = {name}
        inner.bind(name, kind)
    inner.used = set()
    inner.ret = lambda body: squashed(body, 1)
    return inner


def add(b: Builder, inner: Builder, signature: str, helper: Helper) -> Helper:
    """Write the function to the module and make the helper known."""
    b.module.append(f"def {signature}:\n" + "\n".join(inner.lines))
    b.helpers.append(helper)
    return helper


def find(b: Builder, prefix: str) -> Helper | None:
    """An existing helper of this sort, always if no new one may be written."""
    found = [h for h in b.helpers if h.name.startswith(prefix)]
    full = b.depth >= 2 or len(b.helpers) >= 3
    return b.rng.choice(found) if found and (full or b.chance(0.6)) else None


def can_add(b: Builder) -> bool:
    """Whether the program has room for another helper."""
    return b.depth < 2 and len(b.helpers) < 7


# -- scalar helpers ------------------------------------------------------------------------


@scalar_rule("helper call", 2, 1.2)
def _scalar_helper(b: Builder, depth: int) -> str | None:
    helper = find(b, "mix")
    if helper is None:
        if not can_add(b):
            return None
        x, y = b.fresh("u"), b.fresh("v")
        inner = new_function(b, [(x, FLOAT), (y, FLOAT)])
        block(inner, b.rng.randint(0, 2))
        inner.emit(f"return {inner.one('math.sin', 'math.tanh', 'np.tanh')}({x} * {scalar(inner, 1)})"
                   f" + 0.5 * {y}")  # fmt: skip
        name = b.fresh("mix")
        helper = add(b, inner, f"{name}({x}, {y})", Helper(name, (FLOAT, FLOAT), FLOAT))
    return f"{helper.name}({scalar(b, depth)}, {scalar(b, 0)})"


@scalar_rule("helper with default and keyword", 3, 0.9)
def _default_helper(b: Builder, depth: int) -> str | None:
    helper = find(b, "scale")
    if helper is None:
        if not can_add(b):
            return None
        x, y = b.fresh("u"), b.fresh("v")
        inner = new_function(b, [(x, FLOAT)])
        inner.emit(f"return {inner.one('math.sin', 'math.tanh')}({x}) * gain + shift")
        name = b.fresh("scale")
        signature = f"{name}({x}, gain=0.7, *, shift=0.1)"
        helper = add(b, inner, signature, Helper(name, (FLOAT,), FLOAT))
    x, y = scalar(b, depth), scalar(b, 0)
    return b.one(
        f"{helper.name}({x})", f"{helper.name}({x}, {y})", f"{helper.name}({x}, shift={y})",
        f"{helper.name}({x}, shift={b.small()}, gain={y})",
    )  # fmt: skip


@scalar_rule("helper with starred arguments", 3, 0.8)
def _star_helper(b: Builder, depth: int) -> str | None:
    helper = find(b, "total")
    if helper is None:
        if not can_add(b):
            return None
        inner = new_function(b, [])
        inner.emit("s = 0.0")
        inner.emit("for value in values:")
        inner.emit(f"    s += {inner.one('math.sin(value)', 'value * value', '0.5 * value')}")
        inner.emit("return s")
        name = b.fresh("total")
        helper = add(b, inner, f"{name}(*values)", Helper(name, (), FLOAT))
    items = ", ".join(scalar(b, depth) for _ in range(b.rng.randint(1, 3)))
    pair = b.pick("tuple", lambda v: all(k == FLOAT for k in v.kind.items))
    return f"{helper.name}(*{pair.name})" if pair and b.chance(0.4) else f"{helper.name}({items})"


@scalar_rule("helper of array", 2, 1.0)
def _array_helper(b: Builder, depth: int) -> str | None:
    var = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if var is None:
        return None
    helper = find(b, "fold")
    if helper is None:
        if not can_add(b):
            return None
        a, s, e = b.fresh("a"), b.fresh("s"), b.fresh("e")
        inner = new_function(b, [(a, array(N)), (s, FLOAT)])
        inner.dim = f"len({a})"
        inner.emit(f"for {e} in {a}:")
        inner.emit(f"    if {e} > {b.const()}:")
        inner.emit(f"        {inner.one('continue', f'{s} *= 0.8', f'return {s} * {e}')}")
        inner.emit(f"    {s} = 0.8 * {s} + 0.5 * math.sin({e} * {s})")
        inner.emit(f"return {s}")
        name = b.fresh("fold")
        helper = add(b, inner, f"{name}({a}, {s})", Helper(name, (array(N), FLOAT), FLOAT))
    return f"{helper.name}({vector(b, var.kind.shape, 0)}, {scalar(b, 0)})"


@scalar_rule("recursion", 3, 1.0)
def _recursion(b: Builder, depth: int) -> str | None:
    helper = find(b, "rec")
    if helper is None:
        if not can_add(b):
            return None
        x, k, name = b.fresh("u"), b.fresh("k"), b.fresh("rec")
        inner = new_function(b, [(x, FLOAT)])
        inner.emit(f"if {k} <= 0{inner.one('', f' or {x} > 1.3')}:")
        inner.emit(f"    return {inner.one(x, f'math.sin({x})', f'{x} * {x}')}")
        step = inner.one(f"math.sin({x})", f"0.7 * {x}", f"{x} * math.cos({x})")
        inner.emit(inner.one(f"return {x} + 0.5 * {name}({step}, {k} - 1)",
                             f"return math.tanh({name}({step}, {k} - 1) * {x} + {b.small()})",
                             f"return {name}({step}, {k} - 1) + 0.2 * {name}({x}, {k} - 2)"))  # fmt: skip
        helper = add(b, inner, f"{name}({x}, {k})", Helper(name, (FLOAT, integer(0, 3)), FLOAT))
    known = b.vars("int", lambda v: v.kind.hi <= 4)
    count = b.rng.choice(known).name if known and b.chance(0.5) else str(b.rng.randint(1, 3))
    return f"{helper.name}({scalar(b, depth)}, {count})"


@scalar_rule("recursion over an array", 3, 0.8)
def _array_recursion(b: Builder, depth: int) -> str | None:
    var = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if var is None:
        return None
    helper = find(b, "walk")
    if helper is None:
        if not can_add(b):
            return None
        a, name = b.fresh("a"), b.fresh("walk")
        inner = new_function(b, [(a, array(N))])
        inner.emit(f"if len({a}) == 1:")
        inner.emit(f"    return {a}[0]")
        inner.emit(f"return {a}[0] * {b.small()} + math.sin({name}({a}[1:]))")
        helper = add(b, inner, f"{name}({a})", Helper(name, (array(N),), FLOAT))
    return f"{helper.name}({vector(b, var.kind.shape, 0)})"


@scalar_rule("mutual recursion", 3, 0.8)
def _mutual(b: Builder, depth: int) -> str | None:
    helper = find(b, "even")
    if helper is None:
        if not can_add(b):
            return None
        x, even, odd = b.fresh("u"), b.fresh("even"), b.fresh("odd")
        first, second = new_function(b, [(x, FLOAT)]), new_function(b, [(x, FLOAT)])
        first.emit("if k == 0:")
        first.emit(f"    return {x}")
        first.emit(f"return math.sin({odd}({x} * {b.small()}, k - 1)) + {x}")
        second.emit("if k == 0:")
        second.emit(f"    return {x} * {x}")
        second.emit(f"return {even}({x} + {b.small()}, k - 1) * {b.small()}")
        helper = add(b, first, f"{even}({x}, k)", Helper(even, (FLOAT,), FLOAT))
        add(b, second, f"{odd}({x}, k)", Helper(odd, (FLOAT,), FLOAT))
    return f"{helper.name}({scalar(b, depth)}, {b.rng.randint(1, 3)})"


@scalar_rule("callable argument", 3, 0.9)
def _callable(b: Builder, depth: int) -> str | None:
    helper = find(b, "twice")
    if helper is None:
        if not can_add(b):
            return None
        x, g = b.fresh("u"), b.fresh("g")
        inner = new_function(b, [(x, FLOAT)])
        inner.emit(
            f"return {inner.one(f'{g}({g}({x}))', f'{g}({x}) * {x}', f'{g}({x}) + {g}(-{x})')}"
        )
        name = b.fresh("twice")
        helper = add(b, inner, f"{name}({g}, {x})", Helper(name, (FLOAT,), FLOAT))
    local = b.pick("func", lambda v: len(v.kind.items) == 1)
    e = b.fresh("e")
    fn = local.name if local and b.chance(0.6) else b.one(
        "math.sin", "np.tanh", f"lambda {e}: {e} * {atom(b)}")  # fmt: skip
    return f"{helper.name}({fn}, {scalar(b, depth)})"


# -- helpers as statements -----------------------------------------------------------------


@statement("mutating helper", 2, 1.2)
def _mutating(b: Builder) -> bool:
    var = b.pick_writable(1)
    if var is None or least(var.kind.shape[0]) < 2:
        return False
    helper = find(b, "nudge")
    if helper is None:
        if not can_add(b):
            return False
        a, s = b.fresh("a"), b.fresh("s")
        inner = new_function(b, [(a, array((0, 2))), (s, FLOAT)])
        inner.emit(inner.one(f"{a}[0] = math.tanh({s})", f"{a}[1:] *= 0.5 + 0.3 * {s}",
                             f"{a} += 0.2 * {s}", f"{a}[-1] += {s} * {a}[0]"))  # fmt: skip
        block(inner, b.rng.randint(0, 1))
        returns = inner.one("", f"return np.sum({a})", f"return {a}[1] * {s}")
        if returns:
            inner.emit(returns)
        else:
            inner.ret = None
        if not returns and any("return" in line for line in inner.lines):
            inner.emit("return 0.5")
            returns = "return"
        name = b.fresh("nudge")
        result = FLOAT if returns else None
        kinds = (array((0, 2)), FLOAT)
        helper = add(b, inner, f"{name}({a}, {s})", Helper(name, kinds, result, mutates=True))
    made = [t for t, shape in views(b, var) if len(shape) == 1 and "(" not in t]
    target = (
        b.rng.choice(made)
        if made and b.chance(0.25) and least(var.kind.shape[0]) > 3
        else var.name
    )
    call = f"{helper.name}({target}, {squashed(b)})"
    if helper.result and b.chance(0.7):
        name = b.fresh("s")
        b.emit(f"{name} = {call}")
        b.bind(name, FLOAT)
    else:
        b.emit(call)
    b.wrote(var)
    return True


@statement("helper returning a view", 2, 1.6)
def _view_helper(b: Builder) -> bool:
    var = b.pick("array", lambda v: len(v.kind.shape) == 1 and least(v.kind.shape[0]) >= 3)
    if var is None:
        return False
    helper = find(b, "part")
    if helper is None:
        if not can_add(b):
            return False
        a, name = b.fresh("a"), b.fresh("part")
        inner = new_function(b, [])
        text = inner.one(f"{a}[1:]", f"{a}[:-1]")
        if b.chance(0.5):
            inner.emit(f"inside = {text}")
            text = "inside"
        inner.emit(f"return {text}")
        helper = add(
            b, inner, f"{name}({a})", Helper(name, (array(N),), array((1, -1)), view=True)
        )
    name, (c, o) = b.fresh("view"), var.kind.shape[0]
    b.emit(f"{name} = {helper.name}({var.name})")
    view = b.bind(name, array((c, o - 1)), var.root)
    if var.root not in b.frozen and b.chance(0.5):
        b.emit(b.one(f"{name}[0] = {squashed(b)}", f"{name} *= {squashed(b)}"))
        b.wrote(view)
        b.tag("write through view")
    return True


@statement("helper returning an array", 2, 1.0)
def _array_result(b: Builder) -> bool:
    shape = some_shape(b)
    helper = find(b, "warp")
    if helper is None:
        if not can_add(b):
            return False
        a, s = b.fresh("a"), b.fresh("s")
        inner = new_function(b, [(a, array(*shape)), (s, FLOAT)])
        text = inner.one(
            f"np.sin({a} * {s})", f"np.where({a} > 0.2, {a} * {s}, -{a})", f"{a} + {s}"
        )
        if b.chance(0.5):
            inner.emit(f"y = {text}")
            inner.emit(inner.one(f"y *= {s}", "y[0] *= 0.5", f"y -= 0.3 * {a}"))
            text = "y"
        inner.emit(f"return {text}")
        name = b.fresh("warp")
        helper = add(b, inner, f"{name}({a}, {s})", Helper(name, (array(), FLOAT), array()))
    name = b.fresh("a")
    b.emit(f"{name} = {helper.name}({fresh_vector(b, shape, 1)}, {squashed(b)})")
    b.bind(name, array(*shape))
    return True


@statement("helper returning a tuple", 3, 1.0)
def _tuple_result(b: Builder) -> bool:
    helper = find(b, "both")
    if helper is None:
        if not can_add(b):
            return False
        x = b.fresh("u")
        inner = new_function(b, [(x, FLOAT)])
        block(inner, 1 if b.chance(0.3) else 0)
        if any("return" in line for line in inner.lines):
            inner.lines.clear()
            inner.scope = {x: inner.scope[x]}
        inner.emit(f"return {squashed(inner, 1)}, {x} * {inner.small()}")
        name = b.fresh("both")
        helper = add(b, inner, f"{name}({x})", Helper(name, (FLOAT,), None))
    p, q = b.fresh("p"), b.fresh("q")
    b.emit(f"{p}, {q} = {helper.name}({scalar(b, 1)})")
    b.bind(p, FLOAT)
    b.bind(q, FLOAT)
    return True


@statement("helper with list or dict argument", 3, 2.5)
def _container_helper(b: Builder) -> bool:
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.local)
    if var is None:
        return False
    helper = find(b, "grow")
    if helper is None:
        if not can_add(b):
            return False
        xs, s, name = b.fresh("xs"), b.fresh("s"), b.fresh("grow")
        inner = new_function(b, [(s, FLOAT)])
        inner.emit(f"{xs}.append(math.tanh({s}) + {inner.small()})")
        inner.emit(f"return {xs}[0] * {s}")
        helper = add(b, inner, f"{name}({xs}, {s})", Helper(name, (), FLOAT, mutates=True))
    name = b.fresh("s")
    b.emit(f"{name} = {helper.name}({var.name}, {squashed(b)})")
    b.wrote(var)
    b.bind(name, FLOAT)
    b.tag("append")
    return True
