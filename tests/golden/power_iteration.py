def power_iteration_grad(A, v, steps):
    tape = []
    for _ in range(steps):
        v_2 = A @ v
        root = np.sqrt(v_2 @ v_2)
        tape.append((v, v_2, root))
        v = v_2 / root
    v_bar = v @ A
    # reverse sweep
    # line 5: return v @ A @ v
    A_bar = np.outer(v, v)
    v_bar += A @ v
    rows = []
    vs = []
    for v, v_2, root in tape[::-1]:
        # line 4: v = v / np.sqrt(v @ v)
        v_2_bar = ratio(v_bar, root)
        v_2_bar -= 2.0 * ratio(ratio(v_2_bar * v_2, root).sum(), 2.0 * root) * v_2
        # line 3: v = A @ v
        v_bar = A.T @ v_2_bar
        rows.append(v_2_bar)
        vs.append(v)
    A_bar += np.array(rows).T @ np.array(vs)
    return A_bar, v_bar
