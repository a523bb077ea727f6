"""What nopython mode has no form for is written in one it has, or refused with its line.

In: a module. Out: a module in which every name is assigned on every path, messages of exceptions
are constants and nothing is formatted::

    if c: y = x           ->   if c: y = x
    else: (unassigned)         else: y = nan
    raise ValueError(f"at {i}")   ->   raise ValueError("at {}")

A name that a path leaves unassigned is nan there, so that one that is read all the same shows: a
variable that Numba never saw assigned would read as 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ...errors import Problem, UnsupportedError
from ...ir.kinds import BOOL, Array, Kind, Num, Tuple, Undef
from ...ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    walk,
)
from ..ops import OWN
from .spellings import is_in_order, spelled, with_shape

__all__ = ["in_forms"]

#: What Python's types are called as dtypes.
_DTYPES = {int: np.int64, float: np.float64, bool: np.bool_, complex: np.complex128}

#: Ops that no form is written for, and why.
_REFUSED = {
    "positions": "a dict whose keys are known only when it runs",
    "without": "a dict whose keys are known only when it runs",
    "format": "text made of values",
    "log": "appending to a list of the program's",
    "draw": "a random generator of NumPy's",
    "call": "calling a function that s2sad does not look into",
}


def in_forms(module: Module) -> Module:
    """The module in forms that nopython mode has.

    Raises UnsupportedError for what has none.
    """
    functions = {name: _function(f) for name, f in module.functions.items()}
    problems: dict[Problem, None] = {}
    for f in functions.values():
        made = {r: n for n in walk(f.body) for r in n.results}
        for node in walk(f.body):
            reason = _REFUSED.get(node.fn) if isinstance(node, Op) else None
            if isinstance(node, Op) and node.fn == "is_view":
                params = f.params if f is functions[module.entry.name] else ()
                if not is_in_order(node.args[0], made, params):
                    reason = "writing to a reshape that may be a copy"
            if reason is not None:
                problems[
                    Problem(
                        f"backend='numba' does not compile {reason}",
                        node.span,
                        "leave out backend='numba'",
                    )
                ] = None
    if problems:
        raise UnsupportedError(list(problems))
    return Module(functions)


def _function(f: Function) -> Function:
    made = {r: n for n in walk(f.body) for r in n.results}
    messages = {
        a
        for n in walk(f.body)
        if isinstance(n, Op) and n.fn in ("raise", "assert")
        for a in n.args
        if isinstance(a, Value) and _is_text(made.get(a))
    }
    shown = {a for a in messages if not _is_used_otherwise(f.body, a)}
    return replace(f, body=_Forms(made, shown).region(f.body, whole=True))


def _is_text(node: Node | None) -> bool:
    return isinstance(node, Op) and node.fn == "format"


def _is_empty(a: Atom, made: dict[Value, Node]) -> bool:
    """Whether it is a list without elements, which has no type."""
    node = made.get(a) if isinstance(a, Value) else None
    return isinstance(node, Op) and node.fn == "list" and not node.args


def _is_used_otherwise(body: Region, a: Value) -> bool:
    return any(
        a in n.args for n in walk(body) if isinstance(n, Op) and n.fn not in ("raise", "assert")
    )


#: Values that may be unassigned: where they come from, and an op that tells whether they are.
Absent: TypeAlias = dict[Value, tuple[Node, Op]]


class _Forms:
    def __init__(self, made: dict[Value, Node], messages: set[Value]) -> None:
        self.made = made
        self.messages = messages

    def region(self, r: Region, absent: Absent | None = None, *, whole: bool = False) -> Region:
        """``absent`` is what may be unassigned around the region."""
        ops: list[Node] = []
        absent = {} if absent is None else dict(absent)
        for node in r.ops:
            if isinstance(node, Op) and _reads(node):
                ops += _demanded(node.args, absent)
            for part in with_shape(node, self.made):
                ops += self.node(part, absent)
            absent.update(_maybe_absent(node))
        if whole:
            ops += _demanded(r.yields, absent)
        return Region(r.params, tuple(ops), r.yields)

    def node(self, node: Node, absent: Absent) -> list[Node]:
        match node:
            case Op(fn="format") if node.results[0] in self.messages:
                return []
            case Op(fn="sum") if _is_empty(node.args[0], self.made):
                return [Op(node.results, "int", (Const.of(0),), {}, node.span)]
            case Op(fn="raise" | "assert"):
                args = tuple(map(self.message, node.args))
                return [replace(node, args=args)]
            case If():
                then = _assigned(self.region(node.then, absent), node.results)
                orelse = _assigned(self.region(node.orelse, absent), node.results)
                return [replace(node, then=then, orelse=orelse)]
            case For():
                before, init = _defined(node.init, node.results)
                inner = {**absent, **_absent_at_first(node)}
                body = _assigned(self.region(node.body, inner), (None, *node.results))
                return [*before, replace(node, init=init, body=body)]
            case While():
                before, init = _defined(node.init, node.results)
                body = _assigned(self.region(node.body, absent), (None, *node.results))
                test = self.region(node.test, absent)
                return [*before, replace(node, init=init, test=test, body=body)]
            case Op(fn=fn) if fn not in OWN and "dtype" in node.attrs:
                dtype = node.attrs["dtype"]
                known = _DTYPES.get(dtype, dtype) if isinstance(dtype, type) else dtype
                return [replace(node, attrs={**node.attrs, "dtype": known})]
            case Op(fn="np.squeeze" | "np.tensordot" | "np.reshape" | "np.matvec" | "np.vecmat"):
                return spelled(node, self.made)
            case Op(fn="np.sum" | "np.prod" | "np.mean"):
                return spelled(node, self.made)
            case Op(fn="abs" | "np.abs"):
                return spelled(node, self.made)
            case Op(fn="np.maximum.accumulate" | "np.minimum.accumulate"):
                return spelled(node, self.made)
            case Op(fn="floordiv" | "mod") if _may_divide_by_zero(node):
                return [*_raising(node, node.args[1]), node]
            case _:
                return [node]

    def message(self, a: Atom) -> Atom:
        if not isinstance(a, Value) or a not in self.messages:
            return a
        op = self.made[a]
        assert isinstance(op, Op)
        template = op.attrs.get("template")
        return Const.of(template if template is not None else "an exception of the program")


# -- names that are not assigned ------------------------------------------------------------------

_SAVING = frozenset({"tuple", "append", "list", "insert", "copied", "zeros_like"})


def _reads(op: Op) -> bool:
    """Whether it is one of the program's own that reads its operands."""
    return op.span is not None and not op.span.reverse and op.fn not in _SAVING


