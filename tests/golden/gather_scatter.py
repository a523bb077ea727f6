def gather_scatter_grad(x, weights, index):
    out = np.zeros(3)
    tape = []
    for k in range(len(index)):
        t = x[k] ** 2
        tape.append((k, t))
        out[index[k]] += weights[k] * t
    # reverse sweep
    # line 5: return np.max(out)
    t = out == np.max(out)
    out_bar = np.where(t, 1.0 / np.sum(t), 0.0)
    weights_bar = np.zeros_like(weights)
    x_bar = np.zeros_like(x)
    for k, t in tape[::-1]:
        # line 4: out[index[k]] += weights[k] * x[k] ** 2
        t_2 = out_bar[index[k]]
        x_bar[k] += 2.0 * (t_2 * weights[k] * x[k])
        weights_bar[k] += t_2 * t
    return x_bar, weights_bar
