"""Programs lowered and interpreted, compared with plain Python bit for bit; and what is refused."""

import contextlib
import copy
import functools
import io
import operator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from s2sad.binding import layout_of
from s2sad.errors import UnsupportedError
from s2sad.frontend.lower import Lowered, lower
from s2sad.ir.interp import run
from s2sad.ir.kinds import kind_of
from s2sad.ir.verify import verify

X = np.array([0.7, -1.2, 2.1])
A = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])
EXACT, REFUSED = [], []


def exact(*args):
    def enter(f):
        EXACT.append(pytest.param(f, args, id=f.__name__))
        return f

    return enter


def refused(*args):
    def enter(f):
        REFUSED.append(pytest.param(f, args, id=f.__name__))
        return f

    return enter


def lowered(f, *args) -> tuple[Lowered, tuple]:
    layout = layout_of(f)
    values = tuple(layout.bind(copy.deepcopy(args), {}))
    kinds = [kind_of(v, n) for v, n in zip(values, layout.names, strict=True)]
    return lower(layout.function, kinds, values), values


def same(a, b) -> bool:
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)


@exact(X, 1.3)
def choice_written(x, s):
    a = x * 1.0
    b = x * 2.0
    c = a if s > 1 else b
    c[0] = 5.0
    return np.sum(c)


@exact(X, 1.3)
def choice_written_then_both_read(x, s):
    a = x * 1.0
    b = x * 2.0
    c = a if s > 1 else b
    c[0] = 5.0
    return np.sum(c) + np.sum(a)


@exact(X, 1.3)
def part_of_choice_written(x, s):
    a = x * 1.0
    b = x * 2.0
    c = a if s > 1 else b
    a[0] = 7.0
    return np.sum(c)


@exact(X)
def double_buffer(x):
    u = x * 1.0
    v = x * 2.0
    for i in range(3):
        u, v = v, u
        u[0] += v[1]
    return np.sum(u) + 2 * np.sum(v)


@exact(X)
def double_buffer_of_argument(x):
    u = x
    v = x * 2.0
    for i in range(3):
        u, v = v, u
        u[0] += v[1]
    return np.sum(u) + 2 * np.sum(v)


@refused(X)
def double_buffer_with_third_name(x):
    u = x * 1.0
    v = x * 2.0
    w = u
    for i in range(3):
        u, v = v, u
        u[0] += v[1]
    return np.sum(u) + 2 * np.sum(v) + np.sum(w)


@exact(X)
def alias_in_loop(x):
    u = x * 1.0
    v = u
    for i in range(3):
        u[0] += v[1]
        v = u
    return np.sum(u) + np.sum(v)


@exact(X)
def alias_from_second_iteration(x):
    u = x * 1.0
    v = x * 1.0
    for i in range(3):
        u[0] += v[1]
        v = u
    return np.sum(u) + np.sum(v)


@exact(X)
def list_copied_shallowly(x):
    L = [x * 1.0, x * 2.0]
    L[0][1] = 9.0
    M = list(L)
    M[1][0] = 4.0
    return np.sum(L[0]) + np.sum(L[1]) * 3


@refused(A)
def rows_of_argument_in_list(x):
    rows = []
    for r in x:
        rows.append(r)
    y = x * 1.0
    rows[0][0] = 3.0
    return np.sum(x) + np.sum(rows[0])


@refused(A)
def views_in_a_comprehension(x):
    y = x * 1.0
    rows = [r for r in y]
    rows[0][0] = 3.0
    return np.sum(y)


@exact(A)
def views_in_a_list(x):
    y = x * 1.0
    rows = [y[0], y[1]]
    rows[0][0] = 3.0
    return np.sum(y)


@exact(X)
def closure_writes(x):
    a = np.zeros(3)

    def g():
        a[0] = x[0]

    g()
    return np.sum(a)


@exact(X)
def helper_returns_its_argument(x):
    a = x * 1.0

    def g(b):
        b[0] = 2.0
        return b

    c = g(a)
    c[1] = 5.0
    return np.sum(a)


