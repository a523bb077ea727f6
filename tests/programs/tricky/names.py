"""Tricky programs 1-22: names, aliases, views, writes in place."""

import numpy as np

from tests.programs import Table

NAMES = Table()
X3 = np.array([0.7, -1.2, 2.1])
X4 = np.array([0.5, 1.5, -0.8, 2.2])
X5 = np.array([0.4, -1.1, 0.9, 1.7, -0.6])
A23 = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])
A33 = np.array([[1.2, 0.4, -0.7], [0.3, 2.1, 0.8], [-0.5, 0.6, 1.4]])


def rebound_in_branch(x, y):
    b = x
    if x > 1.0:
        b = b * y
    return b * x


NAMES.exact(1, rebound_in_branch, 2.0, 3.0)
NAMES.exact(1, rebound_in_branch, 0.5, 3.0)


def alias_rebound_array(x):
    a = x * 2.0
    b = a
    if x[0] > 0.0:
        b = b + 1.0
    return np.sum(a * b)


NAMES.exact(1, alias_rebound_array, X3)
NAMES.exact(1, alias_rebound_array, -X3)


def view_written_root_read(x, s):
    a = x * x
    v = a[1:]
    v[0] = s * s
    return np.sum(a * x)


NAMES.exact(2, view_written_root_read, X3, 1.3)


def row_augmented(x):
    a = x * 1.0
    row = a[0]
    row += a[1]
    return np.sum(a**2)


NAMES.exact(2, row_augmented, A23)
NAMES.exact(2, row_augmented, X3)


def root_written_view_read(x, s):
    a = x * x
    v = a[:2]
    a[1] = s * x[0]
    return v[0] * v[1]


NAMES.exact(3, root_written_view_read, X3, 1.3)


def view_of_a_view(x, s):
    a = np.sin(x)
    v = a[1:]
    w = v[::2]
    a[1] = s
    w *= 3.0
    return np.sum(a * x) + v[0] * w[-1]


NAMES.exact(3, view_of_a_view, X5, 1.3)


def overlapping_shift(x):
    a = x * x
    a[1:] = a[:-1]
    return np.sum(a * x)


NAMES.exact(4, overlapping_shift, X5)


def overlapping_add(x):
    a = x * x
    a[1:] += a[:-1] * x[0]
    a[:-1] *= a[1:]
    return np.sum(a * x)


NAMES.exact(4, overlapping_add, X5)


def product_of_elements(x, i, j):
    a = x.copy()
    a[i] = a[i] * a[j]
    return np.sum(a * x)


NAMES.exact(5, product_of_elements, X3, 1, 1)
NAMES.exact(5, product_of_elements, X3, 1, 2)
NAMES.exact(5, product_of_elements, X3, -1, 2)


def assign_repeated(x, v):
    a = x * x
    a[np.array([0, 2, 0])] = v
    return np.sum(a * x)


NAMES.exact(6, assign_repeated, X4, np.array([1.3, -0.4, 2.5]))


def add_repeated(x, v):
    a = x * x
    a[np.array([0, 2, 0])] += v * x[1]
    return np.sum(a * x)


NAMES.exact(7, add_repeated, X4, np.array([1.3, -0.4, 2.5]))


def read_repeated(x):
    idx = np.array([0, 2, 0, 0])
    return np.sum(x[idx] * np.array([1.0, 2.0, 3.0, 4.0]) * x)


NAMES.exact(8, read_repeated, X4)


def empty_mask(x, s):
    a = x * x
    a[x > 100.0] = s
    return np.sum(a) + np.sum(x[x > 100.0])


NAMES.exact(9, empty_mask, X4, 2.0)


def some_mask(x, s):
    a = x * x
    a[x > 0.6] *= s
    a[x < 0.0] = s
    return np.sum(a * x)


NAMES.exact(9, some_mask, X4, 2.0)


def negative_index(x):
    a = x[::-1] * x
    a[-1] = x[-2] * x[0]
    a[-2::-2] *= x[0]
    return a[-3] * a[-1] + np.sum(a[3:0:-1] * x[:3])


NAMES.exact(10, negative_index, X4)


def augmented_name(x, y):
    a = x
    x += y
    return x * a


def augmented_fresh(x, y):
    z = x * 1.0
    a = z
    z += y
    return z * a


NAMES.exact(11, augmented_name, 2.0, 3.0)
NAMES.exact(11, augmented_name, X3, X3 * X3)
NAMES.exact(11, augmented_fresh, 2.0, 3.0)
NAMES.exact(11, augmented_fresh, X3, X3 * X3)


def mutated_argument(x, s):
    x[1] = s * x[0]
    x *= s
    return np.sum(x**2)


NAMES.exact(12, mutated_argument, X3, 1.3)


def mutated_list(xs, s):
    xs[1] = s * xs[0]
    xs.append(s)
    return xs[0] * xs[1] * xs[2] * xs[3]


