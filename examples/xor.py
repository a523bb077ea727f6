"""A network of three layers learns exclusive or; its gradient against textbook backpropagation.

Sigmoid units with a bias unit in every layer but the last, cross-entropy cost, plain gradient
descent on all four cases at once.
"""

import numpy as np

from s2sad import value_and_grad

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def with_bias(a):
    return np.hstack([np.ones((len(a), 1)), a])


def predict(thetas, x):
    theta1, theta2 = thetas
    hidden = sigmoid(with_bias(x) @ theta1.T)
    return sigmoid(with_bias(hidden) @ theta2.T)


def cost(thetas, x, y):
    p = predict(thetas, x)
    return -np.sum(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)) / len(x)


def backpropagation(thetas, x, y):
    """The textbook's deltas, written by hand: delta3 = a3 - y, delta2 = theta2' delta3 * a2'."""
    theta1, theta2 = thetas
    a1 = with_bias(x)
    a2 = with_bias(sigmoid(a1 @ theta1.T))
    a3 = sigmoid(a2 @ theta2.T)
    delta3 = a3 - y
    delta2 = (delta3 @ theta2)[:, 1:] * a2[:, 1:] * (1.0 - a2[:, 1:])
    return delta2.T @ a1 / len(x), delta3.T @ a2 / len(x)


def start(hidden=3):
    """Small random weights, the same every time."""
    rng = np.random.default_rng(1)
    return rng.uniform(-1.0, 1.0, (hidden, 3)), rng.uniform(-1.0, 1.0, (1, hidden + 1))


def train(value_and_gradient, steps=3000, rate=3.0):
    """Gradient descent; the weights and the cost of every step."""
    theta1, theta2 = start()
    costs = []
    for _ in range(steps):
        value, (slope1, slope2) = value_and_gradient((theta1, theta2), X, Y)
        theta1, theta2 = theta1 - rate * slope1, theta2 - rate * slope2
        costs.append(value)
    return (theta1, theta2), costs


def main():
    derivative = value_and_grad(cost)
    thetas, costs = train(derivative)
    for step in (0, 100, 300, 1000, len(costs) - 1):
        print(f"step {step:5d}   cost {costs[step]:.6f}")
    for case, p in zip(X, predict(thetas, X)[:, 0], strict=True):
        print(f"{case[0]:.0f} xor {case[1]:.0f} = {p:.4f}")
    _, gradient = derivative(start(), X, Y)
    pairs = zip(gradient, backpropagation(start(), X, Y), strict=True)
    gap = max(np.max(np.abs(mine - theirs)) for mine, theirs in pairs)
    print(f"largest difference from backpropagation by hand: {gap:.1e}")


if __name__ == "__main__":
    main()
