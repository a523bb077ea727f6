def logsumexp_grad(x):
    m = np.max(x)
    t = np.exp(x - m)
    total = np.sum(t)
    # reverse sweep
    # line 3: return m + np.log(np.sum(np.exp(x - m)))
    total_bar = ratio(1.0, total)
    x_bar = total_bar * t
    m_bar = 1.0 - total_bar * total
    # line 2: m = np.max(x)
    x_bar += share(m_bar, x == m)
    return x_bar
