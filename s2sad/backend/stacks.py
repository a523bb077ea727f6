"""The arrays of tapes: how ``tape_put``, ``tape_get`` and their like are written.

In: a writer and the ops (backend.nopython.tapes says what they mean). Out: statements on local
arrays, one for each number that is saved, and on a counter where a tape needs one::

    tape_push(y)     ->   if top == len(tape_y):
                              tape_y = grown(tape_y, top + 1)
                          tape_y[top] = y
                          top += 1
    tape_get(i): y   ->   y = tape_y[i]

What is no number (an array) is kept in a list. ``tape_apply(f)`` is ``in_place(f, tape)``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..ir.kinds import Array, Kind, Num, Tuple
from ..ir.nodes import Op, walk
from ..runtime import grown
from .literals import call, load
from .trees import Block, assign

if TYPE_CHECKING:
    from .simple import Simple


@dataclass(frozen=True, slots=True)
class _Stack:
    """The names of one stack: of its counter, and for each field of its array and its dtype."""

    top: str | None
    fields: tuple[tuple[str, str | None], ...]

    @property
    def arrays(self) -> list[str]:
        return [name for name, dtype in self.fields if dtype is not None]


def _packed(values: list[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else ast.Tuple(values, ast.Load())


def _example(kind: Kind) -> ast.expr:
    """Something of this kind, for a compiler to see what a list is of."""
    match kind:
        case Num(dtype="bool"):
            return ast.Constant(False)
        case Num(dtype=dtype) if dtype[0] in "iu":
            return ast.Constant(0)
        case Num(dtype=dtype) if dtype[0] == "c":
            return ast.Constant(0j)
        case Num():
            return ast.Constant(0.0)
        case Tuple(items):
            return ast.Tuple([_example(k) for k in items], ast.Load())
        case Array(dtype, dims):
            shape = ast.Tuple([ast.Constant(0) for _ in dims or ()], ast.Load())
            kinds = ast.Attribute(load("np"), "bool_" if dtype == "bool" else dtype, ast.Load())
            return call(ast.Attribute(load("np"), "empty", ast.Load()), shape, kinds)
        case _:
            return ast.Constant(None)


class Stacks:
    """The stacks of one function."""

    def __init__(self, writer: Simple) -> None:
        self.writer = writer
        self._stacks: dict[Any, _Stack] = {}
        for op in walk(writer.plan.function.body):
            if isinstance(op, Op) and op.fn == "tape_new":
                kind = op.attrs.get("called", "tape")
                fields = tuple(
                    (writer.fresh(f"{name}_{kind}" if name else kind), dtype)
                    for name, dtype in op.attrs["fields"]
                )
                top = writer.fresh("top") if op.attrs["counter"] else None
                self._stacks[op.attrs["tape"]] = _Stack(top, fields)

    def handed(self, op: Op) -> Block:
        """The statements of an op on the stack of a recursive function, which is a list."""
        writer = self.writer
        match op.fn:
            case "stack_new":
                # A list without elements has no type; one that never gets an element has.
                kinds = op.attrs["kinds"]
                entry = [_example(kind) for kind in kinds]
                empty = call(writer.namespace.builtin("range"), ast.Constant(0))
                each = ast.comprehension(ast.Name("_", ast.Store()), empty, [], 0)
                made = ast.ListComp(_packed(entry), [each])
                return [writer.assign(op.results[0], made)]
            case "stack_push":
                stack, *values = writer.expressions.atoms(op.args)
                f = ast.Attribute(stack, "append", ast.Load())
                return writer.narrowed(ast.Expr(call(f, _packed(values))))
            case _:
                (stack,) = writer.expressions.atoms(op.args)
                value = call(ast.Attribute(stack, "pop", ast.Load()))
                if len(op.results) == 1:
                    return [writer.assign(op.results[0], value)]
                target = writer.targets(iter(op.results), (None,) * len(op.results))
                return writer.narrowed(ast.Assign([target], value))

    def write(self, op: Op) -> Block:
        """The statements of one op."""
        if op.fn.startswith("stack_"):
            return self.handed(op)
        stack = self._stacks[op.attrs["tape"]]
        args = self.writer.expressions.atoms(op.args)
        match op.fn:
            case "tape_new":
                return self._new(stack, args)
            case "tape_room":
                assert stack.top is not None
                return self._grow(stack, ast.BinOp(load(stack.top), ast.Add(), args[0]))
            case "tape_skip":
                return [self._count(stack, ast.Add(), args[0])]
            case "tape_back":
                return [self._count(stack, ast.Sub(), args[0])]
            case "tape_put":
                axes = op.attrs["axes"]
                return self._put(stack, self._place(stack, args[:axes]), args[axes:])
            case "tape_get":
                return self._get(stack, self._place(stack, args), op)
            case "tape_apply":
                (name,) = stack.arrays
                helper = self.writer.expressions.helper("in_place")
                return self.writer.narrowed(ast.Expr(call(helper, *args, load(name))))
            case "tape_push":
                assert stack.top is not None
                one = self._count(stack, ast.Add(), ast.Constant(1))
                more = ast.BinOp(load(stack.top), ast.Add(), ast.Constant(1))
                put = self._put(stack, load(stack.top), args)
                return [*self._grow(stack, more), *put, one]
            case _:
                assert stack.top is not None
                one = self._count(stack, ast.Sub(), ast.Constant(1))
                return [one, *self._get(stack, load(stack.top), op)]

    def _new(self, stack: _Stack, room: list[ast.expr]) -> Block:
        writer = self.writer
        block: Block = []
        shape = room[0] if len(room) == 1 else ast.Tuple(room, ast.Load())
        for name, dtype in stack.fields:
            if dtype is None:
                block.append(assign(name, ast.List([], ast.Load())))
                continue
            args = [shape]
            if dtype != "float64":
                kind = "bool_" if dtype == "bool" else dtype
                args.append(writer.expressions.path(f"np.{kind}"))
            block.append(assign(name, call(writer.expressions.path("np.empty"), *args)))
        if stack.top is not None:
            block.append(assign(stack.top, ast.Constant(0)))
        return block

    def _count(self, stack: _Stack, sign: ast.operator, by: ast.expr) -> ast.stmt:
        assert stack.top is not None
        return ast.AugAssign(ast.Name(stack.top, ast.Store()), sign, by)

    def _grow(self, stack: _Stack, room: ast.expr) -> Block:
        if not stack.arrays:
            return []
        longer = load(self.writer.namespace.name("grown", grown))
        size = call(self.writer.namespace.builtin("len"), load(stack.arrays[0]))
        more: Block = [assign(n, call(longer, load(n), room)) for n in stack.arrays]
        return [ast.If(ast.Compare(room, [ast.Gt()], [size]), more, [])]

    @staticmethod
    def _place(stack: _Stack, index: list[ast.expr]) -> ast.expr:
        if stack.top is not None:
            return ast.BinOp(load(stack.top), ast.Add(), index[0])
        return index[0] if len(index) == 1 else ast.Tuple(index, ast.Load())

    def _put(self, stack: _Stack, place: ast.expr, values: list[ast.expr]) -> Block:
        block: Block = []
        for (name, dtype), value in zip(stack.fields, values, strict=True):
            if dtype is None:
                f = ast.Attribute(load(name), "append", ast.Load())
                block.append(ast.Expr(call(f, value)))
            else:
                target = ast.Subscript(load(name), place, ast.Store())
                block.append(ast.Assign([target], value))
        return block

    def _get(self, stack: _Stack, place: ast.expr, op: Op) -> Block:
        block: Block = []
        for (name, dtype), r in zip(stack.fields, op.results, strict=True):
            used = self.writer.plan.uses[r]
            if dtype is None:
                value: ast.expr = call(ast.Attribute(load(name), "pop", ast.Load()))
                block.append(self.writer.assign(r, value) if used else ast.Expr(value))
            elif used:
                block.append(self.writer.assign(r, ast.Subscript(load(name), place, ast.Load())))
        return block
