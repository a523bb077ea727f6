def product_until_grad(x, c):
    tape = []
    y = 1.0
    for i in range(len(x)):
        if y > c:
            break
        tape.append((i, y))
        y = y * x[i]
    # reverse sweep
    x_bar = np.zeros_like(x)
    y_bar = 1.0
    for i, y in tape[::-1]:
        # line 6: y = y * x[i]
        x_bar[i] += y_bar * y
        y_bar *= x[i]
    return x_bar
