def first_passage_grad(x, drift):
    tape = []
    t = 0.0
    while True:
        r = 1.0 - 0.1 * x
        x = x + drift * r
        t += 0.5
        cond = x > 2.0
        tape.append((r, t, cond))
        if cond or t > 20.0:
            break
    # reverse sweep
    drift_bar = 0.0
    x_bar = 0.0
    r = 1.0
    for r_2, t, cond in tape[::-1]:
        if cond:
            # line 7: return t * x
            x_bar += r * t
        elif t > 20.0:
            # line 9: return -x
            x_bar -= r
        # line 4: x = x + drift * (1.0 - 0.1 * x)
        drift_bar += x_bar * r_2
        x_bar -= 0.1 * (x_bar * drift)
        r = 0.0
    return x_bar, drift_bar
