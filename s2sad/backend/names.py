"""Names: which values share one, and what it is.

In: a plan whose writes are safe. Out: a name for every value that is not written inside an
expression. A buffer and its new version share a name, and so do, where their live ranges do not
meet, what a loop carries and the results of branches; the user's name wins, then ``x_2``.

    y1 = mul(y0, c)  at the end of a loop that carries y   ->   y = y * c
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from ..ir.kinds import Array, Kind, Num
from ..ir.nodes import Atom, Call, Const, For, If, Op, Region, Value, While, regions_of, walk
from ..transform.target import is_for_compiler
from .liveness import Live, Liveness
from .ops import writes
from .plan import Plan


def name_values(
    made: Plan, functional: frozenset[Op], reserved: Iterable[str]
) -> dict[Value, str]:
    """A name for every value that needs one; none of them is in ``reserved``."""
    graph = _Interference(made)
    graph.function()
    classes = _Classes(graph, made)
    _must_share(made, functional, classes, made.function.body)
    _may_share(made, classes, made.function.body)
    return _choose(made, classes, set(reserved))


class _Interference(Liveness):
    """Pairs of values that are alive together."""

    def __init__(self, made: Plan) -> None:
        super().__init__(made)
        self.edges: dict[Value, Live] = {}

    def define(self, values: Iterable[Value], live: Live) -> None:
        values = tuple(values)
        for v in values:
            mine = self.edges.setdefault(v, set())
            for w in (*live, *values):
                if w is not v:
                    mine.add(w)
                    self.edges.setdefault(w, set()).add(v)


class _Classes:
    """Values joined under one name, and which classes are alive together."""

    def __init__(self, graph: _Interference, made: Plan) -> None:
        order = made.facts.order
        self.order = order
        self.parent: dict[Value, Value] = {}
        self.members: dict[Value, list[Value]] = {v: [v] for v in graph.edges}
        self.edges = graph.edges
        self.base: dict[Value, str | None] = {v: v.name for v in graph.edges}

    def find(self, v: Value) -> Value:
        while v in self.parent:
            v = self.parent[v]
        return v

    def meet(self, a: Value, b: Value) -> bool:
        a, b = self.find(a), self.find(b)
        return any(self.find(w) is b for w in self.edges[a])

    def join(self, a: Value, b: Value, name: str | None = None) -> None:
        a, b = self.find(a), self.find(b)
        if a is b:
            return
        self.parent[b] = a
        self.members[a].extend(self.members.pop(b))
        self.edges[a] = self.edges[a] | self.edges[b]
        self.base[a] = name or self.base[a] or self.base[b]

    def try_join(self, a: Atom, b: Atom) -> None:
        """One name for both, if they are never alive together and no user's name is lost."""
        if not (isinstance(a, Value) and isinstance(b, Value)):
            return
        if a not in self.edges or b not in self.edges:
            return
        x, y = self.find(a), self.find(b)
        if x is y or self.meet(x, y):
            return
        if None in (self.base[x], self.base[y]) or self.base[x] == self.base[y]:
            self.join(x, y)


def _must_share(made: Plan, functional: frozenset[Op], classes: _Classes, region: Region) -> None:
    """Buffers with their new versions, and the faces of one loop variable."""
    for node in region.ops:
        match node:
            case Op() if not made.skipped(node) and node not in functional:
                k = writes(node)
                if k is not None and isinstance(node.args[k], Value):
                    _force(classes, node.args[k], node.results[0])
            case For():
                for p, r in zip(node.body.params[1:], node.results, strict=True):
                    _force(classes, p, r)
            case While():
                faces = (node.test.params, node.body.params, node.results)
                for p, q, r in zip(*faces, strict=True):
                    _force(classes, p, q)
                    _force(classes, p, r)
            case Call():
                for i, k in made.mutates.get(node.callee, ()):
                    _force(classes, node.args[i], node.results[k])
        for inner in regions_of(node):
            _must_share(made, functional, classes, inner)


def _force(classes: _Classes, a: Atom, b: Value) -> None:
    if isinstance(a, Value) and a in classes.edges and b in classes.edges:
        if not classes.meet(a, b):
            classes.join(a, b)


def _may_share(made: Plan, classes: _Classes, region: Region) -> None:
    """What moves at the edges of regions, innermost first."""
    for node in region.ops:
        for inner in regions_of(node):
            _may_share(made, classes, inner)
        match node:
            case If() if node not in made.tails and node not in made.conditional:
                for arm in (node.then, node.orelse):
                    for r, y in zip(node.results, arm.yields, strict=True):
                        classes.try_join(r, y)
            case For() | While():
                params = node.body.params[1:] if isinstance(node, For) else node.body.params
                _join_ends(made, classes, node.body, params, node.body.yields[1:])
                for p, a in zip(params, node.init, strict=True):
                    classes.try_join(p, a)


