def standardise_grad(x):
    m = np.mean(x, axis=0)
    t = x - m
    s = np.sqrt(np.mean(t**2, axis=0) + 0.001)
    z = t / s
    # reverse sweep
    # line 5: return np.sum(z**3)
    z_bar = 3 * z**2
    # line 4: z = (x - m) / s
    x_bar = z_bar / s
    s_bar = -np.sum(x_bar * t / s, axis=0)
    m_bar = -x_bar.sum(axis=0)
    # line 3: s = np.sqrt(np.mean((x - m) ** 2, axis=0) + 1e-3)
    t = ratio(s_bar, 2.0 * s) / len(x) * t
    x_bar += 2.0 * t
    m_bar -= 2.0 * t.sum(axis=0)
    # line 2: m = np.mean(x, axis=0)
    x_bar += m_bar / len(x)
    return x_bar
