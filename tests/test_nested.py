"""Derivatives built and used inside the function that is differentiated."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import grad, value_and_grad
from tests.checker import check

X3 = np.array([0.7, -1.2, 2.1])
Y3 = np.array([0.4, 1.1, -0.6])
A33 = np.array([[1.2, 0.3, -0.4], [0.1, 0.9, 0.5], [-0.2, 0.6, 1.4]])


# Perturbation confusion: each derivative sees its own variable alone.


def constant_of_the_inner(x):
    return x * grad(lambda y: x + y)(1.0)


def factor_of_the_inner(x):
    return x * grad(lambda y: x * y)(2.0)


def same_name_inside(x):
    return x * grad(lambda x: x * x * x)(x)


def same_point(x):
    return grad(lambda y: x * y * y)(x)


def third_level(x):
    return grad(lambda y: y * x * grad(lambda z: x * y * z * z)(y))(2.0 * x)


def inner_of_the_outer_alone(x):
    return x * grad(lambda y: 3.0 * y)(x)


@pytest.mark.parametrize(
    "f, slope",
    [
        (constant_of_the_inner, 1.0),
        (factor_of_the_inner, 2.0 * 1.5),
        (same_name_inside, 9.0 * 1.5**2),
        (same_point, 4.0 * 1.5),
        (inner_of_the_outer_alone, 3.0),
    ],
)
def test_perturbations_are_not_confused(f: Any, slope: float) -> None:
    assert grad(f)(1.5) == pytest.approx(slope, rel=1e-14)
    check(f, 1.5, tape=False)


def test_confusion_at_every_level() -> None:
    assert grad(constant_of_the_inner)(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(5.0) == 1.0
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(1.0))(2.0))(3.0) == 1.0
    assert grad(grad(lambda x: x * grad(lambda y: x * x * y)(1.0)))(2.0) == pytest.approx(12.0)
    check(third_level, 0.8, tape=False)


# What such programs are written for


def one_inner_update(w, data):
    def loss(w_, d):
        return np.sum((d - np.tanh(w_)) ** 2)

    w = w - 0.1 * grad(lambda w_: loss(w_, data))(w)
    return loss(w, data)


def inner_updates(w, data, rate):
    def loss(w_):
        return np.sum((data - np.tanh(w_)) ** 2)

    for _ in range(3):
        w = w - rate * grad(loss)(w)
    return loss(w)


def tasks(w, xs, ys):
    total = 0.0
    for x, y in zip(xs, ys):

        def loss(v):
            return (v[0] * x + v[1] - y) ** 2

        adapted = w - 0.05 * grad(loss)(w)
        total += loss(adapted)
    return total


def descent_inside_a_loss(theta, start):
    def energy(z):
        return np.sum((A33 @ z - theta) ** 2) + 0.1 * np.sum(z**4)

    z = start
    for i in range(20):
        g = grad(energy)(z)
        if g @ g < 1e-3:
            break
        z = z - 0.05 * g
    return np.sum(z * theta)


def with_momentum(theta, rate):
    z, v = np.zeros(3), np.zeros(3)
    for _ in range(4):
        value, g = value_and_grad(lambda u: np.sum(np.cosh(u - theta)))(z)
        v = 0.9 * v - rate * g
        z = z + v
        if value < 3.0:
            z *= 0.99
    return z @ z


def physics_informed(a, b):
    def u(t):
        return a * np.sin(b * t) + t * t

    u_t = grad(u)
    u_tt = grad(u_t)
    residual = 0.0
    for t in [0.1, 0.5, 0.9]:
        residual += (u_tt(t) + 0.3 * u_t(t) + u(t)) ** 2
    return residual + u(0.0) ** 2


def network_residual(params, ts):
    def u(t):
        h = np.tanh(params["w"] * t + params["b"])
        return h @ params["v"]

    return sum((grad(u)(t) - u(t)) ** 2 for t in ts)


def saddle(x, y):
    def f(a, b):
        return a * a * b - np.cos(a * b) + x * a - y * b

    a, b = x, y
    for _ in range(5):
        da, db = grad(f, argnums=(0, 1))(a, b)
        a, b = a - 0.1 * da, b + 0.1 * db
    return f(a, b)


def particle(k, q0):
    def potential(q):
        return 0.5 * k * q @ q + np.sum(np.cos(q))

    q, v = q0, np.zeros(3)
    for _ in range(4):
        v = v - 0.1 * grad(potential)(q)
        q = q + 0.1 * v
    return 0.5 * v @ v + potential(q)


def hamiltonian(q, p, m):
    def energy(state):
        return state["p"] ** 2 / (2.0 * m) + np.cos(state["q"])

    state = {"q": q, "p": p}
    for _ in range(3):
        g = grad(energy)(state)
        state = {"q": state["q"] + 0.1 * g["p"], "p": state["p"] - 0.1 * g["q"]}
    return energy(state)


def newton(a, x):
    def f(z):
        return z**3 - a * z - 2.0

    while abs(f(x)) > 1e-9:
        x = x - f(x) / grad(f)(x)
    return x


PROGRAMS = [
    (one_inner_update, (X3, Y3)),
    (inner_updates, (X3, Y3, 0.1)),
    (tasks, (X3[:2].copy(), X3, Y3)),
    (descent_inside_a_loss, (X3, Y3)),
    (with_momentum, (X3, 0.1)),
    (physics_informed, (0.7, 1.3)),
    (network_residual, ({"w": X3, "b": Y3, "v": X3 * Y3}, [0.2, 0.6])),
    (saddle, (0.6, 0.4)),
    (particle, (1.3, X3)),
    (hamiltonian, (0.4, 0.9, 1.2)),
    (newton, (1.3, 2.0)),
]


@pytest.mark.parametrize("f, args", PROGRAMS, ids=lambda p: getattr(p, "__name__", ""))
def test_exact(f: Any, args: tuple[Any, ...]) -> None:
    check(f, *args, tape=False, variants=False)


def test_gradient_of_the_gradient_of_an_update() -> None:
    """Two more derivatives around: the inner loop's tape has a derivative of its own."""

    def outer(w, rate):
        return inner_updates(np.array([w, 0.3]), np.array([0.2, 0.9]), rate)

    check(lambda w, rate: grad(outer)(w, rate), 0.7, 0.1, tape=False)


