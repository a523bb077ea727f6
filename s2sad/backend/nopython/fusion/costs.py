"""Whether the elements of an expression had better be computed again than kept.

In: an elementwise op, and how often its elements are read. Out: whether they cost less than an
array that is written once and read as often::

    y = x * x                ->   for i in range(n - 1):
    z = y[1:] - y[:-1]                z[i] = x[i + 1] * x[i + 1] - x[i] * x[i]

    y = np.exp(x)            ->   y is an array, and a loop makes it
    z = y[1:] - y[:-1]
"""

from __future__ import annotations

from collections.abc import Mapping

from ....ir.kinds import Array
from ....ir.nodes import Node, Op, Value
from .elements import CONSTANTS, LIKE, is_filled
from .facts import Facts, reads_elements
from .views import view

__all__ = ["is_cheap", "readings"]

#: What is computed again rather than kept: how often, out of how many arrays, and how much work
#: it may be, in additions; a division counts for a few of them.
_TIMES, _LOADS, _WORK = 3, 3, 6
_COSTS = dict.fromkeys(("add", "sub", "mul", "neg", "add_to", "np.square", "abs", "np.abs"), 1)
_COSTS |= dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "np.where", "item"), 1)
_COSTS |= dict.fromkeys(("bitand", "bitor", "bitxor", "invert", "np.add", "np.subtract"), 1)
_COSTS |= dict.fromkeys((*CONSTANTS, *LIKE, "np.full_like", "np.transpose", "np.expand_dims"), 0)
_COSTS |= dict.fromkeys(("np.real", "np.imag", "np.conj", "np.conjugate", "cast"), 0)
_COSTS |= dict.fromkeys(("np.logical_and", "np.logical_or", "np.logical_not"), 1)
_COSTS |= {"div": 3, "ratio": 4, "unless_zero": 2}


def is_cheap(op: Op, times: int, lazy: Mapping[Value, Op]) -> bool:
    """Whether computing the elements several times costs less than keeping them.

    ``lazy``: the expressions that are no arrays so far, and are computed along.
    """
    work, arrays = _work(op, lazy)
    return times <= _TIMES and work <= _WORK and len(arrays) <= _LOADS


def _work(op: Op, lazy: Mapping[Value, Op]) -> tuple[int, set[Value]]:
    """How much there is to do for one element, and of which arrays it reads one."""
    work, arrays = _COSTS.get(op.fn, _WORK + 1), set[Value]()
    read = op.args[:1] if op.fn in LIKE else () if is_filled(op) else op.args
    for a in read:
        if not isinstance(a, Value) or not isinstance(a.kind, Array):
            continue
        inner = lazy.get(a)
        if inner is None:
            arrays.add(a)
        else:
            more, others = _work(inner, lazy)
            work, arrays = work + more, arrays | others
    return work, arrays


def readings(user: Node, facts: Facts) -> int:
    """How often what uses a value reads each of its elements, at least; many if unsure."""
    assert isinstance(user, Op)
    if view(user, facts.definitions) is None and user.fn not in LIKE:
        return 1
    if user.fn == "broadcast_like" or user.results[0] in facts.kept:
        return _TIMES + 1
    after = facts.uses.get(user.results[0], [])
    return sum(readings(n, facts) for n, k in after if reads_elements(n, k))
