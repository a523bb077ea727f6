"""Expressions: from a syntax tree to a reference.

In: an expression node. Out: what it stands for; the nodes that compute it are appended.

    2.0 * x + a[i]     mul 2.0 x; item a i; add
"""

from __future__ import annotations

import ast
import builtins
from typing import Any

from ..ir.nodes import Atom, Const, Value
from . import (
    attributes,
    comprehensions,
    conditions,
    indexing,
    lower_calls,
    operators,
    spreading,
    tables,
)
from .captures import names_of
from .contents import Data, Entries, Items, Table
from .context import Lowerer
from .describe import describe_ref
from .refs import (
    UNASSIGNED,
    ArrayRef,
    Choice,
    Fetch,
    Frame,
    FuncRef,
    HeapRef,
    Lost,
    PartialRef,
    Ref,
    Static,
    TupleRef,
    Val,
)


def expr(cx: Lowerer, node: ast.expr, name: str | None = None) -> Ref:
    """Lower an expression; ``name`` is the variable it will be bound to."""
    with cx.at(node):
        ref = _expr(cx, node)
    if name is not None:
        christen(cx, ref, name)
    return ref


def suggest(cx: Lowerer, ref: Ref, name: str) -> None:
    """Say what a value without a name is to be called, should it need one."""
    atom: Atom | None = None
    match ref:
        case Val():
            atom = ref.atom
        case ArrayRef() if not ref.path and cx.state.has(ref.root):
            content = cx.state.content(ref.root)
            atom = content.atom if isinstance(content, Data) else None
    if isinstance(atom, Value) and atom.hint is None:
        object.__setattr__(atom, "hint", name)


def christen(cx: Lowerer, ref: Ref, name: str) -> None:
    """Give a value that has no name yet the name of the variable it is bound to."""
    atom: Atom | None = None
    match ref:
        case Val():
            atom = ref.atom
        case ArrayRef():
            if not ref.path and ref.root.label is None:
                ref.root.label = name
            if cx.state.has(ref.root) and isinstance(cx.state.content(ref.root), Data):
                atom = cx.read(ref)
        case HeapRef():
            if ref.root.label is None:
                ref.root.label = name
            content = cx.state.content(ref.root)
            atom = content.atom if isinstance(content, Data) else None
            if isinstance(content, Table):
                tables.christen(content, name)
    if isinstance(atom, Value) and atom.name is None:
        # The value was made for this assignment a moment ago; nothing has looked at its name.
        object.__setattr__(atom, "name", name)


def value(cx: Lowerer, node: ast.expr, name: str | None = None) -> Atom:
    """Lower an expression to an IR value."""
    return cx.atom(expr(cx, node, name), node)


def _expr(cx: Lowerer, node: ast.expr) -> Ref:
    match node:
        case ast.Constant():
            return cx.constant(node.value)
        case ast.Name():
            return name_of(cx, node)
        case ast.BinOp():
            return operators.binary(cx, node.op, expr(cx, node.left), expr(cx, node.right))
        case ast.UnaryOp():
            return operators.unary(cx, node)
        case ast.BoolOp():
            return conditions.boolean(cx, node.values, isinstance(node.op, ast.And))
        case ast.Compare():
            return conditions.compare(cx, node)
        case ast.IfExp():
            return conditions.conditional(cx, node)
        case ast.Call():
            return lower_calls.call(cx, node)
        case ast.Attribute():
            return attributes.attribute(cx, expr(cx, node.value), node.attr)
        case ast.Subscript():
            return indexing.item(cx, expr(cx, node.value), indexing.index(cx, node.slice))
        case ast.Tuple():
            return TupleRef(elements(cx, node.elts))
        case ast.List():
            if any(isinstance(e, ast.Starred) for e in node.elts):
                return spreading.listed(cx, node.elts)
            return cx.new(Items(elements(cx, node.elts)), fresh=True)
        case ast.Set():
            return cx.new(Items(elements(cx, node.elts)))
        case ast.Dict():
            return dictionary(cx, node)
        case ast.ListComp() | ast.GeneratorExp() | ast.DictComp() | ast.SetComp():
            return comprehensions.comprehension(cx, node)
        case ast.Lambda():
            return closure(cx, node)
        case ast.NamedExpr():
            target = node.target
            ref = expr(cx, node.value, target.id)
            cx.state.set(cx.frame, target.id, ref)
            return ref
        case ast.JoinedStr():
            return f_string(cx, node)
        case ast.Slice():
            return indexing.index(cx, node)
        case ast.Starred():
            cx.fail("a starred expression has no place here")
        case ast.Yield() | ast.YieldFrom():
            cx.fail("'yield' has no derivative", "collect the values in a list and return it")
        case ast.Await():
            cx.fail("'await' has no derivative", "call a plain function")
        case _:
            cx.fail(f"a '{type(node).__name__}' expression is not supported")


# -- names ---------------------------------------------------------------------------------------

_locals: dict[ast.AST, frozenset[str]] = {}


def local_names(node: ast.FunctionDef | ast.Lambda) -> frozenset[str]:
    found = _locals.get(node)
    if found is None:
        found = _locals[node] = names_of(node)
    return found