def _join_ends(
    made: Plan,
    classes: _Classes,
    region: Region,
    params: tuple[Value, ...],
    yields: tuple[Atom, ...],
) -> None:
    last = region.ops[-1] if region.ops else None
    if isinstance(last, If) and last in made.tails:
        for arm in (last.then, last.orelse):
            swap = dict(zip(last.results, arm.yields, strict=True))
            inner = tuple(swap.get(y, y) if isinstance(y, Value) else y for y in yields)
            _join_ends(made, classes, arm, params, inner)
        return
    for p, y in zip(params, yields, strict=True):
        classes.try_join(p, y)


# -- choosing -------------------------------------------------------------------------------------


def _choose(made: Plan, classes: _Classes, reserved: set[str]) -> dict[Value, str]:
    reserved = reserved | set(keyword.kwlist)
    chosen: dict[Value, str] = {}
    users = {v.name for v in classes.edges if v.name}
    #: what names without an owner stand for: a compiler wants one type for each
    typed: dict[str, object] = {}

    def taken(root: Value) -> set[str]:
        return {chosen[w] for w in classes.edges[root] if w in chosen}

    def give(root: Value, base: str) -> None:
        used = taken(root)
        name, n = base, 1
        if root in renewed and base in used and f"{base}_new" not in users | used | reserved:
            name = f"{base}_new"
        kind = _compiled_as(root.kind) if is_for_compiler() else None
        while (
            name in used
            or name in reserved
            or (n > 1 and name in users)
            or typed.get(name, kind) != kind
        ):
            n += 1
            # Numba names the versions of t in t_1, t_2 … and takes those for ours.
            name = f"{base}{n}" if is_for_compiler() else f"{base}_{n}"
        if root not in named:
            typed[name] = kind
        for v in classes.members[root]:
            chosen[v] = name

    renewed = _renewed(made, classes)
    params = set(made.function.params)
    roots = sorted(classes.members, key=lambda r: min(map(_place(made), classes.members[r])))
    first = [r for r in roots if any(v in params for v in classes.members[r])]
    named = [r for r in roots if r not in first and classes.base[r]]
    rest = [r for r in roots if r not in first and not classes.base[r]]
    for root in first:
        owner = next(v for v in made.function.params if v in classes.members[root])
        give(root, owner.name or classes.base[root] or "x")
    saved = _Saved(made)
    for root in named:
        user = classes.base[root] or ""
        kept = next(
            (b for v in classes.members[root] if (b := saved.name(v, chosen, classes))), ""
        )
        if kept.startswith(f"{user}_"):
            user = kept
        marked = [v for v in classes.members[root] if v.primal is not None]
        primals = {chosen.get(v.primal) for v in marked if v.primal is not None}
        mark = f"_{marked[0].mark}" if marked else ""
        if len(primals) == 1 and user.endswith(mark):
            (primal,) = primals
            if primal is not None and primal.startswith(user[: -len(mark)]):
                user = f"{primal}{mark}"
        give(root, user if user.isidentifier() else "t")
    indices = {n.body.params[0] for n in walk(made.function.body) if isinstance(n, For)}
    spare = next((t for t in ("t", "r", "s", "v", "w", "z") if t not in users), "tmp")
    for root in rest:
        members = classes.members[root]
        if any(v in indices for v in members):
            hints = (v.hint for v in members if v.hint and v.hint not in users)
            give(root, next(hints, "i"))
            continue
        if all(_unread_part(made, v) for v in members):
            chosen.update(dict.fromkeys(members, "_"))
            continue
        base = next((b for v in members if (b := saved.name(v, chosen, classes))), None)
        base = base or next((v.hint for v in members if v.hint and v.hint not in users), None)
        base = base or _adjoint_name(members, chosen, spare)
        give(root, base or _temporary(made, members, chosen) or spare)
    return chosen


def _adjoint_name(members: list[Value], chosen: dict[Value, str], spare: str) -> str | None:
    """What the adjoint or tangent of something with a speaking name is called."""
    for v in members:
        primal = None if v.primal is None else chosen.get(v.primal)
        if primal is not None and primal.partition("_")[0] not in (spare, "cond", "mask"):
            return f"{primal}_{v.mark}"
    return None


def _renewed(made: Plan, classes: _Classes) -> set[Value]:
    """What a loop computes while it still needs the value that this will replace."""
    found: set[Value] = set()
    for node in walk(made.function.body):
        if isinstance(node, For | While):
            params = node.body.params[1:] if isinstance(node, For) else node.body.params
            for p, y in zip(params, node.body.yields[1:], strict=True):
                if isinstance(y, Value) and p in classes.edges and y in classes.edges:
                    a, b = classes.find(p), classes.find(y)
                    if a is not b and classes.base[a] == classes.base[b]:
                        found.add(b)
    return found


def _compiled_as(kind: Kind) -> object:
    """Equal for kinds that a compiler gives one type."""
    match kind:
        case Num(dtype):
            return dtype
        case Array(dtype, dims) if dims is not None:
            return dtype, len(dims)
        case _:
            return type(kind)


