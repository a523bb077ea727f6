"""Expressions: from a syntax tree to a reference.

In: an expression node. Out: what it stands for; the nodes that compute it are appended.

    2.0 * x + a[i]     mul 2.0 x; item a i; add
"""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable
from typing import Any

from ..ir.kinds import Array, Mixed, Num, Opaque, Unknown
from ..ir.nodes import FALSE, TRUE, Atom, Const, Node, Op, Value
from . import attributes, comprehensions, indexing, lower_calls
from .captures import names_of
from .context import Lowerer, Unreachable
from .describe import describe_ref
from .refs import (
    UNASSIGNED,
    ArrayRef,
    BoundRef,
    Choice,
    Data,
    Entries,
    Fetch,
    Fields,
    Frame,
    FuncRef,
    HeapRef,
    Items,
    Lost,
    PartialRef,
    Ref,
    Static,
    TupleRef,
    Val,
    same_ref,
)

_BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Div: ("div", operator.truediv),
    ast.FloorDiv: ("floordiv", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
    ast.Pow: ("pow", operator.pow),
    ast.MatMult: ("matmul", operator.matmul),
    ast.LShift: ("lshift", operator.lshift),
    ast.RShift: ("rshift", operator.rshift),
    ast.BitAnd: ("bitand", operator.and_),
    ast.BitOr: ("bitor", operator.or_),
    ast.BitXor: ("bitxor", operator.xor),
}
_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is_not", operator.is_not),
    ast.In: ("in", lambda x, y: x in y),
    ast.NotIn: ("not_in", lambda x, y: x not in y),
}

#: Nodes that cannot raise and cost next to nothing: ``and`` may compute its right side early.
_HARMLESS = {"add", "sub", "mul", "neg", "lt", "le", "gt", "ge", "eq", "ne", "not", "and", "or",
             "is", "is_not"}  # fmt: skip


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
            return binary(cx, node.op, expr(cx, node.left), expr(cx, node.right))
        case ast.UnaryOp():
            return unary(cx, node)
        case ast.BoolOp():
            return boolean(cx, node.values, isinstance(node.op, ast.And))
        case ast.Compare():
            return compare(cx, node)
        case ast.IfExp():
            return conditional(cx, node)
        case ast.Call():
            return lower_calls.call(cx, node)
        case ast.Attribute():
            return attributes.attribute(cx, expr(cx, node.value), node.attr)
        case ast.Subscript():
            return indexing.item(cx, expr(cx, node.value), indexing.index(cx, node.slice))
        case ast.Tuple():
            return TupleRef(elements(cx, node.elts))
        case ast.List():
            return cx.new(Items(elements(cx, node.elts)))
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


# -- operators -----------------------------------------------------------------------------------


def _foldable(value: Any) -> bool:
    """Constants that may be computed now: never floats, whose arithmetic stays the program's."""
    return isinstance(value, int | str | bytes | type(None) | type)


def binary(cx: Lowerer, op: ast.operator, left: Ref, right: Ref) -> Ref:
    """``left op right``."""
    fn, fun = _BINARY[type(op)]
    return operate(cx, fn, fun, left, right)


def operate(cx: Lowerer, fn: str, fun: Callable[..., Any], left: Ref, right: Ref) -> Ref:
    sequence = _sequences(cx, fn, left, right)
    if sequence is not None:
        return sequence
    if cx.known(left) and cx.known(right):
        a, b = cx.value(left), cx.value(right)
        if _foldable(a) and _foldable(b) and fn != "div":
            try:
                folded = fun(a, b)
            except Exception as error:
                cx.fail(f"this raises {type(error).__name__}: {error}")
            if _foldable(folded) and not (isinstance(folded, int) and abs(folded) > 2**63):
                return cx.constant(folded)
    user = _special(cx, fn, left, right)
    if user is not None:
        return user
    result = cx.ref(cx.op(fn, cx.atom(left), cx.atom(right)))
    if isinstance(result, HeapRef) and indexing.holds_memory(cx.kind(result)):
        for part in (left, right):
            if isinstance(part, HeapRef):
                indexing.hold(cx, result, part)
                result.root.twice |= fn == "mul" or part.root.twice
    return result


