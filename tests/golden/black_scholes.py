def black_scholes_grad(s, k, t, rate, vol):
    r = s / k
    r_2 = rate + 0.5 * vol**2
    r_3 = math.log(r) + r_2 * t
    root = math.sqrt(t)
    r_4 = vol * root
    d1 = r_3 / r_4
    root_2 = math.sqrt(t)
    d2 = d1 - vol * root_2
    root_3 = math.sqrt(2.0)
    r_5 = d1 / root_3
    n1 = 0.5 * (1.0 + math.erf(r_5))
    root_4 = math.sqrt(2.0)
    r_6 = d2 / root_4
    n2 = 0.5 * (1.0 + math.erf(r_6))
    r_7 = math.exp(-rate * t)
    # reverse sweep
    # line 6: return s * n1 - k * math.exp(-rate * t) * n2
    n2_bar = -(k * r_7)
    k_bar = -(n2 * r_7)
    r_7 *= n2 * k
    rate_bar = r_7 * t
    t_bar = r_7 * rate
    # line 5: n2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    d2_bar = 0.5641895835477563 * (n2_bar * math.exp(-(r_6 * r_6))) / root_4
    # line 4: n1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    d1_bar = 0.5641895835477563 * (s * math.exp(-(r_5 * r_5))) / root_3
    # line 3: d2 = d1 - vol * math.sqrt(t)
    d1_bar += d2_bar
    vol_bar = -(d2_bar * root_2)
    t_bar -= ratio(d2_bar * vol, 2.0 * root_2)
    # line 2: d1 = (math.log(s / k) + (rate + 0.5 * vol**2) * t) / (vol * math.sqrt(t))
    r_5 = d1_bar / r_4
    r_3 = r_5 * r_3 / r_4
    vol_bar -= r_3 * root
    t_bar -= ratio(r_3 * vol, 2.0 * root)
    r_3 = r_5 * t
    t_bar += r_5 * r_2
    rate_bar += r_3
    vol_bar += r_3 * vol
    r = r_5 / r / k
    s_bar = n1 + r
    k_bar -= r * s / k
    return s_bar, k_bar, t_bar, rate_bar, vol_bar
