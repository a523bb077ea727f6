def keyword_calls_grad(x, y, scale, shift):
    r = 0.7
    total = scale * y + shift
    # reverse sweep
    # with_defaults, line 2: total = scale * x + shift
    y_bar = x * scale
    # with_defaults, line 4: total += r * x**2
    x_bar = total + 3.0 * (r * x)
    y_bar += 1.5 * x**2
    x_bar += 3.0 * (y * x)
    # with_defaults, line 2: total = scale * x + shift
    x_bar += 4.5
    # line 2: return with_defaults(x, 3.0, y, 0.7, shift=y * x) + with_defaults(y, factor=x)
    y_bar += 1.5 * x
    x_bar += 1.5 * y
    return x_bar, y_bar
