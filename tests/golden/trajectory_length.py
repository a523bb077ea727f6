def trajectory_length_grad(x, y, steps):
    path = [(x, y)]
    tape = []
    for _ in range(steps):
        tape.append(x)
        x_new = x + 0.1 * y
        y = y - 0.1 * np.sin(x)
        path.append((x_new, y))
        x = x_new
    t = path[:-1]
    t_2 = path[1:]
    if len(t_2) != len(t):
        raise ValueError("zip() is strict, and its arguments differ in length")
    tape_2 = []
    for i, (t_3, t_4) in enumerate(zip(t, t_2)):
        x0, y0 = t_3
        x1, y1 = t_4
        t_3 = x1 - x0
        t_4 = y1 - y0
        tape_2.append((i, t_3, t_4, np.sqrt(t_3**2 + t_4**2)))
    # reverse sweep
    t = zeros_like(t)
    t_2 = zeros_like(t_2)
    for i, t_3, t_4, t_5 in tape_2[::-1]:
        # line 8: length += np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
        t_5 = ratio(0.5, t_5)
        t_4 *= t_5
        y1_bar = 2.0 * t_4
        y0_bar = -2.0 * t_4
        t_3 *= t_5
        x1_bar = 2.0 * t_3
        x0_bar = -2.0 * t_3
        accumulate(t_2, i, (x1_bar, y1_bar))
        accumulate(t, i, (x0_bar, y0_bar))
    path_bar = zeros_like(path)
    accumulate(path_bar, slice(1, None, None), t_2)
    accumulate(path_bar, slice(None, -1, None), t)
    x_bar = 0.0
    y_bar = 0.0
    for x in tape[::-1]:
        # line 5: path.append((x, y))
        t, t_2 = path_bar.pop()
        x_new_bar = x_bar + t
        y_bar += t_2
        # line 4: x, y = x + 0.1 * y, y - 0.1 * np.sin(x)
        x_bar = -0.1 * (y_bar * np.cos(x))
        y_bar += 0.1 * x_new_bar
        x_bar += x_new_bar
    t, t_2 = path_bar[0]
    x_bar += t
    y_bar += t_2
    return float(x_bar), float(y_bar)
