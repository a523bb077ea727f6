"""The slope of J(w) = w**2, by the derivative and by a small step; then downhill along it."""

from s2sad import grad


def J(w):
    return w**2


def numerical_slope(f, w, step=1e-4):
    """The slope by a small step either way: the check one makes of any derivative."""
    return (f(w + step) - f(w - step)) / (2 * step)


def descend(f, w, rate, steps):
    """Gradient descent: w minus rate times slope, again and again."""
    slope = grad(f)
    for _ in range(steps):
        w = w - rate * slope(w)
    return w


def main():
    slope = grad(J)
    print(slope.source(3.0))
    for w in (3.0, 2.0, -3.0):
        small_step = numerical_slope(J, w)
        print(f"w = {w:4.1f}   J = {J(w):4.1f}   slope = {slope(w):4.1f}   check {small_step:.6f}")
    print(f"downhill from w = 3 for 50 steps: w = {descend(J, 3.0, 0.1, 50):.6f}")


if __name__ == "__main__":
    main()
