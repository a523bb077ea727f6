def newton_cube_root_grad(a):
    tape = []
    x = a
    while abs(x**3 - a) > 1e-12:
        t = x**3 - a
        tape.append((x, t))
        x = x - t / (3.0 * x**2)
    # reverse sweep
    a_bar = 0.0
    x_bar = 1.0
    for x, t in tape[::-1]:
        t_2 = 3.0 * x**2
        # line 4: x = x - (x**3 - a) / (3.0 * x**2)
        t_3 = x_bar / t_2
        x_bar += 6.0 * (t_3 * t / t_2 * x)
        a_bar += t_3
        x_bar -= 3 * (t_3 * x**2)
    a_bar += x_bar
    return a_bar
