def upwind_grad(u, c, steps):
    u_2 = u.copy()
    tape = []
    for _ in range(steps):
        flux = 0.5 * u_2 * u_2
        t = flux[1:] - flux[:-1]
        tape.append((u_2.copy(), t))
        u_2[1:] -= c * t
        u_2[0] = u_2[-1]
    # reverse sweep
    # line 6: return np.mean(u**2)
    u_2_bar = 2.0 * u_2 / u_2.size
    c_bar = 0.0
    for u_2, t in tape[::-1]:
        # line 5: u[0] = u[-1]
        u_2_bar_0 = u_2_bar[0]
        u_2_bar[0] = 0.0
        u_2_bar[-1] += u_2_bar_0
        # line 4: u[1:] = u[1:] - c * (flux[1:] - flux[:-1])
        t_2 = u_2_bar[1:]
        t_3 = t_2 * c
        c_bar -= np.vdot(t_2, t)
        flux_bar = np.zeros_like(u)
        flux_bar[:-1] += t_3
        flux_bar[1:] -= t_3
        # line 3: flux = 0.5 * u * u
        t = flux_bar * u_2
        u_2_bar += 0.5 * t
        u_2_bar += 0.5 * t
    return u_2_bar, float(c_bar)
