"""One small program for every construct of the language, and for those that are refused."""

import functools
import itertools
import math
import operator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tests.programs import Table
from tests.programs.aliases import ALIASES
from tests.programs.library import LIBRARY
from tests.programs.optional import OPTIONAL
from tests.programs.sequences import SEQUENCES
from tests.programs.tables import TABLES

LANGUAGE = Table()
X3 = np.array([0.7, -1.2, 2.1])
A23 = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])


# Assignment


def chained_assignment(x):
    a = b = x * x
    a = a + 1.0
    return a * b


def unpacking(x, y):
    a, (b, c), *rest = x, (y, x * y), x + y, x - y, 2.0
    first, *middle, last = rest
    a, b = b, a
    return a * b * b * c + first * last * len(middle) + sum(middle)


def unpacked_array(v):
    a, b, c = v
    (d, e), f = v[:2], v[2]
    return a * b + c * d * e + f


def annotated(x: float) -> float:
    y: float = x * x
    z: float
    z = y + x
    return z * y


def deleted(x):
    a = x * x
    b = a * x
    del a
    a = b + 1.0
    return a * b


def swapped_in_loop(x, y):
    for _ in range(5):
        x, y = y, x + 0.5 * y * x
    return x * y


def walrus(x):
    if (y := x * x) > 1.0:
        return y * x
    return (z := y + x) * z


def augmented_operators(x, y):
    a = x
    a += y
    a *= x
    a -= y * y
    a /= x + 2.0
    a **= 3
    a //= 1e-300 if x > 1e9 else 0.5
    return a * 0.0 + x * y + (a % 7.0) * x


def augmented_array_operators(v, s):
    a = v * 1.0
    a += s
    a *= v
    a -= s * s
    a /= v + 4.0
    a **= 2
    a[1:] += a[:-1]
    a[0] *= s
    return np.sum(a)


LANGUAGE.exact(0, chained_assignment, 1.3)
LANGUAGE.exact(0, unpacking, 1.3, 0.4)
LANGUAGE.exact(0, unpacked_array, X3)
LANGUAGE.exact(0, annotated, 1.3)
LANGUAGE.exact(0, deleted, 1.3)
LANGUAGE.exact(0, swapped_in_loop, 0.6, 0.4)
LANGUAGE.exact(0, walrus, 1.3)
LANGUAGE.exact(0, walrus, 0.3)
LANGUAGE.exact(0, augmented_operators, 1.3, 0.4)
LANGUAGE.exact(0, augmented_array_operators, X3, 1.3)


# Expressions


