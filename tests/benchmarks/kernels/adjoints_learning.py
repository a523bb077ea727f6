"""Adjoints of the layers, windows and clusters, by hand.

Each function takes its kernel's arguments and returns the kernel's gradient. What is made of
matrix products and of functions of whole arrays is NumPy, whose BLAS and whose vectorized
exponentials a compiled loop does not reach; the LSTM, the windows and the clusters are loops that
Numba compiles.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    e = x - np.max(x, axis=1, keepdims=True)
    np.exp(e, out=e)
    e /= np.sum(e, axis=1, keepdims=True)
    return e


def softmax_back(p: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The cotangent of what went in, from g, that of the softmax p."""
    out = g - np.einsum("ij,ij->i", p, g)[:, None]
    out *= p
    return out


def softmax_loss(x: np.ndarray, w: np.ndarray) -> tuple[Any, ...]:
    return (softmax_back(softmax(x), w),)


def network(params: tuple[Any, ...], x: np.ndarray, labels: np.ndarray) -> tuple[Any, ...]:
    # The cross entropy of a softmax sends back p minus the one at the label.
    w1, b1, w2, b2, w3, b3 = params
    h1 = x @ w1
    h1 += b1
    np.maximum(h1, 0.0, out=h1)
    h2 = h1 @ w2
    h2 += b2
    np.maximum(h2, 0.0, out=h2)
    g = h2 @ w3
    g += b3
    g = softmax(g)
    g[np.arange(len(x)), labels] -= 1.0
    g /= len(x)
    g2 = g @ w3.T
    g2 *= h2 > 0.0
    g1 = g2 @ w2.T
    g1 *= h1 > 0.0
    return (
        (x.T @ g1, g1.sum(axis=0), h1.T @ g2, g2.sum(axis=0), h2.T @ g, g.sum(axis=0)),
    )  # fmt: skip


def attention(x: np.ndarray, wq: np.ndarray, wk: np.ndarray, wv: np.ndarray) -> tuple[Any, ...]:
    q, k, v = x @ wq, x @ wk, x @ wv
    q *= 1.0 / math.sqrt(q.shape[1])
    p = softmax(q @ k.T)
    g = p @ v
    g *= 2.0
    s = softmax_back(p, g @ v.T)
    of_q, of_k, of_v = s @ k, s.T @ q, p.T @ g
    of_q *= 1.0 / math.sqrt(q.shape[1])
    of_x = of_q @ wq.T
    of_x += of_k @ wk.T
    of_x += of_v @ wv.T
    return of_x, x.T @ of_q, x.T @ of_k, x.T @ of_v


def patches(x: np.ndarray, size: int) -> np.ndarray:
    """Every window of the images as a row: the convolution becomes a matrix product."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size * size * x.shape[3])


def patches_back(g: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Adds rows of cotangents to the windows that they belong to."""
    n, height, width, channels = shape
    high, wide = height - size + 1, width - size + 1
    parts = g.reshape(n, high, wide, size, size, channels)
    out = np.zeros(shape)
    for i in range(size):
        for j in range(size):
            out[:, i : i + high, j : j + wide] += parts[:, :, :, i, j]
    return out


def convolution(w: np.ndarray, x: np.ndarray, bias: np.ndarray) -> tuple[Any, ...]:
    size, outs = w.shape[0], w.shape[3]
    rows, matrix = patches(x, size), w.reshape(-1, outs)
    g = rows @ matrix
    g += bias
    np.maximum(g, 0.0, out=g)
    g *= 2.0
    of_x = patches_back(g @ matrix.T, x.shape, size)
    return (rows.T @ g).reshape(w.shape), of_x, g.sum(axis=0)


