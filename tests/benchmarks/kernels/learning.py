"""Layers of networks, windows over images, clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import adjoints_learning as adjoints
from .kernel import Kernel


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_loss(x: np.ndarray, w: np.ndarray) -> float:
    return np.sum(softmax(x) * w)


def network(params: tuple[Any, ...], x: np.ndarray, labels: np.ndarray) -> float:
    """The cross entropy of two hidden layers and a softmax."""
    w1, b1, w2, b2, w3, b3 = params
    h = np.maximum(x @ w1 + b1, 0.0)
    h = np.maximum(h @ w2 + b2, 0.0)
    p = softmax(h @ w3 + b3)
    return -np.mean(np.log(p[np.arange(len(x)), labels]))


def attention(x: np.ndarray, wq: np.ndarray, wk: np.ndarray, wv: np.ndarray) -> float:
    q, k, v = x @ wq, x @ wk, x @ wv
    scores = q @ k.T / np.sqrt(q.shape[1])
    return np.sum((softmax(scores) @ v) ** 2)


def convolve(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Images (n, height, width, in) with weights (size, size, in, out); no padding."""
    size = w.shape[0]
    height, width = x.shape[1] - size + 1, x.shape[2] - size + 1
    out = np.empty((x.shape[0], height, width, w.shape[3]))
    for i in range(height):
        for j in range(width):
            out[:, i, j, :] = np.sum(
                x[:, i : i + size, j : j + size, :, np.newaxis] * w[np.newaxis, :, :, :],
                axis=(1, 2, 3),
            )
    return out


def convolution(w: np.ndarray, x: np.ndarray, bias: np.ndarray) -> float:
    return np.sum(np.maximum(convolve(x, w) + bias, 0.0) ** 2)


def normalise(x: np.ndarray) -> np.ndarray:
    mean = np.mean(x, axis=0, keepdims=True)
    std = np.std(x, axis=0, keepdims=True)
    return (x - mean) / np.sqrt(std + 1e-5)


def resnet_block(w1: np.ndarray, w2: np.ndarray, w3: np.ndarray, x: np.ndarray) -> float:
    """One-by-one, three-by-three and one-by-one convolutions around a short cut."""
    padded = np.zeros((x.shape[0], x.shape[1] + 2, x.shape[2] + 2, w1.shape[1]))
    padded[:, 1:-1, 1:-1, :] = np.maximum(normalise(x @ w1), 0.0)
    y = np.maximum(normalise(convolve(padded, w2)), 0.0)
    y = normalise(y @ w3)
    return np.sum(np.maximum(y + x, 0.0) ** 2)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def lstm(w: np.ndarray, u: np.ndarray, b: np.ndarray, inputs: np.ndarray) -> float:
    n = u.shape[0]
    h = np.zeros(n)
    c = np.zeros(n)
    total = 0.0
    for t in range(len(inputs)):
        z = inputs[t] @ w + h @ u + b
        c = sigmoid(z[:n]) * c + sigmoid(z[n : 2 * n]) * np.tanh(z[2 * n : 3 * n])
        h = sigmoid(z[3 * n :]) * np.tanh(c)
        total += np.sum(h * h)
    return total


def similarity(a: np.ndarray, b: np.ndarray, window: int) -> float:
    """The mean structural similarity of two images over all windows."""
    n, m = a.shape
    total = 0.0
    for i in range(n - window + 1):
        for j in range(m - window + 1):
            p = a[i : i + window, j : j + window]
            q = b[i : i + window, j : j + window]
            mp, mq = np.mean(p), np.mean(q)
            vp, vq = np.mean((p - mp) ** 2), np.mean((q - mq) ** 2)
            cov = np.mean((p - mp) * (q - mq))
            top = (2.0 * mp * mq + 1e-4) * (2.0 * cov + 9e-4)
            total += top / ((mp * mp + mq * mq + 1e-4) * (vp + vq + 9e-4))
    return total / ((n - window + 1) * (m - window + 1))


def kmeans(centroids: np.ndarray, points: np.ndarray) -> float:
    step = points[:, None, :] - centroids[None, :, :]
    return np.sum(np.min(np.sum(step**2, axis=2), axis=1))


