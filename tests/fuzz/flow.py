"""Compound statements of random programs: branches, loops and every way of leaving them.

Loops are bounded by construction; ``while`` loops that test differentiated values shrink what they
test or count their rounds.  ``return`` inside a loop or branch goes through ``b.ret``.
"""

from __future__ import annotations

from .arrays import fresh_vector
from .builder import FLOAT, Builder, Dim, Kind, Var, array, integer, least
from .scalars import atom, condition, index, scalar, squashed
from .statements import block, define, one_statement, statement


def _size(b: Builder) -> int:
    return b.rng.choice([1, 1, 1, 1, 2, 3])


@statement("if", 1, 2.5)
def _if(b: Builder) -> bool:
    if b.branches + b.loops > 2:
        return False
    b.emit(f"if {condition(b)}:")
    return _arms(b, [])


@statement("if with walrus", 2, 0.5)
def _if_walrus(b: Builder) -> bool:
    if b.branches + b.loops > 2:
        return False
    name = b.fresh("w")
    b.emit(f"if ({name} := {squashed(b)}) > {b.const(-0.5, 0.5)}:")
    b.bind(name, FLOAT)
    b.tag("walrus")
    return _arms(b, [])


def branch(b: Builder, test: str) -> bool:
    """An ``if`` on this test."""
    b.emit(f"if {test}:")
    return _arms(b, [])


def _arms(b: Builder, finish: list[str]) -> bool:
    """The arms after an emitted ``if``; each ends by defining the names in ``finish``."""
    used, arms = set(b.used), []

    def arm() -> None:
        with b.body():
            block(b, _size(b))
            for name in finish:
                b.used = set()
                b.emit(f"{name} = {squashed(b)}")
                b.bind(name, FLOAT)
        arms.append(b.arm)

    arm()
    if b.maybe("elif", 0.25):
        b.used = set()
        b.emit(f"elif {condition(b)}:")
        used |= b.used
        arm()
    if finish or b.maybe("else", 0.5):
        b.emit("else:")
        arm()
    b.used = used
    b.join(arms)
    for name in finish:
        b.used = used.union(*(a[name].deps for a in arms))
        b.bind(name, FLOAT)
    return True


@statement("defined in both branches", 1, 1.0)
def _both(b: Builder) -> bool:
    if b.branches + b.loops > 2:
        return False
    name = b.fresh("y")
    b.emit(f"if {condition(b)}:")
    return _arms(b, [name])


@statement("early return", 1, 0.8)
def _return(b: Builder) -> bool:
    if b.ret is None or b.loops:
        return False
    return _leave(b, "")


@statement("return in loop", 1, 1.0)
def _return_in_loop(b: Builder) -> bool:
    if b.ret is None or not b.loops:
        return False
    return _leave(b, "")


@statement("break", 1, 1.3)
def _break(b: Builder) -> bool:
    return b.breakable and _leave(b, "break")


@statement("continue", 1, 1.3)
def _continue(b: Builder) -> bool:
    return b.breakable and _leave(b, "continue")


def _leave(b: Builder, how: str) -> bool:
    b.emit(f"if {condition(b)}:")
    used = set(b.used)
    with b.body():
        if b.chance(0.35) or (how and b.chance(0.3)):
            one_statement(b)
        b.used = set()
        b.emit(how or f"return {b.ret(b) if b.ret else '0.0'}")
    b.used = used
    b.join([b.arm])
    return True


# -- loops ---------------------------------------------------------------------------------


def _loop(b: Builder, head: str, binds: list[tuple[str, Kind, int | None]]) -> bool:
    """A loop with the given head, whose body starts with ``binds`` in scope."""
    b.emit(head)
    used = set(b.used)
    with b.body(loop=True, breakable=True):
        for name, kind, root in binds:
            b.bind(name, kind, root)
        _accumulate(b, [name for name, kind, _ in binds if kind.tag == "float"])
        _exits(b)
        if b.wants("nested loop") and b.loops == 1:
            _for_range(b)
        block(b, _size(b))
        if b.maybe("loop exit in middle", 0.15):
            _leave(b, b.one("break", "continue"))
            b.used = set()
            _accumulate(b, [])
    b.used = used
    b.join([b.arm])
    if b.maybe("for else", 0.2):
        b.emit("else:")
        with b.body():
            block(b, 1)
        b.used = used
        b.join([b.arm])
    return True


def _exits(b: Builder) -> None:
    """Ways out of the loop that the program was asked for."""
    if b.wants("break"):
        b.tag("break")
        _leave(b, "break")
    if b.wants("continue"):
        b.tag("continue")
        _leave(b, "continue")
    if b.wants("return in loop") and b.ret:
        b.tag("return in loop")
        _leave(b, "")


