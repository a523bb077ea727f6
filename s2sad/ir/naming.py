"""Names of functions that no other function of a module has.

In: a name and those that are taken. Out: the name, with a number where it is one of them.

    "step", {"step", "step_2"}   ->   "step_3"
"""

from __future__ import annotations

from collections.abc import Container

__all__ = ["unused"]


def unused(name: str, taken: Container[str]) -> str:
    """The name, or the first with a number that is not taken.

    >>> unused("step", {"step", "step_2"}), unused("move", {"step"})
    ('step_3', 'move')
    """
    new, number = name, 1
    while new in taken:
        number += 1
        new = f"{name}_{number}"
    return new
