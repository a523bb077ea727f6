def layer_jvp(W, b, x, W_dot, b_dot, x_dot):
    h = np.tanh(x @ W + b)
    h_dot = (x_dot @ W + x @ W_dot + b_dot) * (1 - h * h)
    return np.sum(h**2), 2.0 * np.sum(h_dot * h)
