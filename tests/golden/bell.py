def bell_grad(x):
    t = x**2
    # reverse sweep
    # line 2: return math.exp(math.sin(x**2))
    x_bar = 2.0 * (math.exp(math.sin(t)) * math.cos(t) * x)
    return x_bar
