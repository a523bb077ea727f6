"""A rod heated for 20 steps, and how its last temperature depends on every parameter.

The parameters are a dict, the temperatures an array written in place.
"""

import numpy as np

from s2sad import value_and_grad


def rod(params):
    T = np.zeros(8)
    T += params["ambient"]
    for step in range(20):
        flow = params["conductivity"] * (T[2:] - 2.0 * T[1:-1] + T[:-2])
        T[1:-1] += flow
        T[0] += params["power"] * (1.0 - step / 20)
        if T[0] > params["limit"]:
            T[0] = params["limit"]
        T[-1] += params["loss"] * (params["outside"] - T[-1])
    return T


def comfort(params, target):
    T = rod(params)
    return np.mean((T[2:6] - target) ** 2)


def example():
    """Temperatures in units of 100 degrees, rates per step."""
    rates = {"conductivity": 0.3, "power": 0.1, "loss": 0.15}
    return {"ambient": 0.2, "outside": 0.05, "limit": 1.1} | rates


def tune(params, target, steps, rate):
    """Gradient descent on the power and the limit alone."""
    derivative = value_and_grad(comfort)
    for _ in range(steps):
        _, slopes = derivative(params, target)
        params = params | {name: params[name] - rate * slopes[name] for name in ("power", "limit")}
    return params


def main():
    params, target = example(), 0.5
    value, slopes = value_and_grad(comfort)(params, target)
    print(f"mean square distance from {target}: {value:.6f}")
    for name, slope in slopes.items():
        print(f"   {name:12s} {params[name]:.3f}   slope {slope:+.6f}")
    params = tune(params, target, 100, 0.1)
    print(f"tuned: {comfort(params, target):.6f} with power {params['power']:.4f}")


if __name__ == "__main__":
    main()
