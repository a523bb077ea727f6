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
        k2 = np.array([a * state_0 - b * state_0 * state_1, -state_1 + state_0 * state_1])
        state = y + 0.5 * h * k2
        state_0_2 = state[0]
        state_1_2 = state[1]
        t_2 = a * state_0_2 - b * state_0_2 * state_1_2
        k3 = np.array([t_2, -state_1_2 + state_0_2 * state_1_2])
        state = y + h * k3
        state_0_3 = state[0]
        state_1_3 = state[1]
        tape.append((y_0, y_1, state_0, state_1, state_0_2, state_1_2, state_0_3, state_1_3))
        t_3 = a * state_0_3 - b * state_0_3 * state_1_3
        k4 = np.array([t_3, -state_1_3 + state_0_3 * state_1_3])
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
        state_0_3_bar = k4_bar_1 * state_1_3
        state_1_3_bar = k4_bar_1 * state_0_3
        state_1_3_bar -= k4_bar_1
        t = k4_bar_0 * state_1_3
        state_1_3_bar -= k4_bar_0 * (b * state_0_3)
        state_bar = np.zeros_like(y0)
        state_bar[1] += state_1_3_bar
        b_bar -= t * state_0_3
        state_0_3_bar -= t * b
        a_bar += k4_bar_0 * state_0_3
        state_0_3_bar += k4_bar_0 * a
        state_bar[0] += state_0_3_bar
        # line 8: k4 = lotka(y + h * k3, a, b)
        y_bar += state_bar
        k3_bar += state_bar * h
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k3_bar_0 = k3_bar[0]
        k3_bar_1 = k3_bar[1]
        state_0_2_bar = k3_bar_1 * state_1_2
        state_1_2_bar = k3_bar_1 * state_0_2
        state_1_2_bar -= k3_bar_1
        t = k3_bar_0 * state_1_2
        state_1_2_bar -= k3_bar_0 * (b * state_0_2)
        state_bar = np.zeros_like(y0)
        state_bar[1] += state_1_2_bar
        b_bar -= t * state_0_2
        state_0_2_bar -= t * b
        a_bar += k3_bar_0 * state_0_2
        state_0_2_bar += k3_bar_0 * a
        state_bar[0] += state_0_2_bar
        # line 7: k3 = lotka(y + 0.5 * h * k2, a, b)
        y_bar += state_bar
        k2_bar += 0.05 * state_bar
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k2_bar_0 = k2_bar[0]
        k2_bar_1 = k2_bar[1]
        state_0_bar = k2_bar_1 * state_1
        state_1_bar = k2_bar_1 * state_0
        state_1_bar -= k2_bar_1
        t = k2_bar_0 * state_1
        state_1_bar -= k2_bar_0 * (b * state_0)
        state_bar = np.zeros_like(y0)
        state_bar[1] += state_1_bar
        b_bar -= t * state_0
        state_0_bar -= t * b
        a_bar += k2_bar_0 * state_0
        state_0_bar += k2_bar_0 * a
        state_bar[0] += state_0_bar
        # line 6: k2 = lotka(y + 0.5 * h * k1, a, b)
        y_bar += state_bar
        k4_bar += 0.05 * state_bar
        # lotka, line 2: return np.array([a * state[0] - b * state[0] * state[1], -state[1] + st...
        k4_bar_0 = k4_bar[0]
        k4_bar_1 = k4_bar[1]
        y_0_bar = k4_bar_1 * y_1
        y_1_bar = k4_bar_1 * y_0
        y_1_bar -= k4_bar_1
        t = k4_bar_0 * y_1
        y_1_bar -= k4_bar_0 * (b * y_0)
        y_bar[1] += y_1_bar
        b_bar -= t * y_0
        y_0_bar -= t * b
        a_bar += k4_bar_0 * y_0
        y_0_bar += k4_bar_0 * a
        y_bar[0] += y_0_bar
    return y_bar, float(a_bar), float(b_bar)
