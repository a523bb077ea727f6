def kalman_grad(measurements, q, r):
    tape = []
    x = 0.0
    p = 1.0
    for i, z in enumerate(measurements):
        p = p + q
        innovation = z - x
        tape.append((i, p, innovation))
        s = p + r
        gain = p / s
        x = x + gain * innovation
        p = (1.0 - gain) * p
    # reverse sweep
    measurements_bar = zeros_like(measurements)
    q_bar = 0.0
    r_bar = 0.0
    x_bar = 0.0
    p_bar = 0.0
    for i, p, innovation in tape[::-1]:
        s = p + r
        gain = p / s
        # line 11: cost += 0.5 * (innovation**2 / s + math.log(s))
        s_bar = 0.5 / s
        innovation_bar = 2.0 * (s_bar * innovation)
        s_bar -= s_bar * innovation**2 / s
        # line 10: p = (1.0 - gain) * p
        gain_bar = -(p_bar * p)
        p_bar *= 1.0 - gain
        # line 9: x = x + gain * innovation
        gain_bar += x_bar * innovation
        innovation_bar += x_bar * gain
        # line 8: gain = p / s
        t = gain_bar / s
        p_bar += t
        s_bar -= t * p / s
        # line 7: s = p + r
        p_bar += s_bar
        r_bar += s_bar
        # line 6: innovation = z - x
        x_bar -= innovation_bar
        # line 5: p = p + q
        q_bar += p_bar
        measurements_bar[i] += innovation_bar
    return measurements_bar, q_bar, r_bar
