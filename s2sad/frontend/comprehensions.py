"""Comprehensions, and what else collects or folds the elements of an iterable.

In: a comprehension. Out: a list of known length, or a loop that appends.

    [f(a) for a in x]     t = []; for i in range(len(x)): t = append t f(item x i)
"""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from ..ir.nodes import Const
from . import (
    assignment,
    conditions,
    indexing,
    iteration,
    loops,
    lower_expr,
    methods,
    storing,
    tables,
)
from .contents import Content, Data, Entries, Items
from .context import Lowerer
from .refs import UNASSIGNED, ArrayRef, FuncRef, HeapRef, IterRef, Ref, Static, Val

_Comp = ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp


def comprehension(cx: Lowerer, node: _Comp) -> Ref:
    """Lower a comprehension (a generator is computed at once: it is consumed where it stands)."""
    site = node
    targets = [n for g in node.generators for n in _names(g.target)]
    private: list[str] = []
    if any(isinstance(n, ast.Lambda) for n in ast.walk(node)):
        # functions made inside see the variables of this very run, and its last values
        own = {n: f"{n}${cx.fresh_id()}" for n in targets}
        node = _own_names(node, own)
        targets, private = [], list(own.values())
    frame = cx.frame
    saved = {n: cx.state.get(frame, n) for n in targets}
    if isinstance(node, ast.DictComp):
        result = _dict(cx, node, site)
    else:
        result = _listed(cx, node.generators, node.elt)
        if isinstance(node, ast.GeneratorExp):
            cx.fresh_generator = result.root
    for name, ref in saved.items():
        if ref is UNASSIGNED:
            cx.state.frames[frame].pop(name, None)
        else:
            cx.state.set(frame, name, ref)
    if private and not _kept(cx, private, result):
        for name in private:
            cx.state.frames[frame].pop(name, None)
    if isinstance(node, ast.SetComp):
        from .handlers import handler

        make = handler(set)
        assert make is not None
        return make(cx, [result], {})
    return result


def _kept(cx: Lowerer, private: Sequence[str], result: Ref) -> bool:
    """Whether a function that reads these variables can still be called."""
    from .inner import inner_of

    def reads(node: ast.AST) -> bool:
        return any(isinstance(n, ast.Name) and n.id in private for n in ast.walk(node))

    ahead: list[Any] = [result, *cx.state.frames.values(), *cx.state.heap.values()]
    seen: set[int] = set()
    while ahead:
        thing = ahead.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        match thing:
            case FuncRef() if reads(thing.node):
                return True
            case Static(obj):
                within = inner_of(obj)
                ahead.append(None if within is None else within.func)
            case dict():
                ahead.extend(thing.values())
            case tuple() | list():
                ahead.extend(thing)
            case Ref() | Content() if dataclasses.is_dataclass(thing):
                ahead.extend(getattr(thing, f.name) for f in dataclasses.fields(thing))
    return False


