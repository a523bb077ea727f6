"""Ten small functions with hand-written adjoints, as a careful person would write them.

Each entry: the function, arguments, what is differentiated, the adjoint by hand, and the function
as an autograd user has to write it (None where it is the same with autograd's numpy, "refused"
where autograd cannot run it without a rewrite into another algorithm).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    name: str
    function: Callable[..., Any]
    args: Callable[[], tuple[Any, ...]]
    argnums: int | tuple[int, ...]
    by_hand: Callable[..., Any]
    #: the same function under autograd: takes autograd's numpy, returns the function
    autograd: Callable[[Any], Callable[..., Any]]


# -- 1. two scalars ---------------------------------------------------------------------------


def cost(w, b, x, y):
    a = w * x + b
    return 0.5 * (a - y) ** 2


def cost_by_hand(w, b, x, y):
    a_bar = w * x + b - y
    return a_bar * x, a_bar


# -- 2. scalar math -----------------------------------------------------------------------------


def esin(x):
    return math.exp(math.sin(x * x))


def esin_by_hand(x):
    z = x * x
    return math.exp(math.sin(z)) * math.cos(z) * 2.0 * x


# -- 3. a loop over scalars with a branch and an early exit -----------------------------------


def settle(x, k):
    y = x
    for i in range(100):
        if y < 1.0:
            step = 0.1 * y
        else:
            step = k / y
        y = y - step
        if step < 0.02:
            break
    return y


def settle_by_hand(x, k):
    y = x
    tape = []
    for _ in range(100):
        if y < 1.0:
            step = 0.1 * y
        else:
            step = k / y
        tape.append(y)
        y = y - step
        if step < 0.02:
            break
    k_bar = 0.0
    y_bar = 1.0
    for y in tape[::-1]:
        if y < 1.0:
            y_bar -= 0.1 * y_bar
        else:
            k_bar -= y_bar / y
            y_bar += y_bar * k / (y * y)
    return y_bar, k_bar


# -- 4. a while loop whose condition depends on the input ----------------------------------


def taylor_sine(x):
    total = term = x
    k = 1
    while abs(term) > 1e-9:
        term = -term * x * x / ((2 * k) * (2 * k + 1))
        total = total + term
        k += 1
    return total


def taylor_sine_by_hand(x):
    term = x
    k = 1
    tape = []
    while abs(term) > 1e-9:
        tape.append((term, k))
        term = -term * x * x / ((2 * k) * (2 * k + 1))
        k += 1
    x_bar = 0.0
    term_bar = 0.0
    for term, k in tape[::-1]:
        term_bar += 1.0
        t = -term_bar / ((2 * k) * (2 * k + 1))
        x_bar += 2.0 * t * term * x
        term_bar = t * x * x
    return x_bar + term_bar + 1.0


# -- 5. a product over the elements of an array --------------------------------------------


def product(x):
    y = 1.0
    for i in range(len(x)):
        y = y * x[i]
    return y


def product_by_hand(x):
    y = 1.0
    tape = []
    for i in range(len(x)):
        tape.append((i, y))
        y = y * x[i]
    x_bar = np.zeros_like(x)
    y_bar = 1.0
    for i, y in tape[::-1]:
        x_bar[i] += y_bar * y
        y_bar = y_bar * x[i]
    return x_bar


# -- 6. a dense layer ---------------------------------------------------------------------------


def layer(W, b, x):
    h = np.tanh(x @ W + b)
    return np.sum(h**2)


def layer_by_hand(W, b, x):
    h = np.tanh(x @ W + b)
    z_bar = 2.0 * h * (1.0 - h * h)
    return x.T @ z_bar, z_bar.sum(axis=0)


def layer_autograd(anp):
    def layer(W, b, x):
        h = anp.tanh(x @ W + b)
        return anp.sum(h**2)

    return layer


# -- 7. an in-place stencil ---------------------------------------------------------------------


def heat(u0, alpha):
    u = u0.copy()
    for t in range(20):
        u[1:-1] += alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


def heat_by_hand(u0, alpha):
    u = u0.copy()
    tape = []
    for _ in range(20):
        lap = u[2:] - 2.0 * u[1:-1] + u[:-2]
        u[1:-1] += alpha * lap
        tape.append(lap)
    u_bar = 2.0 * u
    alpha_bar = 0.0
    for lap in tape[::-1]:
        alpha_bar += np.vdot(u_bar[1:-1], lap)
        lap_bar = alpha * u_bar[1:-1]
        u_bar[2:] += lap_bar
        u_bar[1:-1] -= 2.0 * lap_bar
        u_bar[:-2] += lap_bar
    return u_bar, alpha_bar


def heat_autograd(anp):
    def heat(u0, alpha):
        u = u0
        for t in range(20):
            inner = u[1:-1] + alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])
            u = anp.concatenate((u[:1], inner, u[-1:]))
        return anp.sum(u**2)

    return heat


# -- 8. a helper called in a loop ---------------------------------------------------------------


def spring(x, i, k):
    d = x[i + 1] - x[i] - 1.0
    return 0.5 * k * d * d


def chain(x, k):
    e = 0.0
    for i in range(len(x) - 1):
        e += spring(x, i, k[i])
    return e


def chain_by_hand(x, k):
    x_bar = np.zeros_like(x)
    k_bar = np.zeros_like(k)
    for i in range(len(x) - 2, -1, -1):
        d = x[i + 1] - x[i] - 1.0
        k_bar[i] += 0.5 * d * d
        d_bar = k[i] * d
        x_bar[i + 1] += d_bar
        x_bar[i] -= d_bar
    return x_bar, k_bar


# -- 9. a recurrent network with parameters in a dict -----------------------------------------


def rnn(params, inputs):
    h = np.zeros(3)
    loss = 0.0
    for x in inputs:
        h = np.tanh(params["W"] @ h + params["U"] * x)
        loss += h @ h
    return loss


def rnn_by_hand(params, inputs):
    W, U = params["W"], params["U"]
    h = np.zeros(3)
    tape = []
    for x in inputs:
        h_old = h
        h = np.tanh(W @ h + U * x)
        tape.append((x, h_old, h))
    W_bar = np.zeros_like(W)
    U_bar = np.zeros_like(U)
    h_bar = np.zeros_like(h)
    for x, h_old, h in tape[::-1]:
        h_bar += 2.0 * h
        z_bar = h_bar * (1.0 - h * h)
        W_bar += np.outer(z_bar, h_old)
        U_bar += z_bar * x
        h_bar = W.T @ z_bar
    return {"W": W_bar, "U": U_bar}


def rnn_autograd(anp):
    def rnn(params, inputs):
        h = anp.zeros(3)
        loss = 0.0
        for x in inputs:
            h = anp.tanh(anp.dot(params["W"], h) + params["U"] * x)
            loss = loss + anp.dot(h, h)
        return loss

    return rnn


# -- 10. Runge-Kutta -----------------------------------------------------------------------------


def pendulum(theta, omega, damping):
    h = 0.05
    for step in range(40):
        k1t, k1w = omega, -math.sin(theta) - damping * omega
        tm, wm = theta + 0.5 * h * k1t, omega + 0.5 * h * k1w
        k2t, k2w = wm, -math.sin(tm) - damping * wm
        theta = theta + h * k2t
        omega = omega + h * k2w
    return theta


def pendulum_by_hand(theta, omega, damping):
    h = 0.05
    tape = []
    for _ in range(40):
        k1w = -math.sin(theta) - damping * omega
        tm, wm = theta + 0.5 * h * omega, omega + 0.5 * h * k1w
        tape.append((theta, omega, tm, wm))
        k2w = -math.sin(tm) - damping * wm
        theta = theta + h * wm
        omega = omega + h * k2w
    damping_bar = 0.0
    theta_bar, omega_bar = 1.0, 0.0
    for theta, omega, tm, wm in tape[::-1]:
        k2w_bar = h * omega_bar
        damping_bar -= k2w_bar * wm
        tm_bar = -k2w_bar * math.cos(tm)
        wm_bar = h * theta_bar - k2w_bar * damping
        k1w_bar = 0.5 * h * wm_bar
        damping_bar -= k1w_bar * omega
        theta_bar += tm_bar - k1w_bar * math.cos(theta)
        omega_bar += wm_bar + 0.5 * h * tm_bar - k1w_bar * damping
    return theta_bar, omega_bar, damping_bar


def _same(function, **names):
    """The function itself with ``math`` and ``np`` replaced by autograd's numpy."""
    import types

    def make(anp):
        scope = {**function.__globals__, "np": anp, "math": anp}
        for name in names:
            inner = names[name]
            scope[name] = types.FunctionType(inner.__code__, scope)
        return types.FunctionType(function.__code__, scope, function.__name__)

    return make


