"""Compile-time references: what a name, an element or an expression stands for while lowering.

In: nothing. Out: small immutable records. A reference is never run-time data; arrays, lists,
dicts and records are *roots* in the heap of `state.State`, and a reference to one is its root and,
for arrays, the chain of views that leads from it.

    b = a[1:]         b is ArrayRef(root of a, (View("item", slice(1, None)),))
    p = [a, 2.0]      p is HeapRef(a new root), whose content is Items(ArrayRef, Val)
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ir.kinds import Kind
from ..ir.nodes import Atom, Const, Function, Struct
from .source import Source


class Ref:
    """Base of all references."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Val(Ref):
    """An immutable value: a number, a string, None, a slice; or anything of unknown kind."""

    atom: Atom

    @property
    def kind(self) -> Kind:
        return self.atom.kind


@dataclass(frozen=True, slots=True, eq=False)
class Static(Ref):
    """An object known now: a module, a function, a class, a dtype. ``fetch`` finds it again."""

    obj: Any
    fetch: Fetch | None = None


class Root:
    """The identity of something mutable. ``contiguous``: a fresh array in C order."""

    __slots__ = ("contiguous", "frozen", "label", "made", "param", "site", "twice")

    def __init__(
        self,
        label: str | None = None,
        *,
        contiguous: bool = False,
        frozen: str = "",
        param: int | None = None,
    ) -> None:
        self.label = label
        self.contiguous = contiguous
        #: why it must not be written ("" if it may)
        self.frozen = frozen
        #: a list that may hold one array twice
        self.twice = False
        #: the parameter it belongs to
        self.param = param
        #: the objects it may be, where all of them were made by this program (None: unknown)
        self.made: frozenset[Root] | None = None

        #: the place of the program that made it, for dicts
        self.site: Any = None

    def fresh(self) -> Root:
        """The same root, which is now known to be an object of its own."""
        self.made = frozenset((self,))
        return self

    def apart(self, other: Root) -> bool:
        """Whether it is known to be another object than ``other`` (what they hold aside)."""
        known = self.made is not None and other.made is not None
        return known and self.made.isdisjoint(other.made)  # type: ignore[union-attr,arg-type]

    def __repr__(self) -> str:
        return f"Root({self.label or hex(id(self))})"


