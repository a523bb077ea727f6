"""Lists, tuples and dicts in random programs.

Arrays enter containers as fresh values or copies; one stored without a copy freezes its root, since
a later write through either name is allowed to be refused.
"""

from __future__ import annotations

from .arrays import fresh_vector, some_shape
from .builder import FLOAT, Builder, Kind, Var, array, least
from .scalars import atom, condition, index, scalar, squashed
from .statements import statement

KEYS = ("w", "b", "gain", "rate", "bias", "mu")


def _list(b: Builder, text: str, size: int, item: Kind = FLOAT) -> Var:
    name = b.fresh("xs")
    b.emit(f"{name} = {text}")
    return b.bind(name, Kind("list", items=(item,), lo=size))


@statement("list literal", 3, 1.2)
def _literal(b: Builder) -> bool:
    size = b.rng.randint(2, 3)
    _list(b, f"[{', '.join(squashed(b, 1) for _ in range(size))}]", size)
    return True


@statement("list comprehension", 3, 1.2)
def _comprehension(b: Builder) -> bool:
    e, source = b.fresh("e"), b.pick("array", lambda v: len(v.kind.shape) == 1)
    other = b.pick("list", lambda v: v.kind.items[0] == FLOAT)
    if other and b.chance(0.5):
        _list(b, f"[{e} * {atom(b)} for {e} in {other.name}]", other.kind.lo)
    elif source and b.chance(0.6) and not b.wants("comprehension with condition"):
        form = f"[math.sin({e}) + {b.small()} * {scalar(b, 1)} for {e} in {source.name}]"
        _list(b, form, least(source.kind.shape[0]))
    elif source and b.maybe("comprehension with condition", 0.5):
        _list(b, f"[{e} * {e} for {e} in {source.name} if {e} > {b.const()}]", 0)
    else:
        k = b.rng.randint(2, 3)
        _list(b, f"[{squashed(b)} * ({e} + 1) for {e} in range({k})]", k)
    return True


@statement("append in loop", 3, 1.2)
def _append(b: Builder) -> bool:
    if b.loops:
        return _append_once(b)
    name = b.fresh("xs")
    b.emit(f"{name} = []")
    k = b.rng.randint(2, 3)
    i, state = b.fresh("i"), b.pick_rebindable("float")
    b.emit(f"for {i} in range({k}):")
    text = squashed(b)
    if state:
        b.emit(f"    {state.name} = 0.7 * {state.name} + 0.2 * {text}")
        b.emit(f"    {name}.append({state.name} * {atom(b)})")
        b.bind(state.name, FLOAT)
    else:
        b.emit(f"    {name}.append({text} * ({i} + 1))")
    b.bind(name, Kind("list", items=(FLOAT,), lo=k))
    b.tag("append")
    return True


@statement("append", 3, 1.0)
def _append_once(b: Builder) -> bool:
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.local)
    if var is None:
        return False
    b.emit(f"{var.name}.append({squashed(b)})")
    b.wrote(var)
    return True


@statement("pop", 3, 3.0)
def _pop(b: Builder) -> bool:
    if b.loops or b.branches:
        return False
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.kind.lo >= 2 and v.local)
    name = b.fresh("s")
    if var is None:
        return False
    b.emit(f"{name} = {var.name}.pop({b.one('', '', '0')}) * {atom(b)}")
    b.bind(name, FLOAT)
    _shrink(b, var)
    return True


def _shrink(b: Builder, var: Var) -> None:
    for v in b.scope.values():
        if v.root == var.root:
            v.kind = Kind("list", items=v.kind.items, lo=v.kind.lo - 1)


@statement("list element write", 3, 2.5)
def _write(b: Builder) -> bool:
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.kind.lo > 0 and v.local)
    if var is None:
        return False
    b.emit(f"{var.name}[{index(b, var.kind.lo)}] {b.one('=', '+=', '*=')} {squashed(b)}")
    b.wrote(var)
    return True


