"""A network with one hidden layer of one ReLU unit, small enough to follow on paper."""

from s2sad import value_and_grad


def relu(z):
    if z > 0.0:
        return z
    return 0.0


def J(w1, b1, w2, b2, x, y):
    a1 = relu(w1 * x + b1)
    a2 = relu(w2 * a1 + b2)
    return 0.5 * (a2 - y) ** 2


def main():
    start = {"w1": 2.0, "b1": 0.0, "w2": 3.0, "b2": 1.0}
    derivative = value_and_grad(J, argnums=tuple(start))
    value, gradient = derivative(**start, x=1.0, y=5.0)
    print(f"J = {value}")
    for name, slope in zip(start, gradient, strict=True):
        moved = start | {name: start[name] + 0.001}
        change = (J(**moved, x=1.0, y=5.0) - value) / 0.001
        print(f"dJ/d{name} = {slope:4.1f}   by a step of 0.001: {change:.3f}")


if __name__ == "__main__":
    main()
