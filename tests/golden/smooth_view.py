def smooth_view_grad(x):
    y = x * 1.0
    y[1:-1] *= 0.5
    y[1:-1] += 0.25 * (x[:-2] + x[2:])
    # reverse sweep
    # line 6: return y @ y
    y_bar = 2.0 * y
    # line 5: inner += 0.25 * (x[:-2] + x[2:])
    t = 0.25 * y_bar[1:-1]
    x_bar = np.zeros_like(x)
    x_bar[2:] += t
    x_bar[:-2] += t
    # line 4: inner *= 0.5
    y_bar[1:-1] = 0.5 * y_bar[1:-1]
    # line 2: y = x * 1.0
    x_bar += y_bar
    return x_bar
