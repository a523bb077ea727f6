"""The dispatcher: finds the code compiled for the arguments of one call, or has it built.

In: a layout of parameters and ``build``, which compiles for given arguments. Out: a function with
the user's own parameters. It is generated, so that the usual call costs a few comparisons; for
``f(x, k)`` it is ::

    def f(x=MISSING, k=MISSING, *more, **others):
        nonlocal hits
        if not more and not others and function.__code__ is code:
            if type(x) is float and type(k) is float:
                hits += 1
                return run_1(x, k)
        return slow((x, k), more, others)

Where a condition may raise, as reading a global ``scale`` may, the choice is made inside ``try``,
and the call outside.

The slow way describes all arguments by their kinds and looks these up; what it doesn't find it
builds, once, however many threads ask for it. Then the function is written anew with the code
used last in front.
"""

from __future__ import annotations

import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .binding import MISSING, Layout
from .guards import Guard, Is, KindIs, Names, ValueIs, apart, conditions, holds
from .ir.kinds import Array, Kind, Num, Tuple, kind_of

if TYPE_CHECKING:
    from .frontend.refs import Fetch

__all__ = ["CacheInfo", "Dispatcher", "Specialization", "Values", "specialized"]

Values: TypeAlias = tuple[Any, ...]

#: Compiled code kept per derivative, and how much of it the generated function tries first.
MAXSIZE = 256
FRONT = 4
#: Known code that isn't in front is put there once in so many calls: writing takes a millisecond.
PATIENCE = 16


class CacheInfo(NamedTuple):
    """What a derivative object has compiled.

    ``hits`` and ``misses`` count calls, ``currsize`` compiled specialisations.
    """

    hits: int
    misses: int
    maxsize: int
    currsize: int


