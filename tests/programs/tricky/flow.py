"""Tricky programs 23-40: control flow."""

import numpy as np

from tests.programs import Table

FLOW = Table()
X3 = np.array([0.7, -1.2, 2.1])
X4 = np.array([0.5, 1.5, -0.8, 2.2])
A23 = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])


def power_by_loop(x, n):
    y = 1.0
    for _ in range(n):
        y = y * x
    return y * x


FLOW.exact(23, power_by_loop, 1.3, 0)
FLOW.exact(23, power_by_loop, 1.3, 4)


def while_never(x):
    y = x * x
    while y > 100.0:
        y = y * 0.5
    return y


FLOW.exact(23, while_never, 1.3)
FLOW.exact(23, while_never, 33.0)


def rows_of_nothing(a):
    total = np.sum(a) * 1.0
    for row in a:
        total += np.sum(row**2)
    return total


FLOW.exact(23, rows_of_nothing, np.zeros((0, 3)), expected=np.zeros((0, 3)))
FLOW.exact(23, rows_of_nothing, A23)


def break_at_once(x, c):
    y = x
    for i in range(5):
        if y > c:
            break
        y = y * x + i
    return y * x


FLOW.exact(24, break_at_once, 2.0, 1.0, argnums=0)
FLOW.exact(24, break_at_once, 2.0, 30.0, argnums=0)
FLOW.exact(24, break_at_once, 2.0, 1e9, argnums=0)


def nested_continue(x):
    total = 0.0
    for i in range(6):
        if i % 2 == 0:
            if x * i > 3.0:
                continue
            total = total + x * i
        total = total * x + 1.0
    return total


FLOW.exact(25, nested_continue, 1.2)
FLOW.exact(25, nested_continue, 0.3)


def break_inside_continue_outside(x):
    total = x
    for i in range(4):
        for j in range(4):
            if total > 3.0 + i:
                break
            total = total * x + 0.1 * j
        if i == 1:
            continue
        total = total - 0.3 * x
    return total


FLOW.exact(26, break_inside_continue_outside, 1.3)
FLOW.exact(26, break_inside_continue_outside, 0.9)


def return_inside_loops(x, c):
    y = x
    for i in range(4):
        for j in range(3):
            y = y * x + 0.1 * i * j
            if y > c:
                return y * y
        y = y + x
    return -y


FLOW.exact(27, return_inside_loops, 1.2, 3.0, argnums=0)
FLOW.exact(27, return_inside_loops, 1.2, 1.0, argnums=0)
FLOW.exact(27, return_inside_loops, 1.2, 1e9, argnums=0)


def returns_from_an_endless_loop(x, most):
    i = 0
    while True:
        i += 1
        if i > most:
            return x
        x = x * 0.9
        if x < 0.5:
            return x * i


FLOW.exact(27, returns_from_an_endless_loop, 2.0, 5, argnums=0)
FLOW.exact(27, returns_from_an_endless_loop, 1.0, 50, argnums=0)


def early_return(x, n):
    y = x * x
    if n < 0:
        return y
    for _ in range(n):
        y = np.sin(y) * x
    return y + x


FLOW.exact(28, early_return, 1.2, -1)
FLOW.exact(28, early_return, 1.2, 3)


def many_returns(x):
    if x < 0.0:
        return -x * x
    if x < 1.0:
        return x**3
    if x < 2.0:
        return 2.0 * x
    y = x * x
    if y < 9.0:
        return y
    return y / x


for point in (-0.7, 0.6, 1.4, 2.5, 3.5):
    FLOW.exact(28, many_returns, point)


def for_else(x, c):
    y = x
    for _ in range(5):
        y = y * x
        if y > c:
            break
    else:
        y = y + 10.0 * x
    return y


FLOW.exact(29, for_else, 1.5, 4.0, argnums=0)
FLOW.exact(29, for_else, 1.5, 1e9, argnums=0)


def while_else(x, c):
    y, n = x, 0
    while n < 4:
        y = y * x
        if y > c:
            y = y - x
            break
        n += 1
    else:
        y = y * 3.0
    return y * y


FLOW.exact(29, while_else, 1.5, 4.0, argnums=0)
FLOW.exact(29, while_else, 1.5, 1e9, argnums=0)


def taylor_exp(x):
    term, total, n = 1.0, 0.0, 0
    while abs(term) > 1e-17:
        total += term
        n += 1
        term *= x / n
    return total


FLOW.exact(30, taylor_exp, 0.7)
FLOW.exact(30, taylor_exp, -2.3)


def newton_root(a):
    x = a
    while abs(x * x - a) > 1e-13:
        x = 0.5 * (x + a / x)
    return x


FLOW.exact(30, newton_root, 2.0, rtol=1e-5)