def under_jax() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp
    from jax import lax

    def conv(x, w):
        return lax.conv_general_dilated(
            x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def convolution(w, x, bias):
        return jnp.sum(jnp.maximum(conv(x, w) + bias, 0.0) ** 2)

    def norm(x):
        mean, std = jnp.mean(x, axis=0, keepdims=True), jnp.std(x, axis=0, keepdims=True)
        return (x - mean) / jnp.sqrt(std + 1e-5)

    def resnet_block(w1, w2, w3, x):
        y = jnp.maximum(norm(x @ w1), 0.0)
        y = jnp.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)))
        y = jnp.maximum(norm(conv(y, w2)), 0.0)
        y = norm(y @ w3)
        return jnp.sum(jnp.maximum(y + x, 0.0) ** 2)

    def lstm(w, u, b, inputs):
        n = u.shape[0]
        s = jax.nn.sigmoid

        def step(hc, x):
            h, c = hc
            z = x + h @ u
            c = s(z[:n]) * c + s(z[n : 2 * n]) * jnp.tanh(z[2 * n : 3 * n])
            h = s(z[3 * n :]) * jnp.tanh(c)
            return (h, c), h

        h = lax.scan(step, (jnp.zeros(n), jnp.zeros(n)), inputs @ w + b)[1]
        return jnp.sum(h * h)

    def similarity(a, b, window):
        def mean(x):
            total = lax.reduce_window(x, 0.0, lax.add, (window, window), (1, 1), "VALID")
            return total / window**2

        mp, mq = mean(a), mean(b)
        vp, vq = mean(a * a) - mp * mp, mean(b * b) - mq * mq
        cov = mean(a * b) - mp * mq
        top = (2.0 * mp * mq + 1e-4) * (2.0 * cov + 9e-4)
        return jnp.mean(top / ((mp * mp + mq * mq + 1e-4) * (vp + vq + 9e-4)))

    def kmeans(centroids, points):
        cross = points @ centroids.T
        squares = jnp.sum(points**2, axis=1)[:, None] + jnp.sum(centroids**2, axis=1)
        return jnp.sum(jnp.min(squares - 2.0 * cross, axis=1))

    return dict(locals())


def layers(r: np.random.Generator, sizes: list[int]) -> tuple[Any, ...]:
    out: list[np.ndarray] = []
    for a, b in zip(sizes, sizes[1:]):
        out += [r.normal(size=(a, b)) / np.sqrt(a), 0.1 * r.normal(size=b)]
    return tuple(out)


KERNELS = [
    Kernel("softmax", softmax_loss,
           lambda r, s: tuple(r.normal(size=(int(256 * s), 512)) for _ in range(2)),
           by_hand=adjoints.softmax_loss, compiled=False),
    Kernel("network", network,
           lambda r, s: (layers(r, [64, 100, 100, 10]), r.normal(size=(int(256 * s), 64)),
                         r.integers(0, 10, int(256 * s))),
           by_hand=adjoints.network, compiled=False),
    Kernel("attention", attention,
           lambda r, s: (r.normal(size=(int(128 * s), 64)),
                         *(r.normal(size=(64, 64)) / 8 for _ in range(3))),
           argnums=(0, 1, 2, 3),
           by_hand=adjoints.attention, compiled=False),
    Kernel("convolution", convolution,
           lambda r, s: (r.normal(size=(3, 3, 3, 8)), r.normal(size=(4, int(24 * s), 24, 3)),
                         r.normal(size=8)), argnums=(0, 1, 2), jax="convolution",
           by_hand=adjoints.convolution, compiled=False),
    Kernel("residual block", resnet_block,
           lambda r, s: (r.normal(size=(16, 8)) / 4, r.normal(size=(3, 3, 8, 8)) / 8,
                         r.normal(size=(8, 16)) / 3, r.normal(size=(4, int(12 * s), 12, 16))),
           argnums=(0, 1, 2), jax="resnet_block",
           by_hand=adjoints.resnet_block, compiled=False),
    Kernel("LSTM", lstm,
           lambda r, s: (r.normal(size=(32, 256)) / 6, r.normal(size=(64, 256)) / 8,
                         0.1 * r.normal(size=256), r.normal(size=(int(60 * s), 32))),
           argnums=(0, 1, 2), jax="lstm",
           by_hand=adjoints.lstm),
    Kernel("similarity windows", similarity,
           lambda r, s: (r.uniform(size=(int(40 * s),) * 2), r.uniform(size=(int(40 * s),) * 2), 7),
           jax="similarity", static=(2,),
           by_hand=adjoints.similarity),
    Kernel("k-means", kmeans,
           lambda r, s: (r.normal(size=(20, 8)), r.normal(size=(int(4000 * s), 8))),
           jax="kmeans", by_hand=adjoints.kmeans),
]  # fmt: skip