@dataclass(frozen=True, slots=True)
class View:
    """One step of a view: ``fn(base, *args, **attrs)``; compared by what it does."""

    fn: str
    args: tuple[Atom, ...]
    attrs: tuple[tuple[str, Any], ...] = ()
    key: Any = None

    @staticmethod
    def of(fn: str, args: tuple[Atom, ...], attrs: Mapping[str, Any]) -> View:
        return View(
            fn,
            args,
            tuple(attrs.items()),
            (fn, tuple(map(atom_key, args)), repr(sorted(attrs.items()))),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def atom_key(a: Atom) -> Any:
    """Equal keys mean the same value: identity for values, type and text for constants."""
    return (type(a.value).__name__, repr(a.value)) if isinstance(a, Const) else a


def same_atom(a: Atom, b: Atom) -> bool:
    return a is b or (isinstance(a, Const) and isinstance(b, Const) and _same_const(a, b))


def _same_const(a: Const, b: Const) -> bool:
    if a.value is b.value:
        return True
    return type(a.value) is type(b.value) and atom_key(a) == atom_key(b)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayRef(Ref):
    """An array: its root and the views that lead from it."""

    root: Root
    path: tuple[View, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Perhaps:
    """A root that is a view of ``base`` by ``step`` if ``cond``, and a copy if not."""

    base: ArrayRef
    step: View
    cond: Atom


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A root that is the array ``first`` if ``cond``, else the array ``second``."""

    cond: Atom
    first: ArrayRef
    second: ArrayRef

    def through(self, path: tuple[View, ...]) -> tuple[ArrayRef, ArrayRef]:
        """Both arrays, as further views lead on from them."""
        first, second = self.first, self.second
        return (
            ArrayRef(first.root, (*first.path, *path)),
            ArrayRef(second.root, (*second.path, *path)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """A root that is element ``index`` of a list, read from this version of it."""

    root: Root
    index: Atom
    version: Atom


@dataclass(frozen=True, slots=True, eq=False)
class TupleRef(Ref):
    """A tuple of known length; ``cls`` is its NamedTuple class, if it has one."""

    items: tuple[Ref, ...]
    cls: type | None = None


@dataclass(frozen=True, slots=True, eq=False)
class HeapRef(Ref):
    """A list, dict, set or object: its content is in the heap."""

    root: Root


@dataclass(frozen=True, slots=True, eq=False)
class FuncRef(Ref):
    """A nested ``def`` or ``lambda``, with the frame that its free names live in."""

    node: ast.FunctionDef | ast.Lambda
    source: Source
    frame: Frame
    defaults: tuple[Ref, ...] = ()
    kwdefaults: Mapping[str, Ref] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class BoundRef(Ref):
    """``receiver.name``, to be called."""

    receiver: Ref
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class PartialRef(Ref):
    """A callable with its first arguments: ``functools.partial``, a method of the user's."""

    func: Ref
    args: tuple[Ref, ...]
    kwargs: Mapping[str, Ref] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class IterRef(Ref):
    """An iterable that is not a container: ``range``, ``zip``, ``enumerate``, a generator.

    ``args`` are the atoms of a range or the parts of a zip; ``extra`` is the start of an
    enumeration, the function of a map, the node of a generator.
    """

    form: str
    args: tuple[Ref, ...] = ()
    extra: Any = None
    #: iterators can be consumed once; its content in the heap says whether it has been
    root: Root | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pulled(Ref):
    """What ``vjp`` returns: the reverse sweep of a function, and what the forward sweep saved.

    ``out`` and ``values`` are the structure and the leaves of the function's value; ``spread``
    says which cotangent belongs to each argument that was passed (None: it has none).
    """

    reverse: Function
    saved: tuple[Atom, ...]
    out: Struct
    values: tuple[Atom, ...]
    spread: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Super(Ref):
    """``super()``: attributes of ``receiver`` as the classes after ``cls`` define them."""

    cls: type
    receiver: Ref


@dataclass(frozen=True, slots=True, eq=False)
class Choice(Ref):
    """One of two callables, by a bool computed at run time."""

    cond: Atom
    first: Ref
    second: Ref


@dataclass(frozen=True, slots=True, eq=False)
class Maybe(Ref):
    """``ref`` where the bool ``here`` is true at run time, else None; ``name`` is the user's."""

    here: Atom
    ref: Ref
    name: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lost(Ref):
    """Something that can no longer be told; reading it is refused (``quiet``: it has been)."""

    reason: str
    help: str = ""
    quiet: bool = False


class _Undefined(Ref):
    __slots__ = ()

    def __repr__(self) -> str:
        return "UNASSIGNED"


#: A name that is not assigned on this path.
UNASSIGNED = _Undefined()


# -- frames and fetches --------------------------------------------------------------------------


class Frame:
    """The identity of one activation of a function; its variables are in the state."""

    __slots__ = ("closed", "name", "node", "outer", "source", "stands_for")

    def __init__(
        self, source: Source, node: ast.FunctionDef | ast.Lambda, outer: Frame | None
    ) -> None:
        self.source = source
        self.node = node
        self.outer = outer
        #: functions were defined in it, so its variables may outlive it
        self.closed = False
        #: in a function of its own, the frame of the program that this one stands for
        self.stands_for: Frame | None = None
        self.name = getattr(node, "name", "<lambda>")

    def __repr__(self) -> str:
        return f"Frame({self.name})"


@dataclass(frozen=True, slots=True)
class Fetch:
    """How to find a captured object again: a base and the attributes that lead from it.

    ``form`` is "global" (``base`` is a dict of globals), "builtin", "cell" (``base`` is a cell),
    "param" (``base`` is the index of a parameter), "object" (``base`` itself), "default"
    (``base`` is a function, ``name`` the parameter); ``path`` holds attribute names (with "()"
    where they are called) and, for the elements of captured containers, ``("item", key)``.
    """

    form: str
    base: Any = field(compare=False, repr=False)
    name: Any = None
    path: tuple[Any, ...] = ()
    base_id: int = 0

    def get(self, args: tuple[Any, ...] = ()) -> Any:
        """The object as it is now."""
        match self.form:
            case "global":
                found = self.base[self.name]
            case "cell":
                found = self.base.cell_contents
            case "param":
                found = args[self.base]
            case "default":
                found = _default(self.base, self.name)
            case _:
                found = self.base
        for step in self.path:
            if isinstance(step, tuple):
                found = found[step[1]]
            elif step.endswith("()"):
                found = getattr(found, step[:-2])()
            else:
                found = getattr(found, step)
        return found

    def sub(self, step: Any) -> Fetch:
        """The same, one attribute further."""
        return Fetch(self.form, self.base, self.name, (*self.path, step), self.base_id)

    @staticmethod
    def of(form: str, base: Any, name: Any = None) -> Fetch:
        return Fetch(form, base, name, (), base if isinstance(base, int) else id(base))


def _default(function: Any, name: str) -> Any:
    if function.__kwdefaults__ and name in function.__kwdefaults__:
        return function.__kwdefaults__[name]
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    return function.__defaults__[names.index(name) - len(names)]
