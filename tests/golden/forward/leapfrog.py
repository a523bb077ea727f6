def leapfrog_jvp(q, p, steps, q_dot, p_dot):
    energy = 0.0
    energy_dot = 0.0
    for _ in range(steps):
        p_dot = p_dot - 0.05 * q_dot
        p = p - 0.05 * q
        q_dot = q_dot + 0.1 * p_dot
        q = q + 0.1 * p
        p_dot = p_dot - 0.05 * q_dot
        p = p - 0.05 * q
        energy_dot += 0.5 * (2.0 * (p_dot * p) + 2.0 * (q_dot * q))
        energy += 0.5 * (p * p + q * q)
    return energy / steps, energy_dot / steps
