"""Programs on the tape: memory, aliases, structure, proxies."""

from __future__ import annotations

import abc
import copy
import enum
import functools
import math
import math as m
from copy import deepcopy
from dataclasses import dataclass
from math import exp
from operator import add, mul
from typing import Any, NamedTuple

import numpy  # noqa: ICN001
import numpy as np
import numpy as xp  # noqa: ICN001
import pytest
from numpy import sin
from numpy import zeros as blank

from s2sad import numeric, tape
from tests.trees import leaves

X = np.array([0.7, -1.2, 2.1])
A = np.array([[0.5, 1.5, -0.3], [2.0, -0.7, 1.1]])
SCALES = {"up": 2.0, "weights": np.array([1.0, 2.0, 3.0])}
OFFSETS = np.array([0.1, 0.2, 0.3])
calls = 0


def differences(f: Any, *args: Any) -> Any:
    return numeric.finite_difference(f, args, tuple(range(len(args)))).gradient


def agrees(f: Any, *args: Any) -> None:
    """The value is plain Python's, the gradient that of differences, the arguments unchanged."""
    before = copy.deepcopy(args)
    value, gradient = tape.value_and_grad(f, tuple(range(len(args))))(*args)
    plain = f(*copy.deepcopy(args))
    assert type(value) is type(plain)
    assert np.array_equal(value, plain)
    for mine, theirs in zip(leaves(gradient), leaves(differences(f, *args)), strict=True):
        if theirs is not None:
            assert np.allclose(mine, theirs, rtol=1e-7, atol=1e-8)
    for a, b in zip(leaves(args), leaves(before), strict=True):
        assert np.array_equal(a, b)


# -- memory -----------------------------------------------------------------------------------------


def write_then_read(x):
    a = np.zeros(3)
    a[0] = x
    a[1] += a[0] * x
    a[2] = a[1] - a[0]
    return a[0] * a[1] * a[2]


def view_written_root_read(x):
    a = x * 1.0
    row = a[::-1]
    row[0] = row[1] * row[2]
    return np.sum(a * a)


def root_written_view_read(x):
    a = x * 1.0
    row = a[1:]
    a[1] = a[0] * a[2]
    return np.sum(row * row)


def overlap(x):
    a = x * x
    a[1:] = a[:-1]
    return a[0] + 2.0 * a[1] + 3.0 * a[2]


def overlap_in_place(x):
    a = x * x
    a[1:] += a[:-1] * a[1:]
    return np.sum(a**2)


def transposed(m):
    a = m * m
    a.T[0] = a.T[1] * a.T[2]
    a.reshape(-1)[5] *= a[0, 0]
    return np.sum(a * m)


def diagonal_and_swaps(m):
    a = m * 1.0
    b = np.swapaxes(a, 0, 1)
    b[2, 1] = a[0, 0] * a[1, 0]
    c = a.ravel()
    c[::2] *= 3.0
    return np.sum(a[0] * a[1]) + np.sum(np.diagonal(a) ** 2)


def reshape_that_copies(m):
    flat = m.T.reshape(-1)
    flat[0] = 5.0
    return np.sum(flat * flat) + np.sum(m)


def kept_before_the_write(x):
    a = x * 1.0
    b = np.sin(a)
    c = a * a
    a[:] = 0.0
    a += b
    return np.sum(a * c)


def repeated_indices(x):
    a = np.zeros(3)
    a[np.array([0, 1, 0])] = x
    a[[2, 2]] += x[:2]
    return np.sum(a * a) + np.sum(x[[0, 0, 1]] ** 2)


def masks(x):
    a = x * x
    a[x < 0.0] = -x[x < 0.0]
    a[x > 100.0] = 0.0
    return np.sum(a * x)


def add_at(x):
    a = np.zeros(2)
    np.add.at(a, [0, 1, 0], x * x)
    np.subtract.at(a, 1, x[0])
    return a[0] * a[1]


def broadcast_view(x):
    wide = np.broadcast_to(x, (4, 3))
    return np.sum(wide * wide) + wide[2, 1]


def out_argument(x):
    a = np.empty(3)
    np.multiply(x, x, out=a)
    np.add(a, x, out=a)
    np.sin(a, out=a, where=x > 0.0)
    return np.sum(a * a)


def filled(x):
    a = np.full(3, x[0])
    b = np.full_like(a, x[1] * 2.0)
    b[1:].fill(x[2])
    np.copyto(a, x, where=x > 0.0)
    return np.sum(a * b)


