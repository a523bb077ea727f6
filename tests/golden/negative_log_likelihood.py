def negative_log_likelihood_grad(model, data):
    model_0, model_1 = model
    # reverse sweep
    # line 6: return total / len(data)
    total_bar = ratio(1.0, len(data))
    model_0_bar = 0.0
    model_1_bar = 0.0
    for x in data[::-1]:
        # line 4: z = (x - model.mean) / model.width
        t = x - model_0
        z = t / model_1
        # line 5: total += 0.5 * z * z + np.log(model.width)
        model_1_bar += ratio(total_bar, model_1)
        z_bar = 2.0 * (0.5 * (total_bar * z))
        # line 4: z = (x - model.mean) / model.width
        t_2 = z_bar / model_1
        model_1_bar -= t_2 * t / model_1
        model_0_bar -= t_2
    return Gauss(float(model_0_bar), float(model_1_bar))
