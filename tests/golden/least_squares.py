def least_squares_grad(w, X, y):
    t = X @ w
    r = t - y
    # reverse sweep
    # line 3: return 0.5 * np.mean(r**2) + 0.01 * (w @ w)
    w_bar = 0.02 * w
    r_bar = r / t.size
    # line 2: r = X @ w - y
    w_bar += X.T @ r_bar
    return w_bar
