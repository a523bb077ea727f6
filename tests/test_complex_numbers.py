"""Complex numbers through the whole compiler: real functions with complex inside, and holomorphic.

The convention is JAX's and autograd's: the gradient of a real L at z = x + iy is dL/dx - i dL/dy.
"""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import grad, value_and_grad

Z = np.array([0.5 + 0.3j, -1.2 + 0.7j, 0.8 - 1.1j])
M = np.array([[0.5 + 1.0j, 0.2, -0.3j], [0.1, 1.5 - 0.5j, 0.4], [0.7, -0.2j, 1.1 + 0.3j]])


def differences(f: Callable[[Any], float], z: Any, h: float = 1e-6) -> Any:
    """dL/dx, and - i dL/dy where z is complex, element by element."""
    units = ((1.0, 1.0), (1j, -1j)) if np.iscomplexobj(z) else ((1.0, 1.0),)
    out = np.zeros(z.shape, z.dtype)
    for i in np.ndindex(z.shape):
        for unit, part in units:
            up, down = z.copy(), z.copy()
            up[i] += h * unit
            down[i] -= h * unit
            out[i] += part * (f(up) - f(down)) / (2 * h)
    return out


# -- real functions of complex arguments -----------------------------------------------------------


def energy(z):
    return np.sum(np.abs(z) ** 2)


def phases(z):
    return np.sum(np.angle(z) * np.arange(3.0))


def parts(z):
    return np.sum(np.real(z) ** 2 * np.imag(z))


def attributes(z):
    return np.sum(z.real**3 - 2.0 * z.imag)


def conjugates(z):
    return np.sum((z * np.conj(z)).real) + (z.conj() @ z).real


def exponentials(z):
    return np.abs(np.sum(np.exp(z) * np.sin(z) / (1.0 + z**2)))


def powers(z):
    return np.sum(np.abs(z**2.5) + np.abs((1.0 + 0.5j) ** z))


def inner(z):
    return np.abs(np.vdot(z, z[::-1])) + np.abs(np.dot(z, z))


def spectrum(z):
    return np.sum(np.abs(np.fft.fft(z, 5)) ** 3)


def matrices(a):
    return np.abs(np.linalg.det(a)) + np.sum(np.abs(a @ np.linalg.inv(a + np.eye(3))) ** 2)


def hermitian(a):
    return np.sum(np.linalg.eigvalsh(a + a.conj().T) ** 3)


def singular(a):
    return np.sum(np.linalg.svd(a, compute_uv=False) ** 3)


def logarithm(a):
    sign, size = np.linalg.slogdet(a)
    return size + (sign**2).real


def written(z):
    out = np.zeros(3, dtype=complex)
    out[0] = z[0] * 1j
    out[1:] = z[1:] ** 2
    return np.sum(np.abs(out) ** 2)


def eigenvectors(a):
    w, v = np.linalg.eig(a)
    return np.sum(np.abs(v[0]) ** 2 * np.abs(w))


OF_VECTORS = [
    *(energy, phases, parts, attributes, conjugates, exponentials, powers, inner, spectrum),
    written,
]
OF_MATRICES = [matrices, hermitian, singular, logarithm, eigenvectors]
CASES = [(f, Z) for f in OF_VECTORS] + [(f, M) for f in OF_MATRICES]