def operators(x, y):
    return -x + +y - x * y / (x + 3.0) + x**2 * 2.0**y + abs(-x) - (x // 0.7) * y + x % 0.3


def comparisons(x, y):
    total = 0.0
    if 0.0 < x <= y < 3.0:
        total += x * y
    if x != y and not x > y or y == 17.0:
        total += x
    if x in (1.0, 2.0) or y is None:
        total += 100.0
    return total + (x if x < y else y) + (x and y) + (0.0 or x)


def number_theory(x, n):
    k = (n << 2 | 1) ^ 3 & ~n
    return x * k + x ** (n % 3) + x * (n // 2) + x * (-n // 2) + x * divmod(n, 3)[0]


def builtins_of_numbers(x, y):
    a = pow(x, 3) + pow(y, 2.5) + abs(x - y) + max(x, y) * min(x, y, 1.0)
    q, r = divmod(x, 0.4)
    return (
        a
        + sum((x, y), x)
        + round(2.6) * x
        + int(3.7) * y
        + q * y
        + r
        + float(x) * bool(n := 2) * n
    )


def mathematics(x, y):
    a = math.sin(x) * math.cos(y) + math.tan(x) + math.exp(-x) + math.log(y) + math.sqrt(x)
    b = math.atan2(x, y) + math.hypot(x, y) + math.sinh(x) + math.cosh(y) + math.tanh(x)
    c = math.asin(0.5 * x) + math.acos(0.5 * y) + math.atan(x) + math.log1p(x) + math.expm1(y)
    d = math.pow(x, y) + math.fabs(-x) + math.log2(x) + math.log10(y) + math.floor(x) * y
    return a * b + c * d + math.pi * math.e * x + math.log(x, 3.0) + math.degrees(y) * 0.01


def operator_module(x, y):
    return operator.mul(x, y) + operator.add(x, operator.neg(y)) + operator.truediv(x, y)


def subscripts(a, v):
    b = a[None, :, ::-1]
    c = a[..., 1:] * v[1:]
    d = a[:, np.newaxis, 0]
    e = a[[0, 1, 1], [2, 0, 2]]
    return np.sum(b * v) + np.sum(c * c) + np.sum(d**2) + np.sum(e * v) + a[-1, -2] * v[1]


def attributes(a):
    n, m = a.shape
    return np.sum(a.T @ a) / (n * m) + a.sum() * a.ndim + a.mean() * a.size + a.dot(a[0])[1]


def formatted(x):
    label = f"value {x:.3f} {x!r}"
    unit = "m" if len(label) > 3 else "km"
    return x * x if unit == "m" else x


def printed(x):
    print("x is", x)
    y = x * x
    print(f"{y}")
    return y


def imported(x):
    """Imports inside a function."""
    from math import sin as wave

    import numpy as number  # noqa: ICN001

    return wave(x) * number.cos(x)


LANGUAGE.exact(0, operators, 1.3, 0.8)
LANGUAGE.exact(0, comparisons, 1.3, 1.8)
LANGUAGE.exact(0, comparisons, 2.3, 1.8)
LANGUAGE.exact(0, number_theory, 1.3, 5)
LANGUAGE.exact(0, builtins_of_numbers, 1.3, 0.9)
LANGUAGE.exact(0, mathematics, 1.3, 0.9)
LANGUAGE.exact(0, operator_module, 1.3, 0.9)
LANGUAGE.exact(0, subscripts, A23, X3)
LANGUAGE.exact(0, attributes, A23)
LANGUAGE.exact(0, formatted, 1.3)
LANGUAGE.exact(0, printed, 1.3)
LANGUAGE.exact(0, imported, 1.3)


# Statements


def matched(x, kind):
    match kind:
        case "square":
            y = x * x
        case "cube" | "third":
            y = x**3
        case 4:
            y = x**4
        case None:
            y = 5.0 * x
        case _:
            y = x
    return y * x


def quiet_errors(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(x > 0.0, np.log(np.abs(x)), 1.0 / x)
    return np.sum(y * x)


def raised(x):
    if x < 0.0:
        raise ValueError("negative")
    assert x < 100.0
    pass
    return x**1.5


def strided_ranges(v):
    total = 0.0
    for i in range(2, -1, -2):
        total += v[i] * i
    for i in range(1, len(v), 2):
        total *= v[i]
    for value in v[::-1]:
        total += value * total * 0.1
    return total


def iterated(v, table):
    total = 0.0
    for key, value in table.items():
        total += value * len(key)
    for value in table.values():
        total *= value
    for key in table:
        total += table[key]
    for i, a in enumerate(v, start=1):
        total += a * i
    for a, b in itertools.product((v[0], v[2]), (1.0, 2.0)):
        total += a * b
    for (i, a), b in zip(enumerate(v), reversed(v), strict=True):
        total += i * a * b
    return total


def nested_while(x, n):
    i, total = 0, 0.0
    while i < n:
        j = 0
        while True:
            j += 1
            if j > i:
                break
            if (i + j) % 3 == 0:
                continue
            total = total * 0.5 + x ** (i - j)
        i += 1
    return total


for kind in ("square", "third", 4, None, 2.5):
    LANGUAGE.exact(0, matched, 1.3, kind, argnums=0)
LANGUAGE.exact(0, quiet_errors, X3)
LANGUAGE.exact(0, raised, 1.3)
LANGUAGE.exact(0, strided_ranges, X3)
LANGUAGE.exact(0, iterated, X3, {"one": 0.4, "seven": 1.2})
LANGUAGE.exact(0, nested_while, 1.2, 5)


# Containers


@dataclass
class Layer:
    """A dataclass with a default and a method."""

    weight: float
    bias: float = 0.5
    tags: list[float] = field(default_factory=list)

    @property
    def double(self) -> float:
        return 2.0 * self.weight

    def __call__(self, x):
        return self.double * x + self.bias


class Pair(NamedTuple):
    """A named tuple."""

    left: float
    right: float


def lists(x, y):
    values = [x, y]
    values.append(x * y)
    values.extend([y * y, 3.0 * x])
    values.insert(1, x - y)
    last = values.pop()
    first = values.pop(0)
    values[1:3] = [values[2], values[1]]
    values += [first * last]
    total = 0.0
    for i, v in enumerate(values[::-1]):
        total += v * (i + 1) * v
    return total + len(values) * values[-1] + sum(values[:2]) + max(values)


def dicts(x, y):
    table = {"x": x, "y": y, **{"z": x * y}}
    table["w"] = table.get("z", 0.0) * table["x"]
    table.update(y=table["y"] * 2.0)
    if "w" in table and "v" not in table:
        table["x"] += table.pop("w")
    return sum(v * v for v in table.values()) + sum(len(k) * v for k, v in table.items())


def comprehensions(v, s):
    a = [x * s for x in v if x > 0.0]
    b = {key: x**2 for key, x in zip("ab", (v[0], s), strict=True)}
    c = [x * y for x in a for y in (1.0, s)]
    d = np.array([[x * y for y in a] for x in a])
    flag = any(x > 100.0 for x in a) or all(x < 100.0 for x in a)
    return sum(c) + b["a"] * b["b"] + np.sum(d) + (s if flag else 0.0) + min(x + s for x in a)


def records(layer, x):
    second = Layer(layer.weight * 2.0, tags=[x, layer.bias])
    pair = Pair(layer(x), right=second(x))
    left, right = pair
    second.bias = left
    return pair.right * left + second(x) * pair[0] + second.tags[0] * second.tags[1]


def nested_tree(tree, s):
    (a, b), table = tree["pair"], tree["table"]
    return a * b * table["list"][1] * s + np.sum(table["list"][0] * table["array"])


def tuples(x, y):
    t = (x, y) + (x * y,)
    u = t[::-1] * 2
    return u[0] * u[4] + t[-1] ** 2 + len(u) * sum(t[1:])


def sorted_values(v):
    ordered = sorted(v)
    down = sorted([a * a for a in v], reverse=True)
    return ordered[0] * ordered[1] + down[0] * down[2]


LANGUAGE.exact(0, lists, 1.3, 0.4)
LANGUAGE.exact(0, dicts, 1.3, 0.4)
LANGUAGE.exact(0, comprehensions, X3, 1.3)
LANGUAGE.exact(0, records, Layer(0.8, 0.3), 1.4)
LANGUAGE.exact(
    0,
    nested_tree,
    {"pair": (0.8, 1.4), "table": {"list": [0.3, 1.7], "array": X3}},
    1.2,
)
LANGUAGE.exact(0, tuples, 1.3, 0.4)
LANGUAGE.exact(0, sorted_values, X3)


def table_of_lists(x):
    m = [[0.0] * 2 for _ in range(3)]
    m[0][1] = x
    m[2][0] = x * m[0][1]
    m[1].append(m[2][0] * x)
    return sum(sum(row) for row in m) * m[1][2]


def objects_in_a_list(x, n):
    points = [Layer(x * i, 1.0) for i in range(n)]
    for _ in range(3):
        for p in points:
            p.weight += 0.1 * p.bias
            p.bias -= 0.1 * p.weight
    return sum(p.weight * p.bias for p in points)


def dicts_in_a_list(x, n):
    points = [{"at": x * i, "speed": 1.0} for i in range(n)]
    for p in points:
        p["at"] *= x
    points[1]["speed"] = x
    return sum(p["at"] * p["speed"] for p in points)


def states_of_a_network(weights, x):
    h, states = np.zeros(3), []
    for t in range(4):
        h = np.tanh(weights @ h + x * t)
        states.append(h)
    return states[-1] @ states[1] + h @ x + sum(np.sum(h * i) for i, h in enumerate(states))


def elements_of_a_copied_list(x, n):
    table = [[0.0, 0.0] for _ in range(n)]
    copied = table[:]
    copied[0][0] = x
    return table[0][0] + x


LANGUAGE.exact(0, table_of_lists, 1.3)
LANGUAGE.exact(0, objects_in_a_list, 1.3, 3)
LANGUAGE.exact(0, dicts_in_a_list, 1.3, 3)
LANGUAGE.exact(0, states_of_a_network, np.outer(X3, X3) * 0.1, X3)
LANGUAGE.refused(
    0, elements_of_a_copied_list, 1.3, 3, reason="lists of a list are shared", match="share"
)


# Functions


def sum_of_squares(tree):
    if isinstance(tree, (list, tuple)):
        return sum(sum_of_squares(part) for part in tree)
    return tree * tree


LANGUAGE.exact(0, sum_of_squares, [1.3, (0.4, [0.7, 2.1])])


def scale(x, factor=3.0, *more, shift=0.0, **named):
    return factor * x + shift + sum(more) * x + named.get("extra", 0.0) * x


def calls(x, y):
    many, named = (y, x * y), {"shift": y, "extra": x}
    return scale(x) * scale(y, x, *many, **named) + scale(factor=y, x=x)


def callable_argument(f, x):
    return f(x) * f(x + 1.0)


def passes_callables(x, k):
    def cubic(v):
        return k * v**3

    return (
        callable_argument(cubic, x)
        + callable_argument(math.sin, x)
        + callable_argument(functools.partial(scale, factor=k), x)
    )


def nested_closures(x, y):
    def outer(a):
        def inner(b):
            return a * b * y

        return inner

    first, second = outer(x), outer(y)
    return first(x) * second(3.0) + (lambda u, v=x: u * v)(y)


def rebound_capture(x):
    k = x

    def f(v):
        return k * v

    before = f(x)
    k = x * x * x
    return before * f(2.0)


def writes_nonlocal(x):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v * v

    add(x)
    add(x * x)
    return total


def folded(v, x, y):
    total = functools.reduce(lambda a, b: a * b + 1.0, (x, y, x * y))
    total = functools.reduce(operator.mul, v, total)
    running = list(itertools.accumulate([x, y, x]))
    return total * running[-1] + sum(map(lambda a: a * a, v)) + sum(filter(lambda a: a > 0, v))


def isinstance_branch(x):
    if isinstance(x, np.ndarray):
        return np.sum(x**2)
    if isinstance(x, (float, int)):
        return x**3
    return x


def none_default(x, bias=None):
    if bias is None:
        bias = x * x
    return bias * x


LANGUAGE.exact(0, calls, 1.3, 0.4)
LANGUAGE.exact(0, callable_argument, math.sin, 1.3)
LANGUAGE.exact(0, callable_argument, lambda v: v * v, 1.3)
LANGUAGE.exact(0, passes_callables, 1.3, 0.4)
LANGUAGE.exact(0, nested_closures, 1.3, 0.4)
LANGUAGE.exact(0, rebound_capture, 1.3)
LANGUAGE.exact(0, writes_nonlocal, 1.3)
LANGUAGE.exact(0, folded, X3, 1.3, 0.4)
LANGUAGE.exact(0, isinstance_branch, 1.3)
LANGUAGE.exact(0, isinstance_branch, X3)
LANGUAGE.exact(0, none_default, 1.3)
LANGUAGE.exact(0, none_default, 1.3, 0.4)


# NumPy as ordinary programs use it


def shapes(a, v):
    b = np.concatenate([a, v[None]], axis=0)
    c = np.stack([v, v * 2.0]).reshape(3, 2)
    d = np.vstack([a, a]).T.ravel()
    e = np.expand_dims(v, 1) * np.squeeze(a[:1])
    f = np.transpose(a).swapaxes(0, 1).flatten()
    g = np.hstack([v, v[::-1]]) * np.repeat(v, 2) * np.tile(v, 2)
    return np.sum(b**2) + np.sum(c * c[::-1]) + d @ d + np.sum(e) + f @ f + np.sum(g)


def products(a, v):
    outer = np.outer(v, v)
    return np.dot(a, v)[0] + np.sum(a @ outer @ a.T) + np.vdot(a[0], v) + np.inner(a, v)[1]


def selected(a, v):
    b = np.where(a > 0.0, a, v)
    c = np.maximum(b, 0.1) * np.minimum(a, 1.0) + np.clip(a, -1.0, 1.0)
    d = np.zeros_like(a)
    d[1] = np.cumsum(v) * np.ones(3)
    d[:, 0] += np.arange(2.0) * a[0, 0]
    return np.sum(c) + np.sum(d * d) + np.max(a) * np.min(v) + np.mean(a, axis=0) @ v + np.std(v)


def written_out(v, s):
    out = np.empty(3)
    np.multiply(v, s, out=out)
    np.sin(out, out=out)
    np.add(out, v, out=out)
    return np.sum(out**2)


def written_out_by_position(v, s):
    out = np.empty(3)
    np.multiply(v, s, out)
    return np.sum(out**2)


LANGUAGE.exact(0, shapes, A23, X3)
LANGUAGE.exact(0, products, A23, X3)
LANGUAGE.exact(0, selected, A23, X3)
LANGUAGE.exact(0, written_out, X3, 1.3)
LANGUAGE.exact(0, written_out_by_position, X3, 1.3)


# Refused


def yields(x):
    yield x * x


def calls_a_generator(x):
    return sum(yields(x))


async def waits(x):
    return x * x


def tries(x):
    try:
        y = math.log(x)
    except ValueError:
        y = x * x
    return y


COUNTER = 0.0


def writes_a_global(x):
    global COUNTER
    COUNTER = x
    return x * COUNTER


def evaluates(x):
    return eval("x * x")


def executes(x):
    names = {"x": x}
    exec("y = x * x", names)
    return names["y"]


SHARED = np.zeros(3)
LOG: list[float] = []


def writes_a_captured_array(x):
    SHARED[0] = x
    return np.sum(SHARED) * x


def truncates(x):
    return int(x) * 1.5 + x


def stores_in_integers(x):
    a = np.zeros(3, dtype=int)
    a[1:] = x
    return np.sum(a) * x[0]


LANGUAGE.refused(0, calls_a_generator, 1.3, reason="a generator", match="yield")
LANGUAGE.refused(0, tries, 1.3, reason="try around differentiated code", match="try")
LANGUAGE.refused(0, writes_a_global, 1.3, reason="a global is written", match="global")
LANGUAGE.refused(0, evaluates, 1.3, reason="code in a string", match="eval")
LANGUAGE.refused(0, executes, 1.3, reason="code in a string", match="exec")
LANGUAGE.refused(0, writes_a_captured_array, 1.3, reason="a captured array is written")
LANGUAGE.refused(0, stores_in_integers, X3[:2], reason="a float array in an integer array")
LANGUAGE.extend(ALIASES)
LANGUAGE.extend(LIBRARY)
LANGUAGE.extend(OPTIONAL)
LANGUAGE.extend(SEQUENCES)
LANGUAGE.extend(TABLES)
PROGRAMS = LANGUAGE
