"""Expressions: atoms and ops as Python expression trees.

In: an atom, with the plan and the names. Out: an ``ast`` expression; what it needs from outside
(modules, helpers, constants without a literal) is entered in the namespace.

    mul(x, -1.5)   ->   x * -1.5
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import runtime
from ..ir.kinds import Array, Mixed, Num
from ..ir.nodes import Atom, Const, If, Op, Value, is_none
from ..rules.registry import keyword_from, primitive
from ..transform.target import is_for_compiler
from .constants import is_kept
from .literals import Namespace, attribute, call, load
from .ops import is_container
from .plan import Plan
from .solvers import Solvers

BINARY: dict[str, type[ast.operator]] = {
    "add": ast.Add,
    "sub": ast.Sub,
    "mul": ast.Mult,
    "div": ast.Div,
    "floordiv": ast.FloorDiv,
    "mod": ast.Mod,
    "pow": ast.Pow,
    "matmul": ast.MatMult,
    "lshift": ast.LShift,
    "rshift": ast.RShift,
    "bitand": ast.BitAnd,
    "bitor": ast.BitOr,
    "bitxor": ast.BitXor,
}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "lt": ast.Lt,
    "le": ast.LtE,
    "gt": ast.Gt,
    "ge": ast.GtE,
    "eq": ast.Eq,
    "ne": ast.NotEq,
    "is": ast.Is,
    "is_not": ast.IsNot,
    "in": ast.In,
    "not_in": ast.NotIn,
}
_UNARY: dict[str, type[ast.unaryop]] = {
    "neg": ast.USub,
    "pos": ast.UAdd,
    "invert": ast.Invert,
    "not": ast.Not,
}
#: Ops of arrays that everyone writes as attributes, and those that are methods only.
_ATTRIBUTES = {
    "np.transpose": "T",
    "np.matrix_transpose": "mT",
    "np.size": "size",
    "np.ndim": "ndim",
    "dtype": "dtype",
}
#: Parts of numbers, which compiled code has at hand.
_PARTS = {"np.real": "real", "np.imag": "imag"}
_METHODS = {"flatten": "flatten", "astype": "astype", "to_item": "item", "tolist": "tolist"}
#: Reductions that an array has as methods, and the options that go with them.
_REDUCTIONS = frozenset({f"np.{f}" for f in ("sum", "mean", "prod", "max", "min", "std", "var")})
_REDUCED = frozenset({"axis", "keepdims"})


class Expressions(Solvers):
    """Writes atoms and ops of one function as expressions."""

    def __init__(
        self,
        plan: Plan,
        names: dict[Value, str],
        namespace: Namespace,
        constants: Mapping[str, Const] | None = None,
    ) -> None:
        super().__init__(namespace)
        self.plan = plan
        self.names = names
        self.constants = constants or {}

    def atom(self, atom: Atom) -> ast.expr:
        """The expression of an atom, with everything inline written out."""
        if isinstance(atom, Const):
            if atom.name is not None and is_kept(self.constants, atom):
                return load(atom.name)
            return self.constant(atom.value)
        node = self.plan.inline.get(atom)
        if node is None:
            return load(self.names.get(atom, "_"))
        if isinstance(node, If):
            return self.conditional(node)
        return self.op(node)

    def atoms(self, atoms: Sequence[Atom]) -> list[ast.expr]:
        return [self.atom(a) for a in atoms]

    # -- ops ----------------------------------------------------------------------------------

    def op(self, op: Op) -> ast.expr:
        """The value of an op's (first) result."""
        args = op.args
        if op.fn in BINARY:
            left, right = self.atoms(args)
            return ast.BinOp(left, BINARY[op.fn](), right)
        if op.fn == "np.matmul" and is_for_compiler() and not op.attrs:
            left, right = self.atoms(args)
            return ast.BinOp(left, ast.MatMult(), right)
        if op.fn in _COMPARE:
            left, right = self.atoms(args)
            return ast.Compare(left, [_COMPARE[op.fn]()], [right])
        if op.fn in _UNARY:
            (operand,) = self.atoms(args)
            return ast.UnaryOp(_UNARY[op.fn](), operand)
        method = getattr(self, "op_" + op.fn, None) if "." not in op.fn else None
        if method is not None:
            made: ast.expr = method(op)
            return made
        return self.general(op)

    def general(self, op: Op) -> ast.expr:
        """A call of a NumPy or math function, a builtin or a helper."""
        record = primitive(op.fn)
        x = op.args[0] if op.args else None
        if op.fn in _ATTRIBUTES and x is not None and isinstance(x.kind, Array) and not op.attrs:
            lacks = op.fn == "np.matrix_transpose" and is_for_compiler()
            if lacks and x.kind.rank != 2:
                return call(
                    self.path("np.swapaxes"), self.atom(x), self.constant(-1), self.constant(-2)
                )
            if lacks:
                return attribute(self.atom(x), "T")
            if len(op.args) == 1 and not isinstance(x, Const):
                return attribute(self.atom(x), _ATTRIBUTES[op.fn])
        if op.fn in _PARTS and x is not None and isinstance(x.kind, Num) and is_for_compiler():
            return attribute(self.atom(x), _PARTS[op.fn])
        if op.fn in _METHODS and x is not None:
            options = {k: self.constant(v) for k, v in op.attrs.items()}
            args = self.atoms(op.args[1:])
            if op.fn == "astype" and "dtype" in options and is_for_compiler():
                args.append(options.pop("dtype"))  # Numba takes it by position only
            return call(attribute(self.atom(x), _METHODS[op.fn]), *args, **options)
        if _is_method(op):
            array = self.atom(op.args[0])
            if isinstance(array, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
                options = {k: self.constant(v) for k, v in op.attrs.items()}
                return call(attribute(array, op.fn[3:]), **options)
        if "." in op.fn:
            f = self.path(op.fn)
        elif hasattr(builtins, op.fn):
            f = self.namespace.builtin(op.fn)
        else:
            f = load(self.namespace.name(op.fn, record.fun))
        given = len(op.args)
        if "." in op.fn and not any(n.startswith("*") for n in record.operands):
            given = keyword_from(record.operands, record.signature)
        args = self.atoms(op.args[:given])
        keywords: dict[str, ast.expr] = {
            name: self.atom(a)
            for name, a in zip(record.operands[given:], op.args[given:], strict=False)
            if not is_none(a)
        }
        for name, value in op.attrs.items():
            if self.positional(record.signature, name, len(args)) and not keywords:
                args.append(self.constant(value))
            else:
                keywords[name] = self.constant(value)
        return call(f, *args, **keywords)

    def positional(self, signature: Any, name: str, count: int) -> bool:
        """True for an option that everyone writes by position."""
        if signature is None:
            return False
        parameters = list(signature.parameters.values())
        if count >= len(parameters) or parameters[count].name != name:
            return False
        parameter = parameters[count]
        if parameter.kind is parameter.POSITIONAL_ONLY:
            return True
        required = parameter.default is parameter.empty
        return required and parameter.kind is parameter.POSITIONAL_OR_KEYWORD

    def op_and(self, op: Op) -> ast.expr:
        return self.logic(ast.And(), *op.args)

    def op_or(self, op: Op) -> ast.expr:
        return self.logic(ast.Or(), *op.args)

    def logic(self, operator: ast.boolop, *atoms: Atom) -> ast.expr:
        values: list[ast.expr] = []
        for n, part in enumerate(self.atoms(atoms)):
            if n == 0 and isinstance(part, ast.BoolOp) and type(part.op) is type(operator):
                values.extend(part.values)
            else:
                values.append(part)
        return ast.BoolOp(operator, values)

    def op_sparse_matmul(self, op: Op) -> ast.expr:
        left, right = self.atoms(op.args)
        return ast.BinOp(left, ast.MatMult(), right)

    op_matmul_sparse = op_sparse_matmul

    def op_item(self, op: Op) -> ast.expr:
        base, index = op.args
        return ast.Subscript(self.atom(base), self.index(index), ast.Load())

    def index(self, atom: Atom) -> ast.expr:
        """An expression in index position, where slices are written with colons."""
        if isinstance(atom, Const):
            return self.constant_index(atom.value)
        node = self.plan.inline.get(atom)
        if isinstance(node, Op) and node.fn == "slice":
            parts = [None if is_none(a) else self.atom(a) for a in node.args]
            return ast.Slice(*parts)
        if isinstance(node, Op) and node.fn == "tuple":
            return ast.Tuple([self.index(a) for a in node.args], ast.Load())
        return self.atom(atom)

    def constant_index(self, value: Any) -> ast.expr:
        if isinstance(value, slice):
            parts = [
                None if v is None else self.constant(v)
                for v in (value.start, value.stop, value.step)
            ]
            return ast.Slice(*parts)
        if type(value) is tuple:
            return ast.Tuple([self.constant_index(v) for v in value], ast.Load())
        return self.constant(value)

    def op_unpack(self, op: Op) -> ast.expr:
        return self.atom(op.args[0])

    def op_slice(self, op: Op) -> ast.expr:
        return call(self.namespace.builtin("slice"), *self.atoms(op.args))

    def op_tuple(self, op: Op) -> ast.expr:
        return ast.Tuple(self.atoms(op.args), ast.Load())

    def op_list(self, op: Op) -> ast.expr:
        return ast.List(self.atoms(op.args), ast.Load())

    def op_dict(self, op: Op) -> ast.expr:
        return ast.Dict([self.constant(k) for k in op.attrs["keys"]], self.atoms(op.args))

    def op_record(self, op: Op) -> ast.expr:
        cls = self.constant(op.attrs["cls"])
        fields = op.attrs.get("fields")
        args = self.atoms(op.args)
        if fields is None:
            return call(cls, *args)
        return call(cls, **dict(zip(fields, args, strict=True)))

    def op_attr(self, op: Op) -> ast.expr:
        return attribute(self.atom(op.args[0]), op.attrs["name"])

    def op_shape(self, op: Op) -> ast.expr:
        (x,) = op.args
        if isinstance(x.kind, Array):
            return attribute(self.atom(x), "shape")
        return call(self.path("np.shape"), self.atom(x))

    def op_copy(self, op: Op) -> ast.expr:
        (x,) = op.args
        if isinstance(x, Const) and isinstance(x.value, list | dict):
            return self.constant(x.value)
        if isinstance(x.kind, Array) or is_container(x.kind) and not isinstance(x.kind, Num):
            if not isinstance(x, Const) or isinstance(x.kind, Array):
                return call(attribute(self.atom(x), "copy"))
        return call(self.helper("copied"), self.atom(x))

    def op_copied(self, op: Op) -> ast.expr:
        return call(self.helper("copied"), self.atom(op.args[0]))

    def helper(self, name: str) -> ast.expr:
        return load(self.namespace.name(name, getattr(runtime, name)))

    def op_zeros_like(self, op: Op) -> ast.expr:
        (x,) = op.args
        match x.kind:
            case Num(dtype, weak):
                if weak is not False:
                    return ast.Constant(0j if dtype[0] == "c" else 0.0)
                return call(self.path(f"np.{dtype}"), ast.Constant(0.0))
            case Array():
                return call(self.path("np.zeros_like"), self.atom(x))
            case _:
                return call(self.helper("zeros_like"), self.atom(x))

    def op_cast(self, op: Op) -> ast.expr:
        (x,) = op.args
        like = op.attrs["like"]
        plain = isinstance(x.kind, Num | Array) and (x.kind.dtype[0] != "c" or like[0] == "c")
        if plain and isinstance(x.kind, Num):
            return call(self.path(f"np.{like}"), self.atom(x))
        if plain:
            return call(attribute(self.atom(x), "astype"), self.path(f"np.{like}"))
        f = load(self.namespace.name("cast", primitive("cast").fun))
        return call(f, self.atom(x), like=ast.Constant(like))

    def op_broadcast_like(self, op: Op) -> ast.expr:
        x, like = op.args
        if isinstance(like.kind, Array):
            return call(self.path("np.broadcast_to"), self.atom(x), self.shape_of(like))
        f = load(self.namespace.name("broadcast_like", primitive("broadcast_like").fun))
        return call(f, self.atom(x), self.atom(like))

    def shape_of(self, x: Atom) -> ast.expr:
        return attribute(self.atom(x), "shape")

    def op_unbroadcast(self, op: Op) -> ast.expr:
        return call(self.helper("unbroadcast"), *self.atoms(op.args))

    def op_ratio(self, op: Op) -> ast.expr:
        return call(self.helper("ratio"), *self.atoms(op.args))

    def op_add_to(self, op: Op) -> ast.expr:
        """The sum as a new value."""
        buffer, g = op.args
        if isinstance(buffer.kind, Num | Array | Mixed) and isinstance(
            g.kind, Num | Array | Mixed
        ):
            return ast.BinOp(self.atom(buffer), ast.Add(), self.atom(g))
        return call(self.helper("add"), *self.atoms(op.args))

    def op_format(self, op: Op) -> ast.expr:
        template = op.attrs.get("template")
        if template is not None:
            return call(attribute(ast.Constant(template), "format"), *self.atoms(op.args))
        f = load(self.namespace.name("format_parts", primitive("format").fun))
        return call(f, *self.atoms(op.args))

    def op_draw(self, op: Op) -> ast.expr:
        """A method of a generator, or a function of ``np.random``."""
        rng, *operands = op.args
        names = op.attrs.get("keywords", ())
        args = self.atoms(operands)
        place = len(args) - len(names)
        shared = isinstance(rng, Const) and rng.value is getattr(np.random.seed, "__self__", None)
        owner = self.path("np.random") if shared else self.atom(rng)
        options = dict(zip(names, args[place:], strict=True))
        return call(attribute(owner, op.attrs["method"]), *args[:place], **options)

    def op_call(self, op: Op) -> ast.expr:
        f, *args = self.atoms(op.args)
        options = {k: self.constant(v) for k, v in op.attrs.items() if k != "result"}
        return call(f, *args, **options)

    def conditional(self, node: If) -> ast.expr:
        """A branch without statements: ``and``, ``or`` or ``a if c else b``."""
        cond, then, orelse = node.cond, node.then.yields[0], node.orelse.yields[0]
        truths = [a.value for a in (then, orelse) if isinstance(a, Const)]
        if len(truths) == 2 and truths[0] is True and truths[1] is False:
            return self.atom(cond)
        if len(truths) == 2 and truths[0] is False and truths[1] is True:
            return ast.UnaryOp(ast.Not(), self.atom(cond))
        if orelse is cond or (isinstance(orelse, Const) and orelse.value is False):
            return self.logic(ast.And(), cond, then)
        if then is cond or (isinstance(then, Const) and then.value is True):
            return self.logic(ast.Or(), cond, orelse)
        return ast.IfExp(self.atom(cond), self.atom(then), self.atom(orelse))


def _is_method(op: Op) -> bool:
    """True for a reduction of an array: in the reverse sweep, or as the user wrote it."""
    if op.fn not in _REDUCTIONS or len(op.args) != 1 or not op.attrs.keys() <= _REDUCED:
        return False
    if op.attrs and is_for_compiler():
        return False  # Numba's arrays have methods without options
    kind = op.args[0].kind
    if not isinstance(kind, Array) or not kind.rank or isinstance(op.args[0], Const):
        return False
    if op.span is None:
        return False
    if op.span.reverse:
        return True
    return f".{op.fn[3:]}(" in op.span.text and f"{op.fn}(" not in op.span.text
