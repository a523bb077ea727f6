def cost_grad(w, b, x, y):
    a = w * x + b
    t = a - y
    # reverse sweep
    # line 2: a = w * x + b
    w_bar = t * x
    return w_bar, t
