def prefix_products_grad(x):
    tape = []
    total = 1.0
    for i in range(len(x)):
        tape.append((i, total))
        total = total * x[i]
    # reverse sweep
    out_bar = np.ones_like(x)
    x_bar = np.zeros_like(x)
    total_bar = 0.0
    for i, total in tape[::-1]:
        # line 6: out[i] = total
        total_bar += out_bar[i]
        out_bar[i] = 0.0
        # line 5: total = total * x[i]
        x_bar[i] += total_bar * total
        total_bar *= x[i]
    return x_bar