def _special(cx: Lowerer, fn: str, left: Ref, right: Ref) -> Ref | None:
    """An operator that a class of the user's defines."""
    methods = {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv", "matmul": "matmul",
               "pow": "pow", "mod": "mod", "floordiv": "floordiv"}  # fmt: skip
    if fn not in methods:
        return None
    for ref, other, prefix in ((left, right, "__"), (right, left, "__r")):
        cls = user_class(cx, ref)
        if cls is not None and hasattr(cls, f"{prefix}{methods[fn]}__"):
            return lower_calls.apply(
                cx, attributes.attribute(cx, ref, f"{prefix}{methods[fn]}__"), [other], {}
            )
    return None


def user_class(cx: Lowerer, ref: Ref) -> type | None:
    """The user's class of an object in the heap."""
    if isinstance(ref, HeapRef):
        content = cx.state.content(ref.root)
        if isinstance(content, Fields):
            return content.cls
    return None


def _sequences(cx: Lowerer, fn: str, left: Ref, right: Ref) -> Ref | None:
    """``+`` and ``*`` of tuples and lists of known length."""
    if fn == "add":
        match left, right:
            case TupleRef(), TupleRef():
                return TupleRef((*left.items, *right.items))
            case HeapRef(), HeapRef():
                a, b = cx.content(left), cx.content(right)
                if isinstance(a, Items) and isinstance(b, Items):
                    return cx.new(Items((*a.items, *b.items)))
    if fn == "mul":
        for seq, n in ((left, right), (right, left)):
            if isinstance(n, Val) and isinstance(n.atom, Const) and type(n.atom.value) is int:
                if isinstance(seq, TupleRef):
                    return TupleRef(seq.items * n.atom.value)
                if isinstance(seq, HeapRef):
                    content = cx.content(seq)
                    if isinstance(content, Items) and n.atom.value * len(content.items) <= 64:
                        return cx.new(Items(content.items * n.atom.value))
    return None


_UNARY: dict[type[ast.unaryop], tuple[str, Callable[[Any], Any]]] = {
    ast.USub: ("neg", operator.neg),
    ast.UAdd: ("pos", operator.pos),
    ast.Invert: ("invert", operator.invert),
}


def unary(cx: Lowerer, node: ast.UnaryOp) -> Ref:
    if isinstance(node.op, ast.Not):
        return Val(negate(cx, condition(cx, node.operand)))
    fn, fun = _UNARY[type(node.op)]
    operand = expr(cx, node.operand)
    if isinstance(operand, Val) and isinstance(operand.atom, Const):
        v = operand.atom.value
        if isinstance(v, int) or (isinstance(v, float) and fn != "invert"):
            return cx.constant(fun(v))  # -1.5 is a constant to its reader, and exact
    return cx.ref(cx.op(fn, cx.atom(operand)))


def negate(cx: Lowerer, cond: Atom) -> Atom:
    if isinstance(cond, Const):
        return FALSE if cond.value else TRUE
    return cx.op("not", cond)


def truth(cx: Lowerer, ref: Ref, node: ast.expr | None = None) -> Atom:
    """The atom to branch on."""
    match ref:
        case Val():
            if isinstance(ref.atom, Const):
                return TRUE if ref.atom.value else FALSE
            return ref.atom
        case ArrayRef():
            return cx.read(ref)
        case TupleRef():
            return TRUE if ref.items else FALSE
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Data():
                    return cx.op("gt", cx.op("len", content.atom), Const.of(0))
                case Items() | Entries():
                    return TRUE if content.items else FALSE
                case Fields(cls) if not hasattr(cls, "__bool__") and not hasattr(cls, "__len__"):
                    return TRUE
        case Static():
            return TRUE if ref.obj else FALSE
        case FuncRef() | PartialRef() | BoundRef() | Choice():
            return TRUE
    cx.fail(f"the truth of {describe_ref(ref)} cannot be told", node=node)


def condition(cx: Lowerer, node: ast.expr) -> Atom:
    """The atom to branch on for an expression of which only the truth is wanted."""
    with cx.at(node):
        match node:
            case ast.BoolOp(op, values):
                return _all_or_any(cx, values, isinstance(op, ast.And))
            case ast.UnaryOp(ast.Not(), operand):
                return negate(cx, condition(cx, operand))
            case _:
                return truth(cx, expr(cx, node), node)


