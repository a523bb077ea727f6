"""Array expressions of random programs.

``vector(b, shape)`` gives the source of an array expression of exactly that shape, e.g.
``np.where(x > 0.2, w[1:], 0.5 * y[:-1])``; ``view_of`` the source of a view of a variable.
"""

from __future__ import annotations

from .builder import Builder, Dim, N, Producer, Var, choose, least, registrar

ARRAYS: list[Producer] = []
array_rule = registrar(ARRAYS)

Shape = tuple[Dim, ...]


def vector(b: Builder, shape: Shape, depth: int = 2) -> str:
    """Source of an array expression of the given shape."""
    if depth <= 0:
        return array_atom(b, shape)
    return str(choose(b, ARRAYS, shape, depth - 1) or array_atom(b, shape))


def fresh_vector(b: Builder, shape: Shape, depth: int = 2) -> str:
    """Source of an array expression whose result shares no memory with any name."""
    return f"({vector(b, shape, depth)} * {b.const()})" if b.chance(0.5) else (
        f"({vector(b, shape, depth)} + {_scalar(b, 1)})"
    )  # fmt: skip


def _scalar(b: Builder, depth: int) -> str:
    from .scalars import scalar

    return scalar(b, depth)


def array_atom(b: Builder, shape: Shape) -> str:
    """A variable of that shape, a view of one, or a constant array."""
    exact = b.pick("array", lambda v: v.kind.shape == shape)
    views = [] if exact and b.chance(0.7) else _views_with(b, shape)
    if views:
        text, var = b.rng.choice(views)
        b.used |= var.deps
        b.tag("view in expression")
        return text
    return exact.name if exact else constant(b, shape)


def constant(b: Builder, shape: Shape) -> str:
    """An array of constants; scaled by a scalar in scope so that it rarely is inactive."""
    lengths = [b.length(d) for d in shape]
    if None in lengths:
        found = [v for v in b.vars("array") if v.kind.shape == shape]
        if not found:
            return _scalar(b, 0)  # broadcasts
        return b.rng.choice(found).name
    if len(shape) == 1 and shape[0][0] == 0 and shape[0][1] <= 3:
        return f"np.array([{', '.join(_scalar(b, 1) for _ in range(shape[0][1]))}])"
    if len(shape) == 1:
        b.tag("arange")
        return f"(np.arange({lengths[0]}) * {b.small()} * {_scalar(b, 0)})"
    b.tag("ones and zeros")
    return f"(np.ones(({', '.join(map(str, lengths))})) * {_scalar(b, 0)})"


def views(b: Builder, var: Var) -> list[tuple[str, Shape]]:
    """Every kind of view of ``var`` that random programs use, with its shape."""
    x, shape = var.name, var.kind.shape
    found: list[tuple[str, Shape]] = []
    c, o = shape[0]
    if least(shape[0]) >= 3:
        rest = shape[1:]
        found += [(f"{x}[1:]", ((c, o - 1), *rest)), (f"{x}[:-1]", ((c, o - 1), *rest))]
        if not rest:
            found += [(f"{x}[1:-1]", ((c, o - 2),)), (f"{x}[:2]", ((0, 2),))]
            found += [(f"{x}[-2:]", ((0, 2),)), (f"{x}[::-1]", shape)]
    if len(shape) == 2:
        i, j = (b.rng.randrange(least(d)) for d in shape)
        found += [(f"{x}[{i}]", shape[1:]), (f"{x}[:, {j}]", shape[:1]), (f"{x}.T", shape[::-1])]
        found += [(f"{x}[{-1 - i}, :]", shape[1:])]
        if least(shape[1]) >= 3:
            k, p = shape[1]
            found.append((f"{x}[:, 1:]", (shape[0], (k, p - 1))))
        if shape[0][0] * shape[1][0] == 0:
            size = _product(shape[0], shape[1])
            found += [(f"{x}.ravel()", (size,)), (f"{x}.reshape(-1)", (size,))]
    return found


def _product(p: Dim, q: Dim) -> Dim:
    p, q = (p, q) if q[0] == 0 else (q, p)
    return (p[0] * q[1], p[1] * q[1])


def view_of(b: Builder, var: Var) -> tuple[str, Shape] | None:
    """A random view of ``var``."""
    found = views(b, var)
    return b.rng.choice(found) if found else None


