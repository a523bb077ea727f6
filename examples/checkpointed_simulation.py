"""A simulation of 100 000 steps of 10 000 numbers, differentiated in under 200 MiB.

Kept whole, its states take 8 GB. `checkpointed` keeps some and repeats steps from them.

    python examples/checkpointed_simulation.py                  the whole of it: half a minute
    python examples/checkpointed_simulation.py 2000 10000       steps, numbers in the state
"""

import sys
import time

import numpy as np

from s2sad import checkpointed, value_and_grad


def diffuse(rate, steps, size, memory):
    """Waves that spread out and saturate; how much is left, as a function of the rate."""
    u = np.sin(np.linspace(0.0, 40.0, size))
    for _ in checkpointed(range(steps), memory=memory):
        u[1:-1] += rate * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * (1.0 - u[1:-1] ** 2)
    return np.mean(u**2)


def megabytes():
    """The most memory this process has taken so far."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


def main(steps=100_000, size=10_000, memory="64MiB"):
    """Differentiate, and check the slope against a difference."""
    derivative = value_and_grad(diffuse)
    derivative(0.2, 3, size, memory)  # compile
    start = time.perf_counter()
    value, slope = derivative(0.2, steps, size, memory)
    took = time.perf_counter() - start
    eps = 1e-5
    ahead, behind = (diffuse(0.2 + h, steps, size, memory) for h in (eps, -eps))
    print(f"what is left: {value:.10f}")
    print(f"its slope:    {slope:.10f}")
    print(f"a difference: {(ahead - behind) / 2 / eps:.10f}")
    print(f"{steps} steps of {size} numbers: {took:.1f} s, {megabytes():.0f} MiB in all")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
