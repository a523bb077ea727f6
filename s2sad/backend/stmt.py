"""Statements: the nodes of a function as Python statements.

In: a plan whose writes are safe, and names. Out: an ``ast.FunctionDef`` with ``Comment`` nodes.

    y1 = add(y0, g)  where both are named y   ->   y += g
    if c: (leave) else: …                     ->   if c: break
                                                   …
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..ir.interp import leaf_count
from ..ir.kinds import Num, Undef
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    If,
    Module,
    Node,
    Op,
    Region,
    Struct,
    Value,
    While,
    operands_of,
    regions_of,
    walk,
)
from .expr import _BINARY, Expressions, Namespace, call, load
from .lines import quote
from .ops import ARITHMETIC
from .outofssa import Result
from .text import Comment
from .undefined import unset_names
from .wide import narrow

Block = list[ast.stmt]
End = Callable[[tuple[Atom, ...]], Block]


class Writer:
    """Writes one function."""

    def __init__(
        self,
        result: Result,
        names: dict[Value, str],
        namespace: Namespace,
        functions: dict[str, str],
        module: Module,
    ) -> None:
        self.plan = result.plan
        self.functional = result.functional
        self.names = names
        self.namespace = namespace
        self.functions = functions
        self.module = module
        self.expressions = Expressions(result.plan, names, namespace)
        self.line: object = None
        self.in_reverse = False
        self.reverse_from = _reverse_nodes(result.plan.function.body)
        origin = getattr(module.entry, "origin", None)
        self.entry = getattr(origin, "__name__", None) or module.entry.name
        self.taken = {*names.values(), *namespace.objects, *namespace.builtins}
        self.indent = 1
        self.unset = unset_names(result.plan, names)

    # -- functions ----------------------------------------------------------------------------

    def function(self, name: str) -> ast.FunctionDef:
        """The whole function under the given name."""
        f = self.plan.function
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(self.names[p]) for p in f.params],
            vararg=None,
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=None,
            defaults=[],
        )
        body = self.tail(f.body.ops, f.body.yields, self.returning)
        while len(body) > 1 and _is_bare_return(body[-1]):
            body.pop()
        if all(isinstance(s, Comment) for s in body):
            body.append(ast.Pass())
        made = ast.FunctionDef(name=name, args=arguments, body=body, decorator_list=[])
        made.returns = None
        return made

    def returning(self, yields: tuple[Atom, ...]) -> Block:
        f = self.plan.function
        consumed = {k for _, k in f.mutates}
        leaves = leaf_count(f.out)
        rest = [self.value(y) for k, y in enumerate(yields) if k >= leaves and k not in consumed]
        if leaves == 0 or not set(range(leaves)) <= consumed:
            value: ast.expr | None = self.structure(f.out, yields)
            if rest:
                assert value is not None
                value = ast.Tuple([value, *rest], ast.Load())
        else:
            value = ast.Tuple(rest, ast.Load()) if len(rest) > 1 else rest[0] if rest else None
        return self.narrowed(ast.Return(value))

    def value(self, atom: Atom) -> ast.expr:
        if isinstance(atom.kind, Undef):
            return ast.Constant(None)
        return self.expressions.atom(atom)

    def structure(self, struct: Struct, yields: tuple[Atom, ...]) -> ast.expr:
        parts = [self.structure(child, yields) for child in struct.children]
        match struct.form:
            case "leaf":
                return self.value(yields[struct.index])
            case "const":
                return self.expressions.constant(struct.cls)
            case "list":
                return ast.List(parts, ast.Load())
            case "dict" if struct.cls in (None, dict):
                keys: list[ast.expr | None] = [self.expressions.constant(k) for k in struct.keys]
                return ast.Dict(keys, parts)
            case "tuple" if struct.cls in (None, tuple):
                return ast.Tuple(parts, ast.Load())
            case "tuple":
                return call(self.expressions.constant(struct.cls), *parts)
            case _:
                rebuild = load(self.namespace.name("rebuild", _rebuilder(struct)))
                return call(rebuild, *parts)

    # -- regions ------------------------------------------------------------------------------

    def tail(self, ops: tuple[Node, ...], yields: tuple[Atom, ...], end: End) -> Block:
        """Ops after which ``end`` writes what happens to ``yields``."""
        last = ops[-1] if ops else None
        if not (isinstance(last, If) and last in self.plan.tails):
            block = self.block(ops)
            return block if _leaves(block) else block + end(yields)
        block = self.block(ops[:-1])
        arms = []
        for arm in (last.then, last.orelse):
            swap = dict(zip(last.results, arm.yields, strict=True))
            inner = tuple(swap.get(y, y) if isinstance(y, Value) else y for y in yields)
            arms.append(self.nested(lambda a=arm, i=inner: self.tail(a.ops, i, end)))  # type: ignore[misc]
        return block + self.branch(last, arms[0], arms[1])

    def nested(self, write: Callable[[], Block]) -> Block:
        """What ``write`` gives, one level in; comments start anew there."""
        line, self.line = self.line, None
        self.indent += 1
        block = write()
        self.indent -= 1
        self.line = line
        return block

    def block(self, ops: tuple[Node, ...]) -> Block:
        block: Block = []
        for node in ops:
            if self.plan.skipped(node):
                continue
            heading = self.heading(node)
            statements = self.node(node)
            if statements:
                block.extend(heading)
                block.extend(self.comments(node))
                block.extend(statements)
            if _leaves(block):
                break
        return block

    def heading(self, node: Node) -> Block:
        """``# reverse sweep``, once, before the first statement that belongs to it."""
        if self.in_reverse or node not in self.reverse_from:
            return []
        self.in_reverse = True
        return [Comment("reverse sweep")]

    def comments(self, node: Node) -> Block:
        span = node.span
        if span is None or not getattr(span, "reverse", False):
            return []
        found: Block = []
        if isinstance(node, Call) or (isinstance(node, Op) and node.fn != "zeros_like"):
            place = (span.filename, span.line, span.function)
            if place != self.line:
                self.line = place
                if not _heads_block(span.text.strip()):
                    found.append(Comment(quote(span, self.entry)))
        return found

    def node(self, node: Node) -> Block:
        match node:
            case Op():
                return self.op(node)
            case Call():
                return self.call(node)
            case If():
                return self.conditional(node)
            case For():
                return self.loop_over(node)
            case While():
                return self.loop_while(node)

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
            case "raise":
                error, *rest = expressions.atoms(op.args)
                raised = call(error, *rest) if rest else error
                return self.narrowed(ast.Raise(raised, None))
            case "assert":
                test, *message = op.args
                shown = [expressions.atom(m) for m in message if not _is_none(m)]
                return self.narrowed(
                    ast.Assert(expressions.atom(test), shown[0] if shown else None)
                )
        if not op.results:
            return self.narrowed(ast.Expr(expressions.op(op)))
        if len(op.results) > 1:
            targets: list[ast.expr] = [self.name_target(r) for r in op.results]
            target = ast.Tuple(targets, ast.Store())
            return self.narrowed(ast.Assign([target], expressions.op(op)))
        return self.simple(op)

    def simple(self, op: Op) -> Block:
        """``y = …`` or, for scalars, ``y += …``."""
        result = op.results[0]
        value = self.expressions.op(op)
        if self.plan.uses[result] == 0 and op.fn not in ARITHMETIC:
            return self.narrowed(ast.Expr(value))
        if isinstance(value, ast.BinOp) and isinstance(value.left, ast.Name):
            if value.left.id == self.names[result] and self.augmented(op):
                target = ast.Name(value.left.id, ast.Store())
                return self.narrowed(ast.AugAssign(target, *_signed(value.op, value.right)))
        return self.narrowed(self.assign(result, value))

    def augmented(self, op: Op) -> bool:
        """True where ``y op= v`` is what is wanted: as the user wrote it, or for sums."""
        if not isinstance(op.results[0].kind, Num) or op.fn not in ARITHMETIC:
            return False
        span = op.span
        if span is None or getattr(span, "reverse", False):
            return op.fn in ("add", "sub")
        return f"{ARITHMETIC[op.fn]}=" in span.text

    def add_to(self, op: Op) -> Block:
        buffer, g = op.args
        result = op.results[0]
        in_place = op not in self.functional
        if in_place or isinstance(result.kind, Num):
            node = self.plan.inline.get(g) if isinstance(g, Value) else None
            operator: ast.operator = ast.Add()
            if isinstance(node, Op) and node.fn == "neg":
                operator, g = ast.Sub(), node.args[0]
            operator, value = _signed(operator, self.expressions.atom(g))
            if in_place or (
                isinstance(buffer, Value) and self.names.get(buffer) == self.names[result]
            ):
                assert isinstance(buffer, Value)
                target = ast.Name(self.names[buffer], ast.Store())
                statement = ast.AugAssign(target, operator, value)
                return [*self.narrowed(statement), *self.rename(result, buffer)]
            left = self.expressions.atom(buffer)
            return self.narrowed(self.assign(result, ast.BinOp(left, operator, value)))
        return self.narrowed(self.assign(result, self.expressions.op_add_to(op)))

    def store(self, op: Op) -> Block:
        expressions, how = self.expressions, op.attrs["how"]
        buffer, *path, v = op.args
        target = expressions.atom(buffer)
        if how in ("at", "helper"):
            for index in path[:-1]:
                target = ast.Subscript(target, expressions.index(index), ast.Load())
            f = expressions.path("np.add.at") if how == "at" else expressions.helper("accumulate")
            args = [expressions.atom(path[-1]), expressions.atom(v)]
            statement: ast.stmt = ast.Expr(call(f, target, *args))
        else:
            for index in path:
                target = ast.Subscript(target, expressions.index(index), ast.Load())
            value = expressions.atom(v)
            if how == "=":
                statement = ast.Assign([target], value)
            else:
                operator, value = _signed(_operator(how), value)
                statement = ast.AugAssign(target, operator, value)  # type: ignore[arg-type]
        return [*self.narrowed(statement), *self.rename(op.results[0], buffer)]

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
        targets = [self.target(callee.out, node.results, unpacking)] if whole else []
        targets += [self.name_target(r) for r in rest]
        target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
        return [*self.narrowed(ast.Assign([target], value)), *unpacking, *after]

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
                    block.extend(self.narrowed(_assign(name, value)))
                    del waiting[n]
                    break
            else:
                target = ast.Tuple([ast.Name(n, ast.Store()) for n, _, _ in waiting], ast.Store())
                source = ast.Tuple([v for _, v, _ in waiting], ast.Load())
                block.extend(self.narrowed(ast.Assign([target], source)))
                waiting = []
        return block

    # -- branches -----------------------------------------------------------------------------

    def conditional(self, node: If) -> Block:
        if node in self.plan.conditional:
            value = self.expressions.conditional(node)
            return self.narrowed(self.assign(node.results[0], value))
        arms = [
            self.nested(
                lambda a=arm: self.block(a.ops) + self.moves(node.results, a.yields)  # type: ignore[misc]
            )
            for arm in (node.then, node.orelse)
        ]
        return self.branch(node, *arms)

    def branch(self, node: If, then: Block, orelse: Block) -> Block:
        """An ``if``, without empty arms and without an ``else`` after leaving."""
        test = self.expressions.atom(node.cond)
        if not then and not orelse:
            return []
        if not then:
            test, then, orelse = _negated(test), orelse, []
        if orelse and _leaves(then):
            return [*self.narrowed(ast.If(test, then, [])), *orelse]
        if orelse and _leaves(orelse) and len(orelse) <= 2:
            return [*self.narrowed(ast.If(_negated(test), orelse, [])), *then]
        return self.narrowed(ast.If(test, then, orelse))

    # -- loops --------------------------------------------------------------------------------

    def loop_end(self, params: tuple[Value, ...]) -> End:
        def end(yields: tuple[Atom, ...]) -> Block:
            leave, *carried = yields
            block = self.moves(params, tuple(carried))
            if isinstance(leave, Const):
                if leave.value is True:
                    block.append(ast.Break())
            else:
                block.append(ast.If(self.expressions.atom(leave), [ast.Break()], []))
            return block

        return end

    def body(self, region: Region, params: tuple[Value, ...]) -> Block:
        end = self.loop_end(params)
        return self.nested(lambda: self.tail(region.ops, region.yields, end))

    def loop_over(self, node: For) -> Block:
        params = node.body.params[1:]
        block = self.moves(params, node.init)
        target, iterable = self.header(node)
        body = self.body(node.body, params) or [ast.Pass()]
        if all(isinstance(s, Comment) for s in body):
            body.append(ast.Pass())
        block += self.narrowed(ast.For(target, iterable, body, []))
        for p, r in zip(params, node.results, strict=True):
            block += self.rename(r, p)
        return block

    def header(self, node: For) -> tuple[ast.expr, ast.expr]:
        loop = self.plan.loops.get(node)
        expressions = self.expressions
        if loop is None:
            target: ast.expr = ast.Name(self.names[node.body.params[0]], ast.Store())
            bounds = [expressions.atom(node.stop)]
            unit = _is_int(node.step, 1)
            if not (unit and _is_int(node.start, 0)):
                bounds.insert(0, expressions.atom(node.start))
            if not unit:
                bounds.append(expressions.atom(node.step))
            return target, call(self.namespace.builtin("range"), *bounds)
        names: list[ast.expr] = [
            ast.Name(self.names[t] if t is not None else "_", ast.Store()) for t in loop.targets
        ]
        target = ast.Tuple(names, ast.Store()) if len(names) > 1 or loop.unpack else names[0]
        iterable = expressions.atom(loop.iterable)
        if loop.form == "reversed":
            step = ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1)))
            iterable = ast.Subscript(iterable, step, ast.Load())
        elif loop.form == "enumerate":
            iterable = call(self.namespace.builtin("enumerate"), iterable)
        return target, iterable

    def loop_while(self, node: While) -> Block:
        params = node.body.params
        block = self.moves(params, node.init)
        test = node.test
        if all(self.plan.skipped(n) for n in test.ops):
            condition = self.expressions.atom(test.yields[0])
            body = self.body(test if node.body is test else node.body, params) or [ast.Pass()]
        else:
            condition = ast.Constant(True)
            check = self.nested(lambda: self.block(test.ops))
            stop = _negated(self.expressions.atom(test.yields[0]))
            check.append(ast.If(stop, [ast.Break()], []))
            body = check + self.body(node.body, params)
        first = body[0]
        if isinstance(first, ast.If) and _is_true(condition) and _only_breaks(first):
            condition, body = _negated(first.test), body[1:]
        if all(isinstance(s, Comment) for s in body):
            body.append(ast.Pass())
        block.append(ast.While(condition, body, []))
        for p, r in zip(params, node.results, strict=True):
            block += self.rename(r, p)
        return block

    # -- globals ------------------------------------------------------------------------------

    @staticmethod
    def globals_of(node: Node, expressions: Expressions) -> None:
        """Enter the globals a node's text will refer to."""
        for a in operands_of(node):
            expressions.atom(a) if isinstance(a, Const) else None
        for r in regions_of(node):
            for y in r.yields:
                expressions.atom(y) if isinstance(y, Const) and not isinstance(
                    y.kind, Undef
                ) else None
        match node:
            case For():
                for name in ("range", "enumerate"):
                    expressions.namespace.builtin(name)
            case Op(fn="store"):
                if node.attrs["how"] == "at":
                    expressions.path("np.add.at")
                elif node.attrs["how"] == "helper":
                    expressions.helper("accumulate")
            case Op(fn="raise" | "assert" | "append" | "extend" | "insert" | "pop"):
                pass
            case Op():
                expressions.op(node)


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