def _all_or_any(cx: Lowerer, values: list[ast.expr], is_and: bool) -> Atom:
    first = condition(cx, values[0])
    rest = values[1:]
    if not rest:
        return first
    if isinstance(first, Const):
        return _all_or_any(cx, rest, is_and) if bool(first.value) is is_and else first
    if isinstance(first.kind, Num) and first.kind.dtype == "bool":
        early = _early(cx, lambda: Val(_all_or_any(cx, rest, is_and)))
        if isinstance(early, Const):
            if bool(early.value) is is_and:
                return first
        elif early is not None:
            return cx.op("and" if is_and else "or", first, early)

    def others() -> Ref:
        return Val(_all_or_any(cx, rest, is_and))

    if is_and:
        found = cx.branch(first, others, lambda: FALSE_REF)
    else:
        found = cx.branch(first, lambda: TRUE_REF, others)
    assert found is not None
    return cx.atom(found)


def boolean(cx: Lowerer, values: list[ast.expr], is_and: bool) -> Ref:
    """``a and b``, ``a or b``: the right side is computed only where Python computes it."""
    left = expr(cx, values[0])
    if len(values) == 1:
        return left
    cond = truth(cx, left)
    if isinstance(cond, Const):
        return boolean(cx, values[1:], is_and) if bool(cond.value) is is_and else left
    kind = cx.kind(left)
    if kind == Num("bool", True) or (isinstance(kind, Num) and kind.dtype == "bool"):
        early = _early(cx, lambda: boolean(cx, values[1:], is_and))
        if early is not None:
            if isinstance(early, Const):
                if bool(early.value) is is_and:
                    return left
            return Val(cx.op("and" if is_and else "or", cond, early))

    def right() -> Ref:
        return boolean(cx, values[1:], is_and)

    found = (
        cx.branch(cond, right, lambda: left) if is_and else cx.branch(cond, lambda: left, right)
    )
    assert found is not None
    if isinstance(found, Lost):
        raise cx.lost(found)
    return found


def _early(cx: Lowerer, make: Callable[[], Ref]) -> Atom | None:
    """The right side, where computing it early does no harm; else None, nothing appended."""
    before = cx.state
    cx.state = before.copy()
    with cx.b.region() as nodes:
        ref = make()
    if (
        isinstance(ref, Val)
        and isinstance(ref.kind, Num)
        and ref.kind.dtype == "bool"
        and all(map(_harmless, nodes))
        and all(
            same_ref(r, before.frames[cx.frame].get(n, UNASSIGNED))
            for n, r in cx.state.frames[cx.frame].items()
        )
    ):
        cx.b.nodes.extend(nodes)
        cx.state = before
        return ref.atom
    cx.state = before
    return None


def _harmless(node: Node) -> bool:
    """Whether computing this although Python does not makes no difference."""
    if not isinstance(node, Op) or node.fn not in _HARMLESS:
        return False
    return node.fn in ("is", "is_not") or all(isinstance(a.kind, Num) for a in node.args)


def compare(cx: Lowerer, node: ast.Compare) -> Ref:
    """``a < b < c`` is ``a < b and b < c``, with b computed once."""
    left = expr(cx, node.left)
    return _chain(cx, left, list(node.ops), list(node.comparators))


def _chain(cx: Lowerer, left: Ref, ops: list[ast.cmpop], rights: list[ast.expr]) -> Ref:
    right = expr(cx, rights[0])
    first = compare_two(cx, ops[0], left, right)
    if len(ops) == 1:
        return first
    cond = truth(cx, first)
    if isinstance(cond, Const):
        return _chain(cx, right, ops[1:], rights[1:]) if cond.value else first
    rest = _early(cx, lambda: _chain(cx, right, ops[1:], rights[1:]))
    if rest is not None and isinstance(cond.kind, Num):
        return Val(cx.op("and", cond, rest))
    found = cx.branch(cond, lambda: _chain(cx, right, ops[1:], rights[1:]), lambda: first)
    assert found is not None
    return found


def compare_two(cx: Lowerer, op: ast.cmpop, left: Ref, right: Ref) -> Ref:
    fn, fun = _COMPARE[type(op)]
    if fn in ("is", "is_not"):
        same = _identical(cx, left, right)
        if same is not None:
            return cx.constant(same is (fn == "is"))
    if fn in ("in", "not_in"):
        found = _member(cx, left, right)
        if found is not None:
            if isinstance(found, Const):
                return cx.constant(bool(found.value) is (fn == "in"))
            return Val(found if fn == "in" else cx.op("not", found))
    if cx.known(left) and cx.known(right) and fn not in ("is", "is_not"):
        try:
            return cx.constant(bool(fun(cx.value(left), cx.value(right))))
        except Exception as error:
            cx.fail(f"this raises {type(error).__name__}: {error}")
    if fn in ("eq", "ne"):
        # None, a string or a function never equals a number.
        a, b = cx.kind(left), cx.kind(right)
        if _opposed(a, b) or _opposed(b, a):
            return cx.constant(fn == "ne")
        pairwise = _equal_parts(cx, left, right)
        if pairwise is not None:
            return Val(pairwise if fn == "eq" else negate(cx, pairwise))
    return cx.ref(cx.op(fn, cx.atom(left), cx.atom(right)))


