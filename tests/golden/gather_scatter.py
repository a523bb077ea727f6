def gather_scatter_grad(x, weights, index):
    out = np.zeros(3)
    for k in range(len(index)):
        out[index[k]] += weights[k] * x[k] ** 2
    # reverse sweep
    # line 5: return np.max(out)
    t = out == np.max(out)
    out_bar = np.where(t, 1.0 / np.sum(t), 0.0)
    weights_bar = np.zeros_like(weights)
    x_bar = np.zeros_like(x)
    for k in range(len(index) - 1, -1, -1):
        # line 4: out[index[k]] += weights[k] * x[k] ** 2
        x_k = x[k]
        t = out_bar[index[k]]
        x_bar[k] += 2.0 * (t * weights[k] * x_k)
        weights_bar[k] += t * x_k ** 2
    return x_bar, weights_bar
