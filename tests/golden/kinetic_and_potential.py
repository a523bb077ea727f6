def kinetic_and_potential_grad(body, g):
    mass = body.mass
    position = body.position
    velocity = body.velocity
    position_2 = position[2]
    # reverse sweep
    position_bar = np.zeros_like(position)
    # line 3: return kinetic + body.mass * g * body.position[2]
    position_bar[2] += mass * g
    mass_bar = position_2 * g
    g_bar = position_2 * mass
    # line 2: kinetic = 0.5 * body.mass * np.sum(body.velocity**2)
    velocity_bar = mass * velocity
    mass_bar += 0.5 * np.sum(velocity**2)
    return Body(mass=float(mass_bar), position=position_bar, velocity=velocity_bar), float(g_bar)
