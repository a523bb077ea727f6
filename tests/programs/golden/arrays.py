"""Array programs: broadcasting, views, gathers, writes in place."""

import numpy as np

from tests.programs import Table

ARRAYS = Table()
X4 = np.array([0.5, 1.5, -0.8, 2.2])
X6 = np.array([0.4, -1.1, 0.9, 1.7, -0.6, 0.2])
W23 = np.array([[0.3, -1.4, 2.2], [1.1, 0.6, -0.9]])
W32 = np.array([[0.5, -0.3], [0.8, 1.1], [-0.6, 0.2]])
B2 = np.array([0.1, -0.2])


def layer(W, b, x):
    h = np.tanh(x @ W + b)
    return np.sum(h**2)


ARRAYS.exact(0, layer, W32, B2, W23)


def least_squares(w, X, y):
    r = X @ w - y
    return 0.5 * np.mean(r**2) + 0.01 * (w @ w)


ARRAYS.exact(0, least_squares, np.array([0.3, -0.8, 0.5]), W23, B2, argnums=0)


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


ARRAYS.exact(0, logsumexp, X4)


def softmax_entropy(x):
    e = np.exp(x - np.max(x))
    p = e / np.sum(e)
    return -np.sum(p * np.log(p))


ARRAYS.exact(0, softmax_entropy, X4)


def standardise(x):
    m = np.mean(x, axis=0)
    s = np.sqrt(np.mean((x - m) ** 2, axis=0) + 1e-3)
    z = (x - m) / s
    return np.sum(z**3)


ARRAYS.exact(0, standardise, W32)


def heat(u0, alpha):
    u = u0.copy()
    for t in range(20):
        u[1:-1] += alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


ARRAYS.exact(0, heat, X6, 0.2)


def upwind(u, c, steps):
    for _ in range(steps):
        flux = 0.5 * u * u
        u[1:] = u[1:] - c * (flux[1:] - flux[:-1])
        u[0] = u[-1]
    return np.mean(u**2)


ARRAYS.exact(0, upwind, np.abs(X6), 0.1, 5)


def total_variation(image):
    dx = image[:, 1:] - image[:, :-1]
    dy = image[1:, :] - image[:-1, :]
    return np.sum(np.sqrt(dx[:-1] ** 2 + dy[:, :-1] ** 2 + 1e-3))


ARRAYS.exact(0, total_variation, np.sin(np.arange(12.0)).reshape(3, 4))


def prefix_products(x):
    out = np.empty_like(x)
    total = 1.0
    for i in range(len(x)):
        total = total * x[i]
        out[i] = total
    return np.sum(out)


ARRAYS.exact(0, prefix_products, X4)


def product_until(x, c):
    y = 1.0
    for i in range(len(x)):
        if y > c:
            break
        y = y * x[i]
    return y


ARRAYS.exact(0, product_until, np.array([1.2, 1.5, 1.4, 0.7]), 2.0, argnums=0)


def smooth_view(x):
    y = x * 1.0
    inner = y[1:-1]
    inner *= 0.5
    inner += 0.25 * (x[:-2] + x[2:])
    return y @ y


ARRAYS.exact(0, smooth_view, X6)


def gather_scatter(x, weights, index):
    out = np.zeros(3)
    for k in range(len(index)):
        out[index[k]] += weights[k] * x[k] ** 2
    return np.max(out)


ARRAYS.exact(0, gather_scatter, X4, X4[::-1].copy(), np.array([0, 2, 0, 1]))


def masked_loss(prediction, target):
    error = prediction - target
    error[target < 0.0] = 0.0
    return np.sum(np.where(np.abs(error) < 1.0, 0.5 * error**2, np.abs(error) - 0.5))


ARRAYS.exact(0, masked_loss, X4, X4[::-1] * 0.7)


def pairwise_energy(positions, sigma):
    energy = 0.0
    for i in range(len(positions)):
        for j in range(i):
            d = positions[i] - positions[j]
            r2 = d @ d
            energy += 4.0 * ((sigma**2 / r2) ** 6 - (sigma**2 / r2) ** 3)
    return energy


ARRAYS.exact(0, pairwise_energy, W32, 0.9)
