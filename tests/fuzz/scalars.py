"""Scalar, integer and boolean expressions of random programs.

``scalar(b)`` gives the source of a float expression over the names in ``b``'s scope, e.g.
``math.sin(s1) * x[2] + 0.4``.  All arguments of singular functions are shifted into their domain.
"""

from __future__ import annotations

from .arrays import vector, view_of
from .builder import Builder, Producer, choose, least, registrar

SCALARS: list[Producer] = []
CONDITIONS: list[Producer] = []
scalar_rule = registrar(SCALARS)
condition_rule = registrar(CONDITIONS)


def scalar(b: Builder, depth: int = 2) -> str:
    """Source of a float expression."""
    if depth <= 0 or b.chance(0.15):
        return atom(b)
    return str(choose(b, SCALARS, depth - 1) or atom(b))


def squashed(b: Builder, depth: int = 2) -> str:
    """A float expression with values of order one, safe to carry round a loop."""
    inner = scalar(b, depth)
    form = b.one("math.tanh({})", "math.sin({})", "np.sin({})", "np.tanh({})", "math.atan({})")
    return form.format(inner)


def atom(b: Builder) -> str:
    """A variable, an element or a literal."""
    if b.chance(0.12):
        return b.const()
    if b.level >= 2 and b.chance(0.4):
        element = _element(b)
        if element:
            return element
    var = b.pick("float")
    if var:
        return var.name
    return _element(b) or b.const()


def index(b: Builder, size: int) -> str:
    """An index valid for every length of at least ``size``."""
    ints = b.vars("int", lambda v: v.kind.lo >= -size and v.kind.hi < size)
    if ints and b.chance(0.6):
        return b.rng.choice(ints).name
    if b.maybe("negative index", 0.25):
        return str(-b.rng.randint(1, size))
    return str(b.rng.randrange(size))


def _element(b: Builder) -> str | None:
    var = b.pick("array", lambda v: len(v.kind.shape) <= 2)
    if var is None:
        return None
    b.tag("element read")
    where = ", ".join(index(b, least(d)) for d in var.kind.shape)
    return f"{var.name}[{where}]"


def int_expr(b: Builder) -> str:
    """A small int expression (between -9 and 9)."""
    var = b.pick("int")
    if var is None:
        return str(b.rng.randint(1, 3))
    b.tag("int arithmetic")
    k = b.rng.randint(2, 3)
    return b.one(
        var.name, f"({var.name} % {k})", f"({var.name} // {k})", f"({var.name} + 1)",
        f"({k} - {var.name})", f"(-{var.name} // {k})", f"(-{var.name} % {k + 1})",
    )  # fmt: skip


@scalar_rule("arithmetic", 1, 4.0)
def _arithmetic(b: Builder, depth: int) -> str:
    x, y = scalar(b, depth), scalar(b, depth)
    return b.one(f"({x} * {y})", f"({x} + {y})", f"({x} - {y})", f"({b.const()} * {x} + {y})")


@scalar_rule("division", 1, 1.0)
def _division(b: Builder, depth: int) -> str:
    x, y = scalar(b, depth), scalar(b, depth)
    return f"({x} / (1.5 + {y} ** 2))"


@scalar_rule("power", 1, 1.0)
def _power(b: Builder, depth: int) -> str:
    x = scalar(b, depth)
    if b.chance(0.3):
        return f"((1.2 + {x} * {x}) ** {b.one('0.5', '-0.5', '1.5', '-1', scalar(b, 0))})"
    return f"({x} ** {b.one('2', '3', '2.0')})"


@scalar_rule("unary minus and abs", 1, 0.8)
def _negated(b: Builder, depth: int) -> str:
    x = scalar(b, depth)
    return b.one(f"(-{x})", f"abs({x})", f"abs({x} - {b.const()})", f"(+{x})")


