"""Four steps forwards, four steps back: the adjoint of every intermediate value.

    c = w * x    a = c + b    d = a - y    J = d**2 / 2

The adjoint of an intermediate value is the slope of the rest of the program at that value.
"""

from s2sad import grad, value_and_grad


def J(w, b, x, y):
    c = w * x
    a = c + b
    d = a - y
    return 0.5 * d**2


def from_d(d):
    return 0.5 * d**2


def from_a(a, y):
    return from_d(a - y)


def from_c(c, b, y):
    return from_a(c + b, y)


def adjoints(w, b, x, y):
    """The adjoint of every value, last first, each by its own derivative."""
    c = w * x
    a = c + b
    w_bar, b_bar = grad(J, argnums=("w", "b"))(w, b, x, y)
    return {
        "d": grad(from_d)(a - y),
        "a": grad(from_a)(a, y),
        "c": grad(from_c)(c, b, y),
        "b": b_bar,
        "w": w_bar,
    }


def main():
    w, b, x, y = 2.0, 8.0, -2.0, 2.0
    value, _ = value_and_grad(J)(w, b, x, y)
    print(f"w = {w}, b = {b}, x = {x}, y = {y}: J = {value}")
    for name, adjoint in adjoints(w, b, x, y).items():
        print(f"dJ/d{name} = {adjoint}")
    print()
    print(grad(J, argnums=("w", "b")).source(w, b, x, y))


if __name__ == "__main__":
    main()
