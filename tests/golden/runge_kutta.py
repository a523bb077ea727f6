def runge_kutta_grad(y0, a, b):
    h = 0.1
    tape = []
    y = y0
    for _ in range(5):
        y_0 = y[0]
        y_1 = y[1]
        k1 = np.array([a * y_0 - b * y_0 * y_1, -y_1 + y_0 * y_1])
        state = y + 0.5 * h * k1
        state_0 = state[0]
        state_1 = state[1]
        t_5 = a * state_0 - b * state_0 * state_1
        k2 = np.array([t_5, -state_1 + state_0 * state_1])
        state = y + 0.5 * h * k2
        state_0_2 = state[0]
        state_1_2 = state[1]
        t_6 = a * state_0_2 - b * state_0_2 * state_1_2
        k3 = np.array([t_6, -state_1_2 + state_0_2 * state_1_2])
        state = y + h * k3
        state_0_3 = state[0]
        state_1_3 = state[1]
        tape.append((y_0, y_1, state_0, state_1, state_0_2, state_1_2, state_0_3, state_1_3))
        t_7 = a * state_0_3 - b * state_0_3 * state_1_3
        k4 = np.array([t_7, -state_1_3 + state_0_3 * state_1_3])
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    # reverse sweep
    y_bar = np.zeros_like(y0)
    # line 10: return y[0] * y[1]
    y_bar[1] += y[0]
    y_bar[0] += y[1]
    a_bar = 0.0
    b_bar = 0.0
    for y_0, y_1, state_0, state_1, state_0_2, state_1_2, state_0_3, state_1_3 in tape[::-1]:
        # line 9: y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        k4_bar = y_bar * (h / 6.0)
        k3_bar = 2.0 * k4_bar
        k2_bar = 2.0 * k4_bar
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k4_bar_0 = k4_bar[0]
        k4_bar_1 = k4_bar[1]
        t = k4_bar_1 * state_1_3
        t_2 = k4_bar_1 * state_0_3
        t_2 -= k4_bar_1
        t_3 = k4_bar_0 * state_1_3
        t_2 -= k4_bar_0 * (b * state_0_3)
        t_4 = np.zeros_like(y0)
        t_4[1] += t_2
        b_bar -= t_3 * state_0_3
        t -= t_3 * b
        a_bar += k4_bar_0 * state_0_3
        t += k4_bar_0 * a
        t_4[0] += t
        # line 8: k4 = lotka(y + h * k3, a, b)
        y_bar += t_4
        k3_bar += t_4 * h
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k3_bar_0 = k3_bar[0]
        k3_bar_1 = k3_bar[1]
        t = k3_bar_1 * state_1_2
        t_2 = k3_bar_1 * state_0_2
        t_2 -= k3_bar_1
        t_3 = k3_bar_0 * state_1_2
        t_2 -= k3_bar_0 * (b * state_0_2)
        t_4 = np.zeros_like(y0)
        t_4[1] += t_2
        b_bar -= t_3 * state_0_2
        t -= t_3 * b
        a_bar += k3_bar_0 * state_0_2
        t += k3_bar_0 * a
        t_4[0] += t
        # line 7: k3 = lotka(y + 0.5 * h * k2, a, b)
        y_bar += t_4
        k2_bar += 0.5 * (t_4 * h)
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k2_bar_0 = k2_bar[0]
        k2_bar_1 = k2_bar[1]
        t = k2_bar_1 * state_1
        t_2 = k2_bar_1 * state_0
        t_2 -= k2_bar_1
        t_3 = k2_bar_0 * state_1
        t_2 -= k2_bar_0 * (b * state_0)
        t_4 = np.zeros_like(y0)
        t_4[1] += t_2
        b_bar -= t_3 * state_0
        t -= t_3 * b
        a_bar += k2_bar_0 * state_0
        t += k2_bar_0 * a
        t_4[0] += t
        # line 6: k2 = lotka(y + 0.5 * h * k1, a, b)
        y_bar += t_4
        k4_bar += 0.5 * (t_4 * h)
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k4_bar_0 = k4_bar[0]
        k4_bar_1 = k4_bar[1]
        t = k4_bar_1 * y_1
        t_2 = k4_bar_1 * y_0
        t_2 -= k4_bar_1
        t_3 = k4_bar_0 * y_1
        t_2 -= k4_bar_0 * (b * y_0)
        y_bar[1] += t_2
        b_bar -= t_3 * y_0
        t -= t_3 * b
        a_bar += k4_bar_0 * y_0
        t += k4_bar_0 * a
        y_bar[0] += t
    return y_bar, float(a_bar), float(b_bar)