@scalar_rule("math function", 1, 2.5)
def _math(b: Builder, depth: int) -> str:
    x = scalar(b, depth)
    forms = ["math.sin({})", "math.cos({})", "math.tanh({})", "math.exp(-{} ** 2)"]
    forms += ["math.log(1.5 + {} ** 2)", "math.sqrt(1.1 + {} ** 2)", "math.atan({})"]
    forms += ["math.exp(0.3 * math.sin({}))", "math.hypot({}, 1.3)", "math.pow(1.3, {})"]
    if b.level >= 3:
        forms += ["math.erf({})", "math.log1p({} ** 2)", "math.sinh(0.4 * {})", "math.fabs({})"]
    return b.rng.choice(forms).format(x)


@scalar_rule("numpy function of scalar", 1, 1.2)
def _numpy(b: Builder, depth: int) -> str:
    x = scalar(b, depth)
    forms = ["np.sin({})", "np.cos({})", "np.tanh({})", "np.exp(-{} ** 2)", "np.square({})"]
    forms += ["np.log(1.5 + {} ** 2)", "np.sqrt(1.1 + {} ** 2)", "np.arctan({})", "np.abs({})"]
    return b.rng.choice(forms).format(x)


@scalar_rule("min and max of scalars", 1, 0.8)
def _extreme(b: Builder, depth: int) -> str:
    x, y = scalar(b, depth), scalar(b, 0)
    y = y if b.chance(0.5) else b.const()
    return b.one(
        f"max({x}, {y})", f"min({x}, {y})", f"np.maximum({x}, {y})", f"np.minimum({x}, {y})"
    )


@scalar_rule("ternary", 1, 0.8)
def _ternary(b: Builder, depth: int) -> str:
    return f"({scalar(b, depth)} if {condition(b)} else {scalar(b, 0)})"


@scalar_rule("int in float expression", 1, 0.8)
def _mixed(b: Builder, depth: int) -> str | None:
    if not b.vars("int"):
        return None
    x = scalar(b, depth)
    return b.one(
        f"({x} * {int_expr(b)})", f"({x} + 0.2 * {int_expr(b)})", f"({int_expr(b)} - {x})"
    )


@scalar_rule("sum and mean", 2, 2.0)
def _reduction(b: Builder, depth: int) -> str | None:
    var = b.pick("array")
    if var is None:
        return None
    x = var.name
    return b.one(
        f"np.sum({x})", f"{x}.sum()", f"np.mean({x})", f"{x}.mean()", f"np.sum({x} ** 2)",
        f"np.sum(np.sin({x}))", f"np.mean({x} * {x})", f"np.sum({x} * {scalar(b, 0)})",
    )  # fmt: skip


@scalar_rule("max of array", 2, 0.9)
def _array_max(b: Builder, depth: int) -> str | None:
    var = b.pick("array")
    if var is None:
        return None
    return b.one(f"np.max({var.name})", f"{var.name}.max()", f"np.min({var.name})")


@scalar_rule("prod of array", 2, 0.9)
def _array_prod(b: Builder, depth: int) -> str | None:
    var = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if var is None:
        return None
    return b.one(f"np.prod(1.2 + 0.3 * {var.name})", f"({var.name} + 0.9).prod()")


@scalar_rule("dot product", 2, 1.2)
def _dot(b: Builder, depth: int) -> str | None:
    var = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if var is None:
        return None
    other = vector(b, var.kind.shape, 1)
    return b.one(
        f"np.dot({var.name}, {other})", f"({var.name} @ {other})", f"{var.name}.dot({other})"
    )


@scalar_rule("reduction of a view", 2, 0.9)
def _view_sum(b: Builder, depth: int) -> str | None:
    var = b.pick("array")
    made = view_of(b, var) if var else None
    return f"np.sum({made[0]})" if made else None


@scalar_rule("list read", 3, 1.2)
def _list_read(b: Builder, depth: int) -> str | None:
    var = b.pick("list", lambda v: v.kind.lo > 0)
    if var is None:
        return None
    item = f"{var.name}[{index(b, var.kind.lo)}]"
    if var.kind.items[0].tag == "array":
        return f"np.sum({item})"
    return b.one(item, item, f"sum({var.name})", f"max({var.name})", f"({item} * len({var.name}))")


@scalar_rule("dict read", 3, 1.2)
def _dict_read(b: Builder, depth: int) -> str | None:
    return _container_read(b, "dict")