def copies(x):
    a = x.copy()
    a[0] = 1.0
    b = np.array(x)
    b[1] = 2.0
    c = copy.deepcopy(x)
    c[2] = 3.0
    d = x.astype(float)
    d[0] = 4.0
    return np.sum(a * b * c * d * x)


def in_place_of_all_kinds(x):
    a = x * 2.0
    a += x
    a -= 0.5
    a *= x
    a /= 3.0
    a **= 2
    return np.sum(a)


def flattened(m):
    a = m.flatten()
    a[0] = 0.0
    b = m.T.flatten()
    return np.sum(a * b) + m.flat[3]


def lists_of_arrays(x):
    rows = [x * 1.0, x * 2.0]
    rows[0][1] = rows[1][0]
    rows.append(rows[0])
    rows[2][2] = 7.0 * x[0]
    return np.sum(np.array(rows) ** 2)


MEMORY_1D = [
    view_written_root_read,
    root_written_view_read,
    overlap,
    overlap_in_place,
    kept_before_the_write,
    repeated_indices,
    masks,
    add_at,
    broadcast_view,
    out_argument,
    filled,
    copies,
    in_place_of_all_kinds,
    lists_of_arrays,
]


@pytest.mark.parametrize("f", MEMORY_1D)
def test_memory(f: Any) -> None:
    agrees(f, X)


@pytest.mark.parametrize("f", [transposed, diagonal_and_swaps, reshape_that_copies, flattened])
@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed"])
def test_memory_of_matrices(f: Any, layout: str) -> None:
    wide = np.zeros((4, 6))
    wide[::2, ::2] = A
    arrays = {"C": A, "F": np.asfortranarray(A), "strided": wide[::2, ::2], "reversed": A[::-1]}
    agrees(f, arrays[layout])


def test_scalar_into_zeros() -> None:
    agrees(write_then_read, 0.7)


# -- the language -----------------------------------------------------------------------------------


def aliased_modules(x):
    return np.sin(x) + xp.cos(x) * numpy.exp(x) + m.log(x) + math.sqrt(x) + sin(x) * exp(x)


def imported_inside(x):
    import math as mathematics

    import numpy as n  # noqa: ICN001
    from numpy import cos

    a = n.zeros(2)
    a[0] = cos(x)
    return a[0] * mathematics.exp(x)


def helper(a, x):
    a[0] = square(x)
    return a


def square(x):
    return x * x


def helpers(x):
    return helper(blank(2), x)[0] * square(x)


def recursive(x, n=4):
    return x if n == 0 else x * recursive(x + 1.0, n - 1)


def closures(x):
    a = np.zeros(2)

    def put(i, v):
        a[i] = v * x

    put(0, x)
    put(1, a[0])
    return sum(a[i] for i in range(2)) + (lambda t: t * a[1])(x)


def captured_data(x):
    y = OFFSETS * SCALES["up"]
    y[0] = x
    return y[0] * y[1] + np.sum(SCALES["weights"] * x)


def comprehensions(x):
    parts = {k: v * x for k, v in zip("ab", (x, 2.0), strict=True)}
    return sum(parts.values()) * max(x * i for i in range(3)) + np.array([x, x * x]).sum()


def conversions(x):
    return float(x) * np.float64(x) + np.asarray(x).item() * np.array([x]).tolist()[0]


def types_asked_for(x):
    scale = 2.0 if isinstance(x, float) and type(x) is float else 3.0
    return scale * x if isinstance(np.array([x]), np.ndarray) else x


def functional(x):
    double = functools.partial(mul, 2.0)
    return functools.reduce(add, map(double, [x, x * x])) + functools.partial(recursive, n=2)(x)


def loops(x):
    total = 0.0
    for i, v in enumerate(np.array([x, 2.0 * x, x * x])):
        if v > 5.0:
            break
        total += v * (i + 1)
    else:
        total *= 2.0
    while total > 1.0:
        total /= 2.0
    return total


def branches(x):
    return abs(x) + max(x, 1.0) * min(x, 2.0) + divmod(x, 0.3)[1] + x % 0.4 + round(x) * x


SCALAR = [
    aliased_modules,
    imported_inside,
    helpers,
    recursive,
    closures,
    captured_data,
    comprehensions,
    conversions,
    types_asked_for,
    functional,
    loops,
    branches,
]


@pytest.mark.parametrize("f", SCALAR)
def test_language(f: Any) -> None:
    agrees(lambda x: f(x), 0.73)
    agrees(f, 1.37) if f not in (recursive,) else agrees(lambda x: f(x, 3), 1.37)


