"""Tricky programs 41-65: shapes, kinks, singular points, kinds of number."""

import math

import numpy as np

from tests.programs import Table

VALUES = Table()
NAN, INF = float("nan"), float("inf")
X3 = np.array([0.7, -1.2, 2.1])
X4 = np.array([0.5, 1.5, -0.8, 2.2])
A23 = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])
CUBE = np.sin(np.arange(24.0)).reshape(2, 3, 4)


def column_times_row(c, r):
    return np.sum((c * r) ** 2 / (1.0 + c**2) + c - r)


VALUES.exact(41, column_times_row, X3.reshape(3, 1), X4.reshape(1, 4))
VALUES.exact(41, column_times_row, 1.3, X3)
VALUES.exact(41, column_times_row, X3, np.array(0.8))
VALUES.exact(41, column_times_row, np.array([0.6]), np.array(0.8))
VALUES.exact(41, column_times_row, A23, X3)


def broadcast_result(c, r):
    return c * r + np.sin(c)


VALUES.exact(41, broadcast_result, X3.reshape(3, 1), X4.reshape(1, 4))
VALUES.exact(41, broadcast_result, np.float64(0.4), X3)


def power_and_quotient(x, y):
    return np.sum(x**y / (y + 3.0))


VALUES.exact(41, power_and_quotient, np.abs(X3).reshape(3, 1), X4)


def centred(x):
    m = x.mean(axis=1, keepdims=True)
    s = np.sum(x, axis=0, keepdims=True)
    return np.sum((x - m) ** 2 * s) + np.sum(x.mean(axis=0) ** 2)


VALUES.exact(42, centred, A23)
VALUES.exact(42, centred, X3.reshape(3, 1))
VALUES.exact(42, centred, X3.reshape(1, 3))


def many_axes(x):
    a = np.sum(x, axis=(0, 2)) ** 2
    b = np.sum(x, axis=-1) ** 2
    c = x.sum(axis=(-1, -2), keepdims=True) ** 2
    return np.sum(a) + np.sum(b) + np.sum(c * x) + x.mean(axis=(0, -1))[1]


VALUES.exact(43, many_axes, CUBE)


def largest(x):
    return np.max(x)


def smallest_by_row(x):
    return x.min(axis=1)[0] * 3.0 + np.amin(x, axis=1)[1]


VALUES.exact(44, largest, np.array([1.0, 2.0, 2.0]), expected=np.array([0.0, 0.5, 0.5]))
VALUES.exact(44, largest, np.array([2.0, 2.0, 2.0]), expected=np.full(3, 1 / 3))
VALUES.exact(44, largest, X3)
VALUES.exact(44, smallest_by_row, A23)
VALUES.exact(
    44,
    smallest_by_row,
    np.array([[1.0, 1.0, 2.0], [0.5, 4.0, 3.0]]),
    expected=np.array([[1.5, 1.5, 0.0], [1.0, 0.0, 0.0]]),
)


def maximum_with_itself(x):
    return np.sum(np.maximum(x, x) * x)


def maximum_tie(x, y):
    return np.sum(np.maximum(x, y)) + 2.0 * np.sum(np.minimum(x, y))


VALUES.exact(44, maximum_with_itself, X3)
VALUES.exact(
    44,
    maximum_tie,
    np.array([1.0, 2.0, 3.0]),
    np.array([1.0, 5.0, -1.0]),
    expected=(np.array([1.5, 2.0, 1.0]), np.array([1.5, 1.0, 2.0])),
    variants=False,
)


def builtin_max(x, y):
    return max(x, y, 0.5) * min(x, 2.0 * y)


def builtin_max_of_list(x):
    return max([v * v for v in x]) + min(x)


VALUES.exact(44, builtin_max, 1.3, 0.9)
VALUES.exact(44, builtin_max, 0.9, 1.3)
VALUES.exact(44, builtin_max_of_list, X3)


