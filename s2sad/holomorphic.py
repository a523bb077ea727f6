"""What holomorphic=True asks for: complex arguments, and nothing on the way but functions of z.

In: the SSA of a function and the parameters that are differentiated. Out: nothing, or an error
that points at the first line where a complex number is conjugated or becomes a real one.

    z * np.conj(z)    np.conj is not holomorphic
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .analysis.activity import active_values
from .errors import ArgumentError, Problem, UnsupportedError
from .ir.kinds import Dict, FixedList, Kind, ListOf, Record, Tuple, is_complex, is_float
from .ir.nodes import Op, Value, walk

if TYPE_CHECKING:
    from .ir.nodes import Module

#: Functions of complex numbers to complex numbers that are not holomorphic.
_CONJUGATE = frozenset(
    {"np.conj", "np.sign", "np.vdot", "np.vecdot", "np.vecmat", "np.correlate", "np.cov"}
    | {f"np.linalg.{f}" for f in ("svd", "eigh", "qr", "cholesky", "slogdet", "pinv", "lstsq")}
    | {"eig", "np.fft.hfft", "np.fft.ihfft", "np.corrcoef"}
)


def check_holomorphic(name: str, module: Module, wrt: Sequence[int]) -> None:
    """Raise `ArgumentError` for a real argument, `UnsupportedError` for a step that is not
    holomorphic.
    """
    function = module.entry
    params = [function.params[k] for k in wrt]
    for p in params:
        if not _all_complex(p.kind):
            raise ArgumentError(
                f"{name}() cannot be differentiated with respect to {p.name!r} with "
                "holomorphic=True: it is not complex; pass complex numbers"
            )
    for f in module.functions.values():
        start = params if f is function else f.params
        active = active_values(module, f, start, f.body.yields)
        for node in walk(f.body):
            if isinstance(node, Op) and not _is_holomorphic(node, active):
                raise UnsupportedError(
                    Problem(
                        f"{node.fn} is not holomorphic: it has no complex derivative",
                        node.span,
                        "return a real number and leave holomorphic=True out: the gradient of "
                        "a real function of complex numbers is df/dx - i df/dy",
                    )
                )


def _all_complex(k: Kind) -> bool:
    """True where every number of a value that has a derivative is complex."""
    match k:
        case Tuple(items) | FixedList(items):
            return all(map(_all_complex, items))
        case ListOf(elem):
            return elem is None or _all_complex(elem)
        case Dict(entries) | Record(_, entries):
            return all(_all_complex(v) for _, v in entries)
        case _:
            return is_complex(k) or not is_float(k)


def _is_holomorphic(node: Op, active: set[Value]) -> bool:
    if not any(a in active and is_complex(a.kind) for a in node.args):
        return True
    if node.fn in _CONJUGATE:
        return False
    return not any(
        r in active and is_float(r.kind) and not is_complex(r.kind) for r in node.results
    )
