"""Loops and elements in few instructions.

In: the typed IR of a function that Numba compiles. Out: LLVM's text of it, as Numba writes it but
for what derivatives are made of: loops over ranges, numbers read from arrays and stored there, and
the larger and smaller of two integers. Numba writes about a hundred and thirty instructions for a
loop and fifty for an element, nearly all of which LLVM takes away again, at a price::

    for i in range(n):      ->   loop: %i = load; br (icmp slt %i, %n), body, end; store %i + 1
        x[i] = 0.0          ->   store 0.0, gep(data of x, i < 0 ? i + size : i)
"""

from __future__ import annotations

import operator
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils, ir

from .context import is_own
from .local import local_arrays
from .numbers import has_product, whole_power
from .signs import constant, nonnegative
from .stacks import is_stack
from .variables import LeanVariables

__all__ = ["LeanLower"]

#: Steps of ranges that end where Python's do: no number is skipped that could not be counted to.
_STEPS = (-1, *range(1, 257))


@dataclass(slots=True)
class _Counter:
    """Where a loop over a range is: what comes next, and where it stops."""

    at: Any
    stop: Any
    step: int


class LeanLower(LeanVariables):
    """Numba's lowering, with few instructions for loops and elements."""

    def init(self) -> None:
        """Called by Numba before anything is written."""
        super().init()
        self._bounds: dict[str, tuple[Any, Any, int]] = {}
        self._counters: dict[str, _Counter] = {}
        self._pairs: dict[str, tuple[Any, Any]] = {}
        self._lean = _lean_ranges(self.func_ir, self.fndesc)
        self._lent = _lent_arguments(self.func_ir, self.fndesc)
        self._plain = nonnegative(self.func_ir, self.fndesc.typemap)
        self._local = local_arrays(self.func_ir, self.fndesc)
        self._slots: dict[str, Any] = {}

    def lower_inst(self, inst: Any) -> Any:
        """Loops over ranges have no variables but counters; uses of arguments are not counted."""
        if isinstance(inst, ir.Del) and (inst.value in self._lean or inst.value in self._lent):
            return None
        if isinstance(inst, ir.Assign) and inst.target.name in self._lean:
            return self._step(inst.target.name, inst.value)
        if isinstance(inst, ir.Del) and inst.value in self._local:
            return None
        if isinstance(inst, ir.Assign) and inst.target.name in self._local:
            return None
        if isinstance(inst, ir.Assign) and self.remember_tuple(inst.target.name, inst.value):
            return None
        return super().lower_inst(inst)

    def _step(self, target: str, value: Any) -> None:
        """What a statement about a range, its iterator or a pair of it does."""
        if isinstance(value, ir.Var):
            self._counters[target] = self._counters[value.name]
        elif value.op == "call":
            given = [self._cast_var(v, types.int64) for v in value.args]
            zero = llvm.Constant(llvm.IntType(64), 0)
            start, stop = (zero, given[0]) if len(given) == 1 else given[:2]
            step = constant(self.typeof(value.args[2].name)) if len(given) == 3 else 1
            assert step is not None
            self._bounds[target] = start, stop, step
        elif value.op == "getiter":
            start, stop, step = self._bounds[value.value.name]
            at = cgutils.alloca_once(self.builder, start.type, name="at")
            end = cgutils.alloca_once(self.builder, start.type, name="stop")
            self.builder.store(start, at)
            self.builder.store(stop, end)
            self._counters[target] = _Counter(at, end, step)
        else:
            counter = self._counters[value.value.name]
            now = self.builder.load(counter.at)
            order = "<" if counter.step > 0 else ">"
            more = self.builder.icmp_signed(order, now, self.builder.load(counter.stop))
            step = llvm.Constant(now.type, counter.step)
            self.builder.store(self.builder.add(now, step, flags=["nsw"]), counter.at)
            self._pairs[target] = now, more

    def lower_assign(self, ty: Any, inst: Any) -> Any:
        """Arguments are borrowed."""
        value = inst.value
        if inst.target.name in self._lent:
            if isinstance(value, ir.Arg):
                return self.fnargs[value.index]
            whole = self.loadvar(value.value.name)  # of which a method is called
            return self.context.cast(self.builder, whole, self.typeof(value.value.name), ty.this)
        return super().lower_assign(ty, inst)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """The parts of what a loop over a range gives."""
        if expr.op in ("pair_first", "pair_second") and expr.value.name in self._pairs:
            return self._pairs[expr.value.name][expr.op == "pair_second"]
        return super().lower_expr(resty, expr)

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """What is known to be arithmetic on numbers is asked for no constants."""
        signature = self.fndesc.calltypes[expr]
        if op in (operator.pow, operator.ipow):
            exponent = constant(self.typeof(expr.rhs.name))
            if exponent is not None and has_product(signature.args[0], exponent):
                base = self._cast_var(expr.lhs, types.float64)
                return self.context.cast(
                    self.builder, whole_power(self.builder, base, exponent), types.float64, resty
                )
        if not is_own(op, signature):
            return super().lower_binop(resty, expr, op)
        function = self.context.typing_context.resolve_value_type(op)
        given = [
            self._cast_var(var, kind)
            for var, kind in zip((expr.lhs, expr.rhs), signature.args, strict=True)
        ]
        made = self.context.get_function(function, signature)(self.builder, given)
        return self.context.cast(self.builder, made, signature.return_type, resty)

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        """A number of an array is read from its place."""
        place = self._place(value.name, index.name)
        if place is None:
            return super().lower_getitem(resty, expr, value, index, signature)
        kind = self.typeof(value.name)
        align = None if kind.aligned else 1
        item = self.context.unpack_value(self.builder, kind.dtype, place, align=align)
        return self.context.cast(self.builder, item, signature.return_type, resty)

    def lower_setitem(self, target: Any, index: Any, value: Any, signature: Any) -> Any:
        """A number is stored at its place in an array."""
        kind, given = self.typeof(target.name), self.typeof(value.name)
        plain = isinstance(given, types.Number | types.Boolean)
        place = self._place(target.name, index.name) if plain else None
        if place is None:
            return super().lower_setitem(target, index, value, signature)
        number = self.context.cast(
            self.builder, self.loadvar(value.name), given, signature.args[2]
        )
        number = self.context.cast(self.builder, number, signature.args[2], kind.dtype)
        align = None if kind.aligned else 1
        self.context.pack_value(self.builder, kind.dtype, number, place, align=align)
        return None

    def _place(self, array: str, index: str) -> Any:
        """A pointer to an element; None where this is not an index of one number of an array."""
        kind, by = self.typeof(array), self.typeof(index)
        if not isinstance(kind, types.Array) or not isinstance(
            kind.dtype, types.Number | types.Boolean
        ):
            return None
        kinds = by.types if isinstance(by, types.BaseTuple) else (by,)
        if (
            not kinds
            or len(kinds) != kind.ndim
            or not all(isinstance(t, types.Integer) for t in kinds)
        ):
            return None
        if not isinstance(by, types.BaseTuple):
            given, names = [self.loadvar(index)], [index]
        elif index in self._tuples:
            given, names = self._tuples[index]
        else:
            given = cgutils.unpack_tuple(self.builder, self.loadvar(index), len(kinds))
            names = [index] * len(kinds)
        sizes = self._parts(array, kind, "shape")
        at = []
        for axis, (t, i, size) in enumerate(zip(kinds, given, sizes, strict=True)):
            plain = names[axis] in self._plain
            at.append(i if plain and t == types.int64 else self._position(t, i, size))
            if self.context.enable_boundscheck:
                cgutils.do_boundscheck(self.context, self.builder, at[-1], size(), axis)
        if array in self._local:
            return cgutils.gep_inbounds(self.builder, self._slot(array), 0, at[0])
        start = self._parts(array, kind, "data")[0]()
        if kind.layout not in "CF":
            steps = self._parts(array, kind, "strides")
            offset = self._sum(
                [self.builder.mul(i, step()) for i, step in zip(at, steps, strict=True)]
            )
            return cgutils.pointer_add(self.builder, start, offset)
        axes = range(kind.ndim) if kind.layout == "C" else range(kind.ndim - 1, -1, -1)
        offset = None
        for axis in axes:
            if offset is None:
                offset = at[axis]
            else:
                whole = self.builder.mul(offset, sizes[axis]())
                offset = self.builder.add(whole, at[axis])
        return self.builder.gep(start, [offset])

    def _slot(self, array: str) -> Any:
        """Where the elements of an array on the stack are."""
        if array not in self._slots:
            number = self.context.get_data_type(self.typeof(array).dtype)
            room = llvm.ArrayType(number, self._local[array])
            self._slots[array] = cgutils.alloca_once(self.builder, room, name=array)
        return self._slots[array]

    def _position(self, kind: Any, index: Any, size: Any) -> Any:
        """Where an index points to, which counts from the end if it is negative."""
        if isinstance(index, llvm.Constant) and isinstance(index.constant, int):
            fixed = llvm.Constant(llvm.IntType(64), index.constant)
            return self.builder.add(fixed, size()) if index.constant < 0 else fixed
        if not kind.signed:
            return self.context.cast(self.builder, index, kind, types.uintp)
        found = self.context.cast(self.builder, index, kind, types.intp)
        below = self.builder.icmp_signed("<", found, llvm.Constant(found.type, 0))
        return self.builder.select(below, self.builder.add(found, size()), found)

    def _sum(self, terms: list[Any]) -> Any:
        total = terms[0]
        for term in terms[1:]:
            total = self.builder.add(total, term)
        return total

    def _parts(self, array: str, kind: Any, field: str) -> list[Any]:
        """What reads each part of a field of an array, without the rest of the array."""
        if array in self._local:
            length = llvm.Constant(llvm.IntType(64), self._local[array])
            return [lambda: length]
        at = self.context.data_model_manager[kind].get_field_position(field)
        count = 1 if field == "data" else kind.ndim
        builder = self.builder
        if array in self._blk_local_varmap:
            whole = self._blk_local_varmap[array]

            def taken(k: int) -> Any:
                return builder.extract_value(whole, at if field == "data" else [at, k])

            return [lambda k=k: taken(k) for k in range(count)]
        slot = self.getvar(array)

        def read(k: int) -> Any:
            path = (0, at) if field == "data" else (0, at, k)
            return builder.load(cgutils.gep_inbounds(builder, slot, *path))

        return [lambda k=k: read(k) for k in range(count)]


