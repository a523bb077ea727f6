def mlp_grad(params, x, y):
    params_0, params_1, params_2 = params
    params_0_0, params_0_1 = params_0
    params_1_0, params_1_1 = params_1
    params_2_0, params_2_1 = params_2
    h = np.tanh(x @ params_0_0 + params_0_1)
    h_2 = np.tanh(h @ params_1_0 + params_1_1)
    t = h_2 @ params_2_0 + params_2_1 - y
    # reverse sweep
    # line 6: return np.mean((h @ W + b - y) ** 2)
    t = 2.0 * t / t.size
    params_2_1_bar = np.sum(t, axis=0)
    h_bar = t @ params_2_0.T
    params_2_0_bar = h_2.T @ t
    # line 4: h = np.tanh(h @ W + b)
    t = h_bar * (1 - h_2 * h_2)
    params_1_1_bar = np.sum(t, axis=0)
    params_1_0_bar = h.T @ t
    t = t @ params_1_0.T * (1 - h * h)
    params_0_1_bar = np.sum(t, axis=0)
    params_0_0_bar = x.T @ t
    return [
        (params_0_0_bar, params_0_1_bar),
        (params_1_0_bar, params_1_1_bar),
        (params_2_0_bar, params_2_1_bar),
    ]
