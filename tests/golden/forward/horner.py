def horner_jvp(x, a, b, c, d, x_dot, a_dot, b_dot, c_dot, d_dot):
    y_dot = a_dot * x + a * x_dot + b_dot
    y = a * x + b
    y_dot = y_dot * x + y * x_dot + c_dot
    y = y * x + c
    y_dot = y_dot * x + y * x_dot + d_dot
    y = y * x + d
    return y, y_dot
