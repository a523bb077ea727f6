"""The language, construct by construct: lowered, interpreted and compared with plain Python."""

import copy
import functools
import time

import numpy as np
import pytest

from s2sad.ir.interp import run
from s2sad.ir.verify import verify
from tests.frontend.test_lower import lowered, same

X = np.array([0.7, -1.2, 2.1])
A = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])
EXACT = []


def exact(*args):
    def enter(f):
        EXACT.append(pytest.param(f, args, id=f.__name__))
        return f

    return enter


LAYERS = [(np.ones((2, 3)), np.zeros(2)), (np.ones((1, 2)), np.zeros(1))]
FUNS = [np.tanh, np.sin]
CFG = {"k": 2.0, "act": np.tanh, "n": 3}


class Net:
    scale = 2.0

    def __init__(self, w):
        self.w = w
        self.calls = []

    def __call__(self, x):
        return np.sum(self.act(self.w * x)) * self.scale

    def act(self, z):
        return np.tanh(z)

    @staticmethod
    def sq(z):
        return z * z

    @classmethod
    def two(cls):
        return cls.scale


net = Net(X)


@exact(X)
def captured_layers(x):
    for (W, b), f in zip(LAYERS, FUNS):
        x = f(W @ x + b)
    return np.sum(x)


@exact(X)
def captured_settings(x):
    return np.sum(CFG["act"](x) * CFG["k"]) * CFG["n"]


@exact(X)
def captured_object(x):
    return net(x) + net.sq(x[0]) + Net.two() + len(net.calls)


@exact(X)
def object_built_inside(x):
    n = Net(x * 2.0)
    n.scale = 3.0
    return n(x) + Net.sq(x[1])


@exact(X)
def clock(x):
    t = time.time()
    y = np.sum(x)
    if time.time() - t > 1e9:
        y = y * 0
    return y


@exact(X)
def keyword_arguments(x):
    def apply(f, *a, **k):
        return f(*a, **k)

    return apply(lambda a, b=2.0, *, c=1.0: np.sum(a) * b * c, x, c=3.0)


@exact(X)
def partials(x):
    p = functools.partial(np.sum, axis=0)
    q = functools.partial(lambda a, b: a * b, 2.0)
    return p(x) * q(3.0)


@exact(X)
def isinstance_chain(x):
    if isinstance(x, (list, tuple)):
        return 0.0
    elif isinstance(x, np.ndarray) and x.ndim == 1:
        return x.sum()
    return 1.0


@exact(2.0)
def types_of_a_float(x):
    if isinstance(x, float):
        x = x * 2
    if type(x) is float:
        x = x + 1
    if hasattr(x, "shape"):
        x = 0 * x
    if not callable(x):
        x = x * 3
    return x


@exact(A)
def nested_ranges(x):
    n, m = x.shape
    t = 0.0
    for i in range(n):
        for j in range(i, m, 2):
            t += x[i, j] * x[i][j - 1]
    return t


@exact(A)
def nested_sums(x):
    return sum(sum(r) for r in x) + sum([v for r in x for v in r if v > 0])


@exact(X)
def dict_built_in_a_loop(x):
    s = {}
    for i, k in enumerate(("a", "b", "c")):
        s[k] = x[i]
    return s["a"] * s["b"] + sum(s.values()) + sum(s[k] for k in s) + len(s)


@exact(X)
def star_first(x):
    *h, t = x[:2].tolist() + [1.0] if False else [x[0], x[1], 2.0]
    return h[0] * t + h[1]


@exact(3.0, 2)
def powers(x, n):
    return x**n + n**2 + x**-1 + (-x) ** 2 + 2**n


@exact(X)
def every_kind_of_index(x):
    a = x[None, :] * x[:, None]
    return (
        a[..., 0].sum()
        + a[1:, ::-1][0, 0]
        + np.trace(a)
        + a[[0, 1], [1, 2]].sum()
        + a[a > 0].sum()
    )


@exact(X)
def imports_inside(x):
    import math as m

    from numpy import sin as s

    return m.sin(x[0]) + s(x).sum()


@exact([[1.0, 2.0], [3.0, 4.0]])
def list_of_lists(m):
    return sum(m[i][j] * (i + j) for i in range(2) for j in range(2))


@exact([X, X * 2])
def list_of_arrays(xs):
    return sum(np.sum(x) for x in xs) + np.sum(np.array(xs)) + sum(x[0] for x in reversed(xs))


@exact((1.0, (X, {"k": 2.0})))
def structured_output(t):
    a, (b, d) = t
    return {"r": a * d["k"], "s": [b * a, (a,)]}


@exact(X)
def list_of_lambdas(x):
    f = [lambda z: z * 2, lambda z: z + 1]
    for g in f:
        x = g(x)
    return np.sum(x)