def loop_variable_reassigned(x):
    total = 0.0
    for i in range(4):
        total += x * i
        i = i * x + 1.0
    return total * i


FLOW.exact(31, loop_variable_reassigned, 1.3)


def loop_variable_after(x):
    for v in x:
        y = v * v
    return y * v


FLOW.exact(31, loop_variable_after, X3)


def used_after_the_loop(x, s):
    before = s * s
    y = x
    for _ in range(3):
        y = y * np.cos(y)
    return before * y


FLOW.exact(32, used_after_the_loop, 1.2, 0.7)


def defined_in_one_branch(x):
    if x > 1.0:
        z = x * x
    y = np.sin(x)
    if x > 1.0:
        y = y * z
    return y


FLOW.exact(33, defined_in_one_branch, 1.7)
FLOW.exact(33, defined_in_one_branch, 0.4)


def power_recursive(x, n):
    if n == 0:
        return 1.0
    return x * power_recursive(x, n - 1)


def halve_until_small(x):
    if x < 1.0:
        return x * x
    return 3.0 * halve_until_small(0.5 * x) + x


def even_steps(x, n):
    return x if n == 0 else odd_steps(x * x, n - 1)


def odd_steps(x, n):
    return -x if n == 0 else np.sin(even_steps(x + 1.0, n - 1))


def tree_sum(x, low, high):
    if high - low == 1:
        return np.sin(x[low])
    middle = (low + high) // 2
    return tree_sum(x, low, middle) * 2.0 + tree_sum(x, middle, high) ** 2


FLOW.exact(34, power_recursive, 1.3, 5)
FLOW.exact(34, halve_until_small, 5.0)
FLOW.exact(34, even_steps, 0.6, 3)
FLOW.exact(34, even_steps, 0.6, 4)
FLOW.exact(34, tree_sum, X4, 0, 4)


def fills_by_recursion(x):
    u = np.zeros(3)

    def fill(n):
        if n == 3:
            return
        u[n] = x * n
        fill(n + 1)

    fill(0)
    return u.sum() * x


def bisection(x, low, high):
    middle = (low + high) / 2.0
    if high - low < 1e-3:
        return middle * x
    return bisection(x, low, middle) if middle * middle > x else bisection(x, middle, high)


FLOW.exact(34, fills_by_recursion, 1.3)
FLOW.exact(34, bisection, 2.0, 0.0, 2.0, argnums=0)


def raise_in_the_loop(x, c):
    y = x
    for i in range(5):
        y = y * x
        if y > c:
            raise ValueError(f"too large at step {i}")
    return y


FLOW.exact(35, raise_in_the_loop, 1.1, 100.0, argnums=0)


def asserted(x):
    y = x * x - 1.0
    assert y > 0.0, f"{y} is not positive"
    return np.sqrt(y)


FLOW.exact(36, asserted, 1.6)


def rows_and_scalars(a, x):
    total = 0.0
    for row in a:
        total = total + np.sum(row * row) * total + np.sum(row)
    for v in x:
        total = total * v + v
    return total


FLOW.exact(37, rows_and_scalars, A23, X3)


def rows_changed(a):
    b = a * 1.0
    for row in b:
        row *= row[0]
    return np.sum(b**2)


FLOW.exact(37, rows_changed, A23)


def zipped(x, y):
    total = 0.0
    for i, (u, v) in enumerate(zip(x, y, strict=True)):
        total += u * v * (i + 1)
    for u, v in zip(reversed(x), y, strict=False):
        total *= 1.0 + 0.1 * u * v
    return total


FLOW.exact(37, zipped, X3, X3 * X3)


def growing_list(x):
    values = [x]
    for v in values:
        if len(values) < 5:
            values.append(v * x + 0.1)
    return sum(values)


FLOW.exact(38, growing_list, 1.2)


def shrinking_stack(x):
    stack = [x, 0.5 * x]
    total = 0.0
    while stack:
        v = stack.pop()
        if v > 1.0:
            stack.append(v * 0.5)
            stack.append(v - 1.0)
        else:
            total += v * v
    return total


FLOW.exact(38, shrinking_stack, 2.7)


def steps_from_input(x):
    n = int(np.floor(x * 2.0)) + 1
    y = x
    for _ in range(n):
        y = y * x
    return y


FLOW.exact(39, steps_from_input, 1.7)


def steps_from_shape(x):
    y = 1.0
    for i in range(x.shape[0] - 1, 0, -1):
        y = y * x[i] + x[i - 1]
    return y


FLOW.exact(39, steps_from_shape, X4)


def many_steps(x, n):
    y = 0.0
    for _ in range(n):
        y = 0.5 * y + x * x
    return y


FLOW.exact(40, many_steps, 1.2, 1000)
