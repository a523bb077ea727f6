"""Programs that have broken other differentiators, by number: the smallest that show the trap.

1-22 names and aliases (names.py), 23-40 control flow (flow.py), 41-65 values (values.py); those on
the tool itself, 66-80, are tests of their own in tests/test_tricky.py.
"""

from tests.programs.tricky.flow import FLOW
from tests.programs.tricky.names import NAMES
from tests.programs.tricky.values import VALUES

PROGRAMS = [*NAMES, *FLOW, *VALUES]
