def rnn_grad(params, inputs):
    W = params["W"]
    U = params["U"]
    h = np.zeros(3)
    tape = []
    for x in inputs:
        h_new = np.tanh(W @ h + U * x)
        tape.append((h, x, h_new))
        h = h_new
    # reverse sweep
    h_bar = np.zeros_like(h)
    W_bar = np.zeros_like(W)
    U_bar = np.zeros_like(U)
    rows = []
    hs = []
    for h, x, h_new in tape[::-1]:
        # line 6: loss += h @ h
        h_bar += 2.0 * h_new
        # line 5: h = np.tanh(params["W"] @ h + params["U"] * x)
        t = h_bar * (1 - h_new * h_new)
        U_bar += t * x
        h_bar = W.T @ t
        rows.append(t)
        hs.append(h)
    W_bar += np.array(rows).T @ np.array(hs)
    return {"W": W_bar, "U": U_bar}
