def momentum_descent_grad(start, rate, steps):
    w = start * 1.0
    v = np.zeros_like(start)
    tape = []
    for _ in range(steps):
        slope = 2.0 * w - np.cos(w)
        tape.append((w, slope))
        v = 0.9 * v - rate * slope
        w = w + v
    # reverse sweep
    # line 7: return np.sum(state["w"] ** 2)
    w_bar = 2.0 * w
    v_bar = np.zeros_like(start)
    rate_bar = 0.0
    for w, slope in tape[::-1]:
        # line 6: state["w"] = state["w"] + state["v"]
        v_bar += w_bar
        # line 5: state["v"] = 0.9 * state["v"] - rate * slope
        t = v_bar * rate
        rate_bar -= np.vdot(v_bar, slope)
        v_bar = 0.9 * v_bar
        # line 4: slope = 2.0 * state["w"] - np.cos(state["w"])
        w_bar -= t * np.sin(w)
        w_bar -= 2.0 * t
    return w_bar, float(rate_bar)
