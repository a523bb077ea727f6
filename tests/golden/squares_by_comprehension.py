def squares_by_comprehension_grad(xs, s):
    scaled = [s * x for x in xs]
    items = [v for v in scaled if v < 2.0]
    t = max(items)
    # reverse sweep
    # line 4: return sum(scaled) * table["square"] + table["s"] * max(v for v in scaled if...
    items_bar = share_ties(s**1, t, items)
    scaled_bar = zeros_like(scaled)
    for i in range(len(scaled) - 1, -1, -1):
        v = scaled[i]
        if v < 2.0:
            # line 4: return sum(scaled) * table["square"] + table["s"] * max(v for v in scaled...
            v_bar = items_bar.pop()
        else:
            v_bar = 0.0
        # line 4: return sum(scaled) * table["square"] + table["s"] * max(v for v in scaled if...
        scaled_bar[i] += v_bar
    # line 4: return sum(scaled) * table["square"] + table["s"] * max(v for v in scaled if...
    scaled_bar = add(scaled_bar, [s**2] * len(scaled))
    # line 3: table = {name: s**k for k, name in enumerate(("one", "s", "square"))}
    s_bar = 2.0 * (sum(scaled) * s)
    s_bar += t
    xs_bar = zeros_like(xs)
    for i in range(len(xs) - 1, -1, -1):
        x = xs[i]
        # line 2: scaled = [s * x for x in xs]
        t = scaled_bar.pop()
        s_bar += t * x
        xs_bar[i] += t * s
    return xs_bar, s_bar
