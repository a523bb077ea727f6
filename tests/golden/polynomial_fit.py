def polynomial_fit_grad(coefficients, points):
    (x, y), (x_2, y_2), (x_3, y_3) = points
    items = []
    tape = []
    for k, c in enumerate(coefficients):
        t = x**k
        tape.append((k, t))
        items.append(c * t)
    p = sum(items)
    items_2 = []
    tape_2 = []
    for k, c in enumerate(coefficients):
        t = x_2**k
        tape_2.append((k, t))
        items_2.append(c * t)
    p_2 = sum(items_2)
    items_3 = []
    tape_3 = []
    for k, c in enumerate(coefficients):
        t = x_3**k
        tape_3.append((k, t))
        items_3.append(c * t)
    p_3 = sum(items_3)
    # reverse sweep
    # line 5: loss += (p - y) ** 2
    p_3_bar = 2.0 * (p_3 - y_3)
    # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
    t = [p_3_bar] * len(items_3)
    coefficients_bar = zeros_like(coefficients)
    for k, t_2 in tape_3[::-1]:
        # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
        t_3 = t.pop()
        coefficients_bar[k] += t_3 * t_2
    # line 5: loss += (p - y) ** 2
    p_2_bar = 2.0 * (p_2 - y_2)
    # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
    t = [p_2_bar] * len(items_2)
    for k, t_2 in tape_2[::-1]:
        # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
        t_3 = t.pop()
        coefficients_bar[k] += t_3 * t_2
    # line 5: loss += (p - y) ** 2
    p_bar = 2.0 * (p - y)
    # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
    t = [p_bar] * len(items)
    for k, t_2 in tape[::-1]:
        # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
        t_3 = t.pop()
        coefficients_bar[k] += t_3 * t_2
    return coefficients_bar
