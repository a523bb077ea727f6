"""The table of modes and kinds of programs: every entry is run and compared with differences.

    python -m tests.modes_table

prints the table of docs/derivatives.md, which a test compares with the page.  An entry is "exact"
where the derivative agrees with differences of the derivative one order lower (or of plain
Python), "refused" where s2sad says that it has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import s2sad
from s2sad import derivative, grad, hvp, jvp, linearize, vjp

Function = Callable[[Any], Any]


def straight(x: Any) -> Any:
    return math.exp(math.sin(x)) / (1.0 + x * x)


def branch(x: Any) -> Any:
    if x > 1.0:
        return x**3 - 1.0 / x
    return math.cos(x)


def loop(x: Any) -> Any:
    y = 1.0
    for i in range(6):
        y = math.sin(y * x) + 0.3 * i
        if y > 1.45:
            break
    return y


def while_loop(x: Any) -> Any:
    y = x
    while abs(y * y - x) > 1e-15:
        y = 0.5 * (y + x / y)
    return y * x


def array(x: Any) -> Any:
    A = np.array([[2.0, 0.3], [0.1, 1.5]])
    v = np.tanh(A @ np.array([x, 1.0]) * x)
    return np.sum(v * v)


def in_place(x: Any) -> Any:
    u = np.linspace(0.1, 0.5, 4)
    for _ in range(3):
        u[1:] *= x * u[:-1]
        u[0] = math.sin(u[3] + x)
        u += x
    return u @ u


def containers(x: Any) -> Any:
    history = [x]
    table = {"rate": 0.5 * x, "limit": (3.0, x)}
    for k in range(4):
        history.append(history[-1] * table["rate"] + k)
    last = history.pop()
    return last * table["limit"][1] + sum(history)


def helper(x: Any) -> Any:
    def energy(q: Any, stiffness: Any = 2.0) -> Any:
        return 0.5 * stiffness * q * q

    total = 0.0
    for q in (x, x * x, math.sin(x)):
        total += energy(q) * energy(q, stiffness=x)
    return total


def power(x: Any, n: Any) -> Any:
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    return half * half * x if n % 2 else half * half


def recursion(x: Any) -> Any:
    return power(x, 5) + x


#: The kinds of programs, in the order of the columns.
PROGRAMS: dict[str, tuple[Function, float]] = {
    "straight": (straight, 0.7),
    "branch": (branch, 1.3),
    "loop": (loop, 0.8),
    "while": (while_loop, 2.0),
    "arrays": (array, 0.4),
    "in place": (in_place, 0.9),
    "containers": (containers, 1.2),
    "helpers": (helper, 0.6),
    "recursion": (recursion, 1.1),
}


def gauss_newton_less_square(f: Function) -> Function:
    """0: of a function of one number the product is the square of the derivative."""
    return lambda x: s2sad.gauss_newton_product(f)(x, 1.0) - derivative(f)(x) ** 2


#: How a derivative is taken, its order, and how the table calls it.
MODES: dict[str, tuple[int, Callable[[Function], Function]]] = {
    "`grad`": (1, grad),
    "`vjp`": (1, lambda f: lambda x: vjp(f, x)[1](1.0)[0]),
    "`derivative`": (1, derivative),
    "`jvp`": (1, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]),
    "`linearize`": (1, lambda f: lambda x: linearize(f, x)[1](1.0)),
    "`jacfwd`": (1, s2sad.jacfwd),
    "`jacrev`": (1, s2sad.jacrev),
    "`hvp` (forward over reverse)": (2, lambda f: lambda x: hvp(f)(x, 1.0)),
    "`hessian`": (2, s2sad.hessian),
    "`derivative(derivative(f))`": (2, lambda f: derivative(derivative(f))),
    "`grad(derivative(f))`": (2, lambda f: grad(derivative(f))),
    "`grad(grad(f))`": (2, lambda f: grad(grad(f))),
    "`derivative(hvp(f))`": (3, lambda f: lambda x: derivative(hvp(f))(x, 1.0)),
    "`grad(derivative(grad(f)))`": (3, lambda f: grad(derivative(grad(f)))),
    "`gauss_newton_product`": (0, gauss_newton_less_square),
}


def slope(f: Function, x: float, h: float = 1e-4) -> float:
    """Central differences, extrapolated twice."""

    def at(step: float) -> float:
        return float(f(x + step) - f(x - step)) / (2.0 * step)

    one, two, four = at(h), at(h / 2.0), at(h / 4.0)
    first, again = (4.0 * two - one) / 3.0, (4.0 * four - two) / 3.0
    return (16.0 * again - first) / 15.0


def entry(mode: str, program: str) -> str:
    """ "exact" or "refused"; AssertionError where a derivative is wrong."""
    order, transform = MODES[mode]
    f, x = PROGRAMS[program]
    lower = f
    for _ in range(order - 1):
        lower = derivative(lower)
    wanted = slope(lower, x) if order else 0.0
    try:
        found = transform(f)(x)
    except s2sad.UnsupportedError:
        return "refused"
    close = math.isclose(found, wanted, rel_tol=1e-7, abs_tol=1e-9)
    assert close, f"{mode} of {program}: {found}, differences {wanted}"
    return "exact"


def table() -> str:
    """The table in Markdown."""
    rows = [["", *PROGRAMS], ["---"] * (len(PROGRAMS) + 1)]
    rows += [[mode, *(entry(mode, program) for program in PROGRAMS)] for mode in MODES]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