def relu_by_branch(x):
    return x if x > 0.0 else 0.0 * x


VALUES.exact(44, relu_by_branch, 0.0, expected=0.0)


def absolute(x):
    return abs(x) + np.abs(x) * 2.0


def kinks(x):
    return np.sum(np.abs(x) * 3.0 + np.sign(x) + np.clip(x, -1.0, 1.0))


VALUES.exact(45, absolute, 0.0, expected=0.0)
VALUES.exact(45, absolute, -1.3)
VALUES.exact(
    45,
    kinks,
    np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0]),
    expected=np.array([-3.0, -2.0, 1.0, 4.0, 4.0, 3.0]),
)


def clipped_method(x, low, high):
    return np.sum(x.clip(low, high) * x)


VALUES.exact(45, clipped_method, X4, -0.5, 1.7, argnums=0)


def dead_arm(x):
    return np.sum(np.where(x > 0.0, np.log(x) * x, 0.0 * x))


def dead_arm_division(x):
    return np.sum(np.where(x != 0.0, np.sin(x) / x, 1.0))


VALUES.exact(46, dead_arm, X3)
VALUES.exact(
    46, dead_arm, np.array([0.0, -1.0, 1.0]), expected=np.array([0.0, 0.0, 1.0]), variants=False
)
VALUES.exact(
    46,
    dead_arm_division,
    np.array([0.0, 1.0]),
    expected=np.array([0.0, math.cos(1.0) - math.sin(1.0)]),
)


def root_with_zero_seed(x):
    return np.sum(np.sqrt(x) * np.array([0.0, 1.0, 2.0]))


def math_root_with_zero_seed(x):
    return math.sqrt(x) * 0.0 + x


def root_at_zero(x):
    return math.sqrt(x)


VALUES.exact(
    47,
    root_with_zero_seed,
    np.array([0.0, 1.0, 4.0]),
    expected=np.array([0.0, 0.5, 0.5]),
)
VALUES.exact(47, math_root_with_zero_seed, 0.0, expected=1.0)
VALUES.exact(47, root_at_zero, 0.0, expected=INF)
VALUES.exact(47, root_at_zero, 2.0)


def norm_by_hand(x):
    return np.sqrt(np.sum(x * x)) * 2.0


def norm(x):
    return np.linalg.norm(x) * 2.0


VALUES.exact(48, norm, X3)
VALUES.exact(48, norm_by_hand, X3)
VALUES.exact(48, norm, np.zeros(3), expected=np.zeros(3))


def to_the_zero(x):
    return x**0 + x * 2.0


def zero_to_the(p):
    return 0.0**p + p * 2.0


def squared(x):
    return x**2


def cubes_and_halves(x):
    return np.sum(x**3 - x**-2 + np.abs(x) ** 1.5 + x**1 + x**0)


VALUES.exact(49, to_the_zero, 0.0, expected=2.0)
VALUES.exact(49, to_the_zero, -1.5)
VALUES.exact(49, zero_to_the, 1.5, expected=2.0)
VALUES.exact(49, squared, 0.0, expected=0.0)
VALUES.exact(49, squared, -3.0)
VALUES.exact(49, squared, np.array([0.0, -2.0]))
VALUES.exact(49, cubes_and_halves, X3)


def negative_base(x, p):
    return (x**p) * x


VALUES.exact(49, negative_base, -2.0, 3)
VALUES.exact(49, negative_base, -2.0, 3.0, argnums=0)
VALUES.exact(49, negative_base, 2.0, 2.5)
VALUES.exact(49, negative_base, X3, 2.0, argnums=0)


def product(x):
    return np.prod(x) * 2.0 + x.prod()


VALUES.exact(50, product, X3)
VALUES.exact(50, product, np.array([2.0, 0.0, 3.0]), expected=np.array([0.0, 18.0, 0.0]))
VALUES.exact(50, product, np.array([0.0, 0.0, 3.0]), expected=np.zeros(3))


