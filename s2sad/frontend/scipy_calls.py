"""Calls of SciPy's own Python functions that have no rule, and of its distributions.

In: the function and the references of its arguments. Out: what it returns: the source of a plain
one is read like the user's own; one that cannot be read is refused by its name.

    scipy.optimize.rosen(x)             its source, differentiated
    stats.norm(mu, sigma).logpdf(x)     stats.norm.logpdf(x, mu, sigma)
"""

from __future__ import annotations

import operator
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..ir.kinds import Opaque
from ..rules.optional import is_distribution, is_sparse_class, load_rules_of
from ..rules.registry import lookup
from .context import Lowerer
from .position import Refuse
from .refs import ArrayRef, Fetch, FuncRef, HeapRef, PartialRef, Ref, Static, TupleRef, Val

__all__ = [
    "curve",
    "frozen_method",
    "is_sparse",
    "method_of_frozen",
    "sparse_attribute",
    "sparse_operator",
    "through",
    "unread",
]


def through(cx: Lowerer, func: Any, inline: Callable[[], Ref]) -> Ref:
    """The result of a function without a rule, by its source where that can be read."""
    count = len(cx.problems)
    try:
        found = inline()
        if len(cx.problems) == count:
            return found
    except Refuse:
        pass
    del cx.problems[count:]
    raise unread(cx, func)


def unread(cx: Lowerer, func: Any) -> Refuse:
    """The refusal of a function that has no rule and cannot be read."""
    return cx.refuse(
        f"{_name(func)} has no rule",
        "register one (s2sad.rules), or write it with functions that have one",
    )


def frozen_method(
    cx: Lowerer, frozen: PartialRef, name: str, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> Ref:
    """``stats.norm(mu, sigma).logpdf(x)``: its parameters come after x."""
    from . import lower_calls

    assert isinstance(frozen.func, Static)
    method = getattr(frozen.func.obj, name, None)
    if lookup(method) is None:
        raise (
            unread(cx, method)
            if method is not None
            else cx.refuse(f"a frozen distribution has no method '{name}' here")
        )
    return lower_calls.apply(
        cx, Static(method), [*args, *frozen.args], {**kwargs, **frozen.kwargs}
    )


def method_of_frozen(
    cx: Lowerer, distribution: Any, parameters: Mapping[str, Any], name: str
) -> Ref:
    """A method of a distribution that was frozen outside of the program."""
    method = getattr(distribution, name)
    if lookup(method) is None:
        raise unread(cx, method)
    given = {k: cx.captures.ref(Fetch.of("object", v, k), v) for k, v in parameters.items()}
    return PartialRef(Static(method), (), given)


def curve(cx: Lowerer, obj: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """A call of a spline that was made outside of the program."""
    given = dict(zip(("x", "nu"), args, strict=False)) | dict(kwargs)
    if set(given) - {"x", "nu"}:
        cx.fail("a spline made outside of the program is called with x and nu here")
    load_rules_of(type(obj))
    order = cx.static(given["nu"], "the 'nu' of a spline") if "nu" in given else 0
    options: dict[str, Any] = {"nu": order} if order else {}
    return cx.ref(cx.op("curve_value", cx.atom(given["x"]), curve=obj, **options))


# -- sparse matrices -----------------------------------------------------------------------------


def is_sparse(cx: Lowerer, ref: Ref) -> bool:
    """Whether a reference stands for a sparse matrix or array of SciPy."""
    if isinstance(ref, ArrayRef | TupleRef | HeapRef | FuncRef):
        return False
    if isinstance(ref, Static):
        cls = type(ref.obj)
    else:
        kind = cx.kind(ref) if isinstance(ref, Val) else None
        if not isinstance(kind, Opaque):
            return False
        cls = kind.cls
    return is_sparse_class(cls)


def sparse_attribute(cx: Lowerer, ref: Ref, name: str) -> Ref | None:
    """``A.T``, ``A.dot``; None for other attributes."""
    match name:
        case "T":
            load_rules_of(_class_of(cx, ref))
            return cx.ref(cx.op("sparse_transpose", cx.atom(ref)))
        case "dot":
            return PartialRef(Static(operator.matmul), (ref,))
    return None


def sparse_operator(cx: Lowerer, fn: str, left: Ref, right: Ref) -> Ref:
    """``A @ x`` and ``x @ A``."""
    first = is_sparse(cx, left)
    cls = _class_of(cx, left if first else right)
    if fn == "mul" and not cls.__name__.endswith("_array") and first:
        fn = "matmul"  # the older matrices multiply with a star
    if fn != "matmul" or is_sparse(cx, left) == is_sparse(cx, right):
        cx.fail(
            "of the operations on sparse matrices, products with arrays have rules: A @ x",
            "build the matrix outside of the function, or use dense arrays",
        )
    load_rules_of(cls)
    name = "sparse_matmul" if first else "matmul_sparse"
    return cx.ref(cx.op(name, cx.atom(left), cx.atom(right)))


def _class_of(cx: Lowerer, ref: Ref) -> type:
    if isinstance(ref, Static):
        return type(ref.obj)
    kind = cx.kind(ref)
    assert isinstance(kind, Opaque)
    return kind.cls


def _name(func: Any) -> str:
    receiver = getattr(func, "__self__", None)
    if isinstance(func, types.MethodType) and is_distribution(receiver):
        own = getattr(receiver, "name", type(receiver).__name__.removesuffix("_gen"))
        return f"scipy.stats.{own}.{func.__name__}"
    module = ".".join(p for p in str(func.__module__).split(".") if not p.startswith("_"))
    return f"{module}.{getattr(func, '__qualname__', func)}"
