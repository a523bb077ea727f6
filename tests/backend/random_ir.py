"""Random value-semantic IR: every value is used as if nothing were ever written in place.

In: a seed. Out: a verified module over scalars, arrays, views, lists and tuples, with branches
and loops, whose writes name storage that others may still read.
"""

from __future__ import annotations

import random

import numpy as np

from s2sad.ir.builder import Builder
from s2sad.ir.kinds import BOOL, FLOAT, INT, Array, Kind, ListOf, Num, Size, Tuple, join
from s2sad.ir.nodes import (
    FALSE,
    TRUE,
    UNDEFINED,
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Region,
    Struct,
    Value,
    While,
)

LONG = Array("float64", (Size(True),))
SHORT = Array("float64", (Size(True),))
SCALAR = Num("float64", None)
NAMES = ("x", "y", "u", "tape", None, None)


class RandomIR:
    """Builds one function; ``scope`` holds values by sort: s(calar), a(rray of 6), v(3), l(ist)."""

    def __init__(self, seed: int, size: int) -> None:
        self.random = random.Random(seed)
        self.b = Builder()
        self.size = size

    def helper(self) -> Function:
        """A function that consumes its array: ``helper(a, s) -> (scalar, a')``."""
        self.CHOICES = [c for c in self.CHOICES if c != "consume"]
        params = (Value(LONG, "a"), Value(SCALAR, "s"))
        scope: dict[str, list[Atom]] = {"s": [params[1], Const.of(0.5)], "a": [params[0]]}
        scope.update(v=[], l=[], t=[])
        self.steps(scope, self.size // 2, 0)
        a = self.pick(scope, "a")
        body = Region((), tuple(self.b.nodes), (self.pick(scope, "s"), a))
        self.b.nodes.clear()
        return Function("helper", params, body, Struct("leaf", index=0), ((0, 1),))

    def module(self) -> Module:
        choices = self.CHOICES
        helper = self.helper()
        self.CHOICES = choices
        params = (
            Value(FLOAT, "x"),
            Value(FLOAT, "c"),
            Value(LONG, "a"),
            Value(LONG, "b"),
        )
        scope: dict[str, list[Atom]] = {"s": [*params[:2], Const.of(0.5)], "a": list(params[2:])}
        scope.update(v=[], l=[], t=[])
        self.steps(scope, self.size, 0)
        yields = tuple(
            v for sort in "saavvllt" if scope[sort] for v in [self.random.choice(scope[sort])]
        )
        out = Struct("tuple", tuple(Struct("leaf", index=n) for n in range(len(yields))))
        region = Region((), tuple(self.b.nodes), yields)
        return Module({"f": Function("f", params, region, out), "helper": helper})

    def steps(self, scope: dict[str, list[Atom]], count: int, depth: int) -> None:
        for _ in range(count):
            step = self.random.choice(self.CHOICES)
            getattr(self, step)(scope, depth)

    CHOICES = (
        "scalar scalar load load array array view view view_row poke poke poke_slice bump bump_slice "
        "scatter add_to add_to poke_view poke_view make_list append append item_list item_list set_list pair "
        "pop unpair copy augment inner inner branch branch loop loop repeat leaving taped taped "
        "consume consume"
    ).split()

    # -- helpers ------------------------------------------------------------------------------

    def pick(self, scope: dict[str, list[Atom]], sort: str) -> Atom | None:
        known = scope[sort]
        if not known:
            return None
        # recent values more often, so that chains of versions come about
        return known[-1] if self.random.random() < 0.5 else self.random.choice(known)

    def put(self, scope: dict[str, list[Atom]], sort: str, fn: str, *args: Atom | None) -> None:
        if any(a is None for a in args):
            return
        name = self.random.choice(NAMES)
        scope[sort].append(self.b.op(fn, *args, name=name))  # type: ignore[arg-type]

    def index(self) -> Const:
        return Const.of(self.random.randrange(3))

    def section(self) -> Const:
        return Const.of(self.random.choice([slice(0, 3), slice(None, None, 2), slice(3, None)]))

    # -- steps --------------------------------------------------------------------------------

    def scalar(self, scope, depth):
        fn = self.random.choice(["add", "mul", "sub"])
        self.put(scope, "s", fn, self.pick(scope, "s"), self.pick(scope, "s"))

    def load(self, scope, depth):
        self.put(scope, "s", "item", self.pick(scope, self.random.choice("av")), self.index())

    def array(self, scope, depth):
        fn = self.random.choice(["add", "mul"])
        self.put(scope, "a", fn, self.pick(scope, "a"), self.pick(scope, self.random.choice("as")))

    def copy(self, scope, depth):
        sort = self.random.choice("avl")
        self.put(scope, sort, "copy", self.pick(scope, sort))

    def view(self, scope, depth):
        self.put(scope, "v", "item", self.pick(scope, "a"), self.section())

    def view_row(self, scope, depth):
        self.put(scope, "v", "item", self.pick(scope, "v"), Const.of(slice(None, None, -1)))

    def poke(self, scope, depth):
        self.put(scope, "a", "setitem", self.pick(scope, "a"), self.index(), self.pick(scope, "s"))

    def poke_view(self, scope, depth):
        self.put(scope, "v", "setitem", self.pick(scope, "v"), self.index(), self.pick(scope, "s"))

    def poke_slice(self, scope, depth):
        v = self.pick(scope, self.random.choice("vs"))
        self.put(scope, "a", "setitem", self.pick(scope, "a"), self.section(), v)

    def bump(self, scope, depth):
        s = self.pick(scope, "s")
        self.put(scope, "a", "accumulate", self.pick(scope, "a"), self.index(), s)

    def bump_slice(self, scope, depth):
        v = self.pick(scope, "v")
        self.put(scope, "a", "accumulate", self.pick(scope, "a"), self.section(), v)

    def scatter(self, scope, depth):
        index = Const.of(np.array([1, 1, 4]))
        self.put(scope, "a", "accumulate", self.pick(scope, "a"), index, self.pick(scope, "v"))

    def add_to(self, scope, depth):
        sort = self.random.choice("aavs")
        self.put(scope, sort, "add_to", self.pick(scope, sort), self.pick(scope, sort))

    def augment(self, scope, depth):
        a, section, v = self.pick(scope, "a"), self.section(), self.pick(scope, "v")
        if v is not None:
            part = self.b.op("item", a, section)
            total = self.b.op("mul", part, v)
            self.put(scope, "a", "setitem", a, section, total)

    def inner(self, scope, depth):
        """A write through a view, as ``a[0:3][i] = s``."""
        a, section = self.pick(scope, "a"), self.section()
        part = self.b.op("item", a, section)
        part = self.b.op("setitem", part, self.index(), self.pick(scope, "s"))
        self.put(scope, "a", "setitem", a, section, part)

    def make_list(self, scope, depth):
        x = self.pick(scope, "a")
        made = self.b.op("append", self.b.op("list"), x, name=self.random.choice(NAMES))
        scope["l"].append(made)

    def append(self, scope, depth):
        self.put(scope, "l", "append", self.pick(scope, "l"), self.pick(scope, "a"))

    def item_list(self, scope, depth):
        index = Const.of(self.random.choice([0, -1]))
        self.put(scope, "a", "item", self.pick(scope, "l"), index)

    def set_list(self, scope, depth):
        index = Const.of(self.random.choice([0, -1]))
        self.put(scope, "l", "setitem", self.pick(scope, "l"), index, self.pick(scope, "a"))

    def pop(self, scope, depth):
        lst = self.pick(scope, "l")
        if lst is not None:
            more = self.b.op("append", lst, self.pick(scope, "a"))
            less, x = self.b.ops("pop", more, names=self.random.choices(NAMES, k=2))
            scope["l"].append(less)
            scope["a"].append(x)

    def pair(self, scope, depth):
        x, s = self.pick(scope, "a"), self.pick(scope, "s")
        scope["t"].append(self.b.op("tuple", x, s, name=self.random.choice(NAMES)))

    def unpair(self, scope, depth):
        self.put(scope, "a", "item", self.pick(scope, "t"), Const.of(0))

    def cond(self, scope):
        return self.b.op(
            "lt", self.pick(scope, "s"), Const.of(self.random.choice([-1.0, 0.7, 2.0]))
        )

    def chosen(self, scope, count):
        sorts = [s for s in "saavl" if scope[s]]
        return self.random.choices(sorts, k=count)

    def branch(self, scope, depth):
        if depth > 2:
            return
        cond = self.cond(scope)
        sorts = self.chosen(scope, self.random.randrange(1, 4))
        arms = []
        for _ in range(2):
            inner = {k: list(v) for k, v in scope.items()}
            with self.b.region() as nodes:
                self.steps(inner, self.random.randrange(4), depth + 1)
            arms.append(Region((), tuple(nodes), tuple(self.pick(inner, s) for s in sorts)))
        pairs = zip(arms[0].yields, arms[1].yields, strict=True)
        names = self.random.choices(NAMES, k=len(sorts))
        results = tuple(
            Value(join(x.kind, y.kind), n) for (x, y), n in zip(pairs, names, strict=True)
        )
        self.b.append(If(results, cond, *arms))
        for s, r in zip(sorts, results, strict=True):
            scope[s].append(r)

    KINDS: dict[str, Kind] = {
        "s": SCALAR,
        "a": LONG,
        "v": SHORT,
        "l": ListOf(LONG),
        "t": Tuple(()),
    }

    def loop(self, scope, depth):
        if depth > 2:
            return
        sorts = self.chosen(scope, self.random.randrange(1, 4))
        init = tuple(self.pick(scope, s) for s in sorts)
        names = self.random.choices(NAMES, k=len(sorts))
        params = tuple(Value(self.KINDS[s], n) for s, n in zip(sorts, names, strict=True))
        results = tuple(Value(self.KINDS[s], n) for s, n in zip(sorts, names, strict=True))
        index = Value(INT, self.random.choice(["i", None]))
        inner = {k: list(v) for k, v in scope.items()}
        for s, p in zip(sorts, params, strict=True):
            inner[s].append(p)
        with self.b.region() as nodes:
            if self.random.random() < 0.4:
                self.put(inner, "s", "item", self.pick(inner, "a"), index)
            self.steps(inner, self.random.randrange(1, 5), depth + 1)
            leave = self.cond(inner) if self.random.random() < 0.3 else FALSE
        yields = tuple(self.pick(inner, s) for s in sorts)
        trips = Const.of(self.random.randrange(4))
        body = Region((index, *params), tuple(nodes), (leave, *yields))
        self.b.append(For(results, Const.of(0), trips, Const.of(1), init, body))
        for s, r in zip(sorts, results, strict=True):
            scope[s].append(r)

    def repeat(self, scope, depth):
        """A while loop with a counter of its own."""
        if depth > 2:
            return
        sorts = self.chosen(scope, self.random.randrange(1, 3))
        init = (Const.of(0), *(self.pick(scope, s) for s in sorts))
        kinds = (INT, *(self.KINDS[s] for s in sorts))
        names = ("n", *self.random.choices(NAMES, k=len(sorts)))

        def fresh() -> tuple[Value, ...]:
            return tuple(Value(k, n) for k, n in zip(kinds, names, strict=True))

        tests, params, results = fresh(), fresh(), fresh()
        with self.b.region() as test:
            go_on = self.b.op("lt", tests[0], Const.of(3))
        inner = {k: list(v) for k, v in scope.items()}
        for s, p in zip(sorts, params[1:], strict=True):
            inner[s].append(p)
        with self.b.region() as nodes:
            count = self.b.op("add", params[0], Const.of(1))
            self.steps(inner, self.random.randrange(1, 4), depth + 1)
        yields = (FALSE, count, *(self.pick(inner, s) for s in sorts))
        body = Region(params, tuple(nodes), yields)
        self.b.append(While(results, init, Region(tests, tuple(test), (go_on,)), body))
        for s, r in zip(sorts, results[1:], strict=True):
            scope[s].append(r)

    def consume(self, scope, depth):
        a, s = self.pick(scope, "a"), self.pick(scope, "s")
        names = self.random.choices(NAMES, k=2)
        results = (Value(SCALAR, names[0]), Value(LONG, names[1]))
        self.b.append(Call(results, "helper", (a, s)))
        scope["s"].append(results[0])
        scope["a"].append(results[1])

    def leaving(self, scope, depth):
        """A loop that ends with a branch that decides whether to leave."""
        if depth > 1:
            return
        sorts = self.chosen(scope, self.random.randrange(1, 3))
        init = tuple(self.pick(scope, s) for s in sorts)
        names = self.random.choices(NAMES, k=len(sorts))
        params, results, joined = (
            tuple(Value(self.KINDS[s], n) for s, n in zip(sorts, names, strict=True))
            for _ in range(3)
        )
        flag = Value(BOOL)
        inner = {k: list(v) for k, v in scope.items()}
        for s, p in zip(sorts, params, strict=True):
            inner[s].append(p)
        with self.b.region() as nodes:
            self.steps(inner, self.random.randrange(3), depth + 1)
            cond = self.cond(inner)
            arms = []
            for leave in self.random.choice([(TRUE, FALSE), (FALSE, TRUE), (TRUE, cond)]):
                deeper = {k: list(v) for k, v in inner.items()}
                with self.b.region() as arm:
                    self.steps(deeper, self.random.randrange(3), depth + 2)
                yields = (leave, *(self.pick(deeper, s) for s in sorts))
                arms.append(Region((), tuple(arm), yields))
            self.b.append(If((flag, *joined), cond, *arms))
        body = Region((Value(INT, "i"), *params), tuple(nodes), (flag, *joined))
        self.b.append(For(results, Const.of(0), Const.of(3), Const.of(1), init, body))
        for s, r in zip(sorts, results, strict=True):
            scope[s].append(r)

    def taped(self, scope, depth):
        """A loop that saves, and one that reads what was saved backwards."""
        if depth > 1:
            return
        flat = self.b.op("list", name="tape")
        kind = ListOf(Tuple((LONG, SCALAR, SCALAR)))
        a0, tape0 = self.pick(scope, "a"), flat
        name = self.random.choice(NAMES)
        a1, tape1 = Value(LONG, name), Value(kind, "tape")
        a2, tape2 = Value(LONG, name), Value(kind, "tape")
        inner = {k: list(v) for k, v in scope.items()}
        inner["a"].append(a1)
        with self.b.region() as nodes:
            self.steps(inner, self.random.randrange(3), depth + 1)
            maybe = Value(SCALAR, self.random.choice(NAMES))
            with self.b.region() as arm:
                some = self.b.op("add", self.pick(inner, "s"), Const.of(1.0))
            arms = Region((), tuple(arm), (some,)), Region((), (), (UNDEFINED,))
            self.b.append(If((maybe,), self.cond(inner), *arms))
            entry = self.b.op("tuple", self.pick(inner, "a"), self.pick(inner, "s"), maybe)
            more = self.b.op("append", tape1, entry)
            self.steps(inner, self.random.randrange(4), depth + 1)
        body = Region((Value(INT), a1, tape1), tuple(nodes), (FALSE, self.pick(inner, "a"), more))
        trips = Const.of(self.random.randrange(4))
        self.b.append(For((a2, tape2), Const.of(0), trips, Const.of(1), (a0, tape0), body))
        scope["a"].append(a2)
        start = self.b.op("sub", self.b.op("len", tape2), Const.of(1))
        index = Value(INT)
        name = self.random.choice(NAMES)
        b1, b2 = Value(LONG, name), Value(LONG, name)
        inner = {k: list(v) for k, v in scope.items()}
        inner["a"].append(b1)
        with self.b.region() as nodes:
            entry = self.b.op("item", tape2, index)
            saved = self.b.op("item", entry, Const.of(0), name=self.random.choice(NAMES))
            number = self.b.op("item", entry, Const.of(1), name=self.random.choice(NAMES))
            inner["a"].append(saved)
            inner["s"].append(number)
            self.steps(inner, self.random.randrange(1, 5), depth + 1)
        body = Region((index, b1), tuple(nodes), (FALSE, self.pick(inner, "a")))
        init = (self.pick(scope, "a"),)
        self.b.append(For((b2,), start, Const.of(-1), Const.of(-1), init, body))
        scope["a"].append(b2)


def random_module(seed: int, size: int = 12) -> Module:
    """The module of that seed."""
    return RandomIR(seed, size).module()
