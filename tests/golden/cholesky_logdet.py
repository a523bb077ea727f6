def cholesky_logdet_grad(A):
    n = len(A)
    L = np.zeros_like(A)
    tape = []
    for j in range(n):
        s = A[j, j]
        for k in range(j):
            s -= L[j, k] ** 2
        root = math.sqrt(s)
        L[j, j] = root
        tape_2 = []
        for i in range(j + 1, n):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            tape_2.append((i, s))
            L[i, j] = s / L[j, j]
        tape.append((j, tape_2, root))
    # reverse sweep
    L_bar = np.zeros_like(A)
    for i in range(n - 1, -1, -1):
        # line 16: total += 2.0 * math.log(L[i, i])
        L_bar[i, i] += 2.0 / L[i, i]
    A_bar = np.zeros_like(A)
    for j, tape_2, root in tape[::-1]:
        for i, s in tape_2[::-1]:
            L_jj = L[j, j]
            # line 13: L[i, j] = s / L[j, j]
            L_bar_ij = L_bar[i, j]
            L_bar[i, j] = 0.0
            s_bar = ratio(L_bar_ij, L_jj)
            L_bar[j, j] -= ratio(s_bar * s, L_jj)
            for k in range(j - 1, -1, -1):
                # line 12: s -= L[i, k] * L[j, k]
                L_bar[j, k] -= s_bar * L[i, k]
                L_bar[i, k] -= s_bar * L[j, k]
            # line 10: s = A[i, j]
            A_bar[i, j] += s_bar
        # line 8: L[j, j] = math.sqrt(s)
        root_bar = L_bar[j, j]
        L_bar[j, j] = 0.0
        s_bar = ratio(root_bar, 2.0 * root)
        for k in range(j - 1, -1, -1):
            # line 7: s -= L[j, k] ** 2
            L_bar[j, k] -= 2.0 * (s_bar * L[j, k])
        # line 5: s = A[j, j]
        A_bar[j, j] += s_bar
    return A_bar