@pytest.mark.parametrize("f, z", CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_real_function_of_complex_arguments(f, z):
    np.testing.assert_allclose(grad(f)(z), differences(f, z), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("f, z", CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_forward_mode_agrees(f, z):
    t = np.linspace(0.3, 1.0, z.size).reshape(z.shape) * (1.0 - 0.4j)
    _, slope = s2sad.jvp(f, (z,), (t,))
    np.testing.assert_allclose(slope, np.real(np.sum(grad(f)(z) * t)), rtol=1e-10)


# -- real functions of real arguments, with complex numbers inside -----------------------------------


def resonance(x):
    z = x[0] + 1j * x[1]
    return abs(1.0 / (1.0 - z * z)) ** 2


def low_pass(x):
    s = np.fft.rfft(x)
    s[2:] = 0.0
    return np.sum(np.fft.irfft(s, n=len(x)) ** 2)


def stability(x):
    a = np.array([[x[0], -x[1]], [x[2], x[3]]])
    return np.max(np.abs(np.linalg.eigvals(a)))


def polar(x):
    r, phi = cmath.polar(complex(x[0], x[1]))
    return r * phi + cmath.rect(x[2], x[3]).imag


@pytest.mark.parametrize("f", [resonance, low_pass, stability, polar])
def test_complex_inside(f):
    x = np.array([0.5, 0.8, 1.2, -0.3])
    found = differences(f, x)
    g = grad(f)(x)
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, found, rtol=1e-6, atol=1e-8)


def test_single_precision_stays():
    z = Z.astype(np.complex64)
    for f in OF_VECTORS:
        assert grad(f)(z).dtype == np.complex64, f


# -- holomorphic functions ---------------------------------------------------------------------------


def rational(z):
    return (z**3 + 2j) / (1.0 + z)


def entire(z):
    return np.exp(1j * z) * np.sin(z) + np.cosh(z) ** 2


def roots(z):
    return np.sqrt(z) * np.log(1.0 + z) + np.arctan(z) - z**0.3


def library(z):
    return cmath.asin(z) * cmath.tanh(z) + cmath.log(z, 2.0) - cmath.acosh(z + 2.0)


def iterated(z):
    w = z
    for _ in range(5):
        w = w * w + 0.2 * z
        if abs(w) > 10.0:
            break
    return w


@pytest.mark.parametrize("f", [rational, entire, roots, library, iterated])
def test_holomorphic(f):
    z, h = 0.4 + 0.3j, 1e-5
    slope = (f(z + h) - f(z - h)) / (2 * h)
    across = (f(z + 1j * h) - f(z - 1j * h)) / (2j * h)
    assert abs(slope - across) < 1e-8
    assert abs(grad(f, holomorphic=True)(z) - slope) < 1e-8
    value, derivative = value_and_grad(f, holomorphic=True)(z)
    assert value == f(z) and abs(derivative - slope) < 1e-8


def test_holomorphic_of_an_array_and_of_several_arguments():
    def f(z, c):
        return np.sum(np.exp(c * z) @ z)

    dz, dc = grad(f, argnums=(0, 1), holomorphic=True)(Z, 0.5j)
    e = np.exp(0.5j * Z)
    np.testing.assert_allclose(dz, e + 0.5j * Z * e, rtol=1e-12)
    np.testing.assert_allclose(dc, np.sum(Z * Z * e), rtol=1e-12)


def test_second_derivative_of_a_holomorphic_function():
    second = grad(grad(lambda z: z**3 * np.exp(z), holomorphic=True), holomorphic=True)
    z = 0.3 - 0.2j
    np.testing.assert_allclose(second(z), np.exp(z) * (z**3 + 6 * z**2 + 6 * z), rtol=1e-12)


def conjugated(z):
    w = 2.0 * z
    return w * np.conj(w)


def recomposed(z):
    return z.real + 1j * z.imag


@pytest.mark.parametrize("f", [conjugated, recomposed, lambda z: z * np.abs(z)])
def test_not_holomorphic_is_refused(f):
    with pytest.raises(s2sad.UnsupportedError, match="is not holomorphic"):
        grad(f, holomorphic=True)(1.0 + 2.0j)


def test_holomorphic_wants_complex_numbers():
    with pytest.raises(s2sad.ArgumentError, match="it is not complex"):
        grad(lambda z: z * 1j, holomorphic=True)(2.0)
    with pytest.raises(s2sad.OutputError, match="one complex number"):
        grad(lambda z: abs(z), holomorphic=True)(2.0j)
    with pytest.raises(s2sad.OutputError, match="holomorphic=True"):
        grad(lambda z: z * z)(2.0j)


# -- the others --------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, z", CASES[:-1], ids=lambda v: getattr(v, "__name__", ""))
def test_autograd_agrees(f, z):
    autograd = pytest.importorskip("autograd")
    if f in (written, attributes, conjugates, hermitian, inner, spectrum):
        pytest.skip("autograd has no assignment, no .real, no conj method, no vdot, no n=")
    if f in (singular, logarithm):
        pytest.skip("autograd's rule is for real matrices")
    g = autograd.grad(swapped(f, autograd.numpy))(z)
    np.testing.assert_allclose(grad(f)(z), g, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("f, z", CASES[:-1], ids=lambda v: getattr(v, "__name__", ""))
def test_jax_agrees(f, z):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    if f is written:
        pytest.skip("JAX has no assignment")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = jax.grad(swapped(f, jax.numpy))(z)
    np.testing.assert_allclose(grad(f)(z), g, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("f", [rational, entire, roots])
def test_jax_agrees_on_holomorphic_functions(f):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    g = jax.grad(swapped(f, jax.numpy), holomorphic=True)(0.4 + 0.3j)
    np.testing.assert_allclose(grad(f, holomorphic=True)(0.4 + 0.3j), g, rtol=1e-10)


def swapped(f: Callable[..., Any], numpy: Any) -> Callable[..., Any]:
    """The same function where ``np`` means another module."""
    import types

    return types.FunctionType(f.__code__, {**f.__globals__, "np": numpy}, f.__name__)