@dataclass(frozen=True, slots=True, eq=False)
class Specialization:
    """Code for arguments of certain kinds.

    ``run`` takes the values of all parameters, then those of ``captures``. ``guards`` are what
    must hold beyond the kinds of the arguments. ``written`` are the parameters whose contents the
    function writes: nothing else may share memory with them, except that the parameters of each
    group in ``aliases`` are one object. ``text`` is the generated source,
    ``ir`` the module it was written from.
    """

    run: Callable[..., Any]
    kinds: tuple[Kind, ...]
    captures: tuple[Fetch, ...] = ()
    guards: tuple[Guard, ...] = ()
    written: tuple[int, ...] = ()
    aliases: tuple[tuple[int, ...], ...] = ()
    text: str = ""
    ir: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, values: Values) -> bool:
        """Whether it may run on these values, whose kinds are right."""
        if not all(holds(guard, values) for guard in self.guards):
            return False
        if any(values[i] is not values[group[0]] for group in self.aliases for i in group):
            return False
        if not self.written:
            return True
        mine, others = self.split(values)
        return apart(mine, [*others, *(capture.get(values) for capture in self.captures)])

    def split(self, values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The parameters' values that are written, and the others; what is aliased only once."""
        again = {i for group in self.aliases for i in group[1:]}
        written = {i for group in self.aliases for i in group[:1] if {*group} & {*self.written}}
        written |= {*self.written} - again
        mine = [values[i] for i in sorted(written)]
        return mine, [v for i, v in enumerate(values) if i not in written | again]

    def call(self, values: Values) -> Any:
        """Run it on the values of the parameters and on the captures as they are now."""
        return self.run(*values, *(capture.get(values) for capture in self.captures))


class Dispatcher:
    """Compiled code by kinds of arguments, for one derivative.

    ``prepare`` turns the values of a call into those that are differentiated (a Python int becomes
    a float); ``build`` compiles for them; ``install`` receives the generated function; ``renew``
    makes another dispatcher after the function's code was replaced, and returns its function.
    """

    def __init__(
        self,
        layout: Layout,
        prepare: Callable[[Values], Values],
        build: Callable[[Values, tuple[Kind, ...]], Specialization],
        install: Callable[[Callable[..., Any]], None],
        renew: Callable[[], Callable[..., Any]],
    ) -> None:
        self.layout = layout
        self._prepare = prepare
        self._build = build
        self._install = install
        self._renew = renew
        self._lock = threading.RLock()
        self._hits = self._misses = 0
        #: the calls that the generated function answered
        self._answered: Callable[[], int] = int
        self._returns = 0  # calls that came the slow way although their code was known
        self._known: OrderedDict[Any, list[Specialization]] = OrderedDict()
        self._front: tuple[Specialization, ...] = ()
        self._write()

    # -- the slow way ---------------------------------------------------------------------------

    def slow(self, values: Values, extra: Sequence[Any], unknown: Mapping[str, Any]) -> Any:
        """What the generated function calls when it knows no code for the arguments."""
        if self.layout.function.__code__ is not self.layout.code:
            args, kwargs = self._unbind(values, extra, unknown)
            return self._renew()(*args, **kwargs)
        full = self._prepare(self.layout.fill(values, extra, unknown))
        return self.find(full).call(full)

    def _unbind(
        self, values: Values, extra: Sequence[Any], unknown: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Arguments as a caller passes them, for a function that has other parameters now."""
        layout = self.layout
        by_name = dict(zip(layout.names, values, strict=True))
        names = layout.free
        args = [by_name.pop(name) for name in names]
        for name in layout.positional[: len(layout.bound_args)]:
            del by_name[name]
        given = args.index(MISSING) if MISSING in args else len(args)
        kwargs = dict(zip(names[given:], args[given:], strict=True))
        stars = by_name.pop(layout.variadic, ())[
            max(0, len(layout.bound_args) - len(layout.positional)) :
        ]
        more = by_name.pop(layout.keywords, {})
        kwargs = {**kwargs, **by_name, **more, **unknown}
        kwargs = {k: v for k, v in kwargs.items() if v is not MISSING}
        return [*args[:given], *stars, *extra], kwargs

    def find(self, values: Values) -> Specialization:
        """The code for these values; builds it if there is none yet."""
        kinds = self.kinds(values)
        key = _key(kinds)
        found = self._lookup(key, kinds, values)
        if found is not None:
            self._hits += 1
            self._promote(found, new=False)
            return found
        with self._lock:
            # Another thread may have built it while this one waited.
            found = self._lookup(key, kinds, values)
            if found is not None:
                self._hits += 1
                return found
            found = self._build(values, kinds)
            self._misses += 1
            self._remember(key, found)
            self._promote(found, new=True)
            return found

    def _promote(self, one: Specialization, *, new: bool) -> None:
        """Write the function anew with this code in front; if it isn't new, only now and then."""
        if not new:
            self._returns += 1
            if one in self._front or self._returns % PATIENCE:
                return
        with self._lock:
            self._front = (one, *[s for s in self._front if s is not one][: FRONT - 1])
            self._write()

    def kinds(self, values: Values) -> tuple[Kind, ...]:
        """The kinds of the values of all parameters."""
        return tuple(
            kind_of(value, name) for value, name in zip(values, self.layout.names, strict=True)
        )

    def _lookup(self, key: Any, kinds: tuple[Kind, ...], values: Values) -> Specialization | None:
        for candidate in tuple(self._known.get(key, ())):
            # Equal keys are equal kinds, except where a kind could not be hashed.
            if candidate.kinds == kinds and candidate.fits(values):
                return candidate
        return None

    def _remember(self, key: Any, new: Specialization) -> None:
        self._known.setdefault(key, []).insert(0, new)
        self._known.move_to_end(key)
        while self._size() > MAXSIZE:
            oldest = next(iter(self._known))
            self._known[oldest].pop()
            if not self._known[oldest]:
                del self._known[oldest]

    def _size(self) -> int:
        return sum(map(len, self._known.values()))

    @property
    def last(self) -> Specialization | None:
        """The code used last, or None."""
        return self._front[0] if self._front else None

    def info(self) -> CacheInfo:
        """Calls answered from the cache, calls that had to build, and what is kept."""
        hits = self._hits + self._answered()
        return CacheInfo(hits, self._misses, MAXSIZE, self._size())

    # -- the generated function -----------------------------------------------------------------

    def _write(self) -> None:
        text, namespace = dispatcher_text(self.layout, self._front, self.slow)
        function = self.layout.function
        code = compile(text, f"<dispatcher of {function.__qualname__}>", "exec")
        (make,) = (part for part in code.co_consts if isinstance(part, types.CodeType))
        # Under the function's own globals, which it thus reads as fast as the function does.
        dispatch, answered = types.FunctionType(make, function.__globals__)(**namespace)
        self._hits += self._answered()
        self._answered = answered
        self._install(dispatch)


def _key(kinds: tuple[Kind, ...]) -> Any:
    try:
        hash(kinds)
    except TypeError:  # a class whose metaclass can't be hashed, say: compare one by one
        return None
    return kinds


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
