def settle_grad(x, k):
    tape = []
    y = x
    for i in range(100):
        tape.append(y)
        if y < 1.0:
            step = 0.1 * y
        else:
            step = k / y
        y = y - step
        if step < 0.02:
            break
    # reverse sweep
    k_bar = 0.0
    y_bar = 1.0
    for y in tape[::-1]:
        if y < 1.0:
            # line 5: step = 0.1 * y
            y_bar -= 0.1 * y_bar
        else:
            # line 7: step = k / y
            t = y_bar / y
            k_bar -= t
            y_bar += t * k / y
    return y_bar, k_bar