@exact(X, 1)
def indexed_by_argument(x, i):
    return (np.sin if i else np.cos)(x).sum() + [1.0, 2.0, 3.0][i] * (4.0, 5.0)[i]


@exact(X)
def recursive_factorial(x):
    def fact(n):
        return 1.0 if n <= 1 else n * fact(n - 1)

    return sum(x[0] ** k / fact(k) for k in range(5))


@exact(X)
def filled_and_masked(x):
    out = np.empty(3)
    for i, v in enumerate(x):
        out[i] = v**2
    out[out > 1] = 0.5
    out[1:] += out[:-1]
    return out.sum()


@exact(1.3)
def chained_and_ternary(x):
    a = b = x
    a += 1
    c = (a if a > b else b) if x else 0.0
    return a * b * c


@exact(X)
def float32_and_back(x):
    y = x.astype(np.float32)
    z = y.astype(float)
    return z.sum()


@exact(X)
def number_builtins(x):
    return float(x[0]) * int(2.7) + round(2.567, 1) + abs(x[1]) + divmod(7, 2)[0] + bool(1)


@exact(X)
def reversed_and_zipped(x):
    s = 0.0
    for i in reversed(range(len(x))):
        s = s * 0.5 + x[i]
    for a, b in zip(x[:-1], x[1:]):
        s += a * b
    for i, (a, b) in enumerate(zip(x, x[::-1])):
        s += i * a * b
    return s


@exact(X)
def stack_in_a_while(x):
    stack = [x[0]]
    tot = 0.0
    n = 0
    while stack and n < 10:
        v = stack.pop()
        tot += v
        n += 1
        if n < 5:
            stack.extend([v * 0.5, v * 0.25])
    return tot


@exact(X)
def dict_merged(x):
    d = dict(a=x[0], b=x[1])
    d2 = {**d, "c": x[2]}
    d2 |= {"a": 1.0} if False else {}
    ks = sorted(d2)
    return sum(d2[k] * i for i, k in enumerate(ks))


@exact(X)
def filled_diagonal(x):
    m = np.zeros((3, 3))
    np.fill_diagonal(m, x)
    return m.sum()


@exact(X)
def list_of_known_size(x):
    r = [0.0] * len(x)
    for i in range(len(x)):
        r[i] = x[i] * 2
    return sum(r) + max(r)


@exact(X)
def several_results(x):
    a, b = np.split(x, [1])
    q, r = np.divmod(x, 2.0)
    return a.sum() * b.sum() + r.sum()


@exact(X)
def asserts(x):
    assert len(x) == 3
    assert x.ndim == 1
    return x @ x if x.size else 0.0


@exact(X)
def alias_of_argument_rebound(x):
    y = x
    y = y + 1
    y += 1
    return (x * y).sum()


@exact(X)
def decorated_inside(x):
    @functools.lru_cache
    def sq(n):
        return n * n

    return x[0] * sq(3)


@exact(X)
def array_methods(x):
    return (
        x.T.sum()
        + x.mean(axis=0)
        + x.dot(x)
        + x.max()
        + x.reshape(3, 1).squeeze()[0]
        + x.flatten()[1]
        + x.item(0)
    )


@exact(True, X)
def bool_argument(flag, x):
    return x.sum() if flag and x[0] > 0 else 0.0


@exact(X)
def counter(x):
    n = 0
    for v in x:
        if v < 0:
            continue
        n += 1
    return x.sum() / n


@exact(X)
def sorted_lists(x):
    xs = list(x)
    xs.sort()
    ys = sorted(xs, reverse=True)
    return xs[0] * ys[0]


@exact(X)
def strings_and_or(x):
    return "abc".upper() == "ABC" and x[0] or 1.0


@exact(X)
def nested_comprehension(x):
    z = [[x[i] * j for j in range(2)] for i in range(3)]
    return np.array(z).sum() + z[1][1]


@exact(X)
def ufunc_methods(x):
    a = np.add.outer(x, x)
    b = np.add.reduce(x)
    np.add.at(a, ([0, 0], [1, 1]), 2.0)
    return a.sum() + b


@exact(X)
def eight_loops_in_one_another(x):
    out = np.zeros((2, 3))
    for a in range(2):
        for b in range(2):
            for c in range(2):
                for d in range(1):
                    for e in range(2):
                        for f in range(1):
                            for g in range(2):
                                for h in range(1):
                                    if a - c >= 0:
                                        u = x[: b + d + 1] * x[e + f]
                                        v = u[:1] + out[g]
                                        out[a] += h + np.sum(u) * v
    return out.sum()


@pytest.mark.parametrize(("f", "args"), EXACT)
def test_the_ir_computes_what_python_computes(f, args):
    result, values = lowered(f, *args)
    verify(result.module)
    found = run(result.module, *values, *[c.fetch.get(values) for c in result.captures])
    assert same(found, f(*copy.deepcopy(args)))