# Every form of function


@dataclass
class Spring:
    k: float
    rest: float

    def energy(self, x):
        return 0.5 * self.k * (x - self.rest) ** 2 * x

    def __call__(self, x):
        return self.energy(x) * x


def method_of_an_object(k, x):
    spring = Spring(k, 0.3)
    return grad(spring.energy)(x) * grad(spring)(x)


def method_of_an_argument(spring, x):
    return -grad(spring.energy)(x) * x


def partial_of_a_local(x, y):
    def f(a, b, *, c=2.0):
        return a**2 * b * c

    return grad(functools.partial(f, c=y))(x, y) + grad(functools.partial(f, y))(x)


def decorated(x, y):
    @grad
    def slope(t):
        return t**3 * y

    @value_and_grad(argnums="b")
    def both(a, b):
        return a * b * b * x

    value, g = both(x, y)
    return slope(x) * value + g


def chosen(x, y):
    f = (lambda t: t * t * y) if x > 1.0 else (lambda t: t * y)
    return grad(f)(x)


def default_and_keyword(x, y):
    def f(a, b=x, *, c=1.0):
        return a * a * b * c

    return grad(f)(y) + grad(f, argnums="b")(y, c=x)


def any_number(x, y):
    def f(*parts, **named):
        return parts[0] * parts[1] ** 2 * named["s"]

    return grad(lambda t: f(t, y, s=x))(x * y)


def passed_to_a_helper(x, y):
    return apply_twice(grad(lambda t: t * t * y), x)


def apply_twice(f, x):
    return f(f(x))


def made_by_a_helper(x, y):
    return gradient_of(lambda t: np.sin(t) * y)(x)


def gradient_of(f):
    return grad(f)


def in_a_list(x):
    slopes = [grad(lambda t: t**n * x) for n in (2, 3)]
    return sum(s(x) for s in slopes)


def auxiliary(x, y):
    g, aux = grad(lambda t: (t * t * y, t * y), has_aux=True)(x)
    return g * aux


def several_results(x, v):
    (a, b) = grad(lambda s, u: np.sum(s * u * u), argnums=(0, 1))(x, v)
    return a * np.sum(b)


def an_int(x):
    return grad(lambda n: n * n * x)(3)


