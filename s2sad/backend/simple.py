"""Simple statements: assignments, writes in place, calls and moves.

In: an op, with the plan and the names. Out: the statements for it, long lines split.

    u1 = store(u, i, v, how="+=")   ->   u[i] += v
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..ir.interp import leaf_count
from ..ir.kinds import Array, Mixed, Num, Undef
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    Function,
    Module,
    Node,
    Op,
    Region,
    Struct,
    Value,
    is_none,
    regions_of,
    walk,
)
from ..transform.target import is_for_compiler
from .expr import Expressions
from .literals import Namespace, call, load
from .ops import ARITHMETIC, CONTAINERS, MAY_PASS, SHARING, view_of
from .outofssa import Result
from .stacks import Stacks
from .trees import Block, assign, operator, signed
from .undefined import unset_names
from .wide import narrow


class Simple:
    """What every statement writer needs, and the statements without a body."""

    def __init__(
        self,
        result: Result,
        names: dict[Value, str],
        namespace: Namespace,
        functions: dict[str, str],
        module: Module,
        constants: Mapping[str, Const],
    ) -> None:
        self.plan = result.plan
        self.functional = result.functional
        self.names = names
        self.namespace = namespace
        self.functions = functions
        self.module = module
        self.expressions = Expressions(result.plan, names, namespace, constants)
        self.line: object = None
        self.in_reverse = False
        self.reverse_from = _reverse_nodes(result.plan.function.body)
        origin = getattr(module.entry, "origin", None)
        self.entry = getattr(origin, "__name__", None) or module.entry.name
        self.taken = {*names.values(), *constants, *namespace.objects, *namespace.builtins}
        self.indent = 1
        self.unset = unset_names(result.plan, names)
        self.stacks = Stacks(self)
        self.definitions: dict[Value, Node] | None = None

    def narrowed(self, statement: ast.stmt) -> Block:
        """The statement, with parts of it named first if its line is too long."""
        return narrow(statement, self.indent, self.fresh)

    def fresh(self, base: str = "t") -> str:
        """A name nothing else has."""
        name, n = base, 1
        while name in self.taken:
            n += 1
            name = f"{base}_{n}"
        self.taken.add(name)
        return name

    # -- simple statements --------------------------------------------------------------------

    def assign(self, target: Value, value: ast.expr) -> ast.stmt:
        return ast.Assign([ast.Name(self.names[target], ast.Store())], value)

    def rename(self, result: Value, operand: Atom) -> Block:
        """A new version that lives under another name than the buffer it was written to."""
        if not isinstance(operand, Value) or self.plan.uses[result] == 0:
            return []
        if self.names[result] == self.names[operand]:
            return []
        return [self.assign(result, load(self.names[operand]))]

    def op(self, op: Op) -> Block:
        expressions = self.expressions
        match op.fn:
            case "store":
                return self.store(op)
            case "append" | "extend" | "insert":
                buffer, *args = op.args
                f = ast.Attribute(expressions.atom(buffer), op.fn, ast.Load())
                made = ast.Expr(call(f, *expressions.atoms(args)))
                return [*self.narrowed(made), *self.rename(op.results[0], buffer)]
            case "pop":
                buffer, *args = op.args
                f = ast.Attribute(expressions.atom(buffer), "pop", ast.Load())
                value = call(f, *expressions.atoms(args))
                if self.plan.uses[op.results[1]]:
                    popped = self.assign(op.results[1], value)
                else:
                    popped = ast.Expr(value)
                return [popped, *self.rename(op.results[0], buffer)]
            case "add_to":
                return self.add_to(op)
            case "in_place":
                helper = expressions.helper("in_place")
                done = ast.Expr(call(helper, *expressions.atoms(op.args)))
                return [*self.narrowed(done), *self.rename(op.results[0], op.args[1])]
            case fn if fn.startswith(("tape_", "stack_")):
                return self.stacks.write(op)
            case "raise":
                error, *rest = expressions.atoms(op.args)
                raised = call(error, *rest) if rest else error
                return self.narrowed(ast.Raise(raised, None))
            case "assert":
                test, *message = op.args
                shown = [expressions.atom(m) for m in message if not is_none(m)]
                return self.narrowed(
                    ast.Assert(expressions.atom(test), shown[0] if shown else None)
                )
        if not op.results:
            return self.narrowed(ast.Expr(expressions.op(op)))
        if len(op.results) > 1:
            pattern = op.attrs.get("pattern") if op.fn == "unpack" else None
            target = self.targets(iter(op.results), pattern or (None,) * len(op.results))
            return self.narrowed(ast.Assign([target], expressions.op(op)))
        return self.simple(op)

    def simple(self, op: Op) -> Block:
        """``y = …`` or, for scalars, ``y += …``."""
        result = op.results[0]
        value = self.expressions.op(op)
        if self.plan.uses[result] == 0 and op.fn not in ARITHMETIC:
            return self.narrowed(ast.Expr(value))
        if isinstance(value, ast.BinOp) and self.augmented(op):
            target = ast.Name(self.names[result], ast.Store())
            if isinstance(value.left, ast.Name) and value.left.id == target.id:
                sign, right = self.signed(op, value.op, value.right)
                return self.narrowed(ast.AugAssign(target, sign, right))
            swaps = isinstance(value.op, ast.Add | ast.Mult) and self.in_reverse_sweep(op)
            if swaps and isinstance(value.right, ast.Name) and value.right.id == target.id:
                sign, right = self.signed(op, value.op, value.left)
                return self.narrowed(ast.AugAssign(target, sign, right))
        return self.narrowed(self.assign(result, value))

    def augmented(self, op: Op) -> bool:
        """True where ``y op= v`` is what is wanted: as the user wrote it, or for sums."""
        if not isinstance(op.results[0].kind, Num) or op.fn not in ARITHMETIC:
            return False
        if self.in_reverse_sweep(op):
            return op.fn in ("add", "sub", "mul", "div")
        assert op.span is not None
        return f"{ARITHMETIC[op.fn]}=" in op.span.text

    @staticmethod
    def in_reverse_sweep(op: Op) -> bool:
        return op.span is None or op.span.reverse

    def signed(self, op: Op, sign: ast.operator, value: ast.expr) -> tuple[ast.operator, ast.expr]:
        """Signs are tidied in the reverse sweep; the user's own stay."""
        return signed(sign, value) if self.in_reverse_sweep(op) else (sign, value)

    def add_to(self, op: Op) -> Block:
        buffer, g = op.args
        result = op.results[0]
        in_place = op not in self.functional
        scalar = isinstance(result.kind, Num)
        if in_place or all(isinstance(k, Num | Array | Mixed) for k in (buffer.kind, g.kind)):
            node = self.plan.inline.get(g) if isinstance(g, Value) else None
            sign: ast.operator = ast.Add()
            if isinstance(node, Op) and node.fn == "neg":
                sign, g = ast.Sub(), node.args[0]
            sign, value = signed(sign, self.expressions.atom(g))
            same = isinstance(buffer, Value) and self.names.get(buffer) == self.names[result]
            if in_place or (scalar and same):
                assert isinstance(buffer, Value)
                target = ast.Name(self.names[buffer], ast.Store())
                statement = ast.AugAssign(target, sign, self.apart(g, value))
                return [*self.narrowed(statement), *self.rename(result, buffer)]
            left = self.expressions.atom(buffer)
            return self.narrowed(self.assign(result, ast.BinOp(left, sign, value)))
        return self.narrowed(self.assign(result, self.expressions.op_add_to(op)))

    def store(self, op: Op) -> Block:
        expressions, how = self.expressions, op.attrs["how"]
        buffer, *path, v = op.args
        target = expressions.atom(buffer)
        if how in ("at", "helper"):
            for index in path[:-1]:
                target = ast.Subscript(target, expressions.index(index), ast.Load())
            plain = how == "at" and not is_for_compiler()
            f = expressions.path("np.add.at") if plain else expressions.helper("accumulate")
            args = [expressions.atom(path[-1]), expressions.atom(v)]
            statement: ast.stmt = ast.Expr(call(f, target, *args))
        else:
            for index in path:
                target = ast.Subscript(target, expressions.index(index), ast.Load())
            value = expressions.atom(v)
            if how == "=":
                statement = ast.Assign([target], value)
            else:
                sign, value = self.signed(op, operator(how), self.apart(v, value, buffer))
                statement = ast.AugAssign(target, sign, value)  # type: ignore[arg-type]
        return [*self.narrowed(statement), *self.rename(op.results[0], buffer)]

    def apart(self, operand: Atom, value: ast.expr, root: Atom | None = None) -> ast.expr:
        """An operand of ``buffer op= …``, or of a part of ``root``, that may be a view of it.

        NumPy minds the overlap. Numba does not: it is given a copy.
        """
        if not is_for_compiler() or not isinstance(operand, Value):
            return value
        if not isinstance(operand.kind, Array | Mixed):
            return value
        itself = isinstance(root, Value) and self.names.get(root) == self.names.get(operand, "")
        if not itself and not self._may_be_view(operand):
            return value
        return call(self.expressions.helper("copied"), value)

    def _may_be_view(self, operand: Value) -> bool:
        if self.definitions is None:
            body = self.plan.function.body
            self.definitions = {r: n for n in walk(body) for r in n.results}
        node = self.definitions.get(operand)
        if not isinstance(node, Op) or node.fn in MAY_PASS or node.fn in SHARING:
            return True
        return node.fn in CONTAINERS or node.fn == "item" or view_of(node) is not None

    def call(self, node: Call) -> Block:
        callee = self.module.functions[node.callee]
        value = call(load(self.functions[node.callee]), *self.expressions.atoms(node.args))
        consumed = {k: i for i, k in callee.mutates}
        leaves = leaf_count(callee.out)
        rest = [r for k, r in enumerate(node.results) if k >= leaves and k not in consumed]
        after: Block = []
        for k, i in consumed.items():
            after.extend(self.rename(node.results[k], node.args[i]))
        whole = bool(leaves) and not set(range(leaves)) <= set(consumed)
        wanted = [r for k, r in enumerate(node.results) if k not in consumed]
        if not any(self.plan.uses[r] for r in wanted):
            return [*self.narrowed(ast.Expr(value)), *after]
        unpacking: Block = []
        shape = self.returned(callee)
        targets = [self.target(shape, node.results, unpacking)] if whole else []
        targets += [self.name_target(r) for r in rest]
        target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
        return [*self.narrowed(ast.Assign([target], value)), *unpacking, *after]

    def returned(self, function: Function) -> Struct:
        """What a function returns: its callers have the buffers that it writes to already."""
        out, consumed = function.out, {k for _, k in function.mutates}
        if function.name == self.module.entry.name or out.form != "tuple" or out.cls is not None:
            return out
        kept = tuple(c for c in out.children if c.form != "leaf" or c.index not in consumed)
        return replace(out, children=kept) if len(kept) > 1 else kept[0] if kept else out

    def targets(self, values: Iterator[Value], pattern: tuple[Any, ...]) -> ast.expr:
        """``(a, b), c`` for the pattern ``((None, None), None)``."""
        parts = [
            self.name_target(next(values)) if p is None else self.targets(values, p)
            for p in pattern
        ]
        return ast.Tuple(parts, ast.Store())

    def name_target(self, value: Value) -> ast.expr:
        return ast.Name(self.names[value] if self.plan.uses[value] else "_", ast.Store())

    def target(self, struct: Struct, results: tuple[Value, ...], after: Block) -> ast.expr:
        """What a call's result is assigned to; dicts and records are taken apart ``after``."""
        match struct.form:
            case "leaf":
                return self.name_target(results[struct.index])
            case "tuple" | "list" if struct.children:
                parts = [self.target(c, results, after) for c in struct.children]
                return ast.Tuple(parts, ast.Store())
            case "dict" | "record":
                name = self.fresh("out")
                for key, child in zip(struct.keys, struct.children, strict=True):
                    later: Block = []
                    target = self.target(child, results, later)
                    if struct.form == "dict":
                        part: ast.expr = ast.Subscript(
                            load(name), self.expressions.constant(key), ast.Load()
                        )
                    else:
                        part = ast.Attribute(load(name), key, ast.Load())
                    after.append(ast.Assign([target], part))
                    after.extend(later)
                return ast.Name(name, ast.Store())
            case _:
                return ast.Name("_", ast.Store())

    # -- moves --------------------------------------------------------------------------------

    def moves(self, values: tuple[Value, ...], atoms: tuple[Atom, ...]) -> Block:
        """Assign all at once, in an order in which nothing is overwritten before it is read."""
        waiting: list[tuple[str, ast.expr, set[str]]] = []
        for v, a in zip(values, atoms, strict=True):
            if v not in self.names:
                continue
            name = self.names[v]
            if isinstance(a.kind, Undef):
                if name in self.unset:
                    waiting.append((name, ast.Constant(None), set()))
                continue
            if isinstance(a, Value) and self.names.get(a) == name:
                continue
            reads = {self.names[leaf] for leaf in self.plan.leaves(a)}
            waiting.append((name, self.expressions.atom(a), reads))
        block: Block = []
        while waiting:
            for n, (name, value, _) in enumerate(waiting):
                if not any(name in reads for m, (_, _, reads) in enumerate(waiting) if m != n):
                    block.extend(self.narrowed(assign(name, value)))
                    del waiting[n]
                    break
            else:
                target = ast.Tuple([ast.Name(n, ast.Store()) for n, _, _ in waiting], ast.Store())
                source = ast.Tuple([v for _, v, _ in waiting], ast.Load())
                block.extend(self.narrowed(ast.Assign([target], source)))
                waiting = []
        return block


def _reverse_nodes(region: Region) -> set[Node]:
    """The nodes of a function's own level from which on all belong to the reverse sweep."""
    ops = region.ops

    def reverse(node: Node) -> bool:
        inner = (node, *(n for r in regions_of(node) for n in walk(r)))
        return any(getattr(n.span, "reverse", False) for n in inner)

    first = next((n for n, node in enumerate(ops) if reverse(node)), None)
    if first is None:
        return set()
    if not any(node.span is not None for node in ops[:first]):
        return set()
    while first > 0 and ops[first - 1].span is None:
        first -= 1
    return set(ops[first:])