def _lent_arguments(func_ir: Any, fndesc: Any) -> set[str]:
    """The variables that are arguments and never anything else, and methods of their stacks.

    The caller holds what it passes until the call is over, so nobody has to count that it is used
    meanwhile. Functions that call themselves for little work spend most of their time on that.
    """
    if func_ir.func_id.is_generator:
        return set()
    defined: dict[str, list[Any]] = defaultdict(list)
    for block in func_ir.blocks.values():
        for inst in block.find_insts(ir.Assign):
            defined[inst.target.name].append(inst.value)
    kinds = fndesc.typemap
    single = {name: values[0] for name, values in defined.items() if len(values) == 1}
    lent = {
        name
        for name, value in single.items()
        if isinstance(value, ir.Arg) and kinds[name] == kinds.get("arg." + value.name)
    }
    methods = {
        name
        for name, value in single.items()
        if isinstance(value, ir.Expr)
        and value.op == "getattr"
        and value.value.name in lent
        and isinstance(kinds[name], types.BoundFunction)
        and is_stack(kinds[name].this)
    }
    return lent | methods


def _lean_ranges(func_ir: Any, fndesc: Any) -> set[str]:
    """The variables of loops over ranges that are used for nothing but to loop.

    These are ranges with steps of one up or down, or some up, read by one loop in the block that
    makes them, their iterators, and the pairs that these give.
    """
    if func_ir.func_id.is_generator:
        return set()
    defined: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    used: dict[str, list[tuple[Any, str | None]]] = defaultdict(list)
    for label, block in func_ir.blocks.items():
        for inst in block.body:
            if isinstance(inst, ir.Del):
                continue
            if not isinstance(inst, ir.Assign):
                for var in inst.list_vars():
                    used[var.name].append((label, None))
                continue
            defined[inst.target.name].append((label, inst.value))
            value = inst.value
            inputs = value.list_vars() if isinstance(value, ir.Expr) else ()
            for var in [value] if isinstance(value, ir.Var) else inputs:
                used[var.name].append((label, inst.target.name))
    kinds = fndesc.typemap
    lean: set[str] = set()
    for name, definitions in defined.items():
        if kinds.get(name) != types.range_state64_type:
            continue
        group = _loop_of(name, definitions, defined, used, fndesc)
        if group is not None:
            lean |= group
    return lean


