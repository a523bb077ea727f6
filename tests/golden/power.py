def power_grad(x, n):
    _, saved = power_call_forward(x, n)
    x_bar = power_call_reverse(saved, 1.0)
    return x_bar


def power_call_reverse(saved, g):
    t, n, half, x, saved = saved
    if t:
        x_bar = 0.0
    else:
        if n % 2:
            # line 5: return half * half * x if n % 2 else half * half
            x_bar = g * (half * half)
            half_bar = 2.0 * (g * x * half)
        else:
            # line 5: return half * half * x if n % 2 else half * half
            half_bar = 2.0 * (g * half)
            x_bar = 0.0
        # line 4: half = power(x, n // 2)
        x_bar_2 = power_call_reverse(saved, half_bar)
        x_bar += x_bar_2
    return x_bar


def power_call_forward(x, n):
    cond = n == 0
    if cond:
        t = 1.0
        saved = None
        half = 0.0
    else:
        half, saved = power_call_forward(x, n // 2)
        t = half * half * x if n % 2 else half * half
    saved = cond, n, half, x, saved
    return t, saved
