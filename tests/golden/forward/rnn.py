def rnn_jvp(params, inputs, params_dot):
    W_dot = params_dot["W"]
    W = params["W"]
    U_dot = params_dot["U"]
    U = params["U"]
    h = np.zeros(3)
    h_dot = np.zeros_like(h)
    loss = 0.0
    loss_dot = 0.0
    for x in inputs:
        h_new = np.tanh(W @ h + U * x)
        h_dot = (W_dot @ h + W @ h_dot + U_dot * x) * (1 - h_new * h_new)
        loss_dot += 2.0 * (h_dot @ h_new)
        loss += h_new @ h_new
        h = h_new
    return loss, typed_like(loss_dot, loss)
