def mlp_grad(params, x, y):
    (W, b), (W_2, b_2), (W_3, b_3) = params
    h = np.tanh(x @ W + b)
    h_2 = np.tanh(h @ W_2 + b_2)
    t = h_2 @ W_3 + b_3 - y
    # reverse sweep
    # line 6: return np.mean((h @ W + b - y) ** 2)
    t = 2.0 * t / t.size
    b_3_bar = t.sum(axis=0)
    h_2_bar = t @ W_3.T
    W_3_bar = h_2.T @ t
    # line 4: h = np.tanh(h @ W + b)
    t = h_2_bar * (1 - h_2 * h_2)
    b_2_bar = t.sum(axis=0)
    W_2_bar = h.T @ t
    t = t @ W_2.T * (1 - h * h)
    b_bar = t.sum(axis=0)
    W_bar = x.T @ t
    return [(W_bar, b_bar), (W_2_bar, b_2_bar), (W_3_bar, b_3_bar)]
