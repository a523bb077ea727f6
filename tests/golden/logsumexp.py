def logsumexp_grad(x):
    m = np.max(x)
    t = np.exp(x - m)
    # reverse sweep
    # line 3: return m + np.log(np.sum(np.exp(x - m)))
    x_bar = ratio(1.0, np.sum(t)) * t
    return x_bar
