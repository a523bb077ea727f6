"""The evals that a user of JAX or of PyTorch writes in a few lines, as they would.

``peer(library, eval, args)``, given what the eval's ``prepare`` made, is a pair of functions
without arguments that run the primal and the derivative to their ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .evals.gmm import constant

Run = Callable[[], Any]


def peer(library: str, name: str, args: tuple[Any, ...]) -> tuple[Run, Run] | None:
    """None if it is not written; raises ImportError if the library is not installed."""
    made = (_jax if library == "JAX" else _torch)().get(name)
    return None if made is None else made(*args)


def _jax() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_enable_x64", True)

    def pair(f: Any, df: Any, *args: Any, static: tuple[int, ...] = ()) -> tuple[Run, Run]:
        given = [a if n in static else jnp.asarray(a) for n, a in enumerate(args)]
        f, df = (jax.jit(g, static_argnums=static) for g in (f, df))
        return (
            lambda: jax.block_until_ready(f(*given)),
            lambda: jax.block_until_ready(df(*given)),
        )

    def llsq(x, n):
        def f(x, n):
            t = -1.0 + jnp.arange(n) * 2.0 / (n - 1.0)
            powers = t[:, None] ** jnp.arange(len(x))
            return jnp.sum((jnp.sign(t) - powers @ x) ** 2) / 2.0

        return pair(f, jax.grad(f), x, n, static=(1,))

    def lse(x):
        def f(x):
            top = jnp.max(x)
            return jnp.log(jnp.sum(jnp.exp(x - top))) + top

        return pair(f, jax.grad(f), x)

    def ode(x, s):
        def f(x, s):
            h = 2.0 / s

            def slope(y):
                return x * jnp.concatenate([jnp.ones(1), y[:-1]])

            def step(y, _):
                k1 = slope(y)
                k2 = slope(y + h * k1 / 2.0)
                k3 = slope(y + h * k2 / 2.0)
                k4 = slope(y + h * k3)
                return y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0, None

            return lax.scan(step, jnp.zeros_like(x), None, length=s)[0][-1]

        return pair(f, jax.grad(f), x, s, static=(1,))

    def gmm(*args):
        k, d = args[1].shape
        rest = constant(d, k, len(args[4]), args[5], args[6])

        def f(alpha, mu, q, l, x, gamma, m):
            columns, rows = np.triu_indices(d, 1)
            at = np.arange(d)
            factors = jnp.zeros((k, d, d)).at[:, at, at].set(jnp.exp(q))
            factors = factors.at[:, rows, columns].set(l)
            sums = jnp.sum(q, axis=1)
            y = jnp.einsum("kij,knj->kni", factors, x - mu[:, None, :])
            terms = (alpha + sums)[:, None] - 0.5 * jnp.sum(y * y, axis=2)
            likelihood = jnp.sum(jax.nn.logsumexp(terms, axis=0))
            squares = jnp.sum(jnp.exp(q) ** 2) + jnp.sum(l * l)
            prior = 0.5 * gamma * gamma * squares - m * jnp.sum(sums)
            return rest + likelihood - len(x) * jax.nn.logsumexp(alpha) - prior

        return pair(f, jax.grad(f, (0, 1, 2, 3)), *args)

    def kmeans(points, centroids):
        def f(points, centroids):
            squares = jnp.sum(points**2, 1)[:, None] + jnp.sum(centroids**2, 1)
            squares = squares - 2.0 * points @ centroids.T
            return jnp.sum(jnp.min(squares, axis=1))

        def direction(points, centroids):
            slope = jax.grad(lambda c: f(points, c))
            g, h = jax.jvp(slope, (centroids,), (jnp.ones_like(centroids),))
            return g / h

        return pair(f, direction, points, centroids)

    def lstm(main, extra, state, sequence):
        def f(main, extra, state, sequence):
            layers, bits = len(main) // 2, sequence.shape[1]

            def step(state, bits_now):
                x = bits_now * extra[0]
                new = []
                for k in range(layers):
                    w, b = main[2 * k].reshape(4, bits), main[2 * k + 1].reshape(4, bits)
                    h, c = state[2 * k], state[2 * k + 1]
                    forget, out = (jax.nn.sigmoid(x * w[g] + b[g]) for g in (0, 2))
                    c = c * forget + jax.nn.sigmoid(h * w[1] + b[1]) * jnp.tanh(h * w[3] + b[3])
                    x = out * jnp.tanh(c)
                    new += [x, c]
                y = x * extra[1] + extra[2]
                return jnp.stack(new), y - jnp.log(jnp.sum(jnp.exp(y)) + 2.0)

            _, y = lax.scan(step, state, sequence[:-1])
            return -jnp.sum(sequence[1:] * y) / y.size

        return pair(f, jax.grad(f, (0, 1)), main, extra, state, sequence)

    return {"llsq": llsq, "lse": lse, "ode": ode, "gmm": gmm, "kmeans": kmeans, "lstm": lstm}


def _torch() -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)

    def leaf(x: Any) -> Any:
        return torch.tensor(x, requires_grad=True)

    def pair(f: Any, *variables: Any) -> tuple[Run, Run]:
        def gradient() -> Any:
            return torch.autograd.grad(f(*variables), variables)

        def primal() -> Any:
            with torch.no_grad():
                return f(*variables)

        return primal, gradient

    def llsq(x, n):
        def f(x):
            t = -1.0 + torch.arange(n) * 2.0 / (n - 1.0)
            powers = t[:, None] ** torch.arange(len(x))
            return torch.sum((torch.sign(t) - powers @ x) ** 2) / 2.0

        return pair(f, leaf(x))

    def lse(x):
        return pair(lambda x: torch.logsumexp(x, 0), leaf(x))

    def ode(x, s):
        def f(x):
            h = 2.0 / s
            one = torch.ones(1)

            def slope(y):
                return x * torch.cat([one, y[:-1]])

            y = torch.zeros_like(x)
            for _ in range(s):
                k1 = slope(y)
                k2 = slope(y + h * k1 / 2.0)
                k3 = slope(y + h * k2 / 2.0)
                k4 = slope(y + h * k3)
                y = y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
            return y[-1]

        return pair(f, leaf(x))

    def gmm(alpha, mu, q, l, x, gamma, m):
        k, d = mu.shape
        rest = constant(d, k, len(x), gamma, m)
        columns, rows = (torch.tensor(i) for i in np.triu_indices(d, 1))
        at = torch.arange(d)
        x = torch.tensor(x)

        def f(alpha, mu, q, l):
            factors = torch.zeros(k, d, d)
            factors[:, at, at] = torch.exp(q)
            factors[:, rows, columns] = l
            sums = torch.sum(q, 1)
            y = (x - mu[:, None, :]) @ factors.transpose(1, 2)
            terms = (alpha + sums)[:, None] - 0.5 * torch.sum(y * y, 2)
            likelihood = torch.sum(torch.logsumexp(terms, 0))
            squares = torch.sum(torch.exp(q) ** 2) + torch.sum(l * l)
            prior = 0.5 * gamma * gamma * squares - m * torch.sum(sums)
            return rest + likelihood - len(x) * torch.logsumexp(alpha, 0) - prior

        return pair(f, *(leaf(a) for a in (alpha, mu, q, l)))

    def kmeans(points, centroids):
        points, centroids = torch.tensor(points), leaf(centroids)

        def f(centroids):
            squares = torch.sum(points**2, 1)[:, None] + torch.sum(centroids**2, 1)
            squares = squares - 2.0 * points @ centroids.T
            return torch.sum(torch.min(squares, 1).values)

        def direction() -> Any:
            (g,) = torch.autograd.grad(f(centroids), centroids, create_graph=True)
            (h,) = torch.autograd.grad(torch.sum(g), centroids)
            return (g / h).detach()

        return pair(f, centroids)[0], direction

    return {"llsq": llsq, "lse": lse, "ode": ode, "gmm": gmm, "kmeans": kmeans}
