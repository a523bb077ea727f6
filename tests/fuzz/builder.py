"""The state a random program is built in: kinds, variables, roots of arrays, and the text so far.

In:  a ``random.Random`` and a level (1 scalars, 2 arrays, 3 everything).
Out: lines of Python, the set of language features used, and which argument reaches which name.

Every array variable knows its root (the memory it shares).  Writes go only to roots that are not
frozen; a root is frozen where aliasing depends on a branch or where a container shares the array,
so that a program's meaning never hangs on something a compiler has to refuse.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

Dim = tuple[int, int]
"""A length ``c * n + o`` as ``(c, o)``: ``n`` differs between the two argument sets."""

N: Dim = (1, 0)
MIN_N = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """What a variable holds; ``lo``/``hi`` bound an int, ``lo`` is a list's least length."""

    tag: str
    shape: tuple[Dim, ...] = ()
    items: tuple[Kind, ...] = ()
    keys: tuple[str, ...] = ()
    lo: int = 0
    hi: int = 0


FLOAT = Kind("float")
BOOL = Kind("bool")


def array(*shape: Dim) -> Kind:
    """The kind of an array with the given lengths."""
    return Kind("array", shape)


def integer(lo: int, hi: int) -> Kind:
    """The kind of an int known to lie in ``lo .. hi``."""
    return Kind("int", lo=lo, hi=hi)


@dataclass(slots=True)
class Var:
    """One name in scope."""

    name: str
    kind: Kind
    deps: frozenset[str] = frozenset()
    root: int = 0
    captured: bool = False
    local: bool = True


@dataclass(frozen=True, slots=True)
class Helper:
    """A module-level function of the program, and what a caller must know about it."""

    name: str
    params: tuple[Kind, ...]
    result: Kind | None
    mutates: bool = False
    view: bool = False


