def damped_grad(x, v, DAMPING):
    for _ in range(5):
        v = v + 0.1 * (-x - DAMPING * v)
        x = x + 0.1 * v
    # reverse sweep
    x_bar = v
    v_bar = x
    for _ in range(5):
        # line 7: x = x + 0.1 * v
        v_bar_2 = v_bar + 0.1 * x_bar
        # line 3: return -q - DAMPING * rate
        v_bar = v_bar_2 - 0.1 * (v_bar_2 * DAMPING)
        x_bar -= 0.1 * v_bar_2
    return x_bar, v_bar