def lists_and_records(x, v):
    def f(p):
        return p[0] * np.sum(p[1] ** 2) + p[2].k * x

    g = grad(f)([x, v, Spring(x, 1.0)])
    return g[0] * np.sum(g[1]) + g[2].k


def reads_a_cell_late(x):
    scale = x
    slope = grad(lambda t: t * t * scale)
    scale = x * x
    return slope(x)


def branches_inside(x, y):
    def f(t):
        if t > y:
            return t**3
        total = 0.0
        for i in range(3):
            total += t * i * x
        return total

    return grad(f)(x) * grad(f)(y - 1.0)


def writes_inside(v, s):
    def f(u):
        u[0] *= s
        w = np.zeros(3)
        w[1:] = u[:-1] ** 2
        return w @ u

    g = grad(f)(v)
    return np.sum(g * v)


def recomputed(v):
    return np.sum(grad(lambda u: np.sum(u**3))(v)[1:] * v[:-1])


FORMS = [
    (method_of_an_object, (1.3, 0.8)),
    (method_of_an_argument, (Spring(1.3, 0.2), 0.8)),
    (partial_of_a_local, (0.7, 1.2)),
    (decorated, (0.7, 1.2)),
    (chosen, (1.7, 1.2)),
    (chosen, (0.7, 1.2)),
    (default_and_keyword, (0.7, 1.2)),
    (any_number, (0.7, 1.2)),
    (passed_to_a_helper, (0.7, 1.2)),
    (made_by_a_helper, (0.7, 1.2)),
    (in_a_list, (0.7,)),
    (auxiliary, (0.7, 1.2)),
    (several_results, (0.7, X3)),
    (an_int, (0.7,)),
    (lists_and_records, (0.7, X3)),
    (reads_a_cell_late, (0.7,)),
    (branches_inside, (0.7, 0.2)),
    (branches_inside, (0.7, 0.9)),
    (writes_inside, (X3, 1.3)),
    (recomputed, (X3,)),
]


@pytest.mark.parametrize("f, args", FORMS, ids=lambda p: getattr(p, "__name__", ""))
def test_forms(f: Any, args: tuple[Any, ...]) -> None:
    check(f, *args, tape=False)


# What is refused


def writes_outside(x):
    seen = np.zeros(2)

    def f(t):
        seen[0] = t
        return t * seen[0]

    return grad(f)(x)


def writes_what_it_reads(v):
    def f(u):
        u[0] = 5.0
        return np.sum(u * v)

    return np.sum(grad(f)(v))


def counts(x):
    calls = 0

    def f(t):
        nonlocal calls
        calls += 1
        return t * t

    return grad(f)(x) * calls


def array_result(v):
    return np.sum(grad(lambda u: u * u)(v))


def no_such_argument(x):
    return grad(lambda u: u * u, argnums=3)(x)


@pytest.mark.parametrize(
    "f, arg, match",
    [
        (writes_outside, 1.3, "'seen' is written in a function whose derivative"),
        (writes_what_it_reads, X3, "by another name"),
        (counts, 1.3, "'calls' is written in a function whose derivative"),
    ],
)
def test_refused(f: Any, arg: Any, match: str) -> None:
    with pytest.raises(s2sad.UnsupportedError, match=match):
        grad(f)(arg)


@pytest.mark.parametrize(
    "f, arg, match",
    [
        (array_result, X3, "a gradient needs one real number"),
        (no_such_argument, 1.3, "argnums=3 is out of range"),
    ],
)
def test_mistakes_are_placed(f: Any, arg: Any, match: str) -> None:
    with pytest.raises(s2sad.UnsupportedError, match=match) as caught:
        grad(f)(arg)
    assert "-->" in str(caught.value)


# Pullbacks


def pulled_back(x, y):
    out, pull = s2sad.vjp(lambda a, b: np.tanh(a * b) * y, x, y)
    ga, gb = pull(out * 2.0)
    return np.sum(ga * gb * x) + np.sum(out)


def pulled_more_than_once(x, s):
    def f(a, n):
        t = a
        for _ in range(n):
            t = np.sin(t * a) * s
        return {"u": t, "v": np.sum(t * t)}

    out, pull = s2sad.vjp(f, x, 3)
    total = 0.0
    for i in range(3):
        e = np.zeros(3)
        e[i] = 1.0
        g, none = pull({"u": e, "v": s})
        total += np.sum(g * g)
    return total * out["v"] + pull({"u": None, "v": 1})[0] @ x


