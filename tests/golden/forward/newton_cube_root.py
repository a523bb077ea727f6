def newton_cube_root_jvp(a, a_dot):
    x = a
    x_dot = a_dot
    while abs(x**3 - a) > 1e-12:
        t = 3.0 * x**2
        t_2 = (x**3 - a) / t
        x_dot = x_dot - (3 * (x_dot * x**2) - a_dot - 6.0 * (t_2 * (x_dot * x))) / t
        x = x - t_2
    return x, x_dot
