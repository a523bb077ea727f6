def double_sum_grad(x, y, n):
    tape = []
    total = 0.0
    for i in range(n):
        for j in range(i):
            total += (x - i) * (y + j) / (1.0 + i + j)
        tape.append((i, total))
        total *= x
    # reverse sweep
    x_bar = 0.0
    y_bar = 0.0
    total_bar = 1.0
    for i, total in tape[::-1]:
        # line 6: total *= x
        x_bar += total_bar * total
        total_bar *= x
        for j in range(i - 1, -1, -1):
            # line 5: total += (x - i) * (y + j) / (1.0 + i + j)
            t = total_bar / (1.0 + i + j)
            y_bar += t * (x - i)
            x_bar += t * (y + j)
    return x_bar, y_bar