def pulled_with_an_int(x):
    _, pull = s2sad.vjp(lambda a: a**3, x)
    return pull(1)[0] * x


def pulled_in_float32(v, w):
    out, pull = s2sad.vjp(lambda a: a * a, w)
    (g,) = pull(v)
    return np.sum(g * v)


def gauss_newton(theta, v):
    def residual(t):
        return np.sin(t) * t[::-1]

    r, pull = s2sad.vjp(residual, theta)
    (g,) = pull(r)
    return g @ v


PULLED = [
    (pulled_back, (X3, Y3)),
    (pulled_more_than_once, (X3, 0.8)),
    (pulled_with_an_int, (1.3,)),
    (pulled_in_float32, (X3, Y3.astype(np.float32))),
    (gauss_newton, (X3, Y3)),
]


@pytest.mark.parametrize("f, args", PULLED, ids=lambda p: getattr(p, "__name__", ""))
def test_pullbacks(f: Any, args: tuple[Any, ...]) -> None:
    check(f, *args, tape=False)


def wrong_cotangent(x, y):
    _, pull = s2sad.vjp(lambda a: a * a, x)
    return np.sum(pull(y)[0])


def test_a_cotangent_of_another_shape_is_noticed() -> None:
    with pytest.raises(s2sad.UnsupportedError, match="cotangent"):
        grad(wrong_cotangent)(X3, 1.0)
    with pytest.raises(AssertionError, match="another shape"):
        grad(wrong_cotangent)(X3, np.ones(2))


# Forward mode, Hessians and Jacobians


def derivative_of_a_lambda(x, y):
    slope = s2sad.derivative(s2sad.derivative(lambda t: np.sin(t * y) * x))
    return x * slope(x) + s2sad.derivative(lambda t: t * t * y)(x)


def along_a_direction(x, v):
    out, dot = s2sad.jvp(lambda a: np.tanh(a * x), (x,), (v,))
    return np.sum(dot * out)


def linear_part(x, v):
    out, along = s2sad.linearize(lambda a: np.sin(a) * x, x)
    return np.sum(along(v) * out) + np.sum(along(x))


def curvature_along(x, v):
    product = s2sad.hvp(lambda a: np.sum(np.tanh(a * x)) * a[0])
    return product(x, v) @ v


def gauss_newton_along(x, v):
    return s2sad.gauss_newton_product(lambda a: np.sin(a) * a[::-1])(x, v) @ v


def hessian_inside(x, y):
    return np.sum(s2sad.hessian(lambda a: np.sum(np.tanh(a * y)) * a[0])(x) @ y)


def jacobians_inside(x, y):
    def f(a):
        return np.tanh(a * y)

    both = s2sad.jacobian(f)(x) + s2sad.jacfwd(f)(x) @ s2sad.jacrev(f)(x)
    return np.sum(both @ y)


FORWARD = [
    (derivative_of_a_lambda, (0.7, 1.2)),
    (along_a_direction, (X3, Y3)),
    (linear_part, (X3, Y3)),
    (curvature_along, (X3, Y3)),
    (gauss_newton_along, (X3, Y3)),
    (hessian_inside, (X3, Y3)),
    (jacobians_inside, (X3, Y3)),
]


@pytest.mark.parametrize("f, args", FORWARD, ids=lambda p: getattr(p, "__name__", ""))
def test_forward_mode(f: Any, args: tuple[Any, ...]) -> None:
    check(f, *args, tape=False)


def test_perturbations_are_not_confused_in_forward_mode() -> None:
    def f(x):
        return x * s2sad.derivative(lambda y: x + y)(1.0)

    assert s2sad.derivative(f)(5.0) == 1.0
    assert grad(f)(5.0) == 1.0
    assert s2sad.jvp(f, (5.0,), (1.0,)) == (5.0, 1.0)
    assert s2sad.derivative(lambda x: x * grad(lambda y: x * y * y)(x))(2.0) == 24.0


def default_of_one_branch(x):
    if x > 0.0:
        slope = grad(lambda t, k=x * x: t * t * k)
    else:
        raise ValueError("x")
    return slope(x)


def test_a_function_whose_default_belongs_to_a_branch() -> None:
    with pytest.raises(s2sad.UnsupportedError, match="slope"):
        grad(default_of_one_branch)(1.3)
