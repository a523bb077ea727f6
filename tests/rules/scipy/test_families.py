"""The rules of each part of SciPy stand without those of the others, as programs load them."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("scipy")

from s2sad.rules.optional import _FAMILIES

#: Checks every record that loading a part enters, at its first sample.
_ALONE = """
import sys, warnings
import numpy as np
import s2sad.rules
from s2sad.rules.checking import check_sample
from s2sad.rules.optional import _load
from s2sad.rules.registry import primitives
known = set(primitives())
_load(sys.argv[1])
entered = [p for name, p in primitives().items() if name not in known]
assert entered
for p in entered:
    if p.differentiable:
        for sample in (p.samples() if callable(p.samples) else p.samples)[:1]:
            check_sample(p, sample)
"""


@pytest.mark.parametrize("family", _FAMILIES)
def test_rules_of_a_part_stand_alone(family: str) -> None:
    command = [sys.executable, "-c", _ALONE, family]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
