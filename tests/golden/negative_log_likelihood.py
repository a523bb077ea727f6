def negative_log_likelihood_grad(model, data):
    model_0, model_1 = model
    # reverse sweep
    # line 6: return total / len(data)
    total_bar = ratio(1.0, len(data))
    t = 0.0
    t_2 = 0.0
    for x in data[::-1]:
        t_3 = x - model_0
        z = t_3 / model_1
        # line 5: total += 0.5 * z * z + np.log(model.width)
        t_2 += ratio(total_bar, model_1)
        z_bar = 2.0 * (0.5 * (total_bar * z))
        # line 4: z = (x - model.mean) / model.width
        t_4 = z_bar / model_1
        t_2 -= t_4 * t_3 / model_1
        t -= t_4
    return Gauss(float(t), float(t_2))