def _equal_parts(cx: Lowerer, left: Ref, right: Ref) -> Atom | None:
    """``==`` of two tuples or two lists of known length, part by part."""
    a, b = parts_of(cx, left), parts_of(cx, right)
    if a is None or b is None or type(left) is not type(right):
        return None
    if len(a) != len(b):
        return FALSE
    out: Atom = TRUE
    for x, y in zip(a, b, strict=True):
        same = truth(cx, compare_two(cx, ast.Eq(), x, y))
        if isinstance(same, Const):
            if not same.value:
                return FALSE
        else:
            out = same if isinstance(out, Const) else cx.op("and", out, same)
    return out


def parts_of(cx: Lowerer, ref: Ref) -> tuple[Ref, ...] | None:
    """The elements of a tuple or list of known length."""
    match ref:
        case TupleRef():
            return ref.items
        case HeapRef():
            content = cx.content(ref)
            if isinstance(content, Items):
                return content.items
    return None


def _opposed(a: Any, b: Any) -> bool:
    return (
        isinstance(a, Opaque) and isinstance(b, Num | Array | Mixed) and not isinstance(b, Mixed)
    )


def _identical(cx: Lowerer, left: Ref, right: Ref) -> bool | None:
    """``is``, where it can be told now."""
    if cx.known(left) and cx.known(right):
        a, b = cx.value(left), cx.value(right)
        if a is b:
            return True
        if a is None or b is None or isinstance(a, type | bool) or isinstance(b, type | bool):
            return False
    for one, other in ((left, right), (right, left)):
        if cx.known(one) and cx.value(one) is None:
            kind = cx.kind(other)
            if isinstance(kind, Unknown):
                return None
            if not (isinstance(kind, Opaque) and kind.cls is type(None)):
                return False
    if isinstance(left, ArrayRef) and isinstance(right, ArrayRef):
        if left.root is right.root and left.path == right.path == ():
            return True
        if not cx.state.may_share(left.root, right.root):
            return False
    if isinstance(left, HeapRef) and isinstance(right, HeapRef):
        if left.root is right.root:
            return True
        if not cx.state.may_share(left.root, right.root):
            return False
    return None


def _member(cx: Lowerer, left: Ref, right: Ref) -> Atom | None:
    """``in`` a container of known structure."""
    if isinstance(right, HeapRef):
        content = cx.content(right)
        if isinstance(content, Entries):
            key = cx.static(left, "a key")
            return TRUE if key in content.items else FALSE
    parts = parts_of(cx, right)
    if parts is None:
        return None
    out: Atom = FALSE
    for part in parts:
        same = truth(cx, compare_two(cx, ast.Eq(), left, part))
        if isinstance(same, Const):
            if same.value:
                return TRUE
        else:
            out = same if isinstance(out, Const) else cx.op("or", out, same)
    return out


def conditional(cx: Lowerer, node: ast.IfExp) -> Ref:
    cond = condition(cx, node.test)
    if isinstance(cond, Const):
        return expr(cx, node.body if cond.value else node.orelse)
    return choose(cx, cond, lambda: expr(cx, node.body), lambda: expr(cx, node.orelse))


def choose(cx: Lowerer, cond: Atom, first: Callable[[], Ref], second: Callable[[], Ref]) -> Ref:
    """One of two references, by a condition known at run time."""
    made: list[Ref] = []

    def side(make: Callable[[], Ref]) -> Callable[[], Ref]:
        def lowered() -> Ref:
            made.append(make())
            return TRUE_REF if is_callable(made[-1]) else made[-1]

        return lowered

    found = cx.branch(cond, side(first), side(second))
    if len(made) == 2 and is_callable(made[0]) and is_callable(made[1]):
        return Choice(cond, made[0], made[1])
    if found is None:
        raise Unreachable
    if isinstance(found, Lost):
        raise cx.lost(found)
    return found


TRUE_REF, FALSE_REF = Val(TRUE), Val(FALSE)


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
            found[cx.static(expr(cx, key), "a key", key)] = expr(cx, item)
    return cx.new(Entries(found))


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
