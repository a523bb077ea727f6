def n_body_grad(positions, velocities, masses):
    q = positions.copy()
    v = velocities.copy()
    tape = []
    for _ in range(3):
        tape_2 = []
        for i in range(len(q)):
            tape_3 = []
            for j in range(len(q)):
                if i == j:
                    d = None
                    t = None
                    t_2 = 0.0
                    t_3 = 0.0
                else:
                    d = q[j] - q[i]
                    t = 0.02 * masses[j] * d
                    t_2 = d @ d + 0.1
                    t_3 = t_2**1.5
                    v[i] += t / t_3
                tape_3.append((j, t_3, t, t_2, d))
            tape_2.append((i, tape_3))
        tape.append(tape_2)
        q += 0.02 * v
    # reverse sweep
    # line 12: return 0.5 * np.sum(masses * np.sum(v**2, axis=1)) + np.sum(q**2)
    q_bar = 2.0 * q
    masses_bar = 0.5 * np.sum(v**2, axis=1)
    v_bar = masses[:, None] * v
    for tape_2 in tape[::-1]:
        # line 11: q += 0.02 * v
        v_bar += 0.02 * q_bar
        for i, tape_3 in tape_2[::-1]:
            for j, t_3, t, t_2, d in tape_3[::-1]:
                if i != j:
                    # line 10: v[i] += 0.02 * masses[j] * d / (d @ d + 0.1) ** 1.5
                    t_4 = ratio(v_bar[i], t_3)
                    d_bar = -3.0 * (ratio(t_4 * t, t_3).sum() * t_2**0.5) * d
                    d_bar += 0.02 * masses[j] * t_4
                    masses_bar[j] += 0.02 * np.sum(t_4 * d)
                    # line 9: d = q[j] - q[i]
                    q_bar[i] -= d_bar
                    q_bar[j] += d_bar
    return q_bar, v_bar, masses_bar
