def continued_fraction_grad(x, n):
    tape = []
    y = x
    for k in range(n, 0, -1):
        tape.append(y)
        y = k + x / y
    # reverse sweep
    x_bar = 0.0
    y_bar = 1.0
    for y in tape[::-1]:
        # line 4: y = k + x / y
        t = y_bar / y
        x_bar += t
        y_bar = -(t * x / y)
    x_bar += y_bar
    return x_bar
