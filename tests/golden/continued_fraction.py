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
        y_bar_2 = -(y_bar / y * x / y)
        x_bar += y_bar / y
        y_bar = y_bar_2
    # line 4: y = k + x / y
    x_bar += y_bar
    return x_bar