@statement("list of arrays", 3, 1.2)
def _arrays(b: Builder) -> bool:
    shape = some_shape(b)
    known = b.pick("array", lambda v: v.kind.shape == shape)
    items = [fresh_vector(b, shape, 1)]
    if known and b.chance(0.5) and not b.loops:
        items.append(known.name)
        b.frozen.add(known.root)
    else:
        items.append(f"{known.name}.copy()" if known else fresh_vector(b, shape, 1))
    var = _list(b, f"[{', '.join(items)}]", 2, array(*shape))
    form = b.rng.randrange(2 if b.wants("write into array in list") else 4)
    where = ", ".join(index(b, least(d)) for d in shape)
    if form == 0:
        b.emit(f"{var.name}[0][{where}] = {squashed(b)}")
        b.tag("write into array in list")
    elif form == 1:
        b.emit(f"{var.name}[0] *= {squashed(b)}")
        b.tag("write into array in list")
    elif form == 2:
        b.emit(f"{var.name}[1] = {fresh_vector(b, shape, 1)}")
    b.wrote(var)
    if b.chance(0.4):
        name = b.fresh("a")
        b.emit(f"{name} = {b.one('np.stack', 'np.array')}({var.name})")
        b.bind(name, array((0, 2), *shape)) if len(shape) == 1 else b.bind(name, Kind("opaque"))
        b.tag("stack")
    return True


@statement("history of arrays", 3, 0.8)
def _history(b: Builder) -> bool:
    state = b.pick_writable(1)
    if state is None or b.loops:
        return False
    name, k = b.fresh("hist"), b.rng.randint(2, 3)
    b.emit(f"{name} = []")
    b.emit(f"for {b.fresh('i')} in range({k}):")
    b.emit(f"    {state.name} *= {squashed(b)}")
    b.emit(f"    {name}.append({b.one('{}.copy()', '0.5 * {}', 'np.sin({})').format(state.name)})")
    b.wrote(state)
    b.bind(name, Kind("list", items=(state.kind,), lo=k))
    b.tag("append")
    return True


@statement("list alias", 3, 3.5)
def _alias(b: Builder) -> bool:
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.kind.lo > 0 and v.local)
    if var is None or b.loops or b.branches:
        return False
    name = b.fresh("ys")
    b.emit(f"{name} = {var.name}")
    b.bind(name, var.kind, var.root)
    b.emit(f"{name}[0] = {squashed(b)}")
    b.wrote(var)
    return True


@statement("list operations", 3, 2.0)
def _operations(b: Builder) -> bool:
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.kind.lo > 1 and v.local)
    if var is None:
        return False
    k = var.kind.lo
    text, size = b.rng.choice([
        (f"{var.name} + [{squashed(b)}]", k + 1), (f"{var.name}[1:]", k - 1),
        (f"[{squashed(b)}] * 2", 2), (f"{var.name}[::-1]", k), (f"list({var.name})", k),
        (f"sorted({var.name})", k),
    ])  # fmt: skip
    _list(b, text, size)
    if b.chance(0.4) and not (b.loops or b.branches):
        b.emit(f"{var.name}.extend([{squashed(b)}, {atom(b)}])")
        b.wrote(var)
    return True


@statement("array from list", 3, 0.8)
def _array_from(b: Builder) -> bool:
    e, k, name = b.fresh("e"), b.rng.randint(2, 3), b.fresh("a")
    b.emit(f"{name} = np.array([{squashed(b)} + {b.small()} * {e} for {e} in range({k})])")
    b.bind(name, array((0, k)))
    b.tag("list comprehension")
    return True


# -- tuples --------------------------------------------------------------------------------


@statement("tuple", 3, 1.2)
def _tuple(b: Builder) -> bool:
    size, name = b.rng.randint(2, 3), b.fresh("t")
    items: list[tuple[str, Kind]] = [(squashed(b, 1), FLOAT) for _ in range(size)]
    if b.chance(0.4):
        shape = some_shape(b)
        items[0] = (fresh_vector(b, shape, 1), array(*shape))
    b.emit(f"{name} = ({', '.join(text for text, _ in items)})")
    b.bind(name, Kind("tuple", items=tuple(kind for _, kind in items)))
    return True


@statement("tuple unpacking", 3, 2.5)
def _unpack(b: Builder) -> bool:
    var = b.pick("tuple")
    if var is None:
        return False
    names = [b.fresh("p") for _ in var.kind.items]
    b.emit(f"{', '.join(names)} = {var.name}")
    for name, kind in zip(names, var.kind.items, strict=True):
        root = b.bind(name, kind).root
        if kind.tag == "array":
            b.frozen.add(root)
    return True