class Builder:
    """Collects one function's statements; helpers get a builder of their own."""

    def __init__(self, rng: random.Random, level: int, parent: Builder | None = None) -> None:
        self.rng = rng
        self.level = level
        self.scope: dict[str, Var] = {}
        self.lines: list[str] = []
        self.indent = 1
        self.used: set[str] = set()
        self.loops = 0
        self.branches = 0
        self.budget = 8
        self.breakable = False
        self.dim: str | None = None
        self.ret: Callable[[Builder], str] | None = None
        self.depth = parent.depth + 1 if parent else 0
        self.features: set[str] = parent.features if parent else set()
        self.focus: set[str] = parent.focus if parent else set()
        self.helpers: list[Helper] = parent.helpers if parent else []
        self.module: list[str] = parent.module if parent else []
        self.counter: list[int] = parent.counter if parent else [0]
        self.frozen: set[int] = parent.frozen if parent else set()
        self.mutated: set[int] = set()

    # -- choices ---------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return self.rng.random() < p

    def one(self, *options: str) -> str:
        """One of the options."""
        return self.rng.choice(options)

    def const(self, lo: float = -1.4, hi: float = 1.4) -> str:
        """A float literal, never within 0.1 of zero."""
        value = 0.0
        while abs(value) < 0.1:
            value = round(self.rng.uniform(lo, hi), 2)
        return repr(value) if value > 0 else f"({value!r})"

    def small(self) -> str:
        """A positive coefficient below one."""
        return repr(round(self.rng.uniform(0.15, 0.85), 2))

    def wants(self, name: str) -> bool:
        """Whether the program was asked for a feature that it does not have yet."""
        return name in self.focus and name not in self.features

    def maybe(self, name: str, p: float) -> bool:
        """True with probability ``p`` or if the feature is wanted; then it is counted."""
        if not (self.wants(name) or self.chance(p)):
            return False
        self.tag(name)
        return True

    def tag(self, *names: str) -> None:
        """Count language features."""
        self.features.update(names)

    def fresh(self, stem: str) -> str:
        """A name not used before in this program."""
        self.counter[0] += 1
        return f"{stem}{self.counter[0]}"

    def new_root(self) -> int:
        """A root no other variable shares."""
        self.counter[0] += 1
        return self.counter[0]

    # -- variables -------------------------------------------------------------------------

    def bind(self, name: str, kind: Kind, root: int | None = None) -> Var:
        """(Re)bind ``name``; its dependencies are what was used since the statement began."""
        var = Var(name, kind, frozenset(self.used), self.new_root() if root is None else root)
        self.scope.pop(name, None)
        self.scope[name] = var
        return var

    def vars(self, tag: str, test: Callable[[Var], bool] | None = None) -> list[Var]:
        """All variables of a kind's tag that pass the test, oldest first."""
        return [v for v in self.scope.values() if v.kind.tag == tag and (not test or test(v))]

    def pick(self, tag: str, test: Callable[[Var], bool] | None = None) -> Var | None:
        """A variable, the later the likelier; it counts as used."""
        found = self.vars(tag, test)
        if not found:
            return None
        var = found[max(self.rng.randrange(len(found)), self.rng.randrange(len(found)))]
        self.used |= var.deps
        return var

    def pick_writable(self, rank: int | None = None) -> Var | None:
        """An array variable whose root may be written."""
        return self.pick(
            "array",
            lambda v: v.root not in self.frozen and (rank is None or len(v.kind.shape) == rank),
        )

    def pick_rebindable(self, tag: str) -> Var | None:
        """A local variable that may be given a new value of the same kind."""
        return self.pick(tag, lambda v: v.local and not v.captured)

    def wrote(self, var: Var) -> None:
        """Record a write through ``var``: every alias of its root now depends on what was used."""
        self.mutated.add(var.root)
        for other in self.scope.values():
            if other.root == var.root:
                other.deps = other.deps | self.used

    def aliased(self, var: Var) -> bool:
        """Whether another name in scope shares the root."""
        return any(v is not var and v.root == var.root for v in self.scope.values())

    # -- text ------------------------------------------------------------------------------

    def emit(self, text: str) -> None:
        """Add one line at the current indentation."""
        self.lines.append("    " * self.indent + text)

    @contextmanager
    def body(self, loop: bool = False, breakable: bool | None = None) -> Iterator[None]:
        """An indented block whose new names go out of scope; the caller merges with ``join``."""
        outer, self.scope = self.scope, {k: replace(v) for k, v in self.scope.items()}
        saved = self.breakable
        self.indent += 1
        self.loops += loop
        self.branches += not loop
        if breakable is not None:
            self.breakable = breakable
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self.emit("pass")
        self.breakable = saved
        self.branches -= not loop
        self.loops -= loop
        self.indent -= 1
        self.arm, self.scope = self.scope, outer

    def join(self, arms: Sequence[dict[str, Var]]) -> None:
        """Merge scopes after a branch or loop: dependencies unite, conflicting roots freeze."""
        for name, var in list(self.scope.items()):
            ends = [arm[name] for arm in arms if name in arm]
            deps = frozenset(self.used).union(var.deps, *(e.deps for e in ends))
            changed = any(e.deps != var.deps or e.root != var.root for e in ends)
            if changed:
                var.deps = deps
            roots = {var.root, *(e.root for e in ends)}
            if len(roots) > 1 and var.kind.tag == "array":
                others = [v for arm in [self.scope, *arms] for v in arm.values() if v.name != name]
                var.root = self.new_root()
                if any(v.root in roots for v in others) or roots & self.frozen:
                    self.frozen |= roots | {var.root}

    # -- lengths ---------------------------------------------------------------------------

    def length(self, dim: Dim) -> str | None:
        """Source of a length, or None where the function has no name for ``n``."""
        c, o = dim
        if c == 0:
            return str(o)
        if self.dim is None:
            return None
        text = self.dim if c == 1 else f"{c} * {self.dim}"
        return f"({text} + {o})" if o > 0 else f"({text} - {-o})" if o < 0 else text


def least(dim: Dim) -> int:
    """The smallest length ``dim`` can have."""
    return dim[0] * MIN_N + dim[1]


@dataclass(frozen=True, slots=True)
class Producer:
    """One way of writing an expression or a statement; its name is the feature it counts as."""

    name: str
    level: int
    weight: float
    make: Callable[..., object] = field(repr=False)


def registrar(table: list[Producer]) -> Callable[..., Callable[..., Callable[..., object]]]:
    """A decorator that adds producers to ``table``."""

    def register(
        name: str, level: int = 1, weight: float = 1.0
    ) -> Callable[..., Callable[..., object]]:
        def add(make: Callable[..., object]) -> Callable[..., object]:
            table.append(Producer(name, level, weight, make))
            return make

        return add

    return register


def choose(b: Builder, table: list[Producer], *args: object, tries: int = 8) -> object:
    """Call producers by weight until one applies; features in focus are strongly preferred."""
    options = [p for p in table if p.level <= b.level]
    weights = [
        p.weight * (12.0 if p.name in b.focus and p.name not in b.features else 1.0)
        for p in options
    ]
    for _ in range(tries):
        producer = b.rng.choices(options, weights)[0]
        before = set(b.used)
        made = producer.make(b, *args)
        if made:
            b.tag(producer.name)
            return made
        b.used = before
    return None