def _absent_at_first(node: For) -> Absent:
    """What a loop carries that is unassigned in its first iteration."""
    span = node.span
    if span is None or span.reverse:
        return {}
    index, *params = node.body.params
    return {
        p: (node, Op((Value(BOOL),), "eq", (index, node.start), {}, span))
        for p, a, y in zip(params, node.init, node.body.yields[1:], strict=True)
        if isinstance(a.kind, Undef) and not isinstance(y.kind, Undef)
    }


def _maybe_absent(node: Node) -> Absent:
    """The results that a path leaves unassigned, each with the question."""
    found: Absent = {}
    match node:
        case If(span=span) if span is not None and not span.reverse:
            for r, a, b in zip(node.results, node.then.yields, node.orelse.yields, strict=True):
                if isinstance(a.kind, Undef) == isinstance(b.kind, Undef):
                    continue
                fn = "bool" if isinstance(a.kind, Undef) else "not"
                found[r] = node, Op((Value(BOOL),), fn, (node.cond,), {}, span)
        case For(span=span) if span is not None and not span.reverse:
            if not isinstance(node.step, Const):
                return found
            fn = "ge" if node.step.value > 0 else "le"
            for r, a in zip(node.results, node.init, strict=True):
                if isinstance(a.kind, Undef):
                    empty = Op((Value(BOOL),), fn, (node.start, node.stop), {}, span)
                    found[r] = node, empty
    return found


def _demanded(atoms: Sequence[Atom], absent: Absent) -> list[Node]:
    """What raises where one of the atoms is not assigned; each is asked for once."""
    nodes: list[Node] = []
    for a in atoms:
        if not isinstance(a, Value) or a not in absent or a.name is None:
            continue
        node, question = absent.pop(a)
        test = replace(question, results=(Value(BOOL),))  # it may be asked in several branches
        said = Const.of(f"cannot access local variable '{a.name}', which has no value")
        fail = Op((), "raise", (Const.of(UnboundLocalError), said), {}, node.span)
        arms = Region((), (fail,), ()), Region((), (), ())
        nodes += [test, If((), test.results[0], *arms, node.span)]
    return nodes


def _may_divide_by_zero(op: Op) -> bool:
    """Whether it is a division of whole numbers of the program's, where Python raises."""
    if op.span is None or op.span.reverse:
        return False
    if not all(isinstance(a.kind, Num) and a.kind.dtype in ("int64", "bool") for a in op.args):
        return False
    by = op.args[1]
    return not isinstance(by, Const) or by.value == 0


def _raising(op: Op, divisor: Atom) -> list[Node]:
    """``if divisor == 0: raise ZeroDivisionError(…)``: Numba gives 0."""
    is_zero = Value(BOOL)
    test = Op((is_zero,), "eq", (divisor, Const.of(0)), {}, op.span)
    error = (Const.of(ZeroDivisionError), Const.of("integer division or modulo by zero"))
    fail = Op((), "raise", error, {}, op.span)
    return [test, If((), is_zero, Region((), (fail,), ()), Region((), (), ()), op.span)]


def _assigned(r: Region, results: Sequence[Value | None]) -> Region:
    last = r.ops[-1] if r.ops else None
    if isinstance(last, Op) and last.fn == "raise":
        return r
    more, yields = _defined(r.yields, results)
    return Region(r.params, (*r.ops, *more), yields)


def _defined(
    atoms: Sequence[Atom], results: Sequence[Value | None]
) -> tuple[list[Node], tuple[Atom, ...]]:
    """The atoms with something in the place of what is not assigned."""
    nodes: list[Node] = []
    found: list[Atom] = []
    for a, r in zip(atoms, results, strict=True):
        new = None
        if isinstance(a.kind, Undef) and r is not None:
            new = _something(r.kind, nodes)
        found.append(a if new is None else new)
    return nodes, tuple(found)


def _something(kind: Kind, nodes: list[Node]) -> Atom | None:
    """A value of a kind that does not look like any result."""
    match kind:
        case Num("bool"):
            return Const.of(False)
        case Num(dtype, weak) if dtype == "float64" and weak is not False:
            return Const.of(math.nan)
        case Num("float64"):
            return Const(math.nan, kind)
        case Num("complex128"):
            return Const(complex(math.nan, math.nan), kind)
        case Num("int64"):
            return Const(0, kind)
        case Array(dtype, dims) if dims is not None:
            new = Value(kind)
            shape = Const.of((0,) * len(dims))
            nodes.append(Op((new,), "np.zeros", (shape,), {"dtype": dtype}))
            return new
        case Tuple(items, None):
            parts = [_something(k, nodes) for k in items]
            if any(p is None for p in parts):
                return None
            new = Value(kind)
            nodes.append(Op((new,), "tuple", tuple(p for p in parts if p is not None)))
            return new
        case _:
            return None
