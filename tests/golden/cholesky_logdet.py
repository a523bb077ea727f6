def cholesky_logdet_grad(A):
    n = len(A)
    L = np.zeros_like(A)
    tape = []
    for j in range(n):
        s = A[j, j]
        tape_2 = []
        for k in range(j):
            L_jk = L[j, k]
            tape_2.append((k, L_jk))
            s -= L_jk**2
        root = math.sqrt(s)
        L[j, j] = root
        tape_3 = []
        for i in range(j + 1, n):
            s = A[i, j]
            tape_4 = []
            for k in range(j):
                L_ik = L[i, k]
                L_jk = L[j, k]
                tape_4.append((k, L_ik, L_jk))
                s -= L_ik * L_jk
            L_jj = L[j, j]
            tape_3.append((i, tape_4, s, L_jj))
            L[i, j] = s / L_jj
        tape.append((j, tape_3, tape_2, root))
    # reverse sweep
    L_bar = np.zeros_like(A)
    for i in range(n - 1, -1, -1):
        # line 16: total += 2.0 * math.log(L[i, i])
        L_bar[i, i] += 2.0 / L[i, i]
    A_bar = np.zeros_like(A)
    for j, tape_3, tape_2, root in tape[::-1]:
        for i, tape_4, s, L_jj in tape_3[::-1]:
            # line 13: L[i, j] = s / L[j, j]
            L_bar_ij = L_bar[i, j]
            L_bar[i, j] = 0.0
            s_bar = ratio(L_bar_ij, L_jj)
            L_bar[j, j] -= ratio(s_bar * s, L_jj)
            for k, L_ik, L_jk in tape_4[::-1]:
                # line 12: s -= L[i, k] * L[j, k]
                L_bar[j, k] -= s_bar * L_ik
                L_bar[i, k] -= s_bar * L_jk
            # line 10: s = A[i, j]
            A_bar[i, j] += s_bar
        # line 8: L[j, j] = math.sqrt(s)
        root_bar = L_bar[j, j]
        L_bar[j, j] = 0.0
        s_bar = ratio(root_bar, 2.0 * root)
        for k, L_jk in tape_2[::-1]:
            # line 7: s -= L[j, k] ** 2
            L_bar[j, k] -= 2.0 * (s_bar * L_jk)
        # line 5: s = A[j, j]
        A_bar[j, j] += s_bar
    return A_bar
