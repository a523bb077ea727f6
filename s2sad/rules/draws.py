"""Random numbers: drawn once, in the forward sweep.

In: nothing. Out: records in the registry. A draw has the effect "draws": no pass drops, repeats or
reorders it, so that a value and its derivative see the same numbers. Where the distribution is a
fixed one that is shifted and scaled, its parameters have derivatives too: the number drawn is
differentiated with the randomness held fixed (Kingma and Welling, Auto-Encoding Variational Bayes,
2014, section 2.4).

    z = rng.normal(mu, sigma):   mu_bar = g;  sigma_bar = g * (z - mu) / sigma
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, Kind, Mixed, Num, Opaque, carries_derivative
from ..ir.nodes import Atom, Const
from .declare import define, zero
from .examplekinds import by_example
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

#: Objects that random numbers are drawn from.
GENERATORS = (np.random.Generator, np.random.RandomState)
#: Methods that change the object or an argument, or are not about numbers.
REFUSED = frozenset(
    {"shuffle", "set_state", "get_state", "spawn", "bytes", "bit_generator", "tomaxint"}
)

#: For each distribution its parameters, what they are if left out, and the number drawn as a
#: function of the parameters, given ``out``: each parameter's partial derivative.
_PATHS: dict[str, tuple[tuple[str, ...], tuple[float, ...], tuple[str, ...]]] = {
    **dict.fromkeys(
        ("normal", "laplace", "logistic", "gumbel"),
        (("loc", "scale"), (0.0, 1.0), ("1", "(out - loc) / scale")),
    ),
    "uniform": (
        ("low", "high"),
        (0.0, 1.0),
        ("(high - out) / (high - low)", "(out - low) / (high - low)"),
    ),
    "exponential": (("scale",), (1.0,), ("out / scale",)),
    "rayleigh": (("scale",), (1.0,), ("out / scale",)),
    "lognormal": (
        ("mean", "sigma"),
        (0.0, 1.0),
        ("out", "out * (log(out) - mean) / sigma"),
    ),
}


def draw(rng: Any, *args: Any, method: str, keywords: tuple[str, ...] = ()) -> Any:
    """``rng.method(*args)``, the last arguments by these names."""
    place = len(args) - len(keywords)
    return getattr(rng, method)(*args[:place], **dict(zip(keywords, args[place:], strict=True)))


def _draw_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """What another generator of the same type draws."""
    old = issubclass(getattr(args[0].kind, "cls", object), np.random.RandomState)
    method, names = attrs["method"], attrs.get("keywords", ())
    if method in ("integers", "randint", "random_integers", "choice", "permutation"):
        return _chosen_kind(old, args[1:], method, names)

    def example(*xs: Any) -> Any:
        rng = np.random.RandomState(0) if old else np.random.default_rng(0)
        return draw(rng, *xs, method=method, keywords=names)

    found = by_example(example)(args[1:], {})
    assert isinstance(found, Kind)
    return found


def _chosen_kind(old: bool, args: Sequence[Atom], method: str, names: Sequence[str]) -> Kind:
    """Whole numbers, or elements of an array: as many as the size says."""
    place = len(args) - len(names)
    given = dict(zip(names, args[place:], strict=True))
    order: tuple[str, ...] = ("low", "high", "size") if method != "choice" else ("a", "size")
    if method == "permutation":
        order = ("x",)
    given.update(zip(order, args[:place], strict=False))
    first = given.get(order[0])
    dtype = "int64"
    rest: tuple[Dim, ...] = ()
    if method in ("choice", "permutation") and first is not None:
        k = first.kind
        if not isinstance(k, Num):
            from .kindrules import as_array

            whole = as_array(k)
            if not isinstance(whole, Array) or whole.dims is None:
                raise KindError("the number of axes is not known here")
            dtype, rest = whole.dtype, whole.dims[1:]
            if method == "permutation":
                return whole
        elif method == "permutation":
            from .kindrules import dim_of

            return Array("int64", (dim_of(first),))
    size = given.get("size")
    if size is None or isinstance(size, Const) and size.value is None:
        if rest:
            return Array(dtype, rest)
        return Num(dtype, old and method == "randint")
    from .creation import dims_of_shape

    dims = dims_of_shape(size)
    return Array(dtype, None if dims is None else (*dims, *rest))


def _parameters(args: Sequence[Atom], attrs: Mapping[str, Any]) -> dict[str, tuple[int, Atom]]:
    """Where each parameter of the distribution stands among the operands."""
    method, names = attrs["method"], attrs.get("keywords", ())
    place = len(args) - len(names)
    parameters = _PATHS[method][0]
    found = {n: (k, a) for k, (n, a) in enumerate(zip(parameters, args[:place], strict=False))}
    found.update(
        {n: (k, a) for k, (n, a) in enumerate(zip(names, args[place:], strict=True), place)}
    )
    return found


def _partials(
    b: Any, out: Atom, args: Sequence[Atom], attrs: Mapping[str, Any]
) -> dict[int, Callable[[], Atom]]:
    """The partial derivative with respect to each operand that is a parameter."""
    method = attrs["method"]
    if method not in _PATHS:
        raise KindError(
            f"numbers drawn by '{method}' have no derivative with respect to its arguments:"
            " write them as a function of numbers drawn from a fixed distribution"
        )
    parameters, defaults, texts = _PATHS[method]
    given = _parameters(args, attrs)
    values: dict[str, Any] = {"out": out}
    for name, default in zip(parameters, defaults, strict=True):
        values[name] = given[name][1] if name in given else Const.of(default)

    def partial(text: str) -> Callable[[], Atom]:
        return lambda: b.text(text, **values)

    return {
        given[name][0]: partial(text)
        for name, text in zip(parameters, texts, strict=True)
        if name in given
    }


def draw_vjp(b: Builder, g: Atom, out: Atom, rng: Atom, *args: Atom, **attrs: Any) -> list[Any]:
    if not any(carries_derivative(a.kind) for a in args):
        return [None] * (1 + len(args))
    wanted = {n for n, a in enumerate(args) if _differentiable(a)}
    bars: list[Any] = [None] * (1 + len(args))

    def one(n: int) -> Any:
        partial = _partials(b, out, args, attrs).get(n)
        return None if partial is None else b.mul(g, partial())

    for n in wanted:
        bars[1 + n] = lambda n=n: one(n)
    return bars


def draw_jvp(b: Builder, dots: Any, out: Atom, rng: Atom, *args: Atom, **attrs: Any) -> Any:
    partials = _partials(b, out, args, attrs)
    total: Any = None
    for n, t in enumerate(dots[1:]):
        if t is not None and n in partials:
            term = b.mul(partials[n](), t)
            total = term if total is None else b.add(total, term)
    return total


def _differentiable(a: Atom) -> bool:
    return isinstance(a.kind, Num | Array | Mixed) and a.kind.dtype[0] == "f"


define(
    "draw",
    draw,
    "rng *args",
    _draw_kind,
    signature=inspect.Signature(
        [
            inspect.Parameter("rng", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
            inspect.Parameter("method", inspect.Parameter.KEYWORD_ONLY),
            inspect.Parameter("keywords", inspect.Parameter.KEYWORD_ONLY, default=()),
        ]
    ),
    vjp=draw_vjp,
    jvp=draw_jvp,
    effect="draws",
    answers_to=(),
)
zero(
    np.random.default_rng,
    "seed=None",
    kind=lambda args, attrs: Opaque(np.random.Generator),
    name="np.random.default_rng",
    effect="draws",
)
zero(
    np.random.RandomState,
    "seed=None",
    kind=lambda args, attrs: Opaque(np.random.RandomState),
    name="np.random.RandomState",
    effect="draws",
)
zero(
    np.random.seed,
    "seed=None",
    kind=lambda args, attrs: (),
    name="np.random.seed",
    effect="draws",
)
