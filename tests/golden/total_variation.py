def total_variation_grad(image):
    t = image[:, 1:]
    dx = t - image[:, :-1]
    t_2 = image[1:, :]
    dy = t_2 - image[:-1, :]
    t_3 = dx[:-1]
    t_4 = dy[:, :-1]
    # reverse sweep
    # line 4: return np.sum(np.sqrt(dx[:-1] ** 2 + dy[:, :-1] ** 2 + 1e-3))
    t_5 = 0.5 / np.sqrt(t_3**2 + t_4**2 + 0.001)
    dy_bar = np.zeros_like(t_2)
    dy_bar[:, :-1] += 2.0 * (t_5 * t_4)
    dx_bar = np.zeros_like(t)
    dx_bar[:-1] += 2.0 * (t_5 * t_3)
    image_bar = np.zeros_like(image)
    # line 3: dy = image[1:, :] - image[:-1, :]
    image_bar[:-1, :] -= dy_bar
    image_bar[1:, :] += dy_bar
    # line 2: dx = image[:, 1:] - image[:, :-1]
    image_bar[:, :-1] -= dx_bar
    image_bar[:, 1:] += dx_bar
    return image_bar
