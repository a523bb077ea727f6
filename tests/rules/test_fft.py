"""Fourier transforms: gradients against the matrix of the transform, every norm and length.

A transform is linear, so its matrix is found by transforming unit vectors; the gradient of a
weighed sum is the transposed matrix times the weights.
"""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from s2sad import grad

RNG = np.random.default_rng(0)
NORMS = [None, "backward", "ortho", "forward"]


def matrix_of(f, shape):
    """The result for each unit vector, one row each."""
    size = int(np.prod(shape))
    return np.stack([np.ravel(f(row.reshape(shape))) for row in np.eye(size)])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 3, 6, 9])
@pytest.mark.parametrize("length", [1, 5, 6])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft"])
def test_of_real_numbers(name, length, n, norm):
    transform = getattr(np.fft, name)
    a = matrix_of(lambda x: transform(x, n=n, norm=norm), (length,))
    w, v = RNG.normal(size=(2, a.shape[1]))

    def f(x):
        y = transform(x, n=n, norm=norm)
        return np.sum(w * y.real) + np.sum(v * y.imag)

    expected = a.real @ w + a.imag @ v
    np.testing.assert_allclose(grad(f)(RNG.normal(size=length)), expected, atol=1e-13)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 2, 5, 6, 9])
@pytest.mark.parametrize("length", [3, 4])
@pytest.mark.parametrize("name", ["irfft", "hfft"])
def test_back_to_real_numbers(name, length, n, norm):
    """The gradient dL/dx - i dL/dy; the imaginary parts of the first and last do not count."""
    transform = getattr(np.fft, name)
    across = matrix_of(lambda x: transform(x + 0j, n=n, norm=norm), (length,))
    up = matrix_of(lambda x: transform(1j * x, n=n, norm=norm), (length,))
    w = RNG.normal(size=across.shape[1])

    def f(x):
        return np.sum(w * transform(x, n=n, norm=norm))

    x = RNG.normal(size=length) + 1j * RNG.normal(size=length)
    np.testing.assert_allclose(grad(f)(x), across @ w - 1j * (up @ w), atol=1e-13)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("s, axes", [(None, None), ((4, 3), (0, 1)), ((2, 5), (1, 0))])
@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "fftn", "ifftn", "rfftn"])
def test_of_images(name, s, axes, norm):
    options = {"norm": norm} if s is None else {"s": s, "axes": axes, "norm": norm}
    transform = getattr(np.fft, name)
    a = matrix_of(lambda x: transform(x, **options), (3, 4))
    shape = transform(np.ones((3, 4)), **options).shape
    w, v = RNG.normal(size=(2, *shape))
    if s is None:

        def f(x):
            y = transform(x, norm=norm)
            return np.sum(w * y.real) + np.sum(v * y.imag)

    else:

        def f(x):
            y = transform(x, s=s, axes=axes, norm=norm)
            return np.sum(w * y.real) + np.sum(v * y.imag)

    expected = (a.real @ w.ravel() + a.imag @ v.ravel()).reshape(3, 4)
    np.testing.assert_allclose(grad(f)(RNG.normal(size=(3, 4))), expected, atol=1e-13)


@pytest.mark.parametrize("name", ["irfft2", "irfftn"])
def test_images_back(name):
    transform = getattr(np.fft, name)
    x = np.fft.rfft2(RNG.normal(size=(3, 5)))
    w = RNG.normal(size=(3, 5))

    def f(x):
        return np.sum(w * transform(x, s=(3, 5), axes=(0, 1)))

    g = grad(f)(x)
    for t in (RNG.normal(size=x.shape), 1j * RNG.normal(size=x.shape)):
        np.testing.assert_allclose(np.real(np.sum(g * t)), f(t), atol=1e-12)


def test_a_length_taken_from_the_argument():
    def f(x):
        return np.sum(np.fft.irfft(np.fft.rfft(x) ** 2, n=len(x)) ** 2)

    for n in (6, 7):
        x = RNG.normal(size=n)
        h = 1e-6
        expected = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(n)]
        np.testing.assert_allclose(grad(f)(x), expected, rtol=1e-6)


def spectral_derivative(u):
    k = 2j * np.pi * np.fft.fftfreq(len(u), d=1.0 / len(u))
    du = np.fft.ifft(k * np.fft.fft(u)).real
    return np.sum(du**2 * u)


def shifted(u):
    s = np.fft.fftshift(np.fft.fft(u))
    return np.sum(np.abs(np.fft.ifft(np.fft.ifftshift(s * np.arange(len(u))))) ** 2)


@pytest.mark.parametrize("f", [spectral_derivative, shifted])
@pytest.mark.parametrize("n", [7, 8])
def test_programs(f, n):
    x, t, h = RNG.normal(size=n), RNG.normal(size=n), 1e-5
    g = grad(f)
    expected = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(n)]
    np.testing.assert_allclose(g(x), expected, rtol=1e-6, atol=1e-7)
    product = (g(x + h * t) - g(x - h * t)) / (2 * h)
    np.testing.assert_allclose(s2sad.hvp(f)(x, t), product, rtol=1e-5, atol=1e-5)


def test_single_precision_stays():
    def f(x):
        return np.sum(np.abs(np.fft.rfft(x)) ** 2)

    x = RNG.normal(size=8).astype("float32")
    assert grad(f)(x).dtype == np.float32


def test_the_gradient_of_a_real_transform_is_one_real_transform():
    def f(x):
        return np.sum(np.fft.rfft(x).real)

    text = grad(f).source(np.ones(8))
    assert text.count("rfft_bar(") == 1
    assert "np.fft.fft(" not in text
