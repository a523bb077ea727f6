"""The text of a dispatcher: the conditions of compiled code, and the calls of it.

In: a layout of parameters and the specialisations to try first. Out: a function with the user's
own parameters; for ``f(x, k)`` ::

    def f(x=MISSING, k=MISSING, *more, **others):
        nonlocal hits
        if not more and not others and function.__code__ is code:
            if type(x) is float and type(k) is float:
                hits += 1
                return run_1(x, k)
        return slow((x, k), more, others)

Where a condition may raise, as reading a global ``scale`` may, the choice is made inside ``try``,
and the call outside.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .binding import MISSING, Layout
from .guards import Is, KindIs, Names, ValueIs, apart, conditions
from .ir.kinds import Array, Kind, Num, Tuple

if TYPE_CHECKING:
    from .dispatch import Specialization

__all__ = ["dispatching", "specialized"]


def dispatching(
    layout: Layout, front: Sequence[Specialization], slow: Callable[..., Any]
) -> tuple[Callable[..., Any], Callable[[], int]]:
    """A function that runs what fits of ``front``, or else ``slow``; and the count of its hits."""
    text, namespace = dispatcher_text(layout, front, slow)
    function = layout.function
    code = compile(text, f"<dispatcher of {function.__qualname__}>", "exec")
    (make,) = (part for part in code.co_consts if isinstance(part, types.CodeType))
    # Under the function's own globals, which it thus reads as fast as the function does.
    made: tuple[Any, Any] = types.FunctionType(make, function.__globals__)(**namespace)
    return made


def dispatcher_text(
    layout: Layout, front: Sequence[Specialization], slow: Callable[..., Any]
) -> tuple[str, dict[str, Any]]:
    """The source of ``make``, and its arguments: the objects that the text refers to by name.

    It gives the dispatching function and one that tells how many calls that answered. It must run
    under the globals of the function that is differentiated.
    """
    names = Names({*layout.names, "dispatch", "make"}, scope=layout.function.__globals__)
    more = names.fresh("more")
    others = names.fresh("others")
    hits = names.fresh("hits")
    missing = names.hold(MISSING, "missing")
    other = names.hold(slow, "slow")
    head, extra, unknown = _header(layout, missing, more, others)
    body = _bound(layout, names)
    if front:
        function = names.hold(layout.function, "function")
        same = [f"not {n}" for n in (extra, unknown) if n]
        same.append(f"{function}.__code__ is {names.hold(layout.code, 'code')}")
        attempts = [_attempt(layout, one, names) for one in front]
        lines = [f"if {' and '.join(same)}:", *_defaults(layout, names, function, missing)]
        if len(lines) == 1 and all(map(_never_raises, front)):
            for tests, call in attempts:
                lines += [f"    if {' and '.join(tests)}:"]
                lines += [f"        {hits} += 1", f"        return {call}"]
        else:
            lines = _carefully(lines, attempts, names, hits)
        body += [f"nonlocal {hits}", *lines]
    values = "".join(f"{n}, " for n in layout.names)
    body.append(f"return {other}(({values}), {extra or '()'}, {unknown or '{}'})")
    text = [
        f"def make({', '.join(names.namespace)}):",
        f"    {hits} = 0",
        f"    def dispatch({head}):",
        *(f"        {line}" for line in body),
        f"    return dispatch, lambda: {hits}",
    ]
    return "\n".join(text) + "\n", names.namespace


def _never_raises(one: Specialization) -> bool:
    """Whether no condition of this code can raise: it looks at numbers and arrays alone."""
    return not one.guards and not one.captures and not one.written and all(map(_plain, one.kinds))


def _plain(kind: Kind) -> bool:
    match kind:
        case Num():
            return True
        case Array():
            return kind.dims is not None
        case Tuple(items):
            return all(map(_plain, items))
        case _:
            return False


def _carefully(
    lines: list[str], attempts: Sequence[tuple[list[str], str]], names: Names, hits: str
) -> list[str]:
    """The choice inside ``try``, the call outside: what the call raises is its own affair."""
    pick = names.fresh("pick")
    calls = []
    for number, (tests, call) in enumerate(attempts, 1):
        word = "if" if number == 1 else "elif"
        lines += [f"    {word} {' and '.join(tests)}:", f"        {pick} = {number}"]
        calls += [f"if {pick} == {number}:", f"    {hits} += 1", f"    return {call}"]
    chosen = [f"{pick} = 0", "try:", *(f"    {line}" for line in lines)]
    return [*chosen, f"except {names.builtin(Exception)}:", f"    {pick} = 0", *calls]


def _header(layout: Layout, missing: str, more: str, others: str) -> tuple[str, str, str]:
    """The parameter list, and the names that catch what the user's own list would not take."""
    bound = len(layout.bound_args)
    parts = []
    for i, name in enumerate(layout.positional):
        if i >= bound:
            parts.append(f"{name}={missing}")
        if i + 1 == layout.only and i >= bound:
            parts.append("/")
    tangents = [f"{name}={missing}" for name in layout.tangents]
    if not layout.variadic:
        parts += tangents
    parts.append(f"*{layout.variadic or more}")
    parts += [f"{name}={missing}" for name in layout.keyword_only]
    if layout.variadic:
        parts += tangents
    parts.append(f"**{layout.keywords or others}")
    return (
        ", ".join(parts),
        "" if layout.variadic else more,
        "" if layout.keywords else others,
    )


