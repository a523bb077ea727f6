def leapfrog_grad(q, p, steps):
    tape = []
    for _ in range(steps):
        p = p - 0.05 * q
        q = q + 0.1 * p
        p = p - 0.05 * q
        tape.append((q, p))
    # reverse sweep
    # line 8: return energy / steps
    energy_bar = 1.0 / steps
    q_bar = 0.0
    p_bar = 0.0
    for q, p in tape[::-1]:
        # line 7: energy += 0.5 * (p * p + q * q)
        q_bar += energy_bar * q
        p_bar += energy_bar * p
        # line 6: p = p - 0.05 * q
        q_bar -= 0.05 * p_bar
        # line 5: q = q + 0.1 * p
        p_bar += 0.1 * q_bar
        # line 4: p = p - 0.05 * q
        q_bar -= 0.05 * p_bar
    return q_bar, p_bar
