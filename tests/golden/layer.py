def layer_grad(W, b, x):
    h = np.tanh(x @ W + b)
    # reverse sweep
    # line 3: return np.sum(h**2)
    h_bar = 2.0 * h
    # line 2: h = np.tanh(x @ W + b)
    t = h_bar * (1 - h * h)
    b_bar = t.sum(axis=0)
    x_bar = t @ W.T
    W_bar = x.T @ t
    return W_bar, b_bar, x_bar
