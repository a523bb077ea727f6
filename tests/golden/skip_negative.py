def skip_negative_grad(x, y):
    tape = []
    for i in range(8):
        tape.append((i, math.sin(i * y)))
    # reverse sweep
    y_bar = 0.0
    x_bar = 0.0
    for i, t in tape[::-1]:
        v = x * t
        if v < 0.0:
            v_bar = 0.0
        else:
            # line 7: total += v * v
            v_bar = 2.0 * v
        # line 4: v = x * math.sin(i * y)
        x_bar += v_bar * t
        y_bar += v_bar * x * math.cos(i * y) * i
    return x_bar, y_bar
