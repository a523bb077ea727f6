def logistic_loss_grad(w, X, y):
    t = np.exp(-(X @ w))
    t_2 = 1.0 + t
    p = 1.0 / t_2
    # reverse sweep
    # line 3: return -np.mean(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))
    t_3 = y.size
    p_bar = ratio((1.0 - y) / t_3, 1.0 - p)
    p_bar -= ratio(y / t_3, p)
    # line 2: p = sigmoid(X @ w)
    w_bar = X.T @ (p_bar / t_2 / t_2 * t)
    return w_bar