def normalise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x - mean) / sqrt(std + 1e-5) over the first axis; the standard deviation; the root."""
    out = x - x.mean(axis=0)
    std = np.sqrt(np.mean(out * out, axis=0))
    root = np.sqrt(std + 1e-5)
    out /= root
    return out, std, root


def normalise_back(y: np.ndarray, std: np.ndarray, root: np.ndarray, g: np.ndarray) -> np.ndarray:
    # y = d / root with d = x - mean: d receives g / root - d (g . d) / (2 n std root³).
    of_std = np.sum(g * y, axis=0) / (2.0 * len(y) * std * root)
    g = g / root
    g -= y * of_std
    g -= g.mean(axis=0)
    return g


def resnet_block(w1: np.ndarray, w2: np.ndarray, w3: np.ndarray, x: np.ndarray) -> tuple[Any, ...]:
    n, height, width, middle = *x.shape[:3], w1.shape[1]
    y1, std1, root1 = normalise(x @ w1)
    padded = np.zeros((n, height + 2, width + 2, middle))
    inside = padded[:, 1:-1, 1:-1]
    np.maximum(y1, 0.0, out=inside)
    rows, matrix = patches(padded, 3), w2.reshape(-1, w2.shape[3])
    y2, std2, root2 = normalise((rows @ matrix).reshape(n, height, width, -1))
    h2 = np.maximum(y2, 0.0)
    y3, std3, root3 = normalise(h2 @ w3)
    g = 2.0 * np.maximum(y3 + x, 0.0)
    g = normalise_back(y3, std3, root3, g).reshape(-1, w3.shape[1])
    of_w3 = h2.reshape(-1, w3.shape[0]).T @ g
    g = (g @ w3.T).reshape(y2.shape)
    g *= y2 > 0.0
    g = normalise_back(y2, std2, root2, g).reshape(-1, w2.shape[3])
    of_w2 = (rows.T @ g).reshape(w2.shape)
    g = patches_back(g @ matrix.T, padded.shape, 3)[:, 1:-1, 1:-1]
    g = normalise_back(y1, std1, root1, g * (y1 > 0.0))
    return x.reshape(-1, x.shape[3]).T @ g.reshape(-1, middle), of_w2, of_w3


def lstm(w: np.ndarray, u: np.ndarray, b: np.ndarray, inputs: np.ndarray) -> tuple[Any, ...]:
    # The weights receive an outer product per step: together, a matrix product each.
    length, n = len(inputs), len(u)
    gates = np.dot(inputs, w) + b
    h, c = np.zeros((length + 1, n)), np.zeros((length + 1, n))
    squashed = np.empty((length, n))
    for t in range(length):
        z = gates[t]
        z += np.dot(h[t], u)
        for i in range(n):
            forget = z[i] = 1.0 / (1.0 + math.exp(-z[i]))
            take = z[n + i] = 1.0 / (1.0 + math.exp(-z[n + i]))
            new = z[2 * n + i] = math.tanh(z[2 * n + i])
            show = z[3 * n + i] = 1.0 / (1.0 + math.exp(-z[3 * n + i]))
            c[t + 1, i] = forget * c[t, i] + take * new
            squashed[t, i] = math.tanh(c[t + 1, i])
            h[t + 1, i] = show * squashed[t, i]
    of_h, of_c = np.zeros(n), np.zeros(n)
    for t in range(length - 1, -1, -1):
        z = gates[t]  # the gates make room for their cotangents
        for i in range(n):
            forget, take, new, show = z[i], z[n + i], z[2 * n + i], z[3 * n + i]
            g = of_h[i] + 2.0 * h[t + 1, i]
            of_c[i] += g * show * (1.0 - squashed[t, i] ** 2)
            z[i] = of_c[i] * c[t, i] * forget * (1.0 - forget)
            z[n + i] = of_c[i] * new * take * (1.0 - take)
            z[2 * n + i] = of_c[i] * take * (1.0 - new * new)
            z[3 * n + i] = g * squashed[t, i] * show * (1.0 - show)
            of_c[i] *= forget
        of_h = np.dot(u, z)
    return np.dot(inputs.T, gates), np.dot(h[:-1].T, gates), np.sum(gates, axis=0)


def similarity(a: np.ndarray, b: np.ndarray, window: int) -> tuple[Any, ...]:
    # A window's value depends on five sums over it; what a pixel receives from a window is
    # linear in the pixel's two values, with coefficients of the window: sums over windows again.
    n, m = a.shape
    high, wide = n - window + 1, m - window + 1
    size = float(window * window)
    down = np.empty((5, high, m))
    for i in range(high):
        down[:, i] = 0.0
        for k in range(i, i + window):
            for j in range(m):
                p, q = a[k, j], b[k, j]
                down[0, i, j] += p
                down[1, i, j] += q
                down[2, i, j] += p * p
                down[3, i, j] += q * q
                down[4, i, j] += p * q
    # In frames of zeros, as wide as a window is beyond one pixel, all pixels are alike.
    frame = window - 1
    constant = np.zeros((high + 2 * frame, wide + 2 * frame))
    of_p, of_q = np.zeros(constant.shape), np.zeros(constant.shape)
    for i in range(high):
        for j in range(wide):
            sp = sq = spp = sqq = spq = 0.0
            for k in range(j, j + window):
                sp += down[0, i, k]
                sq += down[1, i, k]
                spp += down[2, i, k]
                sqq += down[3, i, k]
                spq += down[4, i, k]
            mp, mq = sp / size, sq / size
            vp, vq = spp / size - mp * mp, sqq / size - mq * mq
            top1, top2 = 2.0 * mp * mq + 1e-4, 2.0 * (spq / size - mp * mq) + 9e-4
            low1, low2 = mp * mp + mq * mq + 1e-4, vp + vq + 9e-4
            scale = 1.0 / (low1 * low2 * size * high * wide)
            of_mean = 2.0 * scale * top2 * (mq - mp * top1 / low1)
            of_var = -scale * top1 * top2 / low2
            of_cov = 2.0 * scale * top1
            constant[frame + i, frame + j] = of_mean - 2.0 * of_var * mp - of_cov * mq
            of_p[frame + i, frame + j] = 2.0 * of_var
            of_q[frame + i, frame + j] = of_cov
    across = np.empty((3, m))
    out = np.empty((n, m))
    for i in range(n):
        lines = np.zeros((3, wide + 2 * frame))
        for k in range(i, i + window):
            for j in range(wide + 2 * frame):
                lines[0, j] += constant[k, j]
                lines[1, j] += of_p[k, j]
                lines[2, j] += of_q[k, j]
        across[:] = 0.0
        for k in range(window):
            for j in range(m):
                across[0, j] += lines[0, j + k]
                across[1, j] += lines[1, j + k]
                across[2, j] += lines[2, j + k]
        for j in range(m):
            out[i, j] = across[0, j] + across[1, j] * a[i, j] + across[2, j] * b[i, j]
    return (out,)


def kmeans(centroids: np.ndarray, points: np.ndarray) -> tuple[Any, ...]:
    # Only the nearest centroid receives anything from a point.
    count, dims = centroids.shape
    out = np.zeros((count, dims))
    for i in range(len(points)):
        best, nearest = np.inf, 0
        for j in range(count):
            square = 0.0
            for d in range(dims):
                step = points[i, d] - centroids[j, d]
                square += step * step
            if square < best:
                best, nearest = square, j
        for d in range(dims):
            out[nearest, d] += 2.0 * (centroids[nearest, d] - points[i, d])
    return (out,)
