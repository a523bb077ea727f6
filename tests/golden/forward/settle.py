def settle_jvp(x, k, x_dot, k_dot):
    y = x
    y_dot = x_dot
    for i in range(100):
        if y < 1.0:
            step_dot = 0.1 * y_dot
            step = 0.1 * y
        else:
            step = k / y
            step_dot = (k_dot - step * y_dot) / y
        y_dot = y_dot - step_dot
        y = y - step
        if step < 0.02:
            break
    return y, y_dot