def _arange(n, scale=1.0):
    return np.sin(1.0 + np.arange(n)) * scale


def cases() -> list[Case]:
    """All ten."""
    rng = np.random.default_rng(0)
    W, b, x = rng.normal(size=(8, 5)), rng.normal(size=5), rng.normal(size=(16, 8))
    params = {"W": 0.3 * rng.normal(size=(3, 3)), "U": rng.normal(size=3)}
    inputs = rng.normal(size=12)
    return [
        Case("cost", cost, lambda: (1.5, 0.3, 2.0, 1.0), (0, 1), cost_by_hand, _same(cost)),
        Case("exp(sin(x²))", esin, lambda: (0.7,), 0, esin_by_hand, _same(esin)),
        Case("settle", settle, lambda: (3.0, 0.5), (0, 1), settle_by_hand, _same(settle)),
        Case(
            "taylor sine", taylor_sine, lambda: (1.3,), 0, taylor_sine_by_hand, _same(taylor_sine)
        ),
        Case(
            "product",
            product,
            lambda: (1.0 + _arange(50, 0.1),),
            0,
            product_by_hand,
            _same(product),
        ),
        Case("layer", layer, lambda: (W, b, x), (0, 1), layer_by_hand, layer_autograd),
        Case("heat", heat, lambda: (_arange(100), 0.1), (0, 1), heat_by_hand, heat_autograd),
        Case(
            "spring chain",
            chain,
            lambda: (np.cumsum(1.0 + _arange(20, 0.1)), np.ones(19)),
            (0, 1),
            chain_by_hand,
            _same(chain, spring=spring),
        ),
        Case("rnn", rnn, lambda: (params, inputs), 0, rnn_by_hand, rnn_autograd),
        Case(
            "pendulum",
            pendulum,
            lambda: (1.0, 0.0, 0.1),
            (0, 1, 2),
            pendulum_by_hand,
            _same(pendulum),
        ),
    ]
