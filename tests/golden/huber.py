def huber_grad(x, delta):
    t = abs(x) <= delta
    if not t:
        t_2 = abs(x) - 0.5 * delta
    # reverse sweep
    if t:
        x_bar = x
        delta_bar = 0.0
    else:
        # line 4: return delta * (abs(x) - 0.5 * delta)
        delta_bar = t_2 - 0.5 * delta
        x_bar = delta * ((x > 0) - (x < 0))
    return x_bar, delta_bar
