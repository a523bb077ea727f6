def power_jvp(x, n, x_dot):
    t, t_2 = power_call_jvp(x, n, x_dot)
    return t, t_2


def power_call_jvp(x, n, x_dot):
    if n == 0:
        return 1.0, 0.0
    half, half_dot = power_call_jvp(x, n // 2, x_dot)
    if n % 2:
        t = half * half
        t_2 = 2.0 * (half_dot * half * x) + t * x_dot
        t = t * x
        return t, t_2
    t = 2.0 * (half_dot * half)
    t_2 = half * half
    return t_2, t