def _leaves(block: Block) -> bool:
    """True if control does not go on after the block."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, ast.Break | ast.Return | ast.Raise | ast.Continue):
        return True
    return isinstance(last, ast.If) and _leaves(last.body) and _leaves(last.orelse)


def _heads_block(text: str) -> bool:
    """True for a line that only opens a block; there is nothing in it to reverse."""
    return text.startswith(("for ", "while ")) and text.endswith(":")


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


#: Comparisons whose negation is a comparison, whatever the operands (``<`` is not: NaN).
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and test.value is True


def _only_breaks(statement: ast.If) -> bool:
    return len(statement.body) == 1 and isinstance(statement.body[0], ast.Break)


def _is_bare_return(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Return) and statement.value is None


def _is_int(atom: Atom, number: int) -> bool:
    return isinstance(atom, Const) and type(atom.value) is int and atom.value == number


def _is_none(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value is None


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _signed(operator: ast.operator, value: ast.expr) -> tuple[ast.operator, ast.expr]:
    """``+= -2.0 * t`` as ``-= 2.0 * t``, which is the same to the last bit."""
    if not isinstance(operator, ast.Add | ast.Sub):
        return operator, value
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        positive = value.operand
    elif (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Mult)
        and isinstance(value.left, ast.UnaryOp)
        and isinstance(value.left.op, ast.USub)
    ):
        positive = ast.BinOp(value.left.operand, ast.Mult(), value.right)
    else:
        return operator, value
    return ast.Sub() if isinstance(operator, ast.Add) else ast.Add(), positive


def _operator(how: str) -> ast.operator:
    symbol = how[:-1]
    return _BINARY[next(fn for fn, s in ARITHMETIC.items() if s == symbol)]()


def _rebuilder(struct: Struct) -> Callable[..., Any]:
    """Puts the parts of a record together."""
    from ..ir.tree import rebuild

    def build(*parts: Any) -> Any:
        return rebuild(struct, parts)

    build.__name__ = "rebuild"
    return build