class Model:
    rate = 0.5

    def __init__(self, weights: Any) -> None:
        self.weights = weights
        self._cache = np.zeros(3)

    @property
    def half(self) -> Any:
        return self.weights * self.rate

    @staticmethod
    def squash(x: Any) -> Any:
        a = np.zeros(3)
        a[:] = np.tanh(x)
        return a

    def __call__(self, x: Any) -> Any:
        return np.sum(self.squash(x * self.half))

    def total(self, x: Any) -> Any:
        return self(x) * math.exp(x[0])


def test_methods_are_translated() -> None:
    model = Model(np.array([1.0, 2.0, 3.0]))
    agrees(model.total, X)
    agrees(model, X)
    agrees(lambda x: Model(x).total(x), X)


@dataclass(frozen=True)
class Body:
    position: Any
    mass: float
    name: str = "body"

    def energy(self) -> Any:
        room = np.zeros(1)
        room[0] = self.mass * np.sum(self.position**2)
        return room[0]


class Pair(NamedTuple):
    a: Any
    b: Any


def test_trees_of_arguments_and_results() -> None:
    def f(bodies: Any, table: Any) -> Any:
        moved = [Body(b.position * table["t"], b.mass + 1.0) for b in bodies]
        pair = Pair(moved[0].energy(), moved[-1].energy())
        return pair.a * pair.b * table["k"][0]

    bodies = (Body(X, 2.0), Body(X * 2.0, 0.5))
    agrees(f, bodies, {"t": 1.1, "k": [0.3, 2.0]})
    gradient = tape.grad(f)(bodies, {"t": 1.1, "k": [0.3, 2.0]})
    assert type(gradient[0]) is Body
    assert gradient[0].name is None


def test_results_keep_their_class() -> None:
    body, pullback = tape.vjp(lambda x: Body(x * 2.0, x[0]), X)
    assert type(body) is Body
    (x_bar,) = pullback(Body(np.ones(3), 10.0, None))
    assert np.array_equal(x_bar, [12.0, 2.0, 2.0])


def test_float32_stays_float32() -> None:
    x = X.astype(np.float32)
    value, gradient = tape.value_and_grad(lambda x: np.sum(x * x))(x)
    assert value.dtype == gradient.dtype == np.float32
    assert type(tape.grad(lambda x: x * x)(np.float32(2.0))) is np.float32


def test_typed_zeros_where_nothing_depends() -> None:
    assert tape.grad(lambda x, y: y * 2.0)(1.0, 2.0) == 0.0
    assert np.array_equal(tape.grad(lambda x: 1.0)(X), np.zeros(3))


def test_an_int_is_read_as_a_float() -> None:
    assert tape.grad(lambda x: x**3)(2) == 12.0


def test_argnums() -> None:
    def f(x: Any, *rest: Any, k: Any = 2.0, **more: Any) -> Any:
        return x * rest[0] * k * more["z"]

    assert tape.grad(f, (0, 1))(2.0, 3.0, z=5.0) == (30.0, 20.0)
    assert tape.grad(f, "k")(2.0, 3.0, z=5.0) == 30.0
    assert tape.grad(f, "z")(2.0, 3.0, z=5.0) == 12.0


def test_a_pullback_has_one_cotangent_per_argument() -> None:
    assert tape.vjp(lambda a, *xs: a * xs[0] * xs[1], 2.0, 3.0, 4.0)[1](1.0) == (12.0, 8.0, 6.0)
    assert tape.vjp(lambda a, b=2.0, *, c=3.0: a * b * c, 2.0)[1](1.0) == (6.0,)
    assert tape.vjp(lambda a, n: a**n, 2.0, 3)[1](1.0) == (12.0, None)


def test_the_same_array_twice_is_two_variables() -> None:
    gradient = tape.grad(lambda x, y: np.sum(x * y * y), (0, 1))(X, X)
    assert np.allclose(gradient[0], X * X)
    assert np.allclose(gradient[1], 2.0 * X * X)


def test_a_pullback_may_be_called_again_after_everything_was_overwritten() -> None:
    x = X.copy()
    out, pullback = tape.vjp(lambda x: (x * x, x), x)
    first = pullback((np.ones(3), None))[0].copy()
    out[0][:] = 0.0
    out[1][:] = 0.0
    x[:] = 0.0
    assert np.array_equal(pullback((np.ones(3), None))[0], first)
    assert np.array_equal(first, 2.0 * X)


