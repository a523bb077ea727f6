def distance_grad(x, y, z):
    r = math.sqrt(x * x + y * y + z * z)
    t = r**2
    # reverse sweep
    # line 3: return 1.0 / r - 2.0 / r**2
    r_bar = 2.0 * (2.0 / t / t * r)
    r_bar -= 1.0 / r / r
    # line 2: r = math.sqrt(x * x + y * y + z * z)
    t = ratio(r_bar, 2.0 * r)
    z_bar = 2.0 * (t * z)
    y_bar = 2.0 * (t * y)
    x_bar = 2.0 * (t * x)
    return x_bar, y_bar, z_bar
