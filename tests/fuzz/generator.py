"""Random programs: ``generate(seed, index, level)`` gives the same program every time.

A candidate is drafted from the tables of statements and expressions, then run: it is thrown away if
plain Python raises, if the point is not smooth, or if some active input has no gradient to speak of.

    def f(x, s):                 features: scalar augmented assignment, for over array, break
        for e1 in x:
            if e1 > 0.41:
                break
            s += 0.3 * math.sin(e1)
        return s + 0.7 * np.sum(x)
"""

from __future__ import annotations

import ast
import random
from typing import Any

import numpy as np

from . import closures as _closures  # registers its statements
from . import containers as _containers  # registers its statements
from . import flow as _flow  # registers its statements
from .arrays import ARRAYS, some_shape
from .builder import BOOL, FLOAT, MIN_N, Builder, Kind, N, array, integer
from .differences import Difference, NotSmooth, differences
from .functions import SCALARS
from .program import NAME, Program, TooLong, load, plain, strided, time_limit
from .scalars import CONDITIONS, squashed
from .statements import STATEMENTS, block, define

__all__ = ["feature_names", "generate"]

HEADER = "import math\nimport numpy as np\n"
GLOBALS = "SCALE = 0.8\nTABLE = np.array([0.4, -0.7, 1.1])\n"
FOCUS = {1: 5, 2: 10, 3: 15}
SMALLEST, LARGEST = 2e-3, 1e3
_ = (_closures, _containers, _flow)

# Features that some statement shows now and then, and the statement that is asked for them.
HOSTS = {
    1: {
        "elif": "if", "else": "if", "for else": "for range", "while else": "while",
        "loop variable after the loop": "for range", "nested loop": "for range",
        "loop exit in middle": "for range", "break": "for range", "continue": "while",
        "return in loop": "for range",
    },
    2: {
        "element write at loop index": "for range(len)", "enumerate": "for over array",
        "zip": "for over array", "for over rows": "for over array",
        "negative index": "element read", "element read": "scalar assignment",
        "view in expression": "array assignment", "ones and zeros": "array assignment",
    },
    3: {
        "comprehension with condition": "list comprehension", "append": "append in loop",
        "write into array in list": "list of arrays", "write into array in dict": "dict write",
    },
}  # fmt: skip
# What must be in scope first.
NEEDS = {
    "dict write": "dict", "dict read": "dict", "dict update and get": "dict comprehension",
    "for over dict": "dict comprehension", "write into array in dict": "dict", "pop": "list literal",
    "list alias": "list literal", "for over list": "list literal", "list read": "list literal",
    "list operations": "list literal", "list element write": "list literal",
    "append": "list literal", "conditional list growth": "list literal",
    "helper with list or dict argument": "list literal", "tuple unpacking": "tuple",
    "tuple read": "tuple", "call of local function": "closure", "comprehension with call": "lambda",
    "int condition": "int variable", "membership": "int variable", "write through view": "view",
    "int in float expression": "int variable", "for over rows": "outer", "swap": "unpacking",
    "axis reduction": "outer", "transpose": "outer", "matmul": "outer",
}  # fmt: skip


def feature_names(level: int) -> list[str]:
    """Names of the features that programs of this level are steered towards."""
    tables = (STATEMENTS, SCALARS, CONDITIONS, ARRAYS)
    names = {p.name for table in tables for p in table if p.level <= level}
    return sorted(names.union(*(hosts for of, hosts in HOSTS.items() if of <= level)))