def test_views_and_writes_do_not_grow_with_the_array() -> None:
    def touch(x: Any, n: int) -> Any:
        a = x * 1.0
        for _ in range(n):
            a[0] = a[0] * 1.01
        return a[0]

    few = tape.entries(touch, np.ones(100_000), 10, argnums=0)
    many = tape.entries(touch, np.ones(100_000), 20, argnums=0)
    assert many.steps - few.steps == 30  # a read, a product, a write
    assert many.values - few.values <= 40


def test_globals_of_the_user_are_not_touched() -> None:
    before = dict(globals())
    tape.grad(captured_data)(0.5)
    assert globals() == before or list(globals()) == list(before)
    assert np.array_equal(OFFSETS, [0.1, 0.2, 0.3])


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self, x: Any) -> Any: ...

    def scaled(self, x: Any) -> Any:
        a = np.zeros(1)
        a[0] = self.area(x)
        return a[0] * 2.0


class Square(Shape):
    def __init__(self, side: float) -> None:
        super().__init__()
        self.side = side
        self.next: Any = self  # a ring

    def area(self, x: Any) -> Any:
        return self.side * x * math.exp(x)

    def scaled(self, x: Any) -> Any:
        return super().scaled(x) + self.next.side


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


SQUARE = Square(3.0)
TABLE_OF_FUNCTIONS = {Mode.FAST: np.tanh, Mode.SLOW: [square, lambda x: math.sin(x)]}


@functools.lru_cache
def cached_square(x: Any) -> Any:
    return x * x


def objects(x):
    made = Square(x)
    return SQUARE.scaled(x) * made.scaled(2.0) + deepcopy(made).side * isinstance(made, Square)


def tables(x):
    slow = TABLE_OF_FUNCTIONS[Mode.SLOW]
    return TABLE_OF_FUNCTIONS[Mode.FAST](x) + slow[0](x) * slow[1](x) + cached_square(x)


@pytest.mark.parametrize("f", [objects, tables])
def test_what_globals_hold(f: Any) -> None:
    agrees(f, 0.6)
    assert SQUARE.side == 3.0


def test_a_compiled_helper_is_looked_through() -> None:
    numba = pytest.importorskip("numba")
    fast = numba.njit(square)
    agrees(lambda x: fast(x) * x, 0.7)


def test_an_argument_that_overlaps_itself_has_a_variable_for_each_element() -> None:
    wide = np.broadcast_to(np.array([0.7]), (3,))
    gradient = tape.grad(lambda x: x[0] * x[1] ** 2 + x.sum())(wide)
    assert np.allclose(gradient, [1.0 + 0.7**2, 1.0 + 2.0 * 0.7**2, 1.0])


def through_complex(x, y):
    z = complex(x, y) * (1.0 + 2.0j)
    return (np.exp(z) * np.array([1.0, 1j])).imag.sum() + abs(z) + z.real * z.imag


def complex_memory(x, y):
    a = np.zeros(2, dtype=complex)
    a[0] = x
    a.imag[:] = y
    a.real[1] = x * y
    return np.sum(np.abs(a) ** 2) + np.sum((a * a).imag)


@pytest.mark.parametrize("f", [through_complex, complex_memory])
def test_complex_inside(f: Any) -> None:
    agrees(f, 0.4, -0.7)


def lists_for_arrays(x):
    a, b, c = x[0], x[1], x[2]
    wide = np.multiply([a, b], np.ones((2, 2))) + np.add.outer([a, c], [b, 1.0])
    return (
        np.sum([a, b * b])
        + np.dot([a, b], [c, 2.0])
        + np.vstack(([a, b], [c, 1.0])).prod()
        + np.sum(wide * [[1.0, 2.0], [3.0, 4.0]])
        + np.where([True, False], [a, b], (c, c)) @ [2.0, 3.0]
        + np.max([a, b, c])
    )


def spread(x):
    wide = np.broadcast_to(x, (3,)) * np.array([1.0, 2.0, 3.0])
    a, b = np.broadcast_arrays(x, np.ones(2))
    parts = np.split(np.array([x, x * x, 3.0, x]), 2)
    return wide.sum() + np.sum(a * b * [1.0, 5.0]) + np.sum(parts[0] * parts[1])


def test_a_number_spread_out() -> None:
    agrees(spread, 0.6)
    _, pullback = tape.vjp(lambda x: np.broadcast_to(x, (2,)), 2.0)
    assert pullback(np.array([0.0, 1.0])) == (1.0,)


def test_lists_that_numpy_takes_for_arrays() -> None:
    agrees(lists_for_arrays, X)
