"""A recurrent network unrolled through time, against backpropagation through time by hand."""

import numpy as np

from s2sad import value_and_grad


def loss(params, inputs, targets):
    h = np.zeros(len(params["b"]))
    total = 0.0
    for x, target in zip(inputs, targets, strict=True):
        h = np.tanh(params["W"] @ h + params["U"] @ x + params["b"])
        total += 0.5 * np.sum((params["V"] @ h - target) ** 2)
    return total


def by_hand(params, inputs, targets):
    """Forwards keeping every state, then backwards from the last step to the first."""
    W, U, V, b = (params[name] for name in ("W", "U", "V", "b"))
    states = [np.zeros(len(b))]
    for x in inputs:
        states.append(np.tanh(W @ states[-1] + U @ x + b))
    slopes = {name: np.zeros_like(value) for name, value in params.items()}
    from_later = np.zeros(len(b))
    for t in range(len(inputs) - 1, -1, -1):
        h, before = states[t + 1], states[t]
        error = V @ h - targets[t]
        slopes["V"] += np.outer(error, h)
        delta = (V.T @ error + from_later) * (1.0 - h**2)
        slopes["W"] += np.outer(delta, before)
        slopes["U"] += np.outer(delta, inputs[t])
        slopes["b"] += delta
        from_later = W.T @ delta
    return slopes


def example(steps=6):
    """Weights, inputs and targets: predict the next value of a wave."""
    rng = np.random.default_rng(3)
    params = {
        "W": rng.normal(0.0, 0.5, (4, 4)),
        "U": rng.normal(0.0, 0.5, (4, 1)),
        "V": rng.normal(0.0, 0.5, (1, 4)),
        "b": rng.normal(0.0, 0.5, 4),
    }
    wave = np.sin(0.7 * np.arange(steps + 1.0)).reshape(-1, 1)
    return params, wave[:-1], wave[1:]


def main():
    params, inputs, targets = example()
    derivative = value_and_grad(loss)
    value, slopes = derivative(params, inputs, targets)
    print(f"loss over {len(inputs)} steps: {value:.6f}")
    for name, hand in by_hand(params, inputs, targets).items():
        gap = np.max(np.abs(slopes[name] - hand))
        print(f"{name}: largest difference from the gradient by hand {gap:.1e}")
    for _ in range(200):
        _, slopes = derivative(params, inputs, targets)
        params = {name: value - 0.1 * slopes[name] for name, value in params.items()}
    print(f"after 200 steps downhill: {loss(params, inputs, targets):.6f}")


if __name__ == "__main__":
    main()