class _Renamed(ast.NodeTransformer):
    """Gives the variables of a comprehension names that nothing outside it has."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        node.args.defaults = [self.visit(d) for d in node.args.defaults]
        node.args.kw_defaults = [
            None if d is None else self.visit(d) for d in node.args.kw_defaults
        ]
        a = node.args
        own = {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)}
        own |= {p.arg for p in (a.vararg, a.kwarg) if p is not None}
        inner = _Renamed({n: new for n, new in self.names.items() if n not in own})
        node.body = inner.visit(node.body)
        return node

    def _comprehension(self, node: _Comp) -> _Comp:
        own = {n for g in node.generators for n in _names(g.target)}
        inner = _Renamed({n: new for n, new in self.names.items() if n not in own})
        outer_iter = node.generators[0].iter
        for field, value in ast.iter_fields(node):
            if field == "generators":
                for g in value:
                    g.target = inner.visit(g.target)
                    g.iter = (self if g.iter is outer_iter else inner).visit(g.iter)
                    g.ifs = [inner.visit(test) for test in g.ifs]
            else:
                setattr(node, field, inner.visit(value))
        return node

    def visit_ListComp(self, node: ast.ListComp) -> _Comp:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> _Comp:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> _Comp:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> _Comp:
        return self._comprehension(node)


def _own_names(node: _Comp, names: dict[str, str]) -> _Comp:
    """The comprehension with its variables renamed; its first iterable belongs outside."""
    node = copy.deepcopy(node)
    renamed = _Renamed(names)
    for n, g in enumerate(node.generators):
        g.target = renamed.visit(g.target)
        g.iter = g.iter if n == 0 else renamed.visit(g.iter)
        g.ifs = [renamed.visit(test) for test in g.ifs]
    if isinstance(node, ast.DictComp):
        node.key, node.value = renamed.visit(node.key), renamed.visit(node.value)
    else:
        node.elt = renamed.visit(node.elt)
    return node


def _names(node: ast.expr) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


def _listed(cx: Lowerer, generators: Sequence[ast.comprehension], elt: ast.expr) -> HeapRef:
    result = cx.new(Items(()), fresh=True)

    def add() -> None:
        methods.call(cx, result, "append", [lower_expr.expr(cx, elt)], {})

    _nest(cx, generators, add)
    return result


def _nest(
    cx: Lowerer, generators: Sequence[ast.comprehension], innermost: Callable[[], None]
) -> None:
    first, rest = generators[0], generators[1:]
    iterable = lower_expr.expr(cx, first.iter)

    def body() -> None:
        _filtered(cx, first.ifs, lambda: _nest(cx, rest, innermost) if rest else innermost())

    loops.for_loop(
        cx,
        iterable,
        lambda ref: assignment.assign(cx, first.target, ref),
        body,
        target=first.target,
    )


def _filtered(cx: Lowerer, tests: Sequence[ast.expr], then: Callable[[], None]) -> None:
    if not tests:
        then()
        return
    cond = conditions.condition(cx, tests[0])
    if isinstance(cond, Const):
        if cond.value:
            _filtered(cx, tests[1:], then)
        return
    cx.branch(cond, lambda: _filtered(cx, tests[1:], then), lambda: None)


def _dict(cx: Lowerer, node: ast.DictComp, site: ast.AST) -> Ref:
    result = tables.made_at(cx, site, Entries({}))

    def add() -> None:
        key = lower_expr.expr(cx, node.key)
        storing.set_item(cx, result, key, lower_expr.expr(cx, node.value))

    _nest(cx, node.generators, add)
    return result


def to_list(cx: Lowerer, ref: Ref) -> Ref:
    """``list(ref)``: a new list of the elements."""
    items = iteration.static_items(cx, ref)
    if items is not None:
        return cx.new(Items(tuple(items)), fresh=True)
    if isinstance(ref, HeapRef):
        content = cx.content(ref)
        if isinstance(content, Data):
            new = cx.new(Data(content.atom), fresh=True)
            if indexing.holds_memory(content.atom.kind):
                cx.state.share(new.root, ref.root)
                new.root.twice = ref.root.twice
            return new
    if isinstance(ref, IterRef | ArrayRef | Val):
        return collect(cx, ref, lambda r: r)
    cx.fail("this cannot be made a list")


def collect(
    cx: Lowerer,
    ref: Ref,
    element: Callable[[Ref], Ref],
    keep: Callable[[Ref], Ref] | None = None,
) -> Ref:
    """A new list of ``element(x)`` for every x of an iterable that is to be kept."""
    result = cx.new(Items(()), fresh=True)
    slot = f"$x{cx.fresh_id()}"
    frame = cx.frame

    def add() -> None:
        methods.call(cx, result, "append", [element(cx.state.get(frame, slot))], {})

    def body() -> None:
        if keep is None:
            add()
            return
        cond = conditions.truth(cx, keep(cx.state.get(frame, slot)))
        if isinstance(cond, Const):
            if cond.value:
                add()
            return
        cx.branch(cond, add, lambda: None)

    loops.for_loop(cx, ref, lambda r: cx.state.set(frame, slot, r), body)
    cx.state.frames[frame].pop(slot, None)
    return result


def fold(cx: Lowerer, ref: Ref, first: Ref, combine: Callable[[Ref, Ref], Ref]) -> Ref:
    """``combine(... combine(first, x0) ..., xn)``."""
    total, slot = f"$t{cx.fresh_id()}", f"$x{cx.fresh_id()}"
    frame = cx.frame
    cx.state.set(frame, total, first)

    def body() -> None:
        new = combine(cx.state.get(frame, total), cx.state.get(frame, slot))
        cx.state.set(frame, total, new)

    loops.for_loop(cx, ref, lambda r: cx.state.set(frame, slot, r), body)
    cx.state.frames[frame].pop(slot, None)
    return cx.state.frames[frame].pop(total)
