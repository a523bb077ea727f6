def heat_jvp(u0, alpha, u0_dot, alpha_dot):
    u_dot = u0_dot.copy()
    u = u0.copy()
    for t in range(20):
        r = u[2:] - 2.0 * u[1:-1] + u[:-2]
        u_dot[1:-1] += alpha_dot * r + alpha * (u_dot[2:] - 2.0 * u_dot[1:-1] + u_dot[:-2])
        u[1:-1] += alpha * r
    return np.sum(u**2), 2.0 * np.sum(u_dot * u)