def _loop_of(name: str, definitions: Any, defined: Any, used: Any, fndesc: Any) -> set[str] | None:
    """The variables of the one loop over a range; None where it is not such a loop."""
    if len(definitions) != 1 or len(used[name]) != 1:
        return None
    [(label, call)], [(user_label, target)] = definitions, used[name]
    if not _steps_as_known(call, fndesc) or target is None or user_label != label:
        return None
    group, waiting = {name, target}, [target]
    if len(defined[target]) != 1 or getattr(defined[target][0][1], "op", None) != "getiter":
        return None
    while waiting:
        iterator = waiting.pop()
        for _, user in used[iterator]:
            if user is None or len(defined[user]) != 1:
                return None
            value = defined[user][0][1]
            if user in group:
                continue
            group.add(user)
            if isinstance(value, ir.Var):
                waiting.append(user)
            elif getattr(value, "op", None) != "iternext" or not all(
                part is not None and _is_part(defined[part]) for _, part in used[user]
            ):
                return None
    return group


def _steps_as_known(call: Any, fndesc: Any) -> bool:
    kinds = fndesc.typemap
    return (
        isinstance(call, ir.Expr)
        and call.op == "call"
        and getattr(kinds.get(call.func.name), "typing_key", None) is range
        and not call.kws
        and call.vararg is None
        and all(isinstance(kinds[v.name], types.Integer) for v in call.args)
        and (len(call.args) < 3 or constant(kinds[call.args[2].name]) in _STEPS)
    )


def _is_part(definitions: Any) -> bool:
    return all(getattr(v, "op", None) in ("pair_first", "pair_second") for _, v in definitions)
