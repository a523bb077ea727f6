"""Straight-line statements of random programs: assignments, in-place writes, views, containers.

Each producer emits one or a few lines through the builder and returns True, or returns False
when the scope has nothing it could work on.  ``block(b, k)`` emits about ``k`` statements.
"""

from __future__ import annotations

from .arrays import array_atom, fresh_vector, some_shape, vector, view_of
from .builder import FLOAT, Builder, Producer, Var, array, choose, integer, least, registrar
from .scalars import atom, condition, index, int_expr, scalar, squashed, threshold

STATEMENTS: list[Producer] = []
statement = registrar(STATEMENTS)


def block(b: Builder, count: int) -> None:
    """Emit about ``count`` statements, compound ones counting for more."""
    for _ in range(count):
        if b.budget <= 0:
            return
        one_statement(b)


def one_statement(b: Builder) -> None:
    """Emit one statement of a random sort."""
    b.used = set()
    b.budget -= 1
    choose(b, STATEMENTS)


def value(b: Builder) -> str:
    """A float to store: squashed inside loops, where it would otherwise grow."""
    return squashed(b) if b.loops or b.chance(0.4) else scalar(b)


def define(b: Builder, stem: str, text: str) -> Var:
    """Bind a fresh float name to an expression."""
    name = b.fresh(stem)
    b.emit(f"{name} = {text}")
    return b.bind(name, FLOAT)


@statement("scalar assignment", 1, 4.0)
def _assign(b: Builder) -> bool:
    define(b, b.one("s", "t", "u"), value(b))
    return True


@statement("scalar rebinding", 1, 3.0)
def _rebind(b: Builder) -> bool:
    var = b.pick_rebindable("float")
    if var is None:
        return False
    text = f"{b.small()} * {var.name} + {b.small()} * {squashed(b)}"
    b.emit(f"{var.name} = {text if b.chance(0.6) else value(b)}")
    b.bind(var.name, FLOAT)
    return True


@statement("scalar augmented assignment", 1, 3.0)
def _augment(b: Builder) -> bool:
    var = b.pick_rebindable("float")
    if var is None:
        return False
    text = b.one("+= {0} * {1}", "-= {0} * {1}", "*= 0.7 + 0.3 * {1}", "/= 1.6 + 0.5 * {1}")
    b.emit(f"{var.name} {text.format(b.small(), squashed(b))}")
    b.bind(var.name, FLOAT)
    return True


@statement("int variable", 1, 1.0)
def _int(b: Builder) -> bool:
    known = [v for v in b.vars("int") if v.kind.lo >= 0 and v.kind.hi <= 5]
    name = b.fresh("k")
    if known and b.chance(0.6):
        b.emit(f"{name} = ({b.rng.choice(known).name} + {b.rng.randint(0, 3)}) % 3")
    else:
        b.emit(f"{name} = {b.rng.randint(1, 3)}")
    b.bind(name, integer(0, 3))
    b.tag("int arithmetic")
    return True


@statement("chained assignment", 1, 0.8)
def _chain(b: Builder) -> bool:
    x, y = b.fresh("p"), b.fresh("q")
    b.emit(f"{x} = {y} = {value(b)}")
    b.bind(x, FLOAT)
    b.bind(y, FLOAT)
    return True


@statement("swap", 1, 1.1)
def _swap(b: Builder) -> bool:
    x = b.pick_rebindable("float")
    y = b.pick("float", lambda v: v is not x and v.local and not v.captured)
    if x is None or y is None:
        return False
    b.emit(f"{x.name}, {y.name} = {y.name}, {b.small()} * {x.name}")
    b.bind(x.name, FLOAT)
    b.bind(y.name, FLOAT)
    return True


@statement("walrus", 1, 0.8)
def _walrus(b: Builder) -> bool:
    w, name = b.fresh("w"), b.fresh("s")
    b.emit(f"{name} = ({w} := {squashed(b)}) * {w} + {b.small()} * {atom(b)}")
    b.bind(w, FLOAT)
    b.bind(name, FLOAT)
    return True


@statement("annotated assignment", 1, 0.6)
def _annotated(b: Builder) -> bool:
    name = b.fresh("v")
    b.emit(f"{name}: float = {value(b)}")
    b.bind(name, FLOAT)
    return True


@statement("assert", 1, 0.6)
def _assert(b: Builder) -> bool:
    b.emit(f"assert {atom(b)} < 1e6, {b.one(repr('too large'), repr('diverged'))}")
    return True


