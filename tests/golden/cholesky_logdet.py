def cholesky_logdet_grad(A):
    n = len(A)
    L = np.zeros_like(A)
    tape = []
    for j in range(n):
        s = A[j, j]
        tape_2 = []
        for k in range(j):
            t = L[j, k]
            tape_2.append((k, t))
            s -= t ** 2
        t = math.sqrt(s)
        L[j, j] = t
        tape_3 = []
        for i in range(j + 1, n):
            s = A[i, j]
            tape_4 = []
            for k in range(j):
                t_2 = L[i, k]
                t_3 = L[j, k]
                tape_4.append((k, t_2, t_3))
                s -= t_2 * t_3
            t_2 = L[j, j]
            tape_3.append((i, tape_4, s, t_2))
            L[i, j] = s / t_2
        tape.append((j, tape_3, tape_2, t))
    # reverse sweep
    L_bar = np.zeros_like(A)
    for i in range(n - 1, -1, -1):
        # line 16: total += 2.0 * math.log(L[i, i])
        L_bar[i, i] += 2.0 / L[i, i]
    A_bar = np.zeros_like(A)
    for j, tape_3, tape_2, t in tape[::-1]:
        for i, tape_4, s, t_2 in tape_3[::-1]:
            # line 13: L[i, j] = s / L[j, j]
            t_3 = L_bar[i, j]
            L_bar[i, j] = 0.0
            s_bar = ratio(t_3, t_2)
            L_bar[j, j] -= ratio(s_bar * s, t_2)
            for k, t_2, t_3 in tape_4[::-1]:
                # line 12: s -= L[i, k] * L[j, k]
                L_bar[j, k] -= s_bar * t_2
                L_bar[i, k] -= s_bar * t_3
            # line 10: s = A[i, j]
            A_bar[i, j] += s_bar
        # line 8: L[j, j] = math.sqrt(s)
        t_2 = L_bar[j, j]
        L_bar[j, j] = 0.0
        s_bar = ratio(t_2, 2.0 * t)
        for k, t in tape_2[::-1]:
            # line 7: s -= L[j, k] ** 2
            L_bar[j, k] -= 2.0 * (s_bar * t)
        # line 5: s = A[j, j]
        A_bar[j, j] += s_bar
    return A_bar
