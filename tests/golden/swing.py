def swing_grad(self, angle, speed, dt, length):
    tape = []
    for _ in range(8):
        tape.append(angle)
        speed = speed - dt * (9.81 / length) * math.sin(angle)
        angle = angle + dt * speed
    # reverse sweep
    # line 4: return 0.5 * speed**2 - self.rate * math.cos(angle)
    angle_bar = 9.81 / length * math.sin(angle)
    speed_bar = speed
    for angle in tape[::-1]:
        # step, line 3: return angle + self.dt * speed, speed
        speed_bar += angle_bar * dt
        # step, line 2: speed = speed - self.dt * self.rate * math.sin(angle)
        angle_bar -= speed_bar * (dt * (9.81 / length)) * math.cos(angle)
    return angle_bar, speed_bar
