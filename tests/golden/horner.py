def horner_grad(x, a, b, c, d):
    y = a * x + b
    y_2 = y * x + c
    # reverse sweep
    # line 4: y = y * x + coefficient
    y_bar = x * x
    x_bar = y_2 + x * y
    a_bar = y_bar * x
    x_bar += y_bar * a
    return x_bar, a_bar, y_bar, x, 1.0
