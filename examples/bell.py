"""The derivative of e**sin(x**2), as a program one can read."""

import math

from s2sad import grad


def f(x):
    a = x**2
    b = math.sin(a)
    return math.exp(b)


def by_hand(x):
    """The chain rule on paper."""
    return math.exp(math.sin(x**2)) * math.cos(x**2) * 2.0 * x


def main():
    slope = grad(f)
    print(slope.source(1.0))
    for x in (0.0, 0.5, 1.0, 2.0):
        print(f"x = {x}   f = {f(x):.6f}   slope = {slope(x):.6f}   by hand {by_hand(x):.6f}")


if __name__ == "__main__":
    main()