@exact(X)
def asarray_is_the_array(x):
    b = np.asarray(x)
    b = b * 1.0
    c = np.asarray(b)
    c[0] = 5.0
    return np.sum(b)


@exact(A)
def view_of_transposed_view(x):
    y = x * 1.0
    z = y.T[1:].T
    z *= 2.0
    return np.sum(y * y)


@exact(A)
def reshape_then_slice(x):
    y = np.zeros((2, 3))
    f = y.reshape(-1)
    f[:] = x.ravel()
    g = f[1:3]
    g += 1.0
    return np.sum(y * x)


@exact(X)
def array_in_a_tuple(x):
    t = (x * 1.0,)
    for i in range(3):
        t[0][i] = i * 1.0
    return np.sum(t[0])


@exact(X)
def dict_gets_an_alias_in_a_loop(x):
    d = {"u": x * 1.0}
    for i in range(3):
        d["u"][i] += 1.0
        d["v"] = d["u"]
    d["v"][0] = 0.0
    return np.sum(d["u"])


@exact(X)
def rows_summed_from_zero(x):
    s = 0.0
    for r in [x * 1.0, x * 2.0]:
        r[0] = 1.0
        s += r
    return np.sum(s)


@refused(X)
def appended_then_changed(x):
    s = 0.0
    acc = []
    for i in range(3):
        s = s + x
        acc.append(s)
    s += 1.0
    return np.sum(acc[2]) + np.sum(s)


@exact(X)
def sum_changed_through_alias(x):
    s = 0.0
    for i in range(3):
        s += x
    t = s
    s += 1.0
    return np.sum(t) + np.sum(s)


@exact(X)
def written_while_iterated(x):
    a = x * 1.0
    it = iter(a) if False else a
    tot = 0.0
    for v in a:
        tot += v
        a[2] = 0.0
    return tot


@exact([1.0, 2.0, 3.0])
def list_alias(xs):
    ys = xs
    ys.append(4.0)
    return sum(xs)


@exact([1.0, 2.0, 3.0])
def list_grows_while_iterated(xs):
    t = 0.0
    for v in xs:
        if len(xs) < 5:
            xs.append(v)
        t += v
    return t


@exact([1.0, 2.0, 3.0], 2.0)
def chosen_list_grows(xs, s):
    ys = xs if s > 1 else [1.0]
    ys.append(5.0)
    return sum(ys)


@refused([1.0, 2.0, 3.0], 2.0)
def chosen_list_grows_and_other_read(xs, s):
    ys = xs if s > 1 else [1.0]
    ys.append(5.0)
    return sum(ys) + sum(xs)


@exact([X, X + 1], 2.0)
def arrays_of_a_list_changed(xs, s):
    for x in xs:
        x *= s
    return np.sum(xs[0]) + np.sum(xs[1])


@exact(X)
def lambdas_over_loop_variable(x):
    fs = []
    for i in range(3):
        fs.append(lambda y: y * i)
    return fs[0](x[0])


@exact(X)
def lambdas_with_defaults(x):
    fs = [lambda y, i=i: y * i for i in (1, 2, 3)]
    return fs[0](x[0]) + fs[2](x[1])


@exact(X)
def slice_and_copy(x):
    a = x * 1.0
    b = a[:]
    c = a.copy()
    b[0] = 1.0
    c[1] = 100.0
    return np.sum(a)


@exact(X)
def array_copies(x):
    a = np.array(x)
    a[0] = 1.0
    b = np.array(a, copy=False) if False else a
    return np.sum(x) + np.sum(a)


@exact(X)
def real_part_is_a_view(x):
    z = x.real
    z = z * 1.0
    w = z.real
    w[0] = 5.0
    return np.sum(z)


@exact(A)
def rows_swapped_wrongly(x):
    y = x * 1.0
    y[0], y[1] = y[1], y[0]
    return np.sum(y * x)


@exact(A)
def rows_swapped(x):
    y = x * 1.0
    y[0], y[1] = y[1].copy(), y[0].copy()
    return np.sum(y * x)


@exact(X)
def elements_swapped(x):
    a = x * 1.0
    a[0], a[1] = a[1], a[0]
    return np.sum(a * x)


