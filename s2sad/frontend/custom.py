"""Calls of functions with derivative rules of their own: ``custom_vjp``, ``custom_jvp``.

In: such a function and the references of its arguments. Out: a ``Call`` of a function of the
module that is marked ``Custom``; the functions of its rule are lowered for the same arguments, and
become functions of the module too.

    y = f(x), f.defvjp(fwd, bwd)    ->    y = call f_call(x)
                                          f_call marked Custom("vjp", ("fwd_call", "bwd_call"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any, NoReturn, TypeAlias

from ..controls import CustomRule, custom_rule
from ..errors import UnsupportedError
from ..ir.kinds import Array, FixedList, Kind, ListOf, Num, Tuple, carries_derivative
from ..ir.nodes import Const, Custom, Value
from ..rules.kindrules import describe
from . import inlining, recursion, shapes, specs
from .contents import Entries
from .context import Lowerer
from .refs import Fetch, Ref, TupleRef, Val
from .source import find_source

__all__ = ["call"]

NONE_REF = Val(Const.of(None))
CHECKPOINT = Custom("checkpoint")

#: Leaves, and what a rule returns for each: one leaf, or those of a list.
Pairs: TypeAlias = list[tuple[int, int | tuple[int, ...]]]


def call(cx: Lowerer, f: FunctionType, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """A call of a function with a rule."""
    rule = custom_rule(f)
    assert rule is not None
    if not rule.functions:
        cx.fail(
            f"{f.__name__} has no rule yet",
            f"call {f.__name__}.def{rule.how}(...) before it is differentiated",
        )
    cx.captures.guard(Fetch.of("object", f).sub("__s2sad_rule__").sub(("item", 1)), rule)
    refs = _by_position(cx, f, args, kwargs)
    spec, leaves = _prepared(cx, f, refs, Custom(rule.how))
    if not spec.attaching and _matters(spec):
        spec.attaching = True
        try:
            _Attach(cx, f, rule, spec, refs).run()
        finally:
            spec.attaching = False
    if spec.function is not None and spec.function.mutates:
        cx.fail(f"{f.__name__} writes an argument; a function with a rule must not")
    return recursion.emit(cx, spec, leaves)


def _matters(spec: specs.Spec) -> bool:
    """Whether there is anything to differentiate, among arguments and results."""
    return any(map(carries_derivative, spec.kinds)) and any(
        map(carries_derivative, spec.result_kinds)
    )


def _by_position(
    cx: Lowerer, f: FunctionType, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> list[Ref]:
    """The arguments by position, as rules take them."""
    source = _source(cx, f)
    names = inlining.bind(cx, f, source, source.node, args, kwargs)
    a = source.node.args
    found = inlining.positional(a, names)
    content = None if a.kwarg is None else cx.content(names[a.kwarg.arg])  # type: ignore[arg-type]
    if a.kwonlyargs or isinstance(content, Entries) and content.items:
        cx.fail(f"{f.__name__} has a rule, so its arguments must be positional")
    return found


def _source(cx: Lowerer, f: Callable[..., Any]) -> Any:
    try:
        return find_source(f)
    except UnsupportedError as error:
        problem = error.problems[0]
        cx.fail(problem.message, problem.help or "register a rule for it")


def _prepared(
    cx: Lowerer, f: Callable[..., Any], refs: Sequence[Ref], custom: Custom
) -> tuple[specs.Spec, list[Ref]]:
    source = _source(cx, f)
    key = (custom.how, source.function)
    return recursion.prepared(
        cx, source.function, source, source.node, None, refs, {}, key, custom
    )


class _Attach:
    """Lowers the functions of a rule and tells the function they differentiate."""

    def __init__(
        self, cx: Lowerer, f: FunctionType, rule: CustomRule, spec: specs.Spec, refs: list[Ref]
    ) -> None:
        self.cx, self.f, self.rule, self.spec = cx, f, rule, spec
        nondiff = {n % len(refs) for n in rule.nondiff}
        #: for each argument: its reference, the positions of its leaves
        self.arguments: list[tuple[Ref, tuple[int, ...]]] = []
        at = 0
        for ref in refs:
            leaves: list[Ref] = []
            shapes.flatten(cx, ref, leaves)
            self.arguments.append((ref, tuple(range(at, at + len(leaves)))))
            at += len(leaves)
        self.count = at
        self.plain = [self.arguments[n] for n in sorted(nondiff)]
        self.active = [a for n, a in enumerate(self.arguments) if n not in nondiff]

    def run(self) -> None:
        """Again until what the functions read of the outside is known to all calls of ``f``."""
        made: list[specs.Spec] = []
        for _ in range(8):
            state = self.cx.state.copy()
            try:
                custom, made = self.vjp() if self.rule.how == "vjp" else self.jvp()
            finally:
                self.cx.state = state
            extras = {k: v for one in made for k, v in one.hidden.items()}
            if extras.keys() == self.spec.extras.keys():
                break
            self.spec.extras = extras
            for one in made:
                one.function = None
        else:  # pragma: no cover - the second round has them all
            self.cx.fail("what this rule reads from outside does not settle")
        function = self.spec.function
        assert function is not None
        first = self.count + len(self.spec.hidden)
        place = {fetch: first + n for n, fetch in enumerate(self.spec.extras)}
        heads = tuple(
            (head, tuple(place[fetch] for fetch in one.hidden))
            for (head, _), one in zip(custom.inputs, made, strict=True)
        )
        named = replace(custom, functions=tuple(one.name for one in made), inputs=heads)
        own = self.count + len(self.spec.hidden)
        kinds = [self.cx.kind(self.cx.captures.ref(k, v)) for k, v in self.spec.extras.items()]
        params = (*function.params[:own], *map(Value, kinds))
        self.spec.function = replace(function, params=params, custom=named)

    def vjp(self) -> tuple[Custom, list[specs.Spec]]:
        cx, (fwd, bwd) = self.cx, self.rule.functions
        forward, _ = _prepared(cx, fwd, [ref for ref, _ in self.arguments], CHECKPOINT)
        result = forward.result
        assert result is not None
        assert self.spec.result is not None
        if result.form != "tuple" or len(result.children) != 2:
            self.fail(fwd, "must return (out, residuals)")
        out, kept = result.children
        if not shapes.same_form(out, self.spec.result):
            self.fail(fwd, f"must return what {self.f.__name__} returns, and residuals")
        kinds = list(forward.result_kinds)[len(shapes.kinds_of(out)) :]
        residuals = self.stand_in(kept, kinds)
        g = self.stand_in(self.spec.result, list(self.spec.result_kinds), _moving)
        backward, _ = _prepared(cx, bwd, [*(r for r, _ in self.plain), residuals, g], CHECKPOINT)
        returned = backward.result
        assert returned is not None
        wanted = len(self.active)
        if returned.form not in ("tuple", "list") or len(returned.children) != wanted:
            self.fail(bwd, f"must return a tuple of {wanted}, one cotangent for each argument")
        pairs: Pairs = []
        at = 0
        for (ref, places), child in zip(self.active, returned.children, strict=True):
            own = shapes.flatten(cx, ref, [])
            at = self.match(bwd, own, child, list(places), at, pairs, backward.result_kinds)
        heads = (tuple(range(self.count)), self.heads())
        inputs = tuple((head, ()) for head in heads)
        return Custom("vjp", inputs=inputs, cotangents=tuple(pairs)), [forward, backward]

    def jvp(self) -> tuple[Custom, list[specs.Spec]]:
        cx, (jvp,) = self.cx, self.rule.functions
        primals = TupleRef(tuple(ref for ref, _ in self.active))
        own = [shapes.flatten(cx, ref, []) for ref, _ in self.active]
        tangents = TupleRef(tuple(self.stand_in(s, shapes.kinds_of(s), _moving) for s in own))
        given = [
            n
            for (_, places), s in zip(self.active, own, strict=True)
            for n, kind in zip(places, shapes.kinds_of(s), strict=True)
            if carries_derivative(kind)
        ]
        both, _ = _prepared(cx, jvp, [*(r for r, _ in self.plain), primals, tangents], CHECKPOINT)
        result, out = both.result, self.spec.result
        assert result is not None
        assert out is not None
        if result.form != "tuple" or len(result.children) != 2:
            self.fail(jvp, "must return (out, out_dot)")
        first, second = result.children
        if not shapes.same_form(first, out):
            self.fail(jvp, f"must return what {self.f.__name__} returns, and its tangent")
        pairs: Pairs = []
        count = len(shapes.kinds_of(first))
        kinds = both.result_kinds
        self.match(jvp, out, second, list(range(count)), count, pairs, kinds)
        head = (*self.heads(), *(n for _, places in self.active for n in places))
        custom = Custom("jvp", inputs=((head, ()),), given=tuple(given), cotangents=tuple(pairs))
        return custom, [both]

    def heads(self) -> tuple[int, ...]:
        return tuple(n for _, places in self.plain for n in places)

    def stand_in(
        self, shape: shapes.Shape, kinds: list[Kind], change: Callable[[Kind], Kind] | None = None
    ) -> Ref:
        """A reference of this shape; with ``change``, of cotangents or tangents of it."""
        if change is None:
            return shapes.build(
                self.cx, shapes.with_kinds(shape, list(kinds)), list(map(Value, kinds))
            )
        changed, left = [], []
        for kind in kinds:
            if carries_derivative(kind):
                left.append(change(kind))
            changed.append(carries_derivative(kind))
        known = _without(shape, changed)
        return shapes.build(self.cx, shapes.with_kinds(known, list(left)), list(map(Value, left)))

    def match(
        self,
        f: Callable[..., Any],
        own: shapes.Shape,
        found: shapes.Shape,
        places: list[int],
        at: int,
        pairs: Pairs,
        kinds: Sequence[Kind],
    ) -> int:
        """Pair the leaves of ``own`` with those of what a rule returns for it."""
        if own.form == "leaf":
            place = places.pop(0)
            if found.form == "leaf":
                kind = own.kind
                assert kind is not None
                if carries_derivative(kind):
                    if isinstance(kind, Num | Array) and type(kinds[at]) is not type(kind):
                        if not (isinstance(kind, Num) and isinstance(kinds[at], Num)):
                            self.fail(
                                f, f"returns {describe(kinds[at])} where {describe(kind)} belongs"
                            )
                    pairs.append((place, at))
                return at + 1
            if _is_none(found):
                return at
            if isinstance(own.kind, ListOf) and found.form == "list":
                if all(child.form == "leaf" for child in found.children):
                    parts = tuple(range(at, at + len(found.children)))
                    pairs.append((place, parts))
                    return at + len(parts)
        elif _is_none(found) or own.form == "const":
            del places[: len(shapes.kinds_of(own))]
            return at + len(shapes.kinds_of(found))
        elif own.form == found.form and own.keys == found.keys:
            if len(own.children) == len(found.children):
                for a, b in zip(own.children, found.children, strict=True):
                    at = self.match(f, a, b, places, at, pairs, kinds)
                return at
        self.fail(f, f"returns a {found.form} where a {own.form} belongs")

    def fail(self, f: Callable[..., Any], what: str) -> NoReturn:
        name = getattr(f, "__name__", "a function")
        self.cx.fail(f"{name}, the rule of {self.f.__name__}, {what}")


def _without(shape: shapes.Shape, keep: list[bool]) -> shapes.Shape:
    """The shape with None for leaves that have no derivative (``keep`` is consumed)."""
    if shape.form == "leaf":
        return shape if keep.pop(0) else shapes.Shape("const", ref=NONE_REF)
    children = tuple(_without(c, keep) for c in shape.children)
    return replace(shape, children=children)


def _is_none(shape: shapes.Shape) -> bool:
    ref = shape.ref
    return (
        shape.form == "const"
        and isinstance(ref, Val)
        and isinstance(ref.atom, Const)
        and ref.atom.value is None
    )


def _moving(kind: Kind) -> Kind:
    """The kind of a cotangent or tangent of a value of that kind."""
    match kind:
        case Num():
            return Num(kind.dtype if kind.dtype[0] in "fc" else "float64", None)
        case ListOf():
            return ListOf(None if kind.elem is None else _moving(kind.elem))
        case Tuple():
            return Tuple(tuple(map(_moving, kind.items)), kind.cls)
        case FixedList():
            return FixedList(tuple(map(_moving, kind.items)))
        case _:
            return kind