def _unread_part(made: Plan, value: Value) -> bool:
    node = made.facts.definitions.get(value)
    return isinstance(node, Op) and node.fn == "unpack" and made.uses[value] == 0


_TESTS = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "in", "is"})


#: What results are called that have no other name.
_RESULTS = {
    "len": "n",
    "math.sqrt": "root",
    "np.sqrt": "root",
    "np.sum": "total",
    "np.mean": "mean",
    "np.max": "largest",
    "np.min": "smallest",
    "np.linalg.norm": "norm",
}


def _places(made: Plan, index: Atom, chosen: dict[Value, str]) -> str | None:
    """``ij`` for the index ``i, j``."""
    maker = made.facts.definitions.get(index) if isinstance(index, Value) else None
    if not isinstance(maker, Op) or maker.fn != "tuple":
        return None
    parts: list[str] = []
    for a in maker.args:
        if isinstance(a, Const) and type(a.value) is int and a.value >= 0:
            parts.append(str(a.value))
        elif isinstance(a, Value) and a in chosen and a.name:
            parts.append(chosen[a])
        else:
            return None
    return ("" if all(len(p) == 1 for p in parts) else "_").join(parts)


#: Tapes within tapes that are looked through for a name.
DEEPEST = 6


class _Saved:
    """What the elements of a tape were called when they were saved."""

    def __init__(self, made: Plan) -> None:
        self.definitions = made.facts.definitions
        self.appended: dict[Value, list[Op]] = {}
        for node in walk(made.function.body):
            if isinstance(node, Op) and node.fn == "append" and made.loops:
                self.appended.setdefault(node.results[0], []).append(node)

    def name(self, value: Value, chosen: dict[Value, str], classes: _Classes) -> str | None:
        """The name under which what ``value`` reads from a tape went in."""
        source = self.source(value, classes)
        return None if source is None else chosen.get(source)

    def source(self, value: Value, classes: _Classes, depth: int = 0) -> Value | None:
        """What went into the tape that ``value`` is read from."""
        part = self.definitions.get(value)
        if not self.appended or not isinstance(part, Op):
            return None
        place: Atom
        if part.fn == "unpack":
            entry, place = part.args[0], Const.of(part.results.index(value))
        elif part.fn == "item":
            entry, place = part.args
        else:
            return None
        maker = self.definitions.get(entry) if isinstance(entry, Value) else None
        if isinstance(entry, Value) and isinstance(maker, Op) and isinstance(place, Const):
            if maker.fn == "item" and type(place.value) is int:
                return self.entered(maker.args[0], place.value, classes, depth)
        return self.entered(entry, None, classes, depth)

    def entered(
        self, tape: Atom, place: int | None, classes: _Classes, depth: int
    ) -> Value | None:
        """What is appended to a tape, or to the list that a tape of tapes holds."""
        if not isinstance(tape, Value) or tape not in classes.edges:
            return None
        root = classes.find(tape)
        for result, ops in self.appended.items():
            if result in classes.edges and classes.find(result) is root:
                source: Atom = ops[0].args[1]
                maker = self.definitions.get(source) if isinstance(source, Value) else None
                if place is not None and isinstance(maker, Op) and maker.fn == "tuple":
                    if not 0 <= place < len(maker.args):
                        return None  # a list of something else under the same name
                    source = maker.args[place]
                return source if isinstance(source, Value) else None
        outer = self.source(tape, classes, depth + 1) if depth < DEEPEST else None
        return None if outer is None else self.entered(outer, place, classes, depth + 1)


def _place(made: Plan):  # type: ignore[no-untyped-def]
    return made.facts.order.__getitem__


def _temporary(made: Plan, members: list[Value], chosen: dict[Value, str]) -> str | None:
    """A short name that says what the value is, where that is plain."""
    for v in members:
        node = made.facts.definitions.get(v)
        if not isinstance(node, Op):
            continue
        if node.fn == "item" and isinstance(node.args[0], Value):
            base = chosen.get(node.args[0])
            index = node.args[1]
            if base and isinstance(index, Value) and index in chosen and index.name:
                return f"{base}_{chosen[index]}"
            if base and isinstance(index, Const) and type(index.value) is int:
                return f"{base}_{index.value}" if index.value >= 0 else f"{base}_last"
            places = _places(made, index, chosen) if base else None
            if places is not None:
                return f"{base}_{places}"
            if base and isinstance(index, Const) and isinstance(index.value, str):
                if index.value.isidentifier() and not hasattr(builtins, index.value):
                    return index.value
        if node.fn in _TESTS:
            match v.kind:
                case Num("bool"):
                    return "cond"
                case Array("bool"):
                    return "mask"
        if node.fn in _RESULTS:
            return _RESULTS[node.fn]
        if node.fn == "list":
            return "items"
    return None