@exact(X)
def out_is_its_argument(x):
    v = x * 1.0
    w = np.maximum(v, 0.0, out=v)
    w[0] = 3.0
    return np.sum(v)


@exact(A)
def row_by_row(x):
    y = x * 1.0
    for i in range(2):
        row = y[i]
        for j in range(3):
            row[j] *= 2.0
    return np.sum(y * x)


@exact(A)
def last_row(x):
    y = x * 1.0
    row = y[0]
    for i in range(2):
        row = y[i]
    row[0] = 100.0
    return np.sum(row)


@refused(A)
def last_row_and_whole(x):
    y = x * 1.0
    row = y[0]
    for i in range(2):
        row = y[i]
    row[0] = 100.0
    return np.sum(y)


@exact(X, 0.5)
def argument_or_fresh(x, s):
    if s > 1:
        y = x
    else:
        y = x * 2.0
    y += 1.0
    return np.sum(y)


@refused(X, 0.5)
def argument_or_fresh_both_read(x, s):
    if s > 1:
        y = x
    else:
        y = x * 2.0
    y += 1.0
    return np.sum(y) + np.sum(x)


@exact(X)
def scalar_and_slice(x):
    s = x[0]
    t = x[0:1]
    x[0] = 5.0
    return s + t[0]


@exact(X)
def list_filled_by_index(x):
    a = [0.0] * 3
    for i in range(3):
        a[i] = x[i] ** 2
    return sum(a)


@exact(A)
def repeated_rows(x):
    a = [[0.0] * 3] * 2
    a[0][1] = x[0, 0]
    return a[1][1]


@exact(A)
def nested_lists_filled(x):
    a = [[0.0] * 3 for _ in range(2)]
    for i in range(2):
        for j in range(3):
            a[i][j] = x[i, j]
    return a[1][1] + np.sum(np.array(a))


@exact(1.3, 0)
def maybe_unassigned(x, n):
    for i in range(n):
        y = x * i
    return y if n > 0 else x


@exact(1.3, 3)
def endless(x, n):
    while True:
        x = x * 0.9
        n -= 1
        if n < 0:
            return x


@exact(1.3)
def none_first(x):
    r = None
    for i in range(3):
        if r is None:
            r = x
        else:
            r = r * x
    return r


@exact(X)
def largest_so_far(x):
    best = None
    for v in x:
        if best is None or v > best:
            best = v
    return best


@exact(1.3)
def recursive_closure(x):
    def h(n):
        if n == 0:
            return x
        return h(n - 1) * x

    return h(3)


@exact(X)
def index_of_largest(x):
    m = 0
    for i in range(len(x)):
        if x[i] > x[m]:
            m = i
    return x[m]


@exact(1.3)
def growing_tuple(x):
    t = ()
    for i in range(3):
        t = t + (x * i,)
    return sum(t)


@exact(1.3, 4)
def walrus_in_while(x, n):
    i = 0
    while (y := x * i) < n:
        i += 1
    else:
        y = y + 1
    return y * x


@exact(1.3)
def continue_and_else(x):
    for i in range(10):
        try_ = x * i
        if try_ > 3:
            continue
        for j in range(3):
            if j == 2:
                break
            x = x + 0.1
        else:
            x = x * 100
    return x


@exact({"a": 1.0, "b": 2.0})
def dict_items(p):
    t = 0.0
    for k, v in p.items():
        if k == "a":
            t += v
        else:
            t += v * v
    p["a"] = 3.0
    return t * p["a"]


@dataclass
class P:
    w: object
    b: float = 0.5

    def __call__(self, x):
        return np.sum(self.w * x) + self.b

    @property
    def norm(self):
        return np.sum(self.w**2)

    def step(self, g):
        self.w = self.w - g
        return self


@exact(P(X, 1.0), X)
def dataclass_methods(p, x):
    return p(x) + p.norm + p.step(0.1).b * np.sum(p.w)


class N(NamedTuple):
    a: float
    b: float


@exact(N(1.0, 2.0))
def named_tuples(n):
    return n.a * n.b + n[0] + sum(n) + N(n.b, n.a)._replace(a=3.0).a


