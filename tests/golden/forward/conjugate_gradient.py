def conjugate_gradient_jvp(A, b, A_dot, b_dot):
    x = np.zeros_like(b)
    r_dot = b_dot - A_dot @ x
    r = b - A @ x
    x_dot = np.zeros_like(x)
    p = r
    p_dot = r_dot
    for _ in range(2):
        q_dot = A_dot @ p + A @ p_dot
        q = A @ p
        t = r @ r
        t_2 = p @ q
        t_4 = ratio(ratio(p_dot @ q + p @ q_dot, t_2) * t, t_2)
        step_dot = ratio(2.0 * (r_dot @ r), t_2) - t_4
        step = t / t_2
        x_dot = x_dot + (step_dot * p + step * p_dot)
        x = x + step * p
        new_dot = r_dot - (step_dot * q + step * q_dot)
        new = r - step * q
        t = new @ new
        t_2 = r @ r
        t_3 = t / t_2
        t_5 = ratio(ratio(2.0 * (r_dot @ r), t_2) * t, t_2)
        p_dot = new_dot + ((ratio(2.0 * (new_dot @ new), t_2) - t_5) * p + t_3 * p_dot)
        p = new + t_3 * p
        r = new
        r_dot = new_dot
    return x @ x, 2.0 * (x_dot @ x)
