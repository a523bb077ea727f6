"""The dispatcher: finds the code compiled for the arguments of one call, or has it built.

In: a layout of parameters and ``build``, which compiles for given arguments. Out: a function with
the user's own parameters, generated so that the usual call costs a few comparisons
(`dispatch_text`) ::

    f(1.0)   ->   type(x) is float: run_1(x)
    f(x_2)   ->   slow((x_2,)): kinds of the arguments -> known code, or code built now

The slow way describes all arguments by their kinds and looks these up; what it doesn't find it
builds, once, however many threads ask for it. Then the function is written anew with the code
used last in front.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .binding import MISSING, Layout
from .dispatch_text import dispatching
from .guards import Guard, apart, holds
from .ir.kinds import Kind, kind_of
from .sizes import Sizes

if TYPE_CHECKING:
    from .frontend.refs import Fetch

__all__ = ["CacheInfo", "Dispatcher", "Specialization", "Values"]

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
    group in ``aliases`` are one object. ``sizes`` must hold, too. ``text`` is the generated
    source, ``ir`` the module it was written from.
    """

    run: Callable[..., Any]
    kinds: tuple[Kind, ...]
    captures: tuple[Fetch, ...] = ()
    guards: tuple[Guard, ...] = ()
    written: tuple[int, ...] = ()
    aliases: tuple[tuple[int, ...], ...] = ()
    text: str = ""
    ir: Any = None
    sizes: tuple[Sizes, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, values: Values) -> bool:
        """Whether it may run on these values, whose kinds are right."""
        if not all(sizes.hold(values) for sizes in self.sizes):
            return False
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

    def sized(self, kinds: tuple[Kind, ...]) -> int:
        """For how many sets of sizes there is code for arguments of these kinds."""
        return sum(bool(one.sizes) for one in self._known.get(_key(kinds), ()))

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
        dispatch, answered = dispatching(self.layout, self._front, self.slow)
        self._hits += self._answered()
        self._answered = answered
        self._install(dispatch)


def _key(kinds: tuple[Kind, ...]) -> Any:
    try:
        hash(kinds)
    except TypeError:  # a class whose metaclass can't be hashed, say: compare one by one
        return None
    return kinds
