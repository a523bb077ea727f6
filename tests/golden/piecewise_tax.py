def piecewise_tax_grad(income, rate):
    cond = income < 1.0
    if cond:
        tax = 0.0
    elif income < 3.0:
        tax = rate * (income - 1.0)
    else:
        t = (income - 3.0) ** 1.5
        tax = 2.0 * rate + 2.0 * rate * t
    t_2 = 1.0 - 0.01 * income
    # reverse sweep
    # line 8: return tax * (1.0 - 0.01 * income)
    income_bar = -0.01 * tax
    if cond:
        rate_bar = 0.0
    elif income < 3.0:
        # line 5: tax = rate * (income - 1.0)
        rate_bar = t_2 * (income - 1.0)
        income_bar += t_2 * rate
    else:
        # line 7: tax = 2.0 * rate + 2.0 * rate * (income - 3.0) ** 1.5
        income_bar += 3.0 * (t_2 * rate * (income - 3.0) ** 0.5)
        rate_bar = 2.0 * (t_2 * t)
        rate_bar += 2.0 * t_2
    return income_bar, rate_bar
