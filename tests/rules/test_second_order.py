"""Every rule a second time: the derivative of its derivative, in three ways.

The cotangents of a rule at a sample are themselves a program of primitives. It is differentiated
backwards (reverse over reverse) and forwards (forward over reverse), and so is its tangent
(forward over forward); all are compared with differences of the first derivative.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from s2sad.ir.nodes import Const
from s2sad.rules.apply import cotangents, tangent
from s2sad.rules.checking import (
    added,
    dot,
    is_active,
    numbers,
    random_like,
    rebuilt,
    wide,
)
from s2sad.rules.derived import Recorder, pull_back, push_forward
from s2sad.rules.eager import EagerBuilder, exact_kind
from s2sad.rules.registry import Primitive, Sample
from tests.rules.samples import at_samples
from tests.rules.test_rules import cases, run

#: Built-in functions with rules; all other names without a dot are helpers of derivatives, whose
#: second derivative would be a third one.
BUILTINS = ("abs", "max", "min", "sum", "divmod", "sorted", "float", "complex")
POWERS = ("pow", "math.pow", "np.power", "np.float_power", "np.logspace")
#: Functions with a first derivative, of which a second is refused.
ONCE = ("scipy.optimize.rosen_der",)
ONCE_IF_COMPLEX = ("scipy.special.loggamma",)
OPERATORS = ("add", "sub", "mul", "div", "mod", "pow", "neg", "pos", "matmul")


def chosen() -> list[Any]:
    found = []
    for case in cases():
        p, s = case.values
        public = "." in p.name or p.name in (*BUILTINS, *OPERATORS)
        narrow = single(s.args) or "32" in str(s.attrs.get("dtype", ""))
        once = p.name in ONCE or (p.name in ONCE_IF_COMPLEX and complex_(s.args))
        if p.differentiable and public and not s.edge and not narrow and not once:
            found.append(case)
    return found


def complex_(args: Any) -> bool:
    return any(v.dtype.kind == "c" for v in numbers(args))


def single(args: Any) -> bool:
    return any(v.dtype in (np.float32, np.complex64) for v in numbers(args))


class Case:
    """One sample, with the seeds and directions that everything is done along."""

    def __init__(self, p: Primitive, s: Sample) -> None:
        rng = np.random.default_rng(len(p.name))
        self.p, self.s = p, s
        self.args = wide(tuple(s.args))
        if p.name in POWERS:  # a Python number would be a constant to these rules
            self.args = tuple(np.float64(x) if type(x) is float else x for x in self.args)
        out = run(p, self.args, s.attrs)
        self.many = isinstance(
            p.kind(tuple(Const(v, exact_kind(v)) for v in s.args), s.attrs), tuple
        )
        self.g = random_like(out, rng)
        self.active = [n for n, x in enumerate(self.args) if is_active(x)]
        self.weights = {n: random_like(self.args[n], rng) for n in self.active}
        self.moves = {n: random_like(self.args[n], rng) for n in self.active}

    def atoms(self, b: EagerBuilder, args: Any) -> tuple[Any, Any]:
        """Operands and result as atoms."""
        out = run(self.p, args, self.s.attrs)
        atoms = tuple(map(b.const, args))
        return atoms, tuple(map(b.const, out)) if self.many else b.const(out)

    def bars(self, b: Any, atoms: Any, out: Any, g: Any) -> Any:
        return cotangents(b, self.p.name, self.s.attrs, atoms, out, g)

    def at(self, h: float) -> list[Any]:
        """The operands moved by ``h`` along the directions."""
        return [
            added(x, self.moves[n], h) if n in self.moves else x for n, x in enumerate(self.args)
        ]

    def first(self, h: float) -> float:
        """The weighted cotangents where the operands are moved."""
        b = EagerBuilder()
        atoms, out = self.atoms(b, self.at(h))
        g = tuple(map(b.const, self.g)) if self.many else b.const(self.g)
        bars = self.bars(b, atoms, out, g)
        return sum(dot(bars[n].value, w) for n, w in self.weights.items() if bars[n] is not None)

    def tangents(self, b: Any, atoms: Any, out: Any, h: float = 0.0) -> Any:
        dots = [b.const(self.weights[n]) if n in self.weights else None for n in range(len(atoms))]
        return tangent(b, self.p.name, self.s.attrs, atoms, out, dots)

    def first_forward(self, h: float) -> float:
        b = EagerBuilder()
        atoms, out = self.atoms(b, self.at(h))
        return self.seen(self.tangents(b, atoms, out))

    def seen(self, t: Any) -> float:
        """A tangent of the result, weighted with the cotangent of the result."""
        if t is None:
            return 0.0
        pairs = zip(t, self.g, strict=True) if self.many else [(t, self.g)]
        return sum(dot(u.value, v) for u, v in pairs if u is not None)


def slope(f: Any, h: float) -> float:
    """The derivative at 0 by extrapolated central differences."""
    one = (f(h) - f(-h)) / (2 * h)
    two = (f(h / 2) - f(-h / 2)) / h
    return float((4 * two - one) / 3)


def close(have: float, first: Any, what: str) -> None:
    """Whether the slope of ``first`` is this one; near a pole that takes shorter steps."""
    wants = []
    for h in (2e-4, 2e-5):
        wants.append(slope(first, h))
        if abs(have - wants[-1]) <= 2e-5 * max(1.0, abs(wants[-1])):
            return
    raise AssertionError(f"{what} {have}, differences {wants}")


@at_samples(chosen())
def test_second_order(p: Primitive, s: Sample) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        case = Case(p, s)
        flat = p.name in ("np.std", "np.nanstd") and not np.all(run(p, case.args, s.attrs))
        if not case.active or flat:  # a deviation of 0 is a corner
            return
        b = EagerBuilder()
        atoms, out = case.atoms(b, case.args)
        g = tuple(map(b.const, case.g)) if case.many else b.const(case.g)
        recorder: Any = Recorder(b)
        bars = case.bars(recorder, atoms, out, g)
        results = [bars[n] for n in case.active if bars[n] is not None]
        seeds = [b.const(case.weights[n]) for n in case.active if bars[n] is not None]
        leaves = [atoms[n] for n in case.active]
        # What the rule reads of the result moves with the operands.
        outs = [o for o in (out if case.many else (out,)) if is_active(o.value)]
        again = pull_back(b, recorder.steps, results, seeds, [*leaves, *outs])
        total = sum(
            dot(c.value, case.moves[n])
            for n, c in zip(case.active, again, strict=False)
            if c is not None
        )
        moved = tangent(
            b,
            p.name,
            s.attrs,
            atoms,
            out,
            [b.const(case.moves[n]) if n in case.moves else None for n in range(len(atoms))],
        )
        out_dots = _by_atom(out, moved, case.many)
        for o, c in zip(outs, again[len(leaves) :], strict=True):
            if c is not None and id(o) in out_dots:
                total += dot(c.value, out_dots[id(o)].value)
        close(total, case.first, "reverse over reverse")
        given = {id(atoms[n]): b.const(case.moves[n]) for n in case.active} | out_dots
        everything = [*leaves, *outs]
        known = push_forward(b, recorder.steps, everything, [given.get(id(a)) for a in everything])
        ahead = sum(
            dot(known[id(bars[n])].value, case.weights[n])
            for n in case.active
            if bars[n] is not None and id(bars[n]) in known
        )
        close(ahead, case.first, "forward over reverse")
        recorder = Recorder(b)
        t = case.tangents(recorder, atoms, out)
        known = push_forward(b, recorder.steps, everything, [given.get(id(a)) for a in everything])
        parts = t if case.many else (t,)
        second = None if t is None else [None if u is None else known.get(id(u)) for u in parts]
        value = 0.0 if second is None else case.seen(second if case.many else second[0])
        close(value, case.first_forward, "forward over forward")


def _by_atom(out: Any, moved: Any, many: bool) -> dict[int, Any]:
    pairs = zip(out, moved or [None] * len(out), strict=True) if many else [(out, moved)]
    return {id(o): t for o, t in pairs if t is not None}


def test_the_leaves_are_numbers() -> None:
    """The helpers of this file see through containers, as rules do."""
    assert len(numbers((1.0, [np.ones(2)]))) == 2
    assert rebuilt([1.0, 2], lambda v: v + 1) == [2.0, 2]
