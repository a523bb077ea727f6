def composed_grad(x):
    x_2 = math.sin(x)
    x_3 = x_2 * x_2 + x_2
    x_3 = math.exp(x_3)
    # reverse sweep
    # line 4: x = step(x)
    x_2_bar = x_3 + 2.0 * (x_3 * x_2)
    x_bar = x_2_bar * math.cos(x)
    return x_bar
