def chain_jvp(x, k, x_dot, k_dot):
    e = 0.0
    e_dot = 0.0
    for i in range(len(x) - 1):
        k_i = k[i]
        d_dot = x_dot[i + 1] - x_dot[i]
        d = x[i + 1] - x[i] - 1.0
        t = 0.5 * k_i * d
        e_dot += (0.5 * (k_dot[i] * d) + 0.5 * (k_i * d_dot)) * d + t * d_dot
        e += t * d
    return e, typed_like(e_dot, e)
