def pairwise_energy_grad(positions, sigma):
    tape = []
    for i in range(len(positions)):
        tape_2 = []
        for j in range(i):
            d = positions[i] - positions[j]
            r2 = d @ d
            tape_2.append((j, d, r2))
        tape.append((i, tape_2))
    # reverse sweep
    positions_bar = np.zeros_like(positions)
    sigma_bar = 0.0
    for i, tape_2 in tape[::-1]:
        for j, d, r2 in tape_2[::-1]:
            t = sigma**2
            t_2 = t / r2
            # line 7: energy += 4.0 * ((sigma**2 / r2) ** 6 - (sigma**2 / r2) ** 3)
            t_3 = t_2**2
            r2_bar = ratio(ratio(12.0 * t_3, r2) * t, r2)
            sigma_bar += 2.0 * (ratio(-12.0 * t_3, r2) * sigma)
            t_2 = ratio(24.0 * t_2**5, r2)
            r2_bar -= ratio(t_2 * t, r2)
            sigma_bar += 2.0 * (t_2 * sigma)
            # line 6: r2 = d @ d
            d_bar = 2.0 * r2_bar * d
            # line 5: d = positions[i] - positions[j]
            positions_bar[j] -= d_bar
            positions_bar[i] += d_bar
    return positions_bar, float(sigma_bar)
