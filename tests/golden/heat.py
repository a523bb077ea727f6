def heat_grad(u0, alpha):
    u = u0.copy()
    tape = []
    for t in range(20):
        r = u[2:] - 2.0 * u[1:-1] + u[:-2]
        tape.append(r)
        u[1:-1] += alpha * r
    # reverse sweep
    # line 5: return np.sum(u**2)
    u_bar = 2.0 * u
    alpha_bar = 0.0
    for r in tape[::-1]:
        # line 4: u[1:-1] += alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        r_2 = u_bar[1:-1]
        r_3 = r_2 * alpha
        alpha_bar += np.vdot(r_2, r)
        u_bar[:-2] += r_3
        u_bar[2:] += r_3
        u_bar[1:-1] -= 2.0 * r_3
    return u_bar, float(alpha_bar)