def out_of_domain_in_dead_code(x):
    unused = np.arccos(x)  # noqa: F841 - dead on purpose
    return x * x


VALUES.exact(51, out_of_domain_in_dead_code, 3.0)
VALUES.exact(51, out_of_domain_in_dead_code, X3)


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def softplus(x):
    return np.sum(np.logaddexp(x, 0.0))


VALUES.exact(52, logsumexp, X3)
VALUES.exact(52, logsumexp, np.array([1000.0, 1000.0]), expected=np.array([0.5, 0.5]))
VALUES.exact(52, softplus, np.array([1000.0, 0.0, -1000.0]), expected=np.array([1.0, 0.5, 0.0]))


def whole_numbers(x, n):
    return x * (n // 3) + (n % 3) * x**2 + (x // 1) * x + x % 0.75 + divmod(n, 4)[1] * x


VALUES.exact(53, whole_numbers, 1.3, 7)
VALUES.exact(53, whole_numbers, -1.3, -7)


def remainder_arrays(x, y):
    return np.sum(x % y * x) + np.sum(np.floor(x) * y) + np.sum(np.fmod(x, 0.77))


VALUES.exact(53, remainder_arrays, X4, np.array([0.3, -0.7, 0.9, -1.6]))


def differentiated_int(w):
    return w**2


VALUES.exact(53, differentiated_int, 3.0)


def int_array_divided(x, n):
    return np.sum(x * (n / 2)) + np.sum(n // 2 * x**2)


VALUES.exact(54, int_array_divided, X3, np.array([1, 4, -3]))


def truncating_store(x):
    counts = np.array([1, 2, 3])
    counts[0] = x
    return np.sum(counts * x)


VALUES.refused(54, truncating_store, 2.7, reason="a float stored in an integer array truncates")


def booleans(x, y):
    return (x > 1.0) * x + (y > 1.0) * y * 3.0 + (x > 0.0) + True * x


VALUES.exact(55, booleans, 2.0, 0.5)
VALUES.exact(55, booleans, X3, X3 + 1.0)


def masks(x):
    inside = (x > 0.0) & (x < 2.0)
    return np.sum(x[inside] ** 2) + np.sum(~inside * x) + (x > 0.6).sum() * x[0]


VALUES.exact(55, masks, X4)


def empty(x):
    return np.sum(x * x) + 1.0


def empty_mean(x):
    return np.mean(x)


VALUES.exact(56, empty, np.zeros(0), expected=np.zeros(0))
VALUES.exact(56, empty, np.zeros((2, 0)), expected=np.zeros((2, 0)))
VALUES.exact(56, empty_mean, np.zeros(0), expected=np.zeros(0))


def any_scalar(x):
    return x * x + np.sin(x)


VALUES.exact(57, any_scalar, 1.3)
VALUES.exact(57, any_scalar, np.float64(1.3))
VALUES.exact(57, any_scalar, np.array(1.3))
VALUES.exact(57, any_scalar, np.array([1.3]))
VALUES.exact(57, any_scalar, np.float32(1.3))
VALUES.exact(57, any_scalar, np.array(1.3, dtype=np.float32))


def numpy_division(x):
    return 1.0 / x[0] + x[1]


VALUES.exact(57, numpy_division, X3)


def single_precision(x, w):
    h = np.tanh(x @ w) * 2.0
    return np.sum(h**2) / 3.0 + np.mean(h)


VALUES.exact(58, single_precision, A23.astype(np.float32), X3.astype(np.float32))


def single_loop(x):
    total = np.float32(0.0)
    for i in range(len(x)):
        total += x[i] * x[i] * np.float32(0.5)
    return total


VALUES.exact(58, single_loop, X3.astype(np.float32))
VALUES.exact(59, single_precision, A23.astype(np.float32), X3)
VALUES.exact(59, single_precision, A23, X3.astype(np.float32))
VALUES.exact(59, broadcast_result, np.float32(0.4), X3)


def complex_inside(x, t):
    z = np.exp(1j * t) * (x + 2j)
    return np.sum(np.abs(z) ** 2 * x) + np.sum((z * z).real) + np.sum(z.imag)


VALUES.exact(60, complex_inside, X3, 0.4)


def complex_scalar_inside(x):
    z = complex(x, 1.0)
    z = z * z + 3.0
    return z.real * z.imag + abs(z)


VALUES.exact(60, complex_scalar_inside, 0.7)


def any_layout(a, x):
    return np.sum(np.tanh(a @ x) ** 2) + np.sum(a.ravel()[1:] * a.ravel()[:-1]) + x @ x


LOCKED = X3.copy()
LOCKED.flags.writeable = False
VALUES.exact(61, any_layout, A23, LOCKED)
VALUES.exact(61, any_layout, np.asfortranarray(A23), np.repeat(X3, 2)[::2])
VALUES.exact(61, any_layout, A23[:, ::-1], X3[::-1])
VALUES.exact(61, any_layout, A23, np.broadcast_to(np.array([0.7]), (3,)), variants=False)


def constant(x):
    return 3.0


def depends_on_shape(x):
    return float(len(x)) + x.size * 2.0


def steps_only(x):
    return np.sum(np.floor(x)) + np.sum(np.sign(x))


VALUES.exact(62, constant, 1.3, expected=0.0)
VALUES.exact(62, constant, X3, expected=np.zeros(3))
VALUES.exact(62, constant, X3.astype(np.float32), expected=np.zeros(3))
VALUES.exact(62, depends_on_shape, X3, expected=np.zeros(3))
VALUES.exact(62, steps_only, X3, expected=np.zeros(3))
VALUES.exact(62, constant, {"w": X3, "b": 1.0}, expected={"w": np.zeros(3), "b": 0.0})


def returned_unchanged(x):
    return x


def returned_reshaped(x):
    return x.T, x[1:]


VALUES.exact(63, returned_unchanged, 1.3)
VALUES.exact(63, returned_unchanged, X3)
VALUES.exact(63, returned_reshaped, A23)


def pair_of_results(x):
    return x * x, np.sin(x)


def half_used(x, y):
    a, _ = pair_of_results(x)
    _, b = pair_of_results(y)
    return np.sum(a * b)


def tree_of_results(x, y):
    return {"sum": x + y, "parts": [x * y, (np.sin(x), y)]}


VALUES.exact(64, pair_of_results, X3)
VALUES.exact(64, pair_of_results, 1.3)
VALUES.exact(64, half_used, 1.3, 0.4)
VALUES.exact(64, half_used, X3, X3 + 1.0)
VALUES.exact(64, tree_of_results, 1.3, 0.4)
VALUES.exact(64, tree_of_results, X3, X3 + 1.0)


def magnitudes(x):
    return np.sum(0.5 * (1.0 + np.tanh(0.5 * x))) + np.sum(np.tanh(x))


def hypotenuse(x, y):
    return np.hypot(x, y)


def passes_through(x):
    return np.sum(x * 2.0)


def scaled(x):
    return x * 1e150 * 1e-150 + 1e-300 * x


VALUES.exact(
    65,
    magnitudes,
    np.array([-800.0, 800.0, 0.0]),
    expected=np.array([0.0, 0.0, 1.25]),
)
VALUES.exact(65, hypotenuse, 3e200, 4e200, expected=(0.6, 0.8))
VALUES.exact(65, hypotenuse, 3e-200, 4e-200, expected=(0.6, 0.8))
VALUES.exact(65, passes_through, np.array([INF, -INF, NAN, 1.0]), expected=np.full(4, 2.0))
VALUES.exact(65, scaled, 1e100, expected=1.0)
