"""Calls of the function that multiplies matrices in tiles.

In: the IR of a function that Numba compiles, before its types are known. Out: the same IR, in
which ``a @ b`` is a call of `matrix_product`. Of matrices of float64, and of stacks of them, that
is LLVM's text at once, without copies of what is transposed or sliced; of all else it is Numba's
own ``@``, which is code for Numba to compile::

    t = a @ b   ->   t = matrix_product(a, b)
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils, ir
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.imputils import impl_ret_new_ref, lower_builtin
from numba.core.ir_utils import mk_unique_var
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.np import arrayobj

from .tiles import product_function

__all__ = ["TiledProducts", "matrix_product"]

_MISFIT = "matmul: shapes do not fit"


def matrix_product(a: Any, b: Any) -> Any:
    """``a @ b``, in compiled code."""
    return a @ b


@register_pass(mutates_CFG=False, analysis_only=False)
class TiledProducts(FunctionPass):  # type: ignore[misc]
    """The pass that writes the calls."""

    _name = "s2sad_tiled_products"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Called by Numba; whether anything has changed."""
        found = False
        for block in state.func_ir.blocks.values():
            body = []
            for inst in block.body:
                value = inst.value if isinstance(inst, ir.Assign) else None
                if isinstance(value, ir.Expr) and value.op == "binop":
                    if value.fn is operator.matmul:
                        found = True
                        helper = ir.Var(block.scope, mk_unique_var("$product"), inst.loc)
                        named = ir.Global("matrix_product", matrix_product, inst.loc)
                        body.append(ir.Assign(named, helper, inst.loc))
                        state.func_ir._definitions[helper.name] = [named]
                        call = ir.Expr.call(helper, (value.lhs, value.rhs), (), inst.loc)
                        known = state.func_ir._definitions[inst.target.name]
                        known[known.index(value)] = call
                        inst.value = call
                body.append(inst)
            block.body = body
        return found


def _in_tiles(*kinds: Any) -> bool:
    return all(
        isinstance(t, types.Array) and t.ndim >= 2 and t.dtype == types.float64 and t.aligned
        for t in kinds
    )


@infer_global(matrix_product)
class _Typed(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 2 and _in_tiles(*args):
            rank = max(t.ndim for t in args)
            return signature(types.Array(types.float64, rank, "C"), *args)
        return self.context.resolve_function_type(operator.matmul, args, kws)


@lower_builtin(matrix_product, types.Any, types.Any)  # type: ignore[untyped-decorator]
def _lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    if not _in_tiles(*sig.args):
        plain = context.typing_context.resolve_value_type(operator.matmul)
        return context.get_function(plain, sig)(builder, args)
    a, b = (
        arrayobj.make_array(t)(context, builder, v) for t, v in zip(sig.args, args, strict=True)
    )
    shapes = [cgutils.unpack_tuple(builder, v.shape) for v in (a, b)]
    steps = [cgutils.unpack_tuple(builder, v.strides) for v in (a, b)]
    *_, m, k = shapes[0]
    *_, other, n = shapes[1]
    _refuse(context, builder, builder.icmp_signed("!=", k, other))
    lead = _lead(context, builder, shapes, steps)
    out = arrayobj._empty_nd_impl(context, builder, sig.return_type, (*lead, m, n))
    out_steps = cgutils.unpack_tuple(builder, out.strides)
    starts = [builder.ptrtoint(v.data, m.type) for v in (a, b, out)]
    with cgutils.loop_nest(builder, lead, m.type) as at:
        x, y, z = (
            _moved(builder, start, at, given[:-2])
            for start, given in zip(starts, (*steps, out_steps), strict=True)
        )
        given = [m, n, k, x, *steps[0][-2:], y, *steps[1][-2:], z, out_steps[-2]]
        given.append(llvm.Constant(m.type, 0))
        builder.call(product_function(context, builder.module), given)
    return impl_ret_new_ref(context, builder, sig.return_type, out._getvalue())


def _lead(context: Any, builder: Any, shapes: list[Any], steps: list[Any]) -> list[Any]:
    """The axes before the matrices. Along one of length 1 that is stretched, there is no step."""
    found = []
    ranks = [len(s) - 2 for s in shapes]
    for n in range(-max(ranks), 0):
        here = [v for v, rank in enumerate(ranks) if n >= -rank]
        sizes = [shapes[v][n - 2] for v in here]
        size = sizes[0]
        if len(here) == 2:
            one = llvm.Constant(size.type, 1)
            is_one = [builder.icmp_signed("==", s, one) for s in sizes]
            unlike = builder.icmp_signed("!=", *sizes)
            some = builder.or_(*is_one)
            _refuse(context, builder, builder.and_(unlike, builder.not_(some)))
            size = builder.select(is_one[0], sizes[1], sizes[0])
            for v in here:
                none = llvm.Constant(size.type, 0)
                steps[v][n - 2] = builder.select(is_one[v], none, steps[v][n - 2])
        found.append(size)
    return found


def _moved(builder: Any, start: Any, at: Any, steps: list[Any]) -> Any:
    """The address of a matrix in a stack, by where it is among the last of the indices."""
    for i, step in zip(at[len(at) - len(steps) :], steps, strict=True):
        start = builder.add(start, builder.mul(i, step))
    return start


def _refuse(context: Any, builder: Any, wrong: Any) -> None:
    with builder.if_then(wrong, likely=False):
        context.call_conv.return_user_exc(builder, ValueError, (_MISFIT,))