@exact(X, "relu")
def matched(x, mode):
    match mode:
        case "relu":
            return np.sum(np.maximum(x, 0))
        case "sq" | "x":
            return np.sum(x * x)
        case _:
            return 0.0


@exact(X, 2)
def axis_from_argument(x, k):
    return np.sum(x.reshape(-1, 1), axis=k - 2)[0]


@exact(X, None)
def none_argument(x, b=None):
    if b is None:
        b = np.ones(3)
    return np.sum(x * b)


@exact(X)
def static_choice_of_function(x):
    g = np.sin if len(x) > 2 else np.cos
    return np.sum(g(x))


@exact(X)
def dynamic_choice_of_function(x):
    g = np.sin if x[0] > 0 else np.cos
    return np.sum(g(x))


@exact(2.0)
def folds(x):
    return functools.reduce(operator.mul, [x, x, 3.0]) + sum(i * x for i in range(4))


@exact(X)
def extremes(x):
    return max(range(3), key=lambda i: i) * x[0] + min(x) + max(x[0], x[1], x[2])


@exact(X)
def while_appends(x):
    out = []
    i = 0
    while i < len(x):
        out.append(x[i])
        i += 1
    out.reverse() if False else None
    return out[-1] * out[0] + len(out)


@exact(1.5)
def formatted(x):
    s = f"{x:.3f}"
    print(s)
    assert x > 0, "no"
    return x * len("abc")


@exact(np.float32(1.5))
def float32_scalar(x):
    return x * 2 + np.float32(1)


@exact(np.array([1, 2, 3]), 2.0)
def integer_array(i, x):
    return np.sum(i * x) / i.sum()


@exact(A)
def nested_rows(x):
    t = 0.0
    for i, row in enumerate(x):
        for j, v in enumerate(row):
            if (i + j) % 2:
                continue
            t += v * v
    return t


@exact(X)
def zip_bound_to_a_name(x):
    it = zip(x, x[1:])
    return sum(a * b for a, b in it)


@exact(3.0)
def closures_with_different_captures(x):
    def outer(k):
        def inner(y):
            return y * k

        return inner

    f = outer(x)
    g = outer(2.0)
    return f(1.0) + g(x)


@exact(X)
def starred(x):
    a, *b = x[0], x[1], x[2]
    return a * b[0] + b[1]


@exact(X)
def nested_array(x):
    return np.array([[x[0], 1.0], [2.0, x[1]]])[0, 0] + np.stack([x, x]).sum()


@exact(1.0 + 2.0j)
def complex_modulus(z):
    return (z * z.conjugate()).real


@exact(X)
def array_methods_in_place(x):
    x = x.copy()
    x.sort()
    x.fill(2.0)
    return x.sum()


@refused(X)
def split_written(x):
    y = x * 1.0
    a, b = np.split(y, [1])
    a[0] = 5.0
    return y.sum()


@refused(X)
def split_written_and_read(x):
    y = x * 1.0
    a, b = np.split(y, [1])
    a[0] = 5.0
    return a.sum() + b.sum()


@exact(X)
def conjugate_of_real(x):
    y = x * 1.0
    z = y.conj()
    z += 1
    return y.sum()


@exact(X)
def astype_without_copy(x):
    y = x * 1.0
    z = y.astype(float, copy=False)
    z += 1
    return y.sum()


@refused(A)
def einsum_view(x):
    y = x * 1.0
    d = np.einsum("ij->ji", y)
    y[0, 1] = 7.0
    return d.sum()


@refused(A)
def diag_view(x):
    y = x[:, :2] * 1.0
    d = np.diag(y)
    y[0, 0] = 7.0
    return d.sum()


@exact(A)
def views_of_every_sort(x):
    y = x * 1.0
    d = np.diagonal(y)
    t = y.swapaxes(0, 1)
    m = np.moveaxis(y, 0, 1)
    f = np.flip(y, 0)
    r = np.rot90(y)
    y[0, 0] = 7.0
    return d.sum() + t[0, 0] + m[0, 0] + f[1, 0] + r.sum()


