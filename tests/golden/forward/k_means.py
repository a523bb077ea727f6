def k_means_jvp(points, centres, rounds, points_dot):
    centres_dot = np.zeros_like(centres)
    for _ in range(rounds):
        items = [np.argmin(np.sum((p - centres) ** 2, axis=1)) for p in points]
        nearest = np.array(items)
        items = []
        items_dot = []
        for k in range(len(centres)):
            mask = nearest == k
            items_dot.append(points_dot[mask].mean(axis=0))
            items.append(points[mask].mean(axis=0))
        centres = np.stack(items)
        centres_dot = np.broadcast_to(np.stack(items_dot), centres.shape)
    if len(nearest) != len(points):
        raise ValueError("zip() is strict, and its arguments differ in length")
    loss = 0.0
    loss_dot = 0.0
    for i, (p, k) in enumerate(zip(points, nearest)):
        p_dot = points_dot[i]
        t = p - centres[k]
        loss_dot += 2.0 * np.sum((p_dot - centres_dot[k]) * t)
        loss += np.sum(t**2)
    return loss, typed_like(loss_dot, loss)
