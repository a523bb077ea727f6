def bisect_grad(c):
    high = 2.0 + c
    tape = []
    low = 0.0
    for _ in range(8):
        middle = 0.5 * (low + high)
        cond = middle * middle > c
        tape.append(cond)
        if cond:
            high = middle
        else:
            low = middle
    # reverse sweep
    low_bar = high
    high_bar = low
    for cond in tape[::-1]:
        if cond:
            middle_bar = high_bar
            high_bar = 0.0
        else:
            middle_bar = low_bar
            low_bar = 0.0
        # line 4: middle = 0.5 * (low + high)
        t = 0.5 * middle_bar
        low_bar += t
        high_bar += t
    return high_bar