@scalar_rule("tuple read", 3, 1.2)
def _tuple_read(b: Builder, depth: int) -> str | None:
    return _container_read(b, "tuple")


def _container_read(b: Builder, tag: str) -> str | None:
    var = b.pick(tag)
    if var is None:
        return None
    i = b.rng.randrange(len(var.kind.items))
    item = f"{var.name}[{var.kind.keys[i]!r}]" if tag == "dict" else f"{var.name}[{i}]"
    if var.kind.items[i].tag == "array":
        return b.one(f"np.sum({item})", f"np.sum({item} ** 2)", f"{item}.mean()")
    return item


@scalar_rule("sum of generator", 3, 0.6)
def _generator(b: Builder, depth: int) -> str | None:
    var = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if var is None:
        return None
    e, other = b.fresh("e"), scalar(b, 0)
    return b.one(
        f"sum({e} * {other} for {e} in {var.name})",
        f"sum(math.sin({e}) for {e} in {var.name} if {e} > {b.const()})",
        f"max({e} * {other} for {e} in {var.name})",
    )


@scalar_rule("call of local function", 3, 1.5)
def _call_local(b: Builder, depth: int) -> str | None:
    var = b.pick("func")
    if var is None:
        return None
    return f"{var.name}({', '.join(scalar(b, depth) for _ in var.kind.items)})"


@scalar_rule("global constant", 3, 0.6)
def _global(b: Builder, depth: int) -> str:
    x = scalar(b, depth)
    return b.one(f"(SCALE * {x})", f"({x} + TABLE[{b.rng.randrange(3)}])", f"(SCALE - {x})")


def condition(b: Builder) -> str:
    """Source of a condition, usually on values that are differentiated."""
    return str(choose(b, CONDITIONS) or f"{atom(b)} > {b.const()}")


def tested(b: Builder, depth: int) -> str:
    """A float expression with a name in it: a test of literals shows nothing."""
    for _ in range(6):
        text = scalar(b, depth)
        if any(name in text for name in b.scope):
            return text
    return text


def threshold(b: Builder) -> str:
    """A literal near which a value of order one often falls."""
    return b.const(-0.6, 0.9)


@condition_rule("comparison", 1, 4.0)
def _comparison(b: Builder) -> str:
    return f"{tested(b, 1)} {b.one('>', '<', '>=', '<=')} {b.one(threshold(b), atom(b))}"


@condition_rule("chained comparison", 1, 1.0)
def _chained(b: Builder) -> str:
    return f"{b.const(-1.4, -0.1)} < {tested(b, 1)} {b.one('<', '<=')} {b.const(0.1, 1.4)}"


@condition_rule("and, or, not", 1, 1.0)
def _logic(b: Builder) -> str:
    x, y = f"{tested(b, 0)} > {threshold(b)}", f"{tested(b, 0)} < {threshold(b)}"
    return b.one(f"({x} and {y})", f"({x} or {y})", f"not ({x})", f"(not ({x}) or {y})")


@condition_rule("int condition", 1, 1.0)
def _int_condition(b: Builder) -> str | None:
    var = b.pick("int")
    if var is None:
        return None
    k = b.rng.randint(2, 3)
    return b.one(f"{var.name} % {k} == 0", f"{var.name} != {k}", f"{var.name} % 2")


@condition_rule("flag", 1, 0.8)
def _flag(b: Builder) -> str | None:
    var = b.pick("bool")
    return b.one(var.name, f"not {var.name}") if var else None


@condition_rule("any and all", 2, 0.8)
def _any(b: Builder) -> str | None:
    var = b.pick("array")
    if var is None:
        return None
    mask = f"{var.name} > {threshold(b)}"
    return b.one(f"np.any({mask})", f"({mask}).all()", f"np.all({mask})")


@condition_rule("isinstance and is", 3, 0.5)
def _isinstance(b: Builder) -> str | None:
    var = b.pick("array")
    if var is None:
        return None
    return b.one(f"isinstance({var.name}, np.ndarray)", f"{var.name} is not None")


@condition_rule("membership", 3, 0.4)
def _membership(b: Builder) -> str | None:
    var = b.pick("int")
    return f"{var.name} in (1, 2, 5)" if var else None
