def taylor_sine_grad(x):
    tape = []
    term = x
    n = 1
    while abs(term) > 1e-12:
        t = 2 * n * (2 * n + 1)
        tape.append((term, t))
        term = -term * x * x / t
        n += 1
    # reverse sweep
    x_bar = 0.0
    term_bar = 0.0
    for term, t in tape[::-1]:
        # line 7: total += term
        term_bar += 1.0
        # line 6: term = -term * x * x / ((2 * n) * (2 * n + 1))
        t = term_bar / t
        t_2 = t * x
        x_bar += t * (-term * x)
        x_bar -= t_2 * term
        term_bar = -(t_2 * x)
    x_bar += 1.0
    x_bar += term_bar
    return x_bar
