def named_rates_grad(rates, t):
    forward = rates["forward"]
    back = rates["back"]
    tape = []
    r = 1.0
    r_2 = 0.0
    for _ in range(4):
        flow = forward * r - back * r_2
        tape.append((r_2, r, flow))
        r -= t * flow
        r_2 += t * flow
    # reverse sweep
    # line 7: return state["b"] / state["a"]
    r_3 = 1.0 / r
    r = -(r_2 / r / r)
    forward_bar = 0.0
    back_bar = 0.0
    t_bar = 0.0
    for r_2, r_4, flow in tape[::-1]:
        # line 6: state["b"] += t * flow
        flow_bar = r_3 * t
        t_bar += r_3 * flow
        # line 5: state["a"] -= t * flow
        t_bar -= r * flow
        flow_bar -= r * t
        # line 4: flow = rates["forward"] * state["a"] - rates["back"] * state["b"]
        back_bar -= flow_bar * r_2
        r_3 -= flow_bar * back
        forward_bar += flow_bar * r_4
        r += flow_bar * forward
    return {"forward": float(forward_bar), "back": float(back_bar)}, float(t_bar)
