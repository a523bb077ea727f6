"""Helpers that emitted code may call; they need NumPy only and are copied into exported modules.

In: a name. Out: the function that emitted code means by it; this is the one table of them::

    numbers.py      quotients and powers that are 0 where nothing depends on them
    structures.py   zeros, sums and copies of lists, tuples, dicts and dataclasses
    arrays.py       cotangents of arrays that were broadcast, indexed or viewed
    lists.py        places in lists and dicts
    snapshots.py    where a checkpointed loop takes snapshots
    compiled.py     what only code emitted for Numba calls

Each is pure unless its docstring says that it changes its first argument.
"""

from __future__ import annotations

from .arrays import accumulate as accumulate
from .arrays import copy_with_strides as copy_with_strides
from .arrays import gather_written as gather_written
from .arrays import is_view as is_view
from .arrays import same_shape as same_shape
from .arrays import unbroadcast as unbroadcast
from .compiled import Unforeseen as Unforeseen
from .compiled import chosen as chosen
from .compiled import grown as grown
from .compiled import in_place as in_place
from .compiled import moduli as moduli
from .compiled import plus as plus
from .compiled import real_fft as real_fft
from .compiled import real_ifft as real_ifft
from .lists import insertion_point as insertion_point
from .lists import log as log
from .lists import order_of as order_of
from .lists import place_of_best as place_of_best
from .lists import positions as positions
from .lists import without as without
from .numbers import log_base as log_base
from .numbers import power_slope as power_slope
from .numbers import ratio as ratio
from .numbers import unless_zero as unless_zero
from .snapshots import at_least_one as at_least_one
from .snapshots import next_snapshot as next_snapshot
from .snapshots import snapshots_within as snapshots_within
from .structures import add as add
from .structures import copied as copied
from .structures import typed_like as typed_like
from .structures import zeros_like as zeros_like