def _views_with(b: Builder, shape: Shape) -> list[tuple[str, Var]]:
    return [(text, v) for v in b.vars("array") for text, s in views(b, v) if s == shape]


@array_rule("array arithmetic", 2, 3.0)
def _binary(b: Builder, shape: Shape, depth: int) -> str:
    x, y = array_atom(b, shape), vector(b, shape, depth)
    return b.one(f"({x} * {y})", f"({x} + {y})", f"({x} - {y})", f"({x} / (1.4 + {y} ** 2))")


@array_rule("array with scalar", 2, 2.0)
def _with_scalar(b: Builder, shape: Shape, depth: int) -> str:
    x, s = vector(b, shape, depth), _scalar(b, 1)
    return b.one(f"({s} * {x})", f"({x} + {s})", f"({s} - {x})", f"({x} / (1.3 + abs({s})))")


@array_rule("elementwise function", 2, 2.5)
def _unary(b: Builder, shape: Shape, depth: int) -> str:
    x = vector(b, shape, depth)
    forms = ["np.sin({})", "np.cos({})", "np.tanh({})", "np.exp(-{} ** 2)", "np.square({})"]
    forms += ["np.log(1.5 + {} ** 2)", "np.sqrt(1.1 + {} ** 2)", "np.arctan({})", "(-{})"]
    forms += ["np.abs({})", "({} ** 2)", "({} ** 3)"]
    return b.rng.choice(forms).format(x)


@array_rule("maximum and minimum", 2, 0.9)
def _extreme(b: Builder, shape: Shape, depth: int) -> str:
    x = vector(b, shape, depth)
    y = b.const() if b.chance(0.5) else array_atom(b, shape)
    return b.one(f"np.maximum({x}, {y})", f"np.minimum({x}, {y})")


@array_rule("arange", 2, 0.8)
def _arange(b: Builder, shape: Shape, depth: int) -> str | None:
    size = b.length(shape[0]) if len(shape) == 1 else None
    if size is None:
        return None
    x = array_atom(b, shape)
    return b.one(
        f"(0.3 * np.arange({size}) * {x})", f"({x} + {b.small()} * np.arange({size}))",
        f"({x} - 0.2 * np.arange(1.0, {size} + 1))",
    )  # fmt: skip


@array_rule("where", 2, 1.0)
def _where(b: Builder, shape: Shape, depth: int) -> str:
    x, y = vector(b, shape, depth), array_atom(b, shape)
    tested = array_atom(b, shape)
    other = y if b.chance(0.6) else b.const()
    return f"np.where({tested} > {b.const()}, {x}, {other})"


@array_rule("broadcasting", 2, 1.5)
def _broadcast(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) == 2:
        x = array_atom(b, shape)
        row, column = vector(b, shape[1:], 0), vector(b, shape[:1], 0)
        return b.one(
            f"({x} * {row})", f"({x} + {row})", f"({column}[:, None] * {x})",
            f"({column}[:, None] + {row})", f"({x} - {column}.reshape(-1, 1))",
        )  # fmt: skip
    column = b.pick("array", lambda v: v.kind.shape == shape)
    if column is None:
        return None
    return f"np.sum({column.name}[:, None] * {array_atom(b, ((0, 3),))}, axis=1)"


@array_rule("axis reduction", 2, 1.2)
def _axis(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) == 2:
        x = b.pick("array", lambda v: v.kind.shape == shape)
        if x is None:
            return None
        axis = b.one("0", "1", "-1")
        return f"({x.name} - {x.name}.mean(axis={axis}, keepdims=True))"
    found = [v for v in b.vars("array") if len(v.kind.shape) == 2 and shape[0] in v.kind.shape]
    if not found:
        return None
    var = b.rng.choice(found)
    b.used |= var.deps
    axis = 1 if var.kind.shape[0] == shape[0] else 0
    how = b.one("sum", "mean", "max", "sum")
    return b.one(f"np.{how}({var.name}, axis={axis})", f"{var.name}.{how}(axis={axis - 2})")


