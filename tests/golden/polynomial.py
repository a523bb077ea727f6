def polynomial_grad(x, coefficients):
    c = coefficients[0]
    c_2 = coefficients[1]
    c_3 = coefficients[2]
    y = 0.0 * x + c
    y_2 = y * x + c_2
    y_3 = y_2 * x + c_3
    # reverse sweep
    # line 4: y = y * x + c
    y_2_bar = x * x
    x_bar = y_3 + x * y_2
    x_bar += y_2_bar * y
    x_bar += y_2_bar * x * 0.0
    return x_bar
