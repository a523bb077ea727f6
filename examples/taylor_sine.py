"""The sine as a Taylor series, summed while its terms matter; its derivative is the cosine.

How many terms there are depends on x: the derivative follows the same loop backwards.
"""

import math

from s2sad import grad


def sine(x):
    term = x
    total = x
    n = 1
    while abs(term) > 1e-15:
        term = -term * x * x / ((2 * n) * (2 * n + 1))
        total += term
        n += 1
    return total


def main():
    slope = grad(sine)
    print(slope.source(1.0))
    for x in (0.0, 0.5, 1.0, 2.0, 5.0):
        print(f"x = {x}   slope of the series {slope(x):.12f}   cosine {math.cos(x):.12f}")


if __name__ == "__main__":
    main()
