"""Primitives of checkpointing: marks, and what the reverse sweep of a checkpointed loop calls.

In: nothing. Out: records in the registry.

    checkpointed(stop, 8)   ->   stop, and the loop that ends there is checkpointed
"""

from __future__ import annotations

from typing import Any

from .. import controls, runtime
from ..ir.kinds import INT, Kind
from ..ir.nodes import Atom
from . import kindrules as kr
from .registry import Primitive, register


def _int(args: tuple[Atom, ...], attrs: dict[str, Any]) -> Kind:
    return INT


def _stop(stop: int, *snapshots: int, memory: int | None) -> int:
    return stop


#: Marks the end of a loop's range; ``memory`` in bytes, or the number of snapshots as an operand.
register(Primitive("checkpointed", _stop, ("stop", "*snapshots"), _int, zero=True))

for _name, _fun, _operands in (
    ("next_snapshot", runtime.next_snapshot, ("start", "stop", "free")),
    ("snapshots_within", runtime.snapshots_within, ("memory", "*state")),
    ("at_least_one", runtime.at_least_one, ("snapshots",)),
):
    register(Primitive(_name, _fun, _operands, _int, zero=True))

#: Marks what no derivative passes through.
register(
    Primitive(
        "stop_gradient",
        controls.stop_gradient,
        ("x",),
        kr.same(),
        view_of=0,
        zero=True,
    )
)

register(
    Primitive(
        "same_shape",
        runtime.same_shape,
        ("g", "x"),
        lambda args, attrs: args[0].kind,
        vjp=lambda b, h, out, g, x: [h, None],
        jvp=lambda b, dots, out, g, x: dots[0],
        view_of=0,
    )
)
