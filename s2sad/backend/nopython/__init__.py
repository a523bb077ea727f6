"""The Numba backend: the same derivative, compiled in nopython mode.

In: a module in value semantics. Out: a function compiled by Numba, and the text it was compiled
from::

    containers.py   dicts and dataclasses become tuples, which nopython mode has
    forms.py        calls that nopython mode lacks become calls of library.py
    library.py      what they mean, in NumPy; overloads.py, the same for Numba
    modules.py      the text as a real file, so that Numba can keep machine code beside it
    compile.py      all of it in order
    calling.py      derivatives called from the user's own compiled code

Numba is imported when the first derivative with ``backend="numba"`` is built.
"""
