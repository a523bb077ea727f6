def negative_log_likelihood_grad(model, data):
    mean, width = model
    # reverse sweep
    # line 6: return total / len(data)
    total_bar = ratio(1.0, len(data))
    mean_bar = 0.0
    width_bar = 0.0
    for x in data[::-1]:
        t = x - mean
        z = t / width
        # line 5: total += 0.5 * z * z + np.log(model.width)
        width_bar += ratio(total_bar, width)
        z_bar = total_bar * z
        # line 4: z = (x - model.mean) / model.width
        t_2 = z_bar / width
        width_bar -= t_2 * t / width
        mean_bar -= t_2
    return Gauss(float(mean_bar), float(width_bar))
