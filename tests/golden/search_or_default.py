def search_or_default_grad(x, limit):
    tape = []
    y = x
    t = False
    for i in range(6):
        y = y * 1.4 + 0.1 * i
        tape.append(y)
        t = y > limit
        if t:
            break
    # reverse sweep
    if t:
        result_bar = 1.0
        x_bar = 0.0
        y_bar = 0.0
    else:
        result_bar = 0.0
        x_bar = y
        y_bar = x
    limit_bar = 0.0
    for y in tape[::-1]:
        if y > limit:
            # line 6: result = y / limit
            t = result_bar / limit
            y_bar += t
            limit_bar -= t * y / limit
            result_bar = 0.0
        # line 4: y = y * 1.4 + 0.1 * i
        y_bar *= 1.4
    x_bar += y_bar
    return x_bar, limit_bar
