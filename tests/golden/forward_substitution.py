def forward_substitution_grad(L, b):
    x = np.zeros_like(b)
    tape = []
    for i in range(len(b)):
        t = b[i] - L[i, :i] @ x[:i]
        tape.append((i, t))
        x[i] = t / L[i, i]
    # reverse sweep
    # line 5: return x @ x
    x_bar = 2.0 * x
    b_bar = np.zeros_like(b)
    L_bar = np.zeros_like(L)
    for i, t in tape[::-1]:
        L_ii = L[i, i]
        t_2 = L[i, :i]
        # line 4: x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
        x_bar_i = x_bar[i]
        x_bar[i] = 0.0
        t_3 = ratio(x_bar_i, L_ii)
        L_bar[i, i] -= ratio(t_3 * t, L_ii)
        x_bar[:i] += unbroadcast(-(t_3 * t_2), b[:i])
        L_bar[i, :i] += unbroadcast(-(t_3 * x[:i]), t_2)
        b_bar[i] += t_3
    return L_bar, b_bar
