def logsumexp_grad(x):
    m = np.max(x)
    t = np.exp(x - m)
    # reverse sweep
    # line 3: return m + np.log(np.sum(np.exp(x - m)))
    x_bar = ratio(1.0, np.sum(t)) * t
    m_bar = 1.0 - np.sum(x_bar)
    # line 2: m = np.max(x)
    t = x == m
    x_bar += np.where(t, m_bar / np.sum(t), 0.0)
    return x_bar
