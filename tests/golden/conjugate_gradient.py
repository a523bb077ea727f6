def conjugate_gradient_grad(A, b):
    x = np.zeros_like(b)
    r = b - A @ x
    tape = []
    x_2 = x
    p = r
    for _ in range(2):
        q = A @ p
        t = p @ q
        step = r @ r / t
        x_2 = x_2 + step * p
        new = r - step * q
        t_2 = new @ new
        t_3 = r @ r
        tape.append((p, r, q, t, step, new, t_2, t_3))
        p = new + t_2 / t_3 * p
        r = new
    # reverse sweep
    # line 12: return x @ x
    x_2_bar = 2.0 * x_2
    r_bar = np.zeros_like(b)
    p_bar = np.zeros_like(b)
    A_bar = np.zeros_like(A)
    q_bars = []
    ps = []
    for p, r, q, t, step, new, t_2, t_3 in tape[::-1]:
        # line 10: p = new + (new @ new) / (r @ r) * p
        r_bar += p_bar
        t_4 = ratio(np.vdot(p_bar, p), t_3)
        r_bar_new = -2.0 * ratio(t_4 * t_2, t_3) * r
        r_bar += 2.0 * t_4 * new
        p_bar = p_bar * (t_2 / t_3)
        # line 9: new = r - step * q
        r_bar_new += r_bar
        q_bar = -(r_bar * step)
        step_bar = -np.sum(r_bar * q)
        # line 8: x = x + step * p
        step_bar += np.vdot(x_2_bar, p)
        p_bar += x_2_bar * step
        # line 7: step = (r @ r) / (p @ q)
        t_2 = ratio(step_bar, t)
        t = ratio(t_2 * t_3, t)
        p_bar -= t * q
        q_bar -= t * p
        r_bar_new += 2.0 * t_2 * r
        # line 6: q = A @ p
        p_bar += A.T @ q_bar
        q_bars.append(q_bar)
        ps.append(p)
        r_bar = r_bar_new
    A_bar += np.array(q_bars).T @ np.array(ps)
    r_bar += p_bar
    # line 3: r = b - A @ x
    A_bar -= np.outer(r_bar, x)
    return A_bar, r_bar
