def softmax_entropy_grad(x):
    e = np.exp(x - np.max(x))
    total = np.sum(e)
    p = e / total
    # reverse sweep
    # line 4: return -np.sum(p * np.log(p))
    p_bar = -np.log(p)
    p_bar -= ratio(p, p)
    # line 3: p = e / np.sum(e)
    e_bar = ratio(p_bar, total)
    e_bar -= ratio(e_bar * e, total).sum()
    # line 2: e = np.exp(x - np.max(x))
    x_bar = e_bar * e
    return x_bar
