"""The batch pass: many tangents at once are the same as one after the other.

Every rule at every sample (its cotangents and its tangent), then whole programs: the corpus of
golden and tricky programs, loops over the batch, recursion, containers.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from s2sad.errors import UnsupportedError
from s2sad.ir import interp
from s2sad.ir.builder import Builder
from s2sad.ir.kinds import Array, Dict, FixedList, Kind, ListOf, Record, Tuple, kind_of
from s2sad.ir.nodes import Atom, Const, Function, Module, Region, Struct, Value
from s2sad.ir.verify import verify
from s2sad.pipeline import primal_ir
from s2sad.rules.apply import MissingRule, cotangents, tangent
from s2sad.rules.batching_forms import Each, Form, any_batched, expand, full_form
from s2sad.rules.checking import is_active, random_like
from s2sad.rules.registry import KindError, Primitive, Sample
from s2sad.transform.adjoint import forward_and_reverse
from s2sad.transform.batch import Batched, batch
from tests.programs import Program
from tests.programs.golden import PROGRAMS as GOLDEN
from tests.programs.tricky import PROGRAMS as TRICKY
from tests.rules.samples import at_samples
from tests.rules.test_rules import cases
from tests.trees import fresh

MEMBERS = 2

# -- batches of run-time values -------------------------------------------------------------------


def parts(value: Any, kind: Kind) -> list[Any]:
    match kind:
        case Dict():
            return [value[key] for key, _ in kind.items]
        case Record():
            return [getattr(value, name) for name, _ in kind.fields]
        case _:
            return list(value)


def kinds_of_parts(kind: Kind) -> list[Kind]:
    match kind:
        case Dict():
            return [k for _, k in kind.items]
        case Record():
            return [k for _, k in kind.fields]
        case Tuple() | FixedList():
            return list(kind.items)
        case _:
            raise AssertionError(kind)


def put_together(members: Sequence[Any], kind: Kind, form: Form) -> Any:
    """One batched value of the values of all members."""
    if not any_batched(form):
        return members[0]
    form = expand(form, kind)
    if form is True:
        return np.stack([np.asarray(m) for m in members])
    if isinstance(form, Each):
        assert isinstance(kind, ListOf) and kind.elem is not None
        columns = zip(*members, strict=True)
        return [put_together(column, kind.elem, form.form) for column in columns]
    assert isinstance(form, tuple)
    columns = zip(*(parts(m, kind) for m in members), strict=True)
    inner = [
        put_together(column, k, f)
        for column, k, f in zip(columns, kinds_of_parts(kind), form, strict=True)
    ]
    match kind:
        case Dict():
            return dict(zip((key for key, _ in kind.items), inner, strict=True))
        case Record():
            return kind.cls(**dict(zip((n for n, _ in kind.fields), inner, strict=True)))
        case Tuple():
            return tuple(inner) if kind.cls is None else kind.cls(*inner)
        case _:
            return inner


def assert_member(whole: Any, form: Form, k: int, one: Any) -> None:
    """Member ``k`` of a batched value is ``one``, but for the last digits."""
    if form is True or form is False:
        have = whole[k] if form else whole
        if one is None or isinstance(one, str | slice | type):
            assert have is one or have == one
            return
        if form is False and isinstance(one, list | tuple | dict):
            np.testing.assert_equal(whole, one)
            return
        assert np.shape(have) == np.shape(one)
        if isinstance(one, np.ndarray | np.generic):
            assert np.asarray(have).dtype == one.dtype
        np.testing.assert_allclose(have, one, rtol=1e-4 if loose(one) else 1e-10, atol=1e-9)
        return
    if isinstance(one, dict):
        whole, one = list(whole.values()), list(one.values())
    elif hasattr(one, "__dataclass_fields__"):
        names = one.__dataclass_fields__
        whole, one = ([getattr(v, n) for n in names] for v in (whole, one))
    assert len(whole) == len(one)
    forms = [form.form] * len(one) if isinstance(form, Each) else form
    for w, f, o in zip(whole, forms, one, strict=True):
        assert_member(w, f, k, o)


def loose(x: Any) -> bool:
    return np.asarray(x).dtype in (np.float32, np.complex64)


def assert_same(module: Module, at: Sequence[int], members: Sequence[Sequence[Any]]) -> Batched:
    """The batched module gives what the module gives for one member after the other."""
    made = batch(module, at)
    verify(made.module)
    function = module.entry
    together = [
        put_together([m[n] for m in members], p.kind, full_form(p.kind))
        if n in at
        else members[0][n]
        for n, p in enumerate(function.params)
    ]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        whole = interp.call(made.module, made.module.entry, together)
        for k, m in enumerate(members):
            one = interp.call(module, function, m)
            for w, f, o in zip(whole, made.forms, one, strict=True):
                assert_member(w, f, k, o)
    return made


# -- rules ----------------------------------------------------------------------------------------


def operands(s: Sample) -> list[Atom]:
    """A value for every operand that a program would hold in a variable."""
    return [
        Value(kind_of(v, ("a", n)), f"a{n}")
        if isinstance(v, np.ndarray | np.generic | float | complex | list | tuple) and is_active(v)
        else Const.of(v)
        for n, v in enumerate(s.args)
    ]


def function_of(params: Sequence[Atom], nodes: Any, yields: Sequence[Atom]) -> Module:
    leaves = tuple(Struct("leaf", index=n) for n in range(len(yields)))
    values = tuple(p for p in params if isinstance(p, Value))
    body = Region((), tuple(nodes), tuple(yields))
    return Module({"f": Function("f", values, body, Struct("tuple", leaves))})


def some_cases() -> list[Any]:
    """A few samples of every rule, from all over its list."""
    found: dict[str, list[Any]] = {}
    for case in cases():
        found.setdefault(case.values[0].name, []).append(case)
    return [c for group in found.values() for c in group[:: len(group) // 4 + 1]]


@at_samples(some_cases())
def test_cotangents(p: Primitive, s: Sample) -> None:
    if not p.differentiable or not any(map(is_active, s.args)):
        return
    rng = np.random.default_rng(3)
    atoms = operands(s)
    b = Builder(tidy=True)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = p.fun(*s.args, **s.attrs)
        with b.region() as nodes:
            try:
                results = b.ops(p.name, *atoms, **s.attrs)
                gs = tuple(Value(r.kind, "g") for r in results)
                many = len(results) > 1
                bars = cotangents(
                    b,
                    p.name,
                    s.attrs,
                    atoms,
                    results if many else results[0],
                    gs if many else gs[0],
                )
            except KindError:
                return
    outs = list(out) if many else [out]
    if not all(map(is_active, outs)):
        return
    module = function_of([*atoms, *gs], nodes, [c for c in bars if c is not None])
    held = [v for v, a in zip(s.args, atoms, strict=True) if isinstance(a, Value)]
    members = [[*held, *(random_like(o, rng) for o in outs)] for _ in range(MEMBERS)]
    assert_same(module, range(len(held), len(held) + len(gs)), members)


@at_samples(some_cases())
def test_tangents(p: Primitive, s: Sample) -> None:
    if not p.differentiable or not any(map(is_active, s.args)):
        return
    rng = np.random.default_rng(4)
    atoms = operands(s)
    dots = [Value(a.kind, "dot") if isinstance(a, Value) else None for a in atoms]
    b = Builder(tidy=True)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with b.region() as nodes:
            try:
                results = b.ops(p.name, *atoms, **s.attrs)
                many = len(results) > 1
                made = tangent(b, p.name, s.attrs, atoms, results if many else results[0], dots)
            except (KindError, MissingRule):
                return
    yields = [t for t in (made if isinstance(made, tuple) else [made]) if t is not None]
    given = [d for d in dots if d is not None]
    module = function_of([*atoms, *given], nodes, yields)
    held = [v for v, a in zip(s.args, atoms, strict=True) if isinstance(a, Value)]
    members = [[*held, *(random_like(v, rng) for v in held)] for _ in range(MEMBERS)]
    assert_same(module, range(len(held), 2 * len(held)), members)


# -- whole programs -------------------------------------------------------------------------------

CORPUS = [p for p in [*GOLDEN, *TRICKY] if p.reason is None]


@pytest.mark.parametrize("program", CORPUS, ids=str)
def test_program(program: Program) -> None:
    """The reverse sweep of a program for several cotangents of its result."""
    args = fresh(program.args)
    module = primal_ir(program.f, args, {})
    wrt = [
        n
        for n, (p, v) in enumerate(zip(module.entry.params, args, strict=False))
        if full_form(p.kind) and is_active(v)
    ]
    pair = forward_and_reverse(module, wrt)
    forward = pair.module.functions[pair.forward]
    names = [pair.reverse, *(n for n in pair.module.functions if n != pair.reverse)]
    reverse = Module({n: pair.module.functions[n] for n in names})
    layout_values = args_of(program, module, args)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        leaves = interp.call(pair.module, forward, layout_values)
        out = interp.unflatten(module.entry.out, leaves)
    saved = leaves[len(leaves) - pair.saved :] if pair.saved else []
    g = reverse.entry.params[-1]
    if not any_batched(full_form(g.kind)):
        return
    rng = np.random.default_rng(5)
    members = [[*saved, random_like_kind(out, rng)] for _ in range(MEMBERS)]
    try:
        assert_same(reverse, [len(saved)], members)
    except UnsupportedError:
        pytest.fail("refused")


def args_of(program: Program, module: Module, args: tuple[Any, ...]) -> list[Any]:
    """One value per parameter, captured data among them."""
    import s2sad
    from s2sad.pipeline import lower_program

    layout = s2sad.grad(program.f)._layout
    values = layout.bind(args, {})
    kinds = tuple(kind_of(v, n) for v, n in zip(values, layout.names, strict=True))
    captures = lower_program(program.f, layout, values, kinds).captures
    return [*values, *(c.get(values) for c in captures)]


def random_like_kind(x: Any, rng: np.random.Generator) -> Any:
    """A cotangent for a result, in its structure."""
    if isinstance(x, dict):
        return {k: random_like_kind(v, rng) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__"):
        names = x.__dataclass_fields__
        return type(x)(**{n: random_like_kind(getattr(x, n), rng) for n in names})
    if isinstance(x, tuple | list):
        made = [random_like_kind(v, rng) for v in x]
        return type(x)(*made) if hasattr(x, "_fields") else type(x)(made)
    return random_like(x, rng)


_ = Array
