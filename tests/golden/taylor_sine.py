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
        t = term_bar / t * x
        x_bar -= 2.0 * (t * term)
        term_bar = -(t * x)
    x_bar += 1.0
    x_bar += term_bar
    return x_bar