@refused(X)
def broadcast_then_written(x):
    y = x * 1.0
    a, b = np.broadcast_arrays(y, np.ones((2, 3)))
    z = a * a
    y[0] = 3.0
    return z.sum()


@refused(X)
def broadcast_read_after_write(x):
    y = x * 1.0
    a, b = np.broadcast_arrays(y, np.ones((2, 3)))
    y[0] = 3.0
    return a.sum()


@exact(X)
def views_with_more_axes(x):
    y = x * 1.0
    z = np.atleast_2d(y)
    z[0, 1] = 4.0
    w = np.expand_dims(y, 0)
    w[0, 2] = 1.0
    q = y[None]
    q[0, 0] = 2.0
    return y.sum()


@exact(X)
def squeezed_view(x):
    y = x * 1.0
    z = np.squeeze(y[None, :])
    z *= 2
    return y.sum()


@exact(1.0)
def walrus_in_a_chain(x):
    a = 0.0 < x < (b := 2.0)
    c = (x > 0.5) < (d := 3.0)
    e = 0.1 < x < (g := x * 2) < 9.0
    return x * b * d * g


@exact(X)
def real_part_written(x):
    y = x * 1.0
    m = y.real
    m[0] = 1.0
    it = y.flat
    return y.sum()


@exact(X, 2)
def arrays_by_size(x, n):
    y = np.zeros(n)
    y[0] = x[0]
    z = np.full((n, n), x[1])
    w = np.ones_like(z) * x[2]
    return y.sum() + z.sum() + w.sum() + np.linspace(0.0, x[0], n).sum() + np.arange(n).sum()


@exact(X)
def history_element_written(x):
    u = x.copy()
    hist = [u]
    for i in range(2):
        u = u * 2.0
        hist.append(u)
    hist[0][0] = 100.0
    return hist[0].sum() + hist[2].sum()


@exact(X, 3)
def history_of_unknown_length_written(x, n):
    u = x.copy()
    hist = []
    for i in range(n):
        u = u * 2.0
        hist.append(u)
    hist[0][0] = 100.0
    hist[1][1] = 50.0
    return hist[0].sum() + hist[2].sum() + hist[1].sum()


@refused(X, 3)
def history_written_while_the_array_is_still_at_hand(x, n):
    u = x.copy()
    hist = []
    for i in range(n):
        u = u * 2.0
        hist.append(u)
    hist[n - 1][0] = 100.0
    return hist[0].sum() + u.sum()


@refused(X, 3)
def one_array_many_times(x, n):
    u = x.copy()
    hist = []
    for i in range(n):
        hist.append(u)
    hist[0][0] = 100.0
    return hist[2].sum()


@refused(X, 3)
def row_stored_twice(x, n):
    rows = [x * float(i) for i in range(n)]
    r = rows[1]
    r[0] = 9.0
    r[1] = 8.0
    rows[2] = rows[1]
    rows[2][2] = 5.0
    return rows[1].sum()


@exact(X, 3)
def rows_of_a_list_written(x, n):
    rows = [x * float(i) for i in range(n)]
    for r in rows:
        r *= 2.0
    for i in range(n):
        rows[i][0] = 1.0
    return sum(r.sum() for r in rows)


@refused(X, 3)
def list_of_lists_doubled(x, n):
    rows = [[0.0, 0.0] for i in range(n)]
    for i in range(n):
        rows[i][1] = x[0] * i
    a = rows + rows
    a[0][0] = 3.0
    return a[n][0]


@pytest.mark.parametrize(("f", "args"), EXACT)
def test_the_ir_computes_what_python_computes(f, args):
    result, values = lowered(f, *args)
    verify(result.module)
    with contextlib.redirect_stdout(io.StringIO()):
        found = run(result.module, *values, *[c.fetch.get(values) for c in result.captures])
        wanted = f(*copy.deepcopy(args))
    assert same(found, wanted)


@pytest.mark.parametrize(("f", "args"), REFUSED)
def test_observable_ambiguity_is_refused_with_a_hint(f, args):
    with pytest.raises(UnsupportedError, match="copy"):
        lowered(f, *args)
