def polynomial_fit_grad(coefficients, points):
    (x, y), (x_2, y_2), (x_3, y_3) = points
    items = []
    tape = []
    for k, c in enumerate(coefficients):
        t = x**k
        tape.append((k, t))
        items.append(c * t)
    p = sum(items)
    items = []
    tape_2 = []
    for k, c in enumerate(coefficients):
        t = x_2**k
        tape_2.append((k, t))
        items.append(c * t)
    p_2 = sum(items)
    items = []
    tape_3 = []
    for k, c in enumerate(coefficients):
        t = x_3**k
        tape_3.append((k, t))
        items.append(c * t)
    p_3 = sum(items)
    # reverse sweep
    # line 5: loss += (p - y) ** 2
    p_3_bar = 2.0 * (p_3 - y_3)
    coefficients_bar = zeros_like(coefficients)
    for k, t in tape_3[::-1]:
        # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
        coefficients_bar[k] += p_3_bar * t
    # line 5: loss += (p - y) ** 2
    p_2_bar = 2.0 * (p_2 - y_2)
    for k, t in tape_2[::-1]:
        # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
        coefficients_bar[k] += p_2_bar * t
    # line 5: loss += (p - y) ** 2
    p_bar = 2.0 * (p - y)
    for k, t in tape[::-1]:
        # line 4: p = sum(c * x**k for k, c in enumerate(coefficients))
        coefficients_bar[k] += p_bar * t
    return coefficients_bar