def _bound(layout: Layout, names: Names) -> list[str]:
    """Lines that bind what a method or a partial brings along."""
    lines = []
    for value, name in zip(layout.bound_args, layout.positional, strict=False):
        lines.append(f"{name} = {names.hold(value, 'bound')}")
    if len(layout.bound_args) > len(layout.positional):
        rest = names.hold(layout.bound_args[len(layout.positional) :], "bound")
        lines.append(f"{layout.variadic} = {rest} + {layout.variadic}")
    if layout.keywords and layout.bound_rest:
        rest = names.hold(layout.bound_rest, "bound")
        lines.append(f"{layout.keywords} = {{**{rest}, **{layout.keywords}}}")
    return lines


def _defaults(layout: Layout, names: Names, function: str, missing: str) -> list[str]:
    """Lines that bind what the caller didn't pass."""
    lines = []
    indent = " " * 4
    bound = len(layout.bound_args)
    for i, name in enumerate(layout.positional[bound:], bound - len(layout.positional)):
        if name in layout.bound_keywords:
            default = f"{names.hold(layout.bound_keywords, 'given')}[{name!r}]"
        elif -i <= len(layout.function.__defaults__ or ()):
            default = f"{function}.__defaults__[{i}]"
        else:
            continue
        lines += [f"{indent}if {name} is {missing}:", f"{indent}    {name} = {default}"]
    for name in layout.keyword_only:
        if name in layout.bound_keywords:
            default = f"{names.hold(layout.bound_keywords, 'given')}[{name!r}]"
        elif name in (layout.function.__kwdefaults__ or {}):
            default = f"{function}.__kwdefaults__[{name!r}]"
        else:
            continue
        lines += [f"{indent}if {name} is {missing}:", f"{indent}    {name} = {default}"]
    return lines


def _attempt(layout: Layout, one: Specialization, names: Names) -> tuple[list[str], str]:
    """The conditions of one specialisation, and the call that runs it."""
    tests: list[str] = []
    for name, kind in zip(layout.names, one.kinds, strict=True):
        tests += conditions(name, kind, names, name)
    tests += [sizes.text(layout.names) for sizes in one.sizes]
    fetched: dict[int, str] = {}
    for guard in one.guards:
        text = names.fetch(guard.fetch, layout.names)
        match guard:
            case KindIs():
                local = names.fresh("c")
                test, *rest = conditions(local, guard.kind, names, guard.path)
                tests += [test.replace(local, f"({local} := {text})", 1), *rest]
                fetched[id(guard.fetch)] = local
            case Is():
                tests.append(f"{text} is {names.hold(guard.value, 'held')}")
            case ValueIs():
                cls = names.hold(type(guard.value), "cls")
                tests.append(f"{names.builtin(type)}({text}) is {cls}")
                tests.append(f"{text} == {names.hold(guard.value, 'value')}")
    captures = [fetched.get(id(c)) or names.fetch(c, layout.names) for c in one.captures]
    for group in one.aliases:
        first, *again = (layout.names[i] for i in group)
        tests += [f"{name} is {first}" for name in again]
    if one.written:
        # Each value is a name here, so the names are sorted as the values will be.
        mine, rest = one.split(layout.names)
        lists = f"[{', '.join(mine)}], [{', '.join([*rest, *captures])}]"
        tests.append(f"{names.hold(apart, 'apart')}({lists})")
    run = names.hold(one.run, "run")
    return tests or ["True"], f"{run}({', '.join([*layout.names, *captures])})"


def specialized(layout: Layout, one: Specialization) -> Callable[..., Any]:
    """A function of the parameters (without those that are bound) that checks nothing."""
    bound = layout.bound_args or layout.bound_rest
    if not one.captures and not bound:
        return one.run
    names = Names({*layout.names, "specialized"})
    lines = [f"    {line}" for line in _bound(layout, names)]
    captures = [names.fetch(c, layout.names) for c in one.captures]
    head = [n for n in layout.names if n not in layout.positional[: len(layout.bound_args)]]
    run = names.hold(one.run, "run")
    lines.insert(0, f"def specialized({', '.join(head)}):")
    lines.append(f"    return {run}({', '.join([*layout.names, *captures])})")
    exec("\n".join(lines), names.namespace)
    found: Callable[..., Any] = names.namespace["specialized"]
    return found