def focus_of(seed: int, index: int, level: int) -> list[str]:
    """The features program ``index`` is asked for; every feature's turn comes round."""
    names, k = feature_names(level), FOCUS[level]
    per_round = -(-len(names) // k)
    turn, place = divmod(index, per_round)
    random.Random(f"{seed}/{level}/{turn}").shuffle(names)
    return names[place * k : place * k + k]


def generate(seed: int, index: int, level: int = 3) -> Program:
    """The program with this number; raises RuntimeError if no candidate is sound."""
    for attempt in range(400):
        rng = random.Random(f"{seed}/{level}/{index}/{attempt}")
        program = draft(rng, seed, index, level)
        program.attempts = attempt + 1
        if sound(program):
            return program
    raise RuntimeError(f"no sound program for seed {seed}, index {index}, level {level}")


def sound(program: Program) -> bool:
    """Whether the program runs, is smooth at both points and uses all of its active inputs."""
    try:
        with time_limit(5.0), load(program.source) as module:
            f = getattr(module, NAME)
            if max(abs(plain(f, args)) for args in program.args) > LARGEST:
                return False
            program.gradients = [differences(f, args, program.argnums) for args in program.args]
    except (NotSmooth, TooLong, ArithmeticError, AssertionError, LookupError, ValueError):
        return False
    except (TypeError, AttributeError, NameError, RecursionError, SyntaxError):
        return False
    first: list[Difference] = program.gradients[0]
    if any(np.abs(d.values).max(initial=0.0) < SMALLEST for d in first):
        return False
    return all(np.abs(d.values).max(initial=0.0) < LARGEST for g in program.gradients for d in g)


# -- drafting ------------------------------------------------------------------------------


def draft(rng: random.Random, seed: int, index: int, level: int) -> Program:
    """A candidate, not yet run."""
    b = Builder(rng, level)
    wanted = focus_of(seed, index, level)
    b.focus = set(wanted)
    kinds = arguments(b)
    active = [i for i, (_, kind, differentiated) in enumerate(kinds) if differentiated]
    names = [name for name, _, _ in kinds]
    roots = {}
    for i, (name, kind, _) in enumerate(kinds):
        b.used = {name} if i in active else set()
        roots[name] = b.bind(name, kind).root
    b.ret = lambda inner: result(inner, [names[i] for i in active])
    vectors = [n for n, kind, _ in kinds if kind == array(N)]
    if vectors:
        b.dim = "n"
        b.emit(f"n = {rng.choice(['len({})', '{}.size', '{}.shape[0]']).format(vectors[0])}")
    body(b, wanted)
    b.used = set()
    b.emit(f"return {result(b, [names[i] for i in active])}")
    text = f"def {NAME}({', '.join(names)}):\n" + "\n".join(b.lines)
    text = "\n\n".join([*b.module, text])
    head = HEADER + (GLOBALS if "SCALE" in text or "TABLE" in text else "")
    writable = {name for name, root in roots.items() if root in b.mutated}
    sets = tuple(values(rng, kinds, writable, n) for n in rng.sample([MIN_N, MIN_N + 1], 2))
    label = f"seed {seed}, index {index}, level {level}"
    source = tidy(f"{head}\n{text}\n")
    return Program(label, source, tuple(active), sets, frozenset(b.features), level)


def tidy(source: str) -> str:
    """The source without redundant parentheses, its functions two blank lines apart."""
    text = ast.unparse(ast.parse(source)) + "\n"
    return text.replace("\n\ndef ", "\n\n\ndef ")


def arguments(b: Builder) -> list[tuple[str, Kind, bool]]:
    """Parameters of ``f`` with their kinds, and whether each is differentiated."""
    rng = b.rng
    found: list[tuple[str, Kind, bool]] = [("p", FLOAT, True)]
    if b.level >= 2:
        found.append(("x", array(N), True))
        if b.chance(0.45):
            found.append(("y", rng.choice([array(N), array((0, 3))]), b.chance(0.8)))
        if b.chance(0.5):
            shapes = [array((0, 2), (0, 3)), array((0, 2), N), array(N, (0, 2))]
            found.append(("A", rng.choice(shapes), b.chance(0.85)))
    else:
        found.append(("q", FLOAT, True))
    if b.chance(0.35):
        found.append(("c", FLOAT, b.chance(0.5)))
    if b.chance(0.45) or b.wants("int condition"):
        found.append(("k", integer(1, 3), False))
    if b.chance(0.3) or b.wants("flag"):
        found.append(("flag", BOOL, False))
    if b.level >= 3 and b.chance(0.35):
        items = (array((0, 3)), FLOAT)
        found.append(
            rng.choice([
                ("params", Kind("dict", items=items, keys=("w", "b")), True),
                ("pair", Kind("tuple", items=items), True),
                ("weights", Kind("list", items=(FLOAT,), lo=3), True),
            ])
        )  # fmt: skip
        b.tag("container argument")
    rng.shuffle(found)
    return found


def body(b: Builder, wanted: list[str]) -> None:
    """Statements that show the wanted features, among random ones."""
    order = list(wanted)
    b.rng.shuffle(order)
    for name in order:
        b.budget = 2
        if name not in b.features:
            force(b, name)
        if b.chance(0.1):
            block(b, 1)


def force(b: Builder, name: str) -> None:
    """A statement that shows this feature, as far as the scope allows."""
    hosts = {k: v for of in HOSTS.values() for k, v in of.items()}
    if name in NEEDS and b.chance(0.9):
        make(b, NEEDS[name])
    for _ in range(6):
        if make(b, hosts.get(name, name)) and name in b.features:
            return
        block(b, 1)


def make(b: Builder, name: str) -> bool:
    """One statement made with the producer of this name; False if it does not apply."""
    b.used = set()
    for table in (STATEMENTS, SCALARS, ARRAYS, CONDITIONS):
        producer = next((p for p in table if p.name == name), None)
        if producer is None:
            continue
        if table is STATEMENTS:
            made = producer.make(b)
        elif table is CONDITIONS:
            if made := producer.make(b):
                _flow.branch(b, str(made))
        elif table is SCALARS:
            if made := producer.make(b, 1):
                define(b, "s", str(made))
        else:
            matrix = name in ("outer", "stack", "transpose")
            shape = ((0, 2), (0, 3)) if matrix else some_shape(b)
            if made := producer.make(b, shape, 1):
                variable = b.fresh("a")
                b.emit(f"{variable} = 1.0 * {made}")
                b.bind(variable, array(*shape))
        if made:
            b.tag(name)
        return bool(made)
    return False


def result(b: Builder, active: list[str]) -> str:
    """A sum over variables in scope that together depend on every active argument."""
    tags = ("float", "array", "list", "tuple", "dict")
    late = [v for v in b.scope.values() if v.kind.tag in tags][::-1]
    made = [v for v in late if v.name not in active]
    missing, terms = set(active), []
    for var in [*made, *(v for v in late if v.name in active)]:
        if (missing & var.deps) or (len(terms) < 6 and b.chance(0.7)):
            term = summed(b, var.name, var.kind)
            if term:
                terms.append(term)
                missing -= var.deps
    return " + ".join(terms) or squashed(b)


def summed(b: Builder, name: str, kind: Kind) -> str | None:
    """A float that depends on all of a variable."""
    c = b.const()
    if kind == FLOAT:
        return b.one(f"{c} * {name}", f"math.sin({name})", name, f"{name} * {name}")
    if kind.tag == "array":
        return b.one(
            f"{c} * np.sum({name})", f"np.sum(np.sin({name}))", f"np.sum({name} * {name})",
            f"{c} * np.mean({name})",
        )  # fmt: skip
    if kind.tag == "list":
        return f"{c} * sum({name})" if kind.items[0] == FLOAT else f"{c} * np.sum({name}[0])"
    keys = [repr(k) for k in kind.keys] if kind.tag == "dict" else range(len(kind.items))
    parts = [summed(b, f"{name}[{k}]", item) for k, item in zip(keys, kind.items, strict=True)]
    return f"({' + '.join(p for p in parts if p)})"


def values(
    rng: random.Random, kinds: list[tuple[str, Kind, bool]], writable: set[str], n: int
) -> tuple[Any, ...]:
    """One argument set, its vectors of length ``n``; some arrays strided, Fortran or read-only."""

    def number() -> float:
        size = rng.uniform(0.1, 1.3)
        return size if rng.random() < 0.65 else -size

    def make(kind: Kind) -> Any:
        match kind.tag:
            case "float":
                return number()
            case "int":
                return rng.randint(kind.lo, kind.hi)
            case "bool":
                return rng.random() < 0.5
            case "array":
                shape = [c * n + o for c, o in kind.shape]
                flat = [number() for _ in range(int(np.prod(shape)))]
                return np.array(flat).reshape(shape)
            case "dict":
                return dict(zip(kind.keys, map(make, kind.items), strict=True))
            case "tuple":
                return tuple(map(make, kind.items))
        return [number() for _ in range(kind.lo)]

    found = []
    for name, kind, _ in kinds:
        made = make(kind)
        if kind.tag == "array" and rng.random() < 0.2:
            made = (
                np.asfortranarray(made) if made.ndim == 2 and rng.random() < 0.5 else strided(made)
            )
        if kind.tag == "array" and name not in writable and rng.random() < 0.1:
            made.flags.writeable = False
        found.append(made)
    return tuple(found)
