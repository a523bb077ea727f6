def heating_grad(params, steps):
    ambient = params["ambient"]
    source = params["source"]
    conductivity = params["conductivity"]
    power = params["power"]
    limit = params["limit"]
    T = np.full(6, ambient)
    T[0] = source
    tape = []
    for _ in range(steps):
        t = T[2:] - 2.0 * T[1:-1] + T[:-2]
        flow = conductivity * t
        T[1:-1] += flow
        T_3 = T[3]
        tape.append((t, T_3))
        T[3] += power * (1.0 - T_3 / limit)
        T[-1] = T[-2]
    # reverse sweep
    # line 9: return np.mean(T)
    T_bar = np.full_like(T, 1.0 / 6)
    conductivity_bar = 0.0
    limit_bar = 0.0
    power_bar = 0.0
    for t, T_3 in tape[::-1]:
        # line 8: T[-1] = T[-2]
        T_bar_last = T_bar[-1]
        T_bar[-1] = 0.0
        T_bar[-2] += T_bar_last
        # line 7: T[3] += params["power"] * (1.0 - T[3] / params["limit"])
        T_bar_3 = T_bar[3]
        power_bar += T_bar_3 * (1.0 - T_3 / limit)
        t_2 = ratio(T_bar_3 * power, limit)
        limit_bar += ratio(t_2 * T_3, limit)
        T_bar[3] -= t_2
        # line 6: T[1:-1] += flow
        flow_bar = T_bar[1:-1]
        # line 5: flow = params["conductivity"] * (T[2:] - 2.0 * T[1:-1] + T[:-2])
        t_2 = flow_bar * conductivity
        conductivity_bar += np.vdot(flow_bar, t)
        T_bar[:-2] += t_2
        T_bar[1:-1] -= 2.0 * t_2
        T_bar[2:] += t_2
    # line 3: T[0] = params["source"]
    source_bar = T_bar[0]
    T_bar[0] = 0.0
    # line 2: T = np.full(6, params["ambient"])
    ambient_bar = T_bar.sum()
    return {
        "ambient": float(ambient_bar),
        "source": float(source_bar),
        "conductivity": float(conductivity_bar),
        "power": float(power_bar),
        "limit": float(limit_bar),
    }
