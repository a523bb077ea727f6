"""Fourier transforms of which only one half is anybody's.

In: a module. Out: the same module, in which what is real is not made complex before it is
transformed, and vectors of which only the real part is read are transformed as such, which takes
half of the work::

    t = cast u {like=complex128}; y = np.fft.ifft t   ->   y = np.fft.ifft u
    t = np.fft.ifft z; y = np.real t                  ->   y = real_ifft z
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...ir.kinds import Array, Kind
from ...ir.mapping import Mapper
from ...ir.nodes import Atom, Function, Module, Node, Op, operands_of, regions_of, walk

__all__ = ["real_transforms"]

_TRANSFORMS = {"np.fft.fft": "real_fft", "np.fft.ifft": "real_ifft"}


def real_transforms(module: Module) -> Module:
    """The module with transforms that leave out what is not real."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    ops = [n for n in walk(f.body) if isinstance(n, Op)]
    if not any(op.fn in _TRANSFORMS for op in ops):
        return f
    return replace(f, body=_Halves(f, ops).region(f.body))


class _Halves(Mapper):
    def __init__(self, f: Function, ops: Sequence[Op]) -> None:
        super().__init__()
        made: dict[Atom, Op] = {r: op for op in ops for r in op.results}
        self.reads: Counter[Atom] = Counter(f.body.yields)
        for node in walk(f.body):
            self.reads.update(operands_of(node))
            for region in regions_of(node):
                self.reads.update(region.yields)
        #: transforms of which only the real part is read, and casts that only transforms read
        self.halved: dict[Atom, Op] = {}
        for op in ops:
            source = made.get(op.args[0]) if op.fn == "np.real" else None
            if source is not None and self.is_halved(source):
                self.halved[op.args[0]] = source
        of_transforms = Counter(op.args[0] for op in ops if op.fn in _TRANSFORMS)
        self.needless = {
            op.results[0]
            for op in ops
            if op.fn == "cast"
            and _dtype(op.args[0].kind) == "float64"
            and _dtype(op.results[0].kind) == "complex128"
            and self.reads[op.results[0]] == of_transforms[op.results[0]]
        }

    def is_halved(self, op: Op) -> bool:
        kind = op.args[0].kind if op.args else None
        return (
            op.fn in _TRANSFORMS
            and len(op.args) == 1
            and not op.attrs
            and self.reads[op.results[0]] == 1
            and isinstance(kind, Array)
            and kind.rank == 1
            and kind.dtype == "complex128"
        )

    def op(self, op: Op) -> Sequence[Node]:
        if self.needless.intersection(op.results):
            self.known[op.results[0]] = self.atom(op.args[0])
            return ()
        if any(r in self.halved for r in op.results):
            return ()
        if op.fn == "np.real" and op.args[0] in self.halved:
            transform = self.halved[op.args[0]]
            half = _TRANSFORMS[transform.fn]
            return (Op(op.results, half, self.atoms(transform.args), {}, op.span),)
        return super().op(op)


def _dtype(kind: Kind) -> str | None:
    return kind.dtype if isinstance(kind, Array) else None
