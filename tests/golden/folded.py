def folded_grad(xs):
    # reverse sweep
    xs_bar = zeros_like(xs)
    total_bar = 1.0
    for i in range(len(xs) - 1, -1, -1):
        # line 2: return reduce(lambda total, x: total * 0.5 + x * x, xs, 1.0)
        xs_bar[i] += 2.0 * (total_bar * xs[i])
        total_bar *= 0.5
    return xs_bar
