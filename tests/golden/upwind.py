def upwind_grad(u, c, steps):
    u = u.copy()
    tape = []
    for _ in range(steps):
        flux = 0.5 * u * u
        t = flux[1:] - flux[:-1]
        tape.append((u.copy(), t))
        u[1:] -= c * t
        u[0] = u[-1]
    # reverse sweep
    # line 6: return np.mean(u**2)
    u_bar = 2.0 * u / u.size
    c_bar = 0.0
    for u_2, t in tape[::-1]:
        # line 5: u[0] = u[-1]
        u_bar_0 = u_bar[0]
        u_bar[0] = 0.0
        u_bar[-1] += u_bar_0
        # line 4: u[1:] = u[1:] - c * (flux[1:] - flux[:-1])
        t_2 = u_bar[1:]
        t_3 = t_2 * c
        c_bar -= np.vdot(t_2, t)
        flux_bar = np.zeros_like(u)
        flux_bar[:-1] += t_3
        flux_bar[1:] -= t_3
        # line 3: flux = 0.5 * u * u
        u_bar += flux_bar * u_2
    return u_bar, float(c_bar)
