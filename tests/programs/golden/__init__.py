"""Realistic small programs whose emitted derivatives are kept as text in tests/golden/.

scalars.py: straight lines, branches, loops; arrays.py: broadcasting, views, in-place stencils;
calls.py: helpers, recursion, closures, methods; trees.py: lists, dicts, dataclasses, networks;
numerics.py: solvers and simulations.  Each returns a scalar and appears once by name.
"""

from tests.programs.golden.arrays import ARRAYS
from tests.programs.golden.calls import CALLS
from tests.programs.golden.numerics import NUMERICS
from tests.programs.golden.scalars import SCALARS
from tests.programs.golden.trees import TREES

PROGRAMS = [*SCALARS, *ARRAYS, *CALLS, *TREES, *NUMERICS]