@statement("star unpacking", 3, 1.0)
def _star(b: Builder) -> bool:
    head, rest = b.fresh("p"), b.fresh("xs")
    items = ", ".join(scalar(b, 1) for _ in range(3))
    b.emit(b.one(f"{head}, *{rest} = ({items})", f"*{rest}, {head} = [{items}]"))
    b.bind(head, FLOAT)
    b.bind(rest, Kind("list", items=(FLOAT,), lo=2))
    return True


@statement("nested unpacking", 3, 0.8)
def _nested(b: Builder) -> bool:
    names = [b.fresh("p") for _ in range(3)]
    x, y, z = names
    b.emit(f"{x}, ({y}, {z}) = {squashed(b)}, ({squashed(b)}, {atom(b)})")
    for name in names:
        b.bind(name, FLOAT)
    return True


# -- dicts ---------------------------------------------------------------------------------


@statement("dict", 3, 1.2)
def _dict(b: Builder) -> bool:
    keys = tuple(b.rng.sample(KEYS, b.rng.randint(2, 3)))
    items: list[tuple[str, Kind]] = [(squashed(b, 1), FLOAT) for _ in keys]
    if b.chance(0.35) or b.wants("write into array in dict"):
        shape = some_shape(b)
        items[0] = (fresh_vector(b, shape, 1), array(*shape))
    name = b.fresh("d")
    if b.chance(0.25):
        pairs = ", ".join(f"{k}={text}" for k, (text, _) in zip(keys, items, strict=True))
        b.emit(f"{name} = dict({pairs})")
    else:
        pairs = ", ".join(f"{k!r}: {text}" for k, (text, _) in zip(keys, items, strict=True))
        b.emit(f"{name} = {{{pairs}}}")
    b.bind(name, Kind("dict", items=tuple(kind for _, kind in items), keys=keys))
    return True


@statement("dict write", 3, 2.5)
def _dict_write(b: Builder) -> bool:
    var = b.pick("dict", lambda v: v.local)
    if var is None:
        return False
    if b.wants("write into array in dict"):
        var = b.pick("dict", lambda v: v.local and v.kind.items[0] != FLOAT) or var
    i = b.rng.randrange(len(var.kind.items))
    if var.kind.items[0] != FLOAT and b.chance(0.6):
        i = 0
    place = f"{var.name}[{var.kind.keys[i]!r}]"
    if var.kind.items[i].tag == "array":
        shape = var.kind.items[i].shape
        where = ", ".join(index(b, least(d)) for d in shape)
        b.emit(b.one(f"{place}[{where}] = {squashed(b)}", f"{place} += {squashed(b)}",
                     f"{place} = {fresh_vector(b, shape, 1)}"))  # fmt: skip
        b.tag("write into array in dict")
    else:
        b.emit(f"{place} {b.one('=', '+=', '*=')} {squashed(b)}")
    b.wrote(var)
    return True


@statement("dict comprehension", 3, 0.8)
def _dict_comprehension(b: Builder) -> bool:
    name, k = b.fresh("d"), b.fresh("key")
    keys = tuple(b.rng.sample(KEYS, 2))
    b.emit(f"{name} = {{{k}: {squashed(b)} * len({k}) for {k} in {list(keys)}}}")
    b.bind(name, Kind("dict", items=(FLOAT, FLOAT), keys=keys))
    return True


@statement("dict update and get", 3, 4.5)
def _dict_update(b: Builder) -> bool:
    var = b.pick("dict", lambda v: v.local and FLOAT in v.kind.items)
    if var is None:
        return False
    key = var.kind.keys[var.kind.items.index(FLOAT)]
    b.emit(f"{var.name}.update({{{key!r}: {squashed(b)}}})")
    b.wrote(var)
    name = b.fresh("s")
    b.emit(f"{name} = {var.name}.get({key!r}, 0.0) * {atom(b)}")
    b.bind(name, FLOAT)
    return True


@statement("conditional list growth", 3, 2.0)
def _growth(b: Builder) -> bool:
    var = b.pick("list", lambda v: v.kind.items[0] == FLOAT and v.local)
    if var is None or b.branches + b.loops > 2:
        return False
    b.emit(f"if {condition(b)}:")
    b.emit(f"    {var.name}.append({squashed(b)})")
    b.wrote(var)
    name = b.fresh("s")
    b.emit(f"{name} = sum({var.name}) / (1 + len({var.name}))")
    b.bind(name, FLOAT)
    b.tag("append")
    return True
