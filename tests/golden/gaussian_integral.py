def gaussian_integral_grad(a, b, width):
    h = (b - a) / 6
    t = a / width
    t_2 = math.exp(-t ** 2)
    t_3 = b / width
    t_4 = math.exp(-t_3 ** 2)
    total = t_2 + t_4
    tape = []
    for i in range(1, 6):
        t_5 = 4.0 if i % 2 else 2.0
        t_6 = (a + i * h) / width
        t_7 = math.exp(-t_6 ** 2)
        tape.append((i, t_5, t_6, t_7))
        total += t_5 * t_7
    # reverse sweep
    # simpson, line 6: return total * h / 3.0
    total_bar = h / 3.0
    h_bar = total / 3.0
    a_bar = 0.0
    width_bar = 0.0
    for i, t_5, t_6, t_7 in tape[::-1]:
        # simpson, line 5: total += (4.0 if i % 2 else 2.0) * f(a + i * h)
        t_5 = 2.0 * (total_bar * t_5 * t_7 * t_6) / width
        width_bar += t_5 * (a + i * h) / width
        a_bar -= t_5
        h_bar -= t_5 * i
    # simpson, line 3: total = f(a) + f(b)
    t_3 *= total_bar * t_4
    b_bar = -2.0 * t_3 / width
    width_bar += 2.0 * t_3 / width * b / width
    t = 2.0 * (total_bar * t_2 * t) / width
    a_bar -= t
    width_bar += t * a / width
    # simpson, line 2: h = (b - a) / n
    t = h_bar / 6
    b_bar += t
    a_bar -= t
    return a_bar, b_bar, width_bar
