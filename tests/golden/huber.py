def huber_grad(x, delta):
    cond = abs(x) <= delta
    if not cond:
        t = abs(x) - 0.5 * delta
    # reverse sweep
    if cond:
        x_bar = x
        delta_bar = 0.0
    else:
        # line 4: return delta * (abs(x) - 0.5 * delta)
        delta_bar = t - 0.5 * delta
        x_bar = delta * ((x > 0) - (x < 0))
    return x_bar, delta_bar
