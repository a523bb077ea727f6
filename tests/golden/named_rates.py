def named_rates_grad(rates, t):
    forward = rates["forward"]
    back = rates["back"]
    tape = []
    a = 1.0
    b = 0.0
    for _ in range(4):
        flow = forward * a - back * b
        tape.append((b, a, flow))
        a -= t * flow
        b += t * flow
    # reverse sweep
    # line 7: return state["b"] / state["a"]
    b_bar = 1.0 / a
    a_bar = -(b / a / a)
    forward_bar = 0.0
    back_bar = 0.0
    t_bar = 0.0
    for b, a, flow in tape[::-1]:
        # line 6: state["b"] += t * flow
        flow_bar = b_bar * t
        t_bar += b_bar * flow
        # line 5: state["a"] -= t * flow
        t_bar -= a_bar * flow
        flow_bar -= a_bar * t
        # line 4: flow = rates["forward"] * state["a"] - rates["back"] * state["b"]
        back_bar -= flow_bar * b
        b_bar -= flow_bar * back
        forward_bar += flow_bar * a
        a_bar += flow_bar * forward
    return {"forward": float(forward_bar), "back": float(back_bar)}, float(t_bar)