@statement("unpacking", 1, 0.8)
def _unpack(b: Builder) -> bool:
    x, y = b.fresh("p"), b.fresh("q")
    b.emit(f"{x}, {y} = {value(b)}, {value(b)}")
    b.bind(x, FLOAT)
    b.bind(y, FLOAT)
    return True


@statement("int to float accumulator", 1, 0.6)
def _int_float(b: Builder) -> bool:
    name = b.fresh("acc")
    b.emit(f"{name} = {b.rng.randint(0, 2)}")
    b.emit(f"{name} += {squashed(b)}")
    b.bind(name, FLOAT)
    return True


@statement("pass, del and docstrings", 2, 0.5)
def _del(b: Builder) -> bool:
    name = b.fresh("tmp")
    b.emit(f"{name} = {scalar(b, 1)}")
    define(b, "s", f"math.sin({name})")
    b.emit(f"del {name}")
    return True


# -- arrays --------------------------------------------------------------------------------


@statement("array assignment", 2, 3.0)
def _array(b: Builder) -> bool:
    shape, name = some_shape(b), b.fresh("a")
    b.emit(f"{name} = {fresh_vector(b, shape)}")
    b.bind(name, array(*shape))
    return True


@statement("array allocation", 2, 1.2)
def _allocate(b: Builder) -> bool:
    name, like = b.fresh("z"), b.pick("array")
    if like is None:
        return False
    how = b.one("np.zeros_like({0})", "np.ones_like({0})", "np.zeros({0}.shape)", "{0}.copy()")
    b.emit(f"{name} = {how.format(like.name)}")
    var = b.bind(name, like.kind)
    where = ", ".join(index(b, least(d)) for d in like.kind.shape)
    b.emit(f"{name}[{where}] = {squashed(b)}")
    b.wrote(var)
    b.tag("element write")
    return True


@statement("array rebinding", 2, 1.2)
def _array_rebind(b: Builder) -> bool:
    var = b.pick_rebindable("array")
    if var is None or ((b.loops or b.branches) and b.aliased(var)):
        return False
    b.emit(f"{var.name} = np.tanh({fresh_vector(b, var.kind.shape)})")
    b.bind(var.name, var.kind)
    return True


@statement("array augmented assignment", 2, 1.5)
def _array_augment(b: Builder) -> bool:
    var = b.pick_writable()
    if var is None:
        return False
    shape = var.kind.shape
    text = squashed(b) if b.chance(0.3) else f"np.sin({vector(b, shape)})"
    if b.chance(0.1):
        b.emit(f"{var.name} += {b.small()} * {var.name}")
    else:
        b.emit(f"{var.name} {b.one('+=', '-=', '*=')} {b.small()} * {text}")
    b.wrote(var)
    return True


@statement("element write", 2, 2.0)
def _element(b: Builder) -> bool:
    var = b.pick_writable()
    if var is None:
        return False
    where = ", ".join(index(b, least(d)) for d in var.kind.shape)
    b.emit(f"{var.name}[{where}] = {squashed(b)}")
    b.wrote(var)
    return True


@statement("element augmented write", 2, 1.5)
def _element_augment(b: Builder) -> bool:
    var = b.pick_writable()
    if var is None:
        return False
    where = ", ".join(index(b, least(d)) for d in var.kind.shape)
    b.emit(f"{var.name}[{where}] {b.one('+=', '-=', '*=')} {squashed(b)}")
    b.wrote(var)
    return True


@statement("slice write", 2, 1.5)
def _slice(b: Builder) -> bool:
    return _write_view(b, "{} = {}")


@statement("slice augmented write", 2, 1.5)
def _slice_augment(b: Builder) -> bool:
    return _write_view(b, b.one("{} += {}", "{} -= {}", "{} *= 0.5 + {}"))


def _write_view(b: Builder, form: str) -> bool:
    var = b.pick_writable()
    made = view_of(b, var) if var else None
    if var is None or made is None or "(" in made[0] or made[0].endswith(".T"):
        return False
    place, shape = made
    text = f"{b.small()} * {vector(b, shape, 1)}" if b.chance(0.75) else squashed(b)
    b.emit(form.format(place, text))
    b.wrote(var)
    return True


