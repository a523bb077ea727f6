def k_means_grad(points, centres, rounds):
    tape = []
    for _ in range(rounds):
        items = [np.argmin(np.sum((p - centres) ** 2, axis=1)) for p in points]
        nearest = np.array(items)
        items = []
        tape_2 = []
        for k in range(len(centres)):
            mask = nearest == k
            tape_2.append(mask)
            items.append(points[mask].mean(axis=0))
        tape.append((tape_2, centres, items))
        centres = np.stack(items)
    if len(nearest) != len(points):
        raise ValueError("zip() is strict, and its arguments differ in length")
    tape_2 = []
    for i, (p, k) in enumerate(zip(points, nearest)):
        tape_2.append((i, p - centres[k]))
    # reverse sweep
    points_bar = np.zeros_like(points)
    centres_bar = np.zeros_like(centres)
    for i, t in tape_2[::-1]:
        k = nearest[i]
        # line 7: loss += np.sum((p - centres[k]) ** 2)
        p_bar = 2.0 * t
        centres_bar[k] += unbroadcast(-2.0 * t, centres[k])
        points_bar[i] += p_bar
    for tape_2, centres, items in tape[::-1]:
        # line 4: centres = np.stack([points[nearest == k].mean(axis=0) for k in range(len(cent...
        items_bar = unstack(centres_bar, items)
        for mask in tape_2[::-1]:
            t = points[mask]
            # line 4: centres = np.stack([points[nearest == k].mean(axis=0) for k in range(len(c...
            t_2 = items_bar.pop()
            points_bar[mask] += np.broadcast_to(t_2 / len(t), t.shape)
        centres_bar = np.zeros_like(centres)
    return points_bar