@array_rule("matmul", 2, 1.5)
def _matmul(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) == 1:
        found = [v for v in b.vars("array") if len(v.kind.shape) == 2 and shape[0] in v.kind.shape]
        if not found:
            return None
        var = b.rng.choice(found)
        b.used |= var.deps
        if var.kind.shape[0] == shape[0]:
            x = vector(b, var.kind.shape[1:], 0)
            return b.one(f"({var.name} @ {x})", f"np.dot({var.name}, {x})")
        return f"({vector(b, var.kind.shape[:1], 0)} @ {var.name})"
    left = b.pick("array", lambda v: len(v.kind.shape) == 2 and v.kind.shape[0] == shape[0])
    if left is None:
        return None
    return f"({left.name} @ {array_atom(b, (left.kind.shape[1], shape[1]))})"


@array_rule("outer", 2, 1.2)
def _outer(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) != 2:
        return None
    return f"np.outer({vector(b, shape[:1], 0)}, {vector(b, shape[1:], 0)})"


@array_rule("cumsum", 2, 0.9)
def _cumsum(b: Builder, shape: Shape, depth: int) -> str:
    axis = "" if len(shape) == 1 else f", axis={b.one('0', '1')}"
    return f"(0.5 * np.cumsum({vector(b, shape, depth)}{axis}))"


@array_rule("concatenate", 2, 1.0)
def _concatenate(b: Builder, shape: Shape, depth: int) -> str | None:
    c, o = shape[0]
    if len(shape) != 1 or least(shape[0]) < 3:
        return None
    head, tail = vector(b, ((0, 1),), 0), vector(b, ((c, o - 1),), depth)
    return b.one(f"np.concatenate([{head}, {tail}])", f"np.concatenate(({tail}, {head}))")


@array_rule("stack", 2, 1.2)
def _stack(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) != 2 or shape[0][0] or shape[0][1] > 3:
        return None
    rows = ", ".join(vector(b, shape[1:], 0) for _ in range(shape[0][1]))
    return b.one(f"np.stack([{rows}])", f"np.array([{rows}])", f"np.stack(({rows},))")


@array_rule("reshape", 2, 1.0)
def _reshape(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) == 1 and shape[0][0] == 0 and shape[0][1] % 2 == 0:
        return f"{vector(b, ((0, 2), (0, shape[0][1] // 2)), 0)}.reshape({shape[0][1]})"
    if len(shape) == 2 and shape[0][0] * shape[1][0] == 0:
        sizes = [b.length(d) for d in shape]
        if None not in sizes:
            flat = vector(b, (_product(*shape),), 0)
            return b.one(
                f"np.reshape({flat}, ({sizes[0]}, {sizes[1]}))",
                f"{flat}.reshape({sizes[0]}, {sizes[1]})",
            )
    return None


@array_rule("transpose", 2, 1.0)
def _transpose(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) != 2:
        return None
    x = vector(b, shape[::-1], depth)
    return b.one(f"{x}.T", f"np.transpose({x})", f"{x}.transpose()")


@array_rule("fancy read", 2, 1.2)
def _fancy(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) != 1 or shape[0][0] or shape[0][1] > 4:
        return None
    var = b.pick("array", lambda v: len(v.kind.shape) == 1 and least(v.kind.shape[0]) >= 2)
    if var is None:
        return None
    where = [b.rng.randrange(least(var.kind.shape[0])) for _ in range(shape[0][1])]
    return f"{var.name}[{where}]"


@array_rule("array of scalars", 2, 1.2)
def _literal(b: Builder, shape: Shape, depth: int) -> str | None:
    if len(shape) != 1 or shape[0][0] or shape[0][1] > 3:
        return None
    return f"np.array([{', '.join(_scalar(b, 1) for _ in range(shape[0][1]))}])"


@array_rule("zeros_like and ones_like", 2, 1.0)
def _like(b: Builder, shape: Shape, depth: int) -> str | None:
    var = b.pick("array", lambda v: v.kind.shape == shape)
    if var is None:
        return None
    return f"(np.{b.one('zeros_like', 'ones_like')}({var.name}) + {vector(b, shape, depth)})"


def some_shape(b: Builder) -> Shape:
    """The shape of an array in scope, or a small one."""
    var = b.pick("array")
    if var and b.chance(0.7):
        return var.kind.shape
    extra: Shape = (N,) if b.dim else ((0, 3),)
    return b.rng.choice([((0, 3),), ((0, 2),), extra, ((0, 2), (0, 3)), ((0, 2), extra[0])])