@statement("overlapping slices", 2, 0.8)
def _overlap(b: Builder) -> bool:
    var = b.pick_writable()
    if var is None or least(var.kind.shape[0]) < 3:
        return False
    x = var.name
    b.emit(
        b.one(
            f"{x}[1:] = {x}[:-1]", f"{x}[:-1] += {b.small()} * {x}[1:]", f"{x}[1:] *= {x}[:-1]",
            f"{x}[1:] = {x}[1:] - {b.small()} * {x}[:-1]", f"{x}[:] = {x}[::-1]",
        )
    )  # fmt: skip
    b.wrote(var)
    return True


@statement("mask write", 2, 1.2)
def _mask(b: Builder) -> bool:
    var = b.pick_writable()
    if var is None:
        return False
    x, mask = var.name, f"{var.name} > {threshold(b)}"
    if b.chance(0.4):
        name = b.fresh("mask")
        b.emit(f"{name} = {mask}")
        mask = name
    text = squashed(b) if b.chance(0.6) else f"{x}[{mask}] * {b.small()}"
    b.emit(f"{x}[{mask}] {b.one('=', '+=', '*=')} {text}")
    b.wrote(var)
    return True


@statement("fancy write", 2, 1.2)
def _fancy(b: Builder) -> bool:
    var = b.pick_writable(1)
    if var is None:
        return False
    size = least(var.kind.shape[0])
    where = [b.rng.randrange(size) for _ in range(2)]
    x = f"{var.name}[{where}]"
    text = b.one(
        f"{x} = {vector(b, ((0, 2),), 1)}", f"{x} += {squashed(b)}", f"{x} *= {b.small()}",
        f"{x} = {atom(b)}",
    )  # fmt: skip
    b.emit(text)
    b.wrote(var)
    return True


@statement("view", 2, 1.5)
def _view(b: Builder) -> bool:
    var = b.pick("array")
    made = view_of(b, var) if var else None
    if var is None or made is None:
        return False
    name = b.fresh("view")
    b.emit(f"{name} = {made[0]}")
    view = b.bind(name, array(*made[1]), var.root)
    if "ravel" in made[0] or "reshape" in made[0]:
        # Whether this is a view depends on the layout at run time: written only now and then.
        if b.chance(0.95):
            b.frozen.add(var.root)
    if var.root not in b.frozen and b.chance(0.6):
        _write_all(b, view)
        b.tag("write through view")
    return True


@statement("write through view", 2, 1.2)
def _write_through(b: Builder) -> bool:
    var = b.pick("array", lambda v: v.root not in b.frozen and b.aliased(v))
    if var is None:
        return _view(b) and "write through view" in b.features
    _write_all(b, var)
    return True


def _write_all(b: Builder, view: Var) -> None:
    where = ", ".join(index(b, least(d)) for d in view.kind.shape)
    s = squashed(b)
    b.emit(b.one(f"{view.name}[{where}] = {s}", f"{view.name} *= {s}", f"{view.name}[:] = {s}",
                 f"{view.name} += {b.small()} * {s}"))  # fmt: skip
    b.wrote(view)


@statement("alias", 2, 1.0)
def _alias(b: Builder) -> bool:
    var = b.pick("array")
    if var is None:
        return False
    name = b.fresh("b")
    b.emit(f"{name} = {var.name}")
    b.bind(name, var.kind, var.root)
    return True


@statement("array unpacking", 2, 0.8)
def _array_unpack(b: Builder) -> bool:
    var = b.pick("array", lambda v: v.kind.shape == ((0, 3),) or v.kind.shape == ((0, 2),))
    names = [b.fresh("c") for _ in range(3)]
    text = var.name if var else vector(b, ((0, 3),), 1)
    names = names[: var.kind.shape[0][1]] if var else names
    b.emit(f"{', '.join(names)} = {text}")
    for name in names:
        b.bind(name, FLOAT)
    return True


@statement("shape arithmetic", 2, 0.8)
def _shape(b: Builder) -> bool:
    var = b.pick("array")
    if var is None:
        return False
    x = var.name
    size = b.one(f"{x}.size", f"{x}.shape[0]", f"{x}.ndim", f"len({x})")
    define(b, "s", f"{squashed(b)} / {size} + 0.1 * {int_expr(b)} * {atom(b)}")
    return True


@statement("conditional expression of arrays", 2, 0.7)
def _array_ternary(b: Builder) -> bool:
    shape, name = some_shape(b), b.fresh("a")
    b.emit(
        f"{name} = {fresh_vector(b, shape, 1)} if {condition(b)} else 1.0 * {array_atom(b, shape)}"
    )
    b.bind(name, array(*shape))
    b.tag("ternary")
    return True