def name_of(cx: Lowerer, node: ast.Name) -> Ref:
    ref = lookup(cx, node.id)
    if ref is UNASSIGNED:
        cx.fail(f"'{node.id}' is read before it is assigned", "assign it on every path to here")
    if isinstance(ref, Lost):
        raise cx.lost(ref, node)
    return ref


def lookup(cx: Lowerer, name: str) -> Ref:
    """What a name refers to here: a local, an enclosing function's, a global, a builtin."""
    frame: Frame | None = cx.frame
    while frame is not None:
        names = cx.state.frames.get(frame)
        if names is not None and name in names:
            return names[name]
        if name in local_names(frame.node):
            return UNASSIGNED
        if frame.outer is None:
            break
        frame = frame.outer
    assert frame is not None
    source = frame.source
    cells = source.closure
    if name in cells:
        try:
            obj = cells[name].cell_contents
        except ValueError:
            return UNASSIGNED
        return cx.captures.ref(Fetch.of("cell", cells[name], name), obj)
    if name in source.globals:
        return cx.captures.ref(Fetch.of("global", source.globals, name), source.globals[name])
    if hasattr(builtins, name):
        return Static(getattr(builtins, name))
    cx.fail(f"the name '{name}' is not defined")


def closure(cx: Lowerer, node: ast.FunctionDef | ast.Lambda) -> Ref:
    """A nested function: its defaults are evaluated now, its free names when it is called."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    first = len(positional) - len(args.defaults)
    defaults = tuple(expr(cx, d, positional[first + n].arg) for n, d in enumerate(args.defaults))
    kwdefaults = {
        p.arg: expr(cx, d, p.arg)
        for p, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        if d is not None
    }
    cx.frame.closed = True
    return FuncRef(node, cx.frame.source, cx.frame, defaults, kwdefaults)


def is_callable(ref: Ref) -> bool:
    return isinstance(ref, FuncRef | PartialRef | Choice) or (
        isinstance(ref, Static) and callable(ref.obj)
    )


# -- displays ------------------------------------------------------------------------------------


def elements(cx: Lowerer, nodes: list[ast.expr]) -> tuple[Ref, ...]:
    """The elements of a display, starred ones spread out."""
    found: list[Ref] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found.extend(spread(cx, expr(cx, node.value), node))
        else:
            found.append(expr(cx, node))
    return tuple(found)


def spread(cx: Lowerer, ref: Ref, node: ast.expr) -> tuple[Ref, ...]:
    """The elements of what is starred or unpacked; their number must be known."""
    from .iteration import static_items

    with cx.at(node):
        items = static_items(cx, ref)
        if items is None:
            cx.fail(
                f"{describe_ref(ref)} has no length that is known when the derivative is built",
                "index it instead of unpacking it",
            )
    return tuple(items)


def dictionary(cx: Lowerer, node: ast.Dict) -> Ref:
    found: dict[Any, Ref] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        if key is None:
            other = expr(cx, item)
            content = cx.content(other) if isinstance(other, HeapRef) else None
            if not isinstance(content, Entries):
                cx.fail("only a dict with known keys can be spread with '**'", node=item)
            found.update(content.items)
        else:
            ref = expr(cx, key)
            if not cx.known(ref):
                return _table(cx, node)
            found[cx.value(ref)] = expr(cx, item)
    return tables.made_at(cx, node, Entries(found))


def _table(cx: Lowerer, node: ast.Dict) -> Ref:
    """A dict display with a key that only the run knows."""
    if node not in cx.tables:
        raise tables.Tabulate(node)
    made = tables.made_at(cx, node, Entries({}))
    for key, item in zip(node.keys, node.values, strict=True):
        if key is None:
            cx.fail("only a dict with known keys can be spread with '**'", node=item)
        tables.store(cx, made, expr(cx, key), expr(cx, item))
    return made


def f_string(cx: Lowerer, node: ast.JoinedStr) -> Ref:
    """An f-string: ``format`` of its values by a template."""
    template, parts = "", []
    for part in node.values:
        match part:
            case ast.Constant(value):
                template += str(value).replace("{", "{{").replace("}", "}}")
            case ast.FormattedValue(inner, conversion, spec):
                form = ""
                if conversion != -1:
                    form += "!" + chr(conversion)
                if isinstance(spec, ast.JoinedStr):
                    form += ":" + "".join(str(_format_part(cx, s)) for s in spec.values)
                template += "{" + form + "}"
                parts.append(printable(cx, expr(cx, inner)))
    return Val(cx.op("format", *parts, template=template))


def _format_part(cx: Lowerer, node: ast.expr) -> Any:
    if isinstance(node, ast.FormattedValue):
        return cx.static(expr(cx, node.value), "a format")
    return node.value if isinstance(node, ast.Constant) else ""


def printable(cx: Lowerer, ref: Ref) -> Atom:
    """The atom of something that is only going to be printed."""
    match ref:
        case Static():
            return Const.of(str(ref.obj))
        case FuncRef():
            return Const.of(getattr(ref.node, "name", "<lambda>"))
        case _:
            return cx.atom(ref)
