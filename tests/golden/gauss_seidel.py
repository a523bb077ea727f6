def gauss_seidel_grad(A, b, sweeps):
    x = np.zeros_like(b)
    tape = []
    for _ in range(sweeps):
        tape_2 = []
        for i in range(len(b)):
            s = b[i]
            tape_3 = []
            for j in range(len(b)):
                if j != i:
                    x_j = x[j]
                    s -= A[i, j] * x_j
                else:
                    x_j = 0.0
                tape_3.append((j, x_j))
            tape_2.append((i, tape_3, s))
            x[i] = s / A[i, i]
        tape.append(tape_2)
    # reverse sweep
    # line 10: return np.sum(x**2)
    x_bar = 2.0 * x
    b_bar = np.zeros_like(b)
    A_bar = np.zeros_like(A)
    for tape_2 in tape[::-1]:
        for i, tape_3, s in tape_2[::-1]:
            A_ii = A[i, i]
            # line 9: x[i] = s / A[i, i]
            x_bar_i = x_bar[i]
            x_bar[i] = 0.0
            s_bar = ratio(x_bar_i, A_ii)
            A_bar[i, i] -= ratio(s_bar * s, A_ii)
            for j, x_j in tape_3[::-1]:
                if j != i:
                    # line 8: s -= A[i, j] * x[j]
                    x_bar[j] -= s_bar * A[i, j]
                    A_bar[i, j] -= s_bar * x_j
            # line 5: s = b[i]
            b_bar[i] += s_bar
    return A_bar, b_bar
