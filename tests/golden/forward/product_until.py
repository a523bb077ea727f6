def product_until_jvp(x, c, x_dot):
    y = 1.0
    y_dot = 0.0
    for i in range(len(x)):
        if y > c:
            break
        x_i = x[i]
        y_dot = y_dot * x_i + y * x_dot[i]
        y = y * x_i
    return y, typed_like(y_dot, y)
