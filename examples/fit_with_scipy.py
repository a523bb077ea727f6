"""Fitting with scipy.optimize: s2sad's derivatives where SciPy takes jac= and hessp=.

A spring with friction is simulated step by step; its stiffness and friction are found again from
noisy measurements, as a minimisation and as a least-squares problem.

    python examples/fit_with_scipy.py
"""

import numpy as np

from s2sad import hvp, jacobian, value_and_grad


def spring(params, times):
    """Positions at ``times`` of a spring released at 1 (semi-implicit Euler)."""
    stiffness, friction = params
    x, v = 1.0, 0.0
    positions = np.zeros(len(times))
    for i in range(1, len(times)):
        dt = times[i] - times[i - 1]
        v += dt * (-stiffness * x - friction * v)
        x += dt * v
        positions[i] = x
    positions[0] = 1.0
    return positions


def residuals(params, times, measured):
    return spring(params, times) - measured


def loss(params, times, measured):
    return np.sum(residuals(params, times, measured) ** 2)


def measurements(seed=0):
    """Times and noisy positions for stiffness 2 and friction 0.3."""
    times = np.linspace(0.0, 10.0, 200)
    noise = np.random.default_rng(seed).normal(0.0, 0.01, len(times))
    return times, spring(np.array([2.0, 0.3]), times) + noise


def fit(times, measured, start=(1.0, 1.0)):
    """The parameters by a quasi-Newton method, by Newton's, and by least squares."""
    from scipy import optimize

    start, data = np.array(start), (times, measured)
    both, product = value_and_grad(loss), hvp(loss)

    def hessp(x, p, *args):
        return product(x, *args, p)  # SciPy has the direction second, s2sad has it last

    found = {
        "BFGS": optimize.minimize(both, start, args=data, jac=True, method="BFGS"),
        "trust-ncg": optimize.minimize(
            both,
            start,
            args=data,
            jac=True,
            hessp=hessp,
            method="trust-ncg",
        ),
        "least squares": optimize.least_squares(
            residuals, start, jac=jacobian(residuals), args=data
        ),
    }
    return {name: result.x for name, result in found.items()}


def main():
    print(f"{'simulated with':>14}: stiffness {2:.5f}, friction {0.3:.5f}")
    for name, (stiffness, friction) in fit(*measurements()).items():
        print(f"{name:>14}: stiffness {stiffness:.5f}, friction {friction:.5f}")


if __name__ == "__main__":
    main()
