def collatz_like_grad(x, depth):
    _, saved = collatz_like_call_forward(x, depth)
    x_bar = collatz_like_call_reverse(saved, 1.0)
    return x_bar


def collatz_like_call_reverse(saved, g):
    t, t_2, saved, saved_2 = saved
    if t:
        x_bar = g
    else:
        # line 4: return 0.5 * collatz_like(x * 0.6, depth - 1) + collatz_like(x - 0.4, depth -...
        t = collatz_like_call_reverse(saved, 2.0 * (g * t_2))
        t_2 = collatz_like_call_reverse(saved_2, 0.5 * g)
        x_bar = t + 0.6 * t_2
    return x_bar


def collatz_like_call_forward(x, depth):
    cond = depth == 0 or x < 0.5
    if cond:
        saved = None
        saved_2 = None
        t = 0.0
    else:
        t, saved_2 = collatz_like_call_forward(x * 0.6, depth - 1)
        t_2 = 0.5 * t
        t, saved = collatz_like_call_forward(x - 0.4, depth - 1)
        x = t_2 + t**2
    saved = cond, t, saved, saved_2
    return x, saved
