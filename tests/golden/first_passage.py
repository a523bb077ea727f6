def first_passage_grad(x, drift):
    tape = []
    t = 0.0
    while True:
        r = 1.0 - 0.1 * x
        x = x + drift * r
        t += 0.5
        r_2 = x > 2.0
        tape.append((r, t, r_2))
        if r_2 or t > 20.0:
            break
    # reverse sweep
    drift_bar = 0.0
    x_bar = 0.0
    r = 1.0
    for r_2, t, r_2_2 in tape[::-1]:
        if r_2_2:
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
