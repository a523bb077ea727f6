"""Tests of rules at samples: one test for each function, at all of its samples.

In: a test of a record and a sample, and where to run it. Out: a test that pytest sees once for each
function, since a test for each sample would spend its time on being reported.

    @at_samples(cases())
    def test_rule(p, s): ...        ->   test_rule[np.sin], test_rule[np.cos] ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

__all__ = ["at_samples"]


def at_samples(cases: Sequence[Any]) -> Callable[[Callable[..., None]], Callable[[str], None]]:
    """Run a test of ``(p, s)`` at every case; one that fails says at which."""
    groups: dict[str, list[Any]] = {}
    for case in cases:
        groups.setdefault(case.values[0].name, []).append(case)

    def decorate(test: Callable[..., None]) -> Callable[[str], None]:
        @pytest.mark.parametrize("name", groups)
        def at_all(name: str) -> None:
            for case in groups[name]:
                try:
                    test(*case.values)
                except Exception as error:
                    error.add_note(f"at the sample {case.id}: {case.values[1]}")
                    raise

        at_all.__name__ = at_all.__qualname__ = test.__name__
        at_all.__doc__ = test.__doc__
        at_all.__module__ = test.__module__
        return at_all

    return decorate
