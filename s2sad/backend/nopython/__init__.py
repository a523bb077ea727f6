"""The Numba backend: the same derivative, compiled in nopython mode.

In: a module in value semantics. Out: a function compiled by Numba, and the text it was compiled
from::

    containers.py   dicts and dataclasses become tuples, which nopython mode has
    recursion.py    what recursive functions save goes on stacks that the caller passes
    tapes.py        tapes become arrays (tape_facts.py says which lists are tapes)
    masks.py        masks of several axes are indices of their true elements
    masked.py       what a mask chooses is computed with where it stands (leftovers.py drops what
                    nobody reads then, versions.py says where new versions are written)
    forms.py        every name is assigned, nothing is formatted, calls are spelled with constants
                    (spellings.py); refusals.py words what is left
    overloads.py    what the helpers of emitted code mean, and functions that Numba lacks:
                    accumulation, reductions, products, shapes, grids, sequences, diagonals,
                    indices, scans, orderings, quantiles, polynomials, norms, special, and
                    fourier (spectrum.py); lanes.py walks along an axis
    modules.py      the text as a real file, so that Numba can keep machine code beside it
    compile.py      all of it in order
    calling.py      derivatives called from the user's own compiled code

Numba is imported when the first derivative with ``backend="numba"`` is built.
"""
