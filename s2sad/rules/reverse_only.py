"""Primitives that only generated derivatives use.

In: nothing. Out: records in the registry.

    gather_written(g, i)   ->   g[i], with 0 where a later repetition in i overwrote the element
"""

from __future__ import annotations

from .. import runtime
from ..ir.kinds import INT
from . import indexkinds as ik
from . import kindrules as kr
from .containers import zeros_kind
from .registry import Primitive, register

register(
    Primitive(
        "gather_written",
        runtime.gather_written,
        ("g", "i"),
        lambda args, attrs: kr.numeric(ik.item(args, attrs)),
        vjp=lambda b, h, out, g, i: [b.op("setitem", b.op("zeros_like", g), i, h), None],
        jvp=("gather_written(g_dot, i)", None),
    )
)

register(
    Primitive(
        "trip_count",
        lambda start, stop, step: len(range(start, stop, step)),
        ("start", "stop", "step"),
        lambda args, attrs: INT,
        zero=True,
    )
)

register(
    Primitive(
        "insertion_point",
        runtime.insertion_point,
        ("i", "size"),
        lambda args, attrs: INT,
        zero=True,
    )
)


register(
    Primitive(
        "unless_zero",
        runtime.unless_zero,
        ("g", "c"),
        lambda args, attrs: args[1].kind,
        vjp=lambda b, h, out, g, c: [None, b.op("unless_zero", g, h)],
        jvp=(None, "unless_zero(g, c_dot)"),
    )
)

register(
    Primitive(
        "typed_like",
        runtime.typed_like,
        ("g", "x"),
        lambda args, attrs: zeros_kind(args[1].kind),
        vjp=lambda b, h, out, g, x: [h, None],
        jvp=("typed_like(g_dot, x)", None),
    )
)
