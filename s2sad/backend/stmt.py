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
from ..ir.kinds import Undef
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Struct,
    Value,
    While,
    is_int,
    operands_of,
    regions_of,
)
from ..transform.target import is_for_compiler
from .constants import names_read
from .expr import Expressions
from .lines import is_one_statement, quote
from .literals import call, load
from .simple import Simple
from .text import Comment
from .trees import (
    Block,
    assign,
    collect,
    heads_block,
    is_bare_return,
    is_true,
    leaves,
    negated,
    only_breaks,
)
from .width import WIDTH

End = Callable[[tuple[Atom, ...]], Block]


class Writer(Simple):
    """Writes one function."""

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
        while len(body) > 1 and is_bare_return(body[-1]):
            body.pop()
        if all(isinstance(s, Comment) for s in body):
            body.append(ast.Pass())
        read = names_read(body)
        constants = self.expressions.constants.items()
        body[:0] = [
            assign(n, self.expressions.constant(c.value)) for n, c in constants if n in read
        ]
        made = ast.FunctionDef(name=name, args=arguments, body=body, decorator_list=[])
        made.returns = None
        return made

    def returning(self, yields: tuple[Atom, ...]) -> Block:
        f = self.plan.function
        consumed = {k for _, k in f.mutates}
        leaves = leaf_count(f.out)
        rest = [self.value(y) for k, y in enumerate(yields) if k >= leaves and k not in consumed]
        if not set(range(leaves)) <= consumed or (leaves == 0 and not rest):
            value: ast.expr | None = self.structure(self.returned(f), yields)
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
            return block if leaves(block) else block + end(yields)
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
        self.line = None if _is_quoted(block) else line
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
                self.shorten(node, block)
            if leaves(block):
                break
        return block

    def shorten(self, node: Node, block: Block) -> None:
        """Write the end of the block in fewer statements: a comprehension, an unpacking."""
        if isinstance(node, Op) and node.fn == "unpack" and len(block) > 1:
            match block[-2:]:
                case [ast.Assign([ast.Name(id=name)], value), ast.Assign([_], ast.Name(id=same))]:
                    (base,) = node.args
                    if name == same and isinstance(base, Value) and self.plan.uses[base] == 1:
                        block[-1].value = value  # type: ignore[attr-defined]
                        del block[-2]
        if isinstance(node, For) and node.span is not None and len(block) > 1:
            if not heads_block(node.span.text.strip()):
                collected = collect(block[-2], block[-1], WIDTH - 4 * self.indent)
                if collected is not None:
                    block[-2:] = [collected]

    def heading(self, node: Node) -> Block:
        """``# reverse sweep``, once, before the first statement that belongs to it."""
        if self.in_reverse or node not in self.reverse_from:
            return []
        self.in_reverse = True
        return [Comment("reverse sweep")]

    def comments(self, node: Node) -> Block:
        span = node.span
        if span is None or not getattr(span, "reverse", False) or not span.line:
            return []
        found: Block = []
        if (
            isinstance(node, Call)
            or (isinstance(node, Op) and node.fn != "zeros_like")
            or (isinstance(node, For) and is_one_statement(node))
        ):
            place = (span.filename, span.line, span.function)
            if place != self.line and not heads_block(span.text.strip()):
                self.line = place
                found.append(Comment(quote(span, self.entry, WIDTH - 4 * self.indent - 2)))
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
            test, then, orelse = negated(test), orelse, []
        if orelse and leaves(then):
            return [*self.narrowed(ast.If(test, then, [])), *orelse]
        if orelse and leaves(orelse) and len(orelse) <= 2:
            return [*self.narrowed(ast.If(negated(test), orelse, [])), *then]
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
            if self.plan.uses[node.body.params[0]] == 0:
                count = self.count(node)
                if count is not None:
                    return target, call(self.namespace.builtin("range"), count)
            unit = is_int(node.step, 1)
            if not (unit and is_int(node.start, 0)):
                bounds.insert(0, expressions.atom(node.start))
            if not unit:
                bounds.append(expressions.atom(node.step))
            return target, call(self.namespace.builtin("range"), *bounds)
        names: list[ast.expr] = [
            ast.Name(self.names[t] if t is not None else "_", ast.Store()) for t in loop.targets
        ]
        iterables = expressions.atoms(loop.iterables)
        iterable = iterables[0]
        if len(iterables) > 1:
            iterable = call(self.namespace.builtin("zip"), *iterables)
        if loop.form == "enumerate":
            iterable = call(self.namespace.builtin("enumerate"), iterable)
            if len(names) > 2:
                names = [names[0], ast.Tuple(names[1:], ast.Store())]
        elif loop.form == "reversed":
            step = ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1)))
            iterable = ast.Subscript(iterable, step, ast.Load())
        target = ast.Tuple(names, ast.Store()) if len(names) > 1 or loop.unpack else names[0]
        return target, iterable

    def count(self, node: For) -> ast.expr | None:
        """How often a loop that does not need its index goes round, if it counts backwards."""
        bounds = [a.value for a in (node.start, node.stop, node.step) if isinstance(a, Const)]
        if len(bounds) == 3 and bounds[2] < 0:
            return ast.Constant(len(range(*bounds)))
        if not (is_int(node.stop, -1) and is_int(node.step, -1)):
            return None
        start = self.plan.inline.get(node.start) if isinstance(node.start, Value) else None
        if isinstance(start, Op) and start.fn == "sub" and is_int(start.args[1], 1):
            return self.expressions.atom(start.args[0])
        return None

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
            stop = negated(self.expressions.atom(test.yields[0]))
            check.append(ast.If(stop, [ast.Break()], []))
            body = check + self.body(node.body, params)
        first = body[0]
        if isinstance(first, ast.If) and is_true(condition) and only_breaks(first):
            condition, body = negated(first.test), body[1:]
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
                for name in ("range", "enumerate", "zip"):
                    expressions.namespace.builtin(name)
            case Op(fn="store"):
                if node.attrs["how"] == "at" and not is_for_compiler():
                    expressions.path("np.add.at")
                elif node.attrs["how"] in ("at", "helper"):
                    expressions.helper("accumulate")
                elif is_for_compiler():
                    expressions.helper("copied")
            case Op(fn="in_place" | "tape_apply"):
                expressions.helper("in_place")
            case Op(fn="add_to") if is_for_compiler():
                expressions.helper("copied")
                expressions.op(node)
            case Op(fn="raise" | "assert" | "append" | "extend" | "insert" | "pop"):
                pass
            case Op():
                expressions.op(node)


def _rebuilder(struct: Struct) -> Callable[..., Any]:
    """Puts the parts of a record together."""
    from ..ir.tree import rebuild

    def build(*parts: Any) -> Any:
        return rebuild(struct, parts)

    build.__name__ = "rebuild"
    return build


def _is_quoted(block: Block) -> bool:
    """Whether the primal's text is quoted in these statements or those inside them."""
    return any(
        isinstance(statement, Comment)
        or _is_quoted(getattr(statement, "body", []))
        or _is_quoted(getattr(statement, "orelse", []))
        for statement in block
    )