def _accumulate(b: Builder, floats: list[str]) -> None:
    """Feed a loop variable (or anything) into a name that outlives the loop."""
    outer = b.pick_rebindable("float")
    name = b.rng.choice(floats) if floats else None
    if outer is None or outer.name == name or b.chance(0.25):
        return
    term = f"{name} * {atom(b)}" if name else squashed(b)
    b.emit(f"{outer.name} {b.one('+=', '-=')} {b.small()} * {term}")
    b.bind(outer.name, FLOAT)


def _deep(b: Builder) -> bool:
    return b.loops >= 2 or b.branches + b.loops > 2


@statement("for range", 1, 2.0)
def _for_range(b: Builder) -> bool:
    if _deep(b):
        return False
    i = b.fresh("i")
    known = b.vars("int", lambda v: 0 <= v.kind.lo and v.kind.hi <= 4)
    if known and b.chance(0.5):
        count = b.rng.choice(known)
        kind, text = integer(0, max(count.kind.hi - 1, 0)), f"range({count.name})"
    else:
        lo, k = b.rng.randint(0, 1), b.rng.randint(2, 3)
        kind, text = b.rng.choice(
            [
                (integer(0, k - 1), f"range({k})"),
                (integer(lo, lo + k), f"range({lo}, {lo + k + 1})"),
                (integer(1, k), f"range({k}, 0, -1)"),
                (integer(0, 4), "range(0, 5, 2)"),
                (integer(0, k), f"reversed(range({k + 1}))"),
            ]
        )
    if b.loops:
        b.tag("nested loop")
    runs = text.startswith("range(") and text[6].isdigit()
    _loop(b, f"for {i} in {text}:", [(i, kind, None)])
    if runs and b.maybe("loop variable after the loop", 0.3):
        b.bind(i, kind)
    return True


@statement("for range(len)", 2, 1.5)
def _for_len(b: Builder) -> bool:
    var = b.pick("array")
    if var is None or _deep(b) or least(var.kind.shape[0]) < 2:
        return False
    i, x = b.fresh("i"), var.name
    stencil = b.chance(0.4)
    b.emit(f"for {i} in range(len({x}){' - 1' if stencil else ''}):")
    used = set(b.used)
    with b.body(loop=True, breakable=True):
        rank1 = len(var.kind.shape) == 1
        b.bind(i, integer(0, 99))
        b.used |= used
        if stencil:
            text = f"{x}[{i} + 1] - {x}[{i}]" if rank1 else f"np.sum({x}[{i} + 1] * {x}[{i}])"
        else:
            text = f"{x}[{i}]" if rank1 else f"{x}[{i}, {index(b, least(var.kind.shape[1]))}]"
        define(b, "e", text)
        if var.root not in b.frozen and b.maybe("element write at loop index", 0.4):
            b.emit(f"{x}[{i}] {b.one('=', '+=', '*=')} {squashed(b)}")
            b.wrote(b.scope[x])
        b.used = set()
        _accumulate(b, [list(b.scope)[-1]] if b.scope[list(b.scope)[-1]].kind == FLOAT else [])
        block(b, _size(b) - 1)
    b.used = used
    b.join([b.arm])
    return True


@statement("for over array", 2, 1.5)
def _for_array(b: Builder) -> bool:
    var = (b.wants("for over rows") and b.pick("array", _matrix)) or b.pick("array")
    if var is None or _deep(b):
        return False
    e, x, rest = b.fresh("e"), var.name, var.kind.shape[1:]
    kind, root = (array(*rest), var.root) if rest else (FLOAT, None)
    if rest:
        b.tag("for over rows")
    i = b.fresh("i")
    if b.maybe("enumerate", 0.2):
        return _loop(b, f"for {i}, {e} in enumerate({x}):", [(i, integer(0, 99), None),
                                                           (e, kind, root)])  # fmt: skip
    other = b.pick("array", lambda v: len(v.kind.shape) == 1)
    if other:
        if b.maybe("zip", 0.25):
            e2 = b.fresh("e")
            return _loop(b, f"for {e}, {e2} in zip({x}, {other.name}):", [(e, kind, root),
                                                                        (e2, FLOAT, None)])  # fmt: skip
    text = f"{x}[1:]" if b.chance(0.3) and _longer(var.kind.shape[0]) else x
    return _loop(b, f"for {e} in {text}:", [(e, kind, root)])