NAMES.exact(12, mutated_list, [0.7, 1.1, 2.0], 1.3)


def mutated_dict(p, s):
    p["a"] *= s
    p["c"] = p["a"] * p["b"]
    return p["c"] * p["b"]


NAMES.exact(12, mutated_dict, {"a": 0.7, "b": 1.1}, 1.3)


def one_mutated(x, y):
    x[0] = 5.0
    return (x * y * y).sum()


NAMES.exact(13, one_mutated, X3, X3[::-1].copy())


def reshape_of_a_new_array(x):
    a = x * x
    flat = a.reshape(-1)
    flat[1] = x[0, 0]
    return np.sum(a * x)


NAMES.exact(14, reshape_of_a_new_array, A23)


def reshape_that_copies(x):
    a = x * x
    flat = a.T.reshape(-1)
    flat[1] = 7.0 * x[0, 0]
    return np.sum(a * x) + np.sum(flat**2)


NAMES.exact(14, reshape_that_copies, A23.copy(), variants=False)


def ravel_read_only(x, s):
    flat = x.ravel()
    return np.sum(flat[1:] * flat[:-1]) * s


NAMES.exact(14, ravel_read_only, A23, 2.0)


def transpose_written(x):
    a = x * x
    t = a.T
    t[0] = x[0] * 2.0
    t[1, 2] *= x[1, 1]
    return np.sum(a * x)


NAMES.exact(15, transpose_written, A33)


def overwritten_before_read(x):
    a = x * 5.0
    a[:] = x * x
    a = np.sin(a)
    a[0] = 1.0
    a[0] = x[1]
    return np.sum(a * x)


NAMES.exact(16, overwritten_before_read, X3)


def scalar_overwritten(x):
    y = x * 100.0
    y = x * x
    y = y * y
    return y


NAMES.exact(16, scalar_overwritten, 1.1)


def twice_in_a_tuple(x):
    pair = (x, x)
    first, second = pair
    return np.sum(first * first * second)


NAMES.exact(17, twice_in_a_tuple, X3)


def twice_in_a_tuple_written(x):
    a = x * x
    first, second = (a, a)
    first[0] = x[1]
    return np.sum(second * x)


NAMES.exact(17, twice_in_a_tuple_written, X3)


def tuple_argument(pair):
    a, b = pair
    return np.sum(a * a * b)


NAMES.exact(17, tuple_argument, (X3, X3), argnums=0)


def doubled_in_place(x):
    a = x * x
    a += a
    a *= a
    a -= 0.5 * a
    return np.sum(a * x)


NAMES.exact(18, doubled_in_place, X3)


def list_element_replaced(x, y):
    arrays = [x * y, y * y, x * x]
    arrays[1] = arrays[0] * arrays[2]
    arrays[0] = x
    return np.sum(arrays[0] * arrays[1]) + np.sum(arrays[2])


NAMES.exact(19, list_element_replaced, X3, X3 + 1.0)


def list_argument_replaced(xs, s):
    kept = xs[1]
    xs[1] = xs[0] * s
    return np.sum(kept * xs[1])


NAMES.exact(19, list_argument_replaced, [X3, X3 + 1.0], 1.7)


def stored_then_changed(x, s):
    a = np.zeros((2, 3))
    b = x * s
    a[1] = b
    b[0] = 9.0 * x[2]
    return np.sum(a**2) + np.sum(b * x)


NAMES.exact(20, stored_then_changed, X3, 1.4)


def history_of_copies(x):
    history = []
    u = x * 1.0
    for _ in range(3):
        u[1:] += 0.5 * u[:-1] * u[1:]
        history.append(u.copy())
    return history[0][1] * history[2][2] + np.sum(history[1])


NAMES.exact(20, history_of_copies, X3)


def history_of_aliases(x):
    history = []
    u = x * 1.0
    for _ in range(3):
        history.append(u)
        u[1:] += 0.5 * u[:-1] * u[1:]
    return history[0][1] * u[2]


NAMES.refused(
    20,
    history_of_aliases,
    X3,
    reason="an array in a list is written through another name",
    match="copy",
)


def target_shares_with_argument(x, y):
    a = x
    a = a * 1.0
    b = a[:]
    b += y
    b -= x
    return np.sum(a * b)


NAMES.exact(21, target_shares_with_argument, X3, X3 * X3)


def augmented_argument_view(x, s):
    v = x[1:]
    v *= s
    v += x[:-1]
    return np.sum(x**2)


NAMES.exact(21, augmented_argument_view, X4, 1.3)


def diagonal_in_branch(s, d, flag):
    a = s * 1.0
    for i in range(len(d)):
        if flag:
            a[i, i] += d[i] * d[i]
        else:
            a[i, i] = d[i]
    return np.sum(a * a * s)


NAMES.exact(22, diagonal_in_branch, A33, X3, True)
NAMES.exact(22, diagonal_in_branch, A33, X3, False)
