def chain_grad(x, k):
    # reverse sweep
    k_bar = np.zeros_like(k)
    x_bar = np.zeros_like(x)
    for i in range(len(x) - 2, -1, -1):
        d = x[i + 1] - x[i] - 1.0
        # spring, line 3: return 0.5 * k * d * d
        d_bar = d * k[i]
        # spring, line 2: d = x[i + 1] - x[i] - 1.0
        x_bar[i] -= d_bar
        x_bar[i + 1] += d_bar
        # line 4: e += spring(x, i, k[i])
        k_bar[i] += 0.5 * (d * d)
    return x_bar, k_bar