def _matrix(var: Var) -> bool:
    return len(var.kind.shape) == 2


def _longer(dim: Dim) -> bool:
    return least(dim) >= 2


@statement("for over tuple of scalars", 1, 0.8)
def _for_tuple(b: Builder) -> bool:
    if _deep(b):
        return False
    e = b.fresh("e")
    items = ", ".join(scalar(b, 1) for _ in range(b.rng.randint(2, 3)))
    return _loop(b, f"for {e} in ({items}):", [(e, FLOAT, None)])


@statement("for over list", 3, 1.8)
def _for_list(b: Builder) -> bool:
    var = b.pick("list")
    if var is None or _deep(b):
        return False
    e, kind = b.fresh("e"), var.kind.items[0]
    root = b.new_root() if kind.tag == "array" else None
    if root is not None:
        b.frozen.add(root)
    text = b.one(var.name, f"reversed({var.name})", f"{var.name}[::-1]")
    growing = [v for v in b.vars("list") if v.root == var.root and v.local]
    for v in growing:  # a loop over a list that its own body grows need not end
        v.local = False
    done = _loop(b, f"for {e} in {text}:", [(e, kind, root)])
    for v in growing:
        v.local = True
    return done


@statement("for over dict", 3, 3.0)
def _for_dict(b: Builder) -> bool:
    var = b.pick("dict", lambda v: all(k == FLOAT for k in v.kind.items))
    if var is None or _deep(b):
        return False
    e, k = b.fresh("e"), b.fresh("key")
    if b.chance(0.3):
        return _loop(b, f"for {e} in {var.name}.values():", [(e, FLOAT, None)])
    return _loop(b, f"for {k}, {e} in {var.name}.items():", [(e, FLOAT, None)])


@statement("while", 1, 1.5)
def _while(b: Builder) -> bool:
    if _deep(b):
        return False
    k = b.fresh("k")
    b.emit(f"{k} = 0")
    bound = b.rng.randint(2, 4)
    test = b.one(f"{k} < {bound}", f"{k} < {bound} and {condition(b)}")
    used = set(b.used)
    b.emit(f"while {test}:")
    with b.body(loop=True, breakable=True):
        b.emit(f"{k} += 1")
        b.bind(k, integer(1, bound))
        b.used = set()
        _accumulate(b, [])
        _exits(b)
        block(b, _size(b))
    b.used = used
    b.join([b.arm])
    b.bind(k, integer(0, bound))
    if b.maybe("while else", 0.3):
        b.emit("else:")
        with b.body():
            block(b, 1)
        b.join([b.arm])
    return True


@statement("while on active value", 1, 1.3)
def _while_active(b: Builder) -> bool:
    if _deep(b):
        return False
    name = b.fresh("r")
    b.emit(f"{name} = {scalar(b, 1)}")
    var = b.bind(name, FLOAT)
    b.emit(f"while abs({name}) > {b.const(0.2, 0.9)}:")
    with b.body(loop=True, breakable=False):
        b.scope[name].local = False  # only its own shrinking step may rebind it
        b.emit(
            f"{name} = {b.one('0.5', '0.6', '-0.4')} * {b.one('math.sin({})', '{}').format(name)}"
        )
        b.used = set(var.deps)
        _accumulate(b, [name])
        block(b, _size(b) - 1)
    b.used = set(var.deps)
    b.join([b.arm])
    return True


@statement("while True", 1, 0.8)
def _while_true(b: Builder) -> bool:
    if _deep(b):
        return False
    k = b.fresh("k")
    b.emit(f"{k} = 0")
    b.emit("while True:")
    with b.body(loop=True, breakable=True):
        b.emit(f"{k} += 1")
        b.emit(f"if {k} > {b.rng.randint(2, 3)}{b.one(f' or {condition(b)}', '')}:")
        b.emit("    break")
        b.used = set()
        _accumulate(b, [])
        _exits(b)
        block(b, _size(b))
    b.join([b.arm])
    b.bind(k, integer(1, 4))
    return True


@statement("array carried round a loop", 2, 1.2)
def _carried(b: Builder) -> bool:
    var: Var | None = b.pick_rebindable("array")
    if var is None or _deep(b) or b.aliased(var):
        return False
    b.emit(f"for {b.fresh('i')} in range({b.rng.randint(2, 3)}):")
    used = set(b.used)
    with b.body(loop=True, breakable=True):
        b.emit(f"{var.name} = np.tanh({fresh_vector(b, var.kind.shape)})")
        b.bind(var.name, var.kind)
        block(b, _size(b) - 1)
    b.used = used
    b.join([b.arm])
    return True
