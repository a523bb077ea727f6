def masked_loss_grad(prediction, target):
    error = prediction - target
    mask = target < 0.0
    error[mask] = 0.0
    mask_2 = np.abs(error) < 1.0
    # reverse sweep
    # line 4: return np.sum(np.where(np.abs(error) < 1.0, 0.5 * error**2, np.abs(error) - 0...
    t = np.where(mask_2, 1.0, 0.0)
    error_bar = np.where(mask_2, 0.0, 1.0) * np.sign(error)
    error_bar += unless_zero(0.5 * t, t * error)
    # line 3: error[target < 0.0] = 0.0
    error_bar[mask] = 0.0
    # line 2: error = prediction - target
    target_bar = -error_bar
    return error_bar, target_bar
