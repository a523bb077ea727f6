def softmax_entropy_grad(x):
    t = np.max(x)
    e = np.exp(x - t)
    t_2 = np.sum(e)
    p = e / t_2
    # reverse sweep
    # line 4: return -np.sum(p * np.log(p))
    p_bar = -np.log(p)
    p_bar -= ratio(p, p)
    # line 3: p = e / np.sum(e)
    e_bar = ratio(p_bar, t_2)
    e_bar -= ratio(e_bar * e, t_2).sum()
    # line 2: e = np.exp(x - np.max(x))
    x_bar = e_bar * e
    mask = x == t
    x_bar += np.where(mask, -(np.vdot(e_bar, e) / mask.sum()), 0.0)
    return x_bar
