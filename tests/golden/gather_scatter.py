def gather_scatter_grad(x, weights, index):
    out = np.zeros(3)
    for k in range(len(index)):
        out[index[k]] += weights[k] * x[k] ** 2
    # reverse sweep
    # line 5: return np.max(out)
    out_bar = share(1.0, out == np.max(out))
    weights_bar = np.zeros_like(weights)
    x_bar = np.zeros_like(x)
    for k in range(len(index) - 1, -1, -1):
        x_k = x[k]
        # line 4: out[index[k]] += weights[k] * x[k] ** 2
        t = out_bar[index[k]]
        x_bar[k] += 2.0 * (t * weights[k] * x_k)
        weights_bar[k] += t * x_k**2
    return x_bar, weights_bar
