def momentum_descent_grad(start, rate, steps):
    t = start * 1.0
    t_2 = np.zeros_like(start)
    tape = []
    for _ in range(steps):
        slope = 2.0 * t - np.cos(t)
        tape.append((t, slope))
        t_2 = 0.9 * t_2 - rate * slope
        t = t + t_2
    # reverse sweep
    # line 7: return np.sum(state["w"] ** 2)
    t = 2.0 * t
    t_2 = np.zeros_like(start)
    rate_bar = 0.0
    for t_3, slope in tape[::-1]:
        # line 6: state["w"] = state["w"] + state["v"]
        t_2 += t
        # line 5: state["v"] = 0.9 * state["v"] - rate * slope
        t_4 = t_2 * rate
        slope_bar = -t_4
        rate_bar -= np.vdot(t_2, slope)
        t_2 = 0.9 * t_2
        # line 4: slope = 2.0 * state["w"] - np.cos(state["w"])
        t -= t_4 * np.sin(t_3)
        t += 2.0 * slope_bar
    return t, float(rate_bar)
