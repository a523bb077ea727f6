"""How the tables are written: one line per function.

In: the function, its derivative as text, a domain for samples. Out: a record in the registry.

    elementwise(np.sin, "cos(x)")
    elementwise(np.multiply, "y", "x")
    rule(np.linalg.inv, "a", vjp="-out.T @ g @ out.T", jvp="-out @ a_dot @ out")
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .examplekinds import by_example
from .kindrules import ufunc_kind
from .registry import (
    KindRule,
    Primitive,
    Sample,
    StagedJvp,
    StagedVjp,
    has_primitive,
    keyword_from,
    primitive,
    register,
)

#: Logarithms of 2 and 10, as texts of rules have them.
LN2, LN10 = 0.6931471805599453, 2.302585092994046

_MODULES = {
    "numpy": "np",
    "numpy.linalg": "np.linalg",
    "numpy.fft": "np.fft",
    "math": "math",
    "builtins": "",
}


def name_of(f: Any) -> str:
    """How emitted text calls a function: "np.sin", "math.exp", "abs"; a user's by its name."""
    module = getattr(f, "__module__", None) or "numpy"
    if isinstance(f, np.ufunc) or module in _MODULES:
        prefix = _MODULES.get(module, "np")
        return f"{prefix}.{f.__name__}" if prefix else str(f.__name__)
    plain = f.__name__ if f.__name__.isidentifier() else "function"
    name, n = plain, 1
    while has_primitive(name) and primitive(name).fun is not f:
        n += 1
        name = f"{plain}_{n}"
    return str(name)


def signature(operands: Sequence[str], options: str = "") -> inspect.Signature:
    """Parameters for operands (``x``, ``x=1``, ``*xs``) and then for static options.

    >>> str(signature(["a"], "axis=None, keepdims=False"))
    '(a, axis=None, keepdims=False)'
    """
    P = inspect.Parameter
    pieces = [*operands, *([options] if options else [])]
    found = ast.parse(f"lambda {', '.join(pieces)}: 0", mode="eval").body
    assert isinstance(found, ast.Lambda)
    a = found.args
    plain: list[tuple[str, Any]] = [(p.arg, P.POSITIONAL_OR_KEYWORD) for p in a.args]
    defaults: list[Any] = [P.empty] * (len(plain) - len(a.defaults))
    defaults += map(ast.literal_eval, a.defaults)
    if a.vararg is not None:
        plain.append((a.vararg.arg, P.VAR_POSITIONAL))
        defaults.append(P.empty)
    for p, default in zip(a.kwonlyargs, a.kw_defaults, strict=True):
        plain.append((p.arg, P.KEYWORD_ONLY))
        defaults.append(P.empty if default is None else ast.literal_eval(default))
    return inspect.Signature(
        [P(n, k, default=d) for (n, k), d in zip(plain, defaults, strict=True)]
    )


def elementwise(
    f: Any,
    *partials: str | None,
    name: str | None = None,
    kind: KindRule | None = None,
    domain: str = "real",
    at: Sequence[Sample] = (),
    fun: Callable[..., Any] | None = None,
    aliases: Sequence[Any] = (),
    **more: Any,
) -> Primitive:
    """A function of x (and y) whose derivative is a partial per operand, as text.

    ``domain`` names the points it is tested at ("real", "positive", "unit", "above one"); ``at``
    are more points, among them its kinks and singular points; ``names`` are the operands', if
    they are not x, y and z.
    """
    names = more.pop("names", ("x", "y", "z")[: len(partials) or getattr(f, "nin", 1)])
    if kind is None:
        kind = ufunc_kind(f) if isinstance(f, np.ufunc) else by_example(f)
    full = name or name_of(f)
    points = more.pop("samples", None)
    return register(
        Primitive(
            full,
            fun or f,
            names,
            kind,
            more.pop("signature", signature(names)),
            partials=tuple(partials) if partials else None,
            samples=points or _Points(full, len(names), domain, tuple(at)),
            **more,
        ),
        f,
        *aliases,
    )


class _Points:
    """The samples of an elementwise function, made when they are asked for."""

    def __init__(self, name: str, count: int, domain: str, more: tuple[Sample, ...]) -> None:
        self.args = (name, count, domain, more)

    def __call__(self) -> Sequence[Sample]:
        from .samples import elementwise_samples

        return elementwise_samples(*self.args)


def rule(
    f: Any,
    operands: str,
    options: str = "",
    *,
    vjp: str | tuple[str | None, ...] | StagedVjp | None = None,
    jvp: str | tuple[str | None, ...] | StagedJvp | None = None,
    kind: KindRule | None = None,
    name: str | None = None,
    aliases: Sequence[Any] = (),
    samples: Sequence[Sample] | Callable[[], Sequence[Sample]] = (),
    fun: Callable[..., Any] | None = None,
    signature_of: str | None = None,
    **more: Any,
) -> Primitive:
    """A function with the derivative given for each mode.

    ``operands`` are names (``"a b"``, ``"*arrays"``, ``"x=None"`` for one that may be left out),
    ``options`` the static parameters with their defaults (``"axis=None, keepdims=False"``);
    ``signature_of`` is the user's call where its parameters come in another order: operands that
    are out of place are passed by keyword. ``fun`` is called with the operands by position.
    ``kind`` may be left out where running the function on small examples of its operands does no
    harm; ValueError where it has an effect.
    """
    if kind is None and more.get("effect", "pure") != "pure":
        raise ValueError(
            f"{f.__name__} has an effect, so it can't be tried on examples: say what kind its "
            "result is, as kind=lambda operands, options: s2sad.ir.kinds.FLOAT"
        )
    given = operands.split()
    names = tuple(g.partition("=")[0] for g in given)
    sig = signature([signature_of] if signature_of else given, "" if signature_of else options)
    called = name or name_of(f)
    run = fun or (keyworded(f, names, sig) if signature_of and "." in called else f)
    return register(
        Primitive(
            called,
            run,
            names,
            kind or by_example(run),
            sig,
            vjp=(vjp,) if isinstance(vjp, str) else vjp,
            jvp=jvp,
            defaults={
                n: p.default
                for n, p in sig.parameters.items()
                if p.default is not p.empty and n not in names
            },
            samples=samples if callable(samples) else tuple(samples),
            **more,
        ),
        f,
        *aliases,
    )


def keyworded(f: Any, names: Sequence[str], sig: inspect.Signature) -> Callable[..., Any]:
    """``f`` with the operands by position, although some are keywords of ``f``."""
    first = keyword_from(names, sig)

    def run(*operands: Any, **options: Any) -> Any:
        out_of_place = zip(names[first:], operands[first:], strict=False)
        options |= {name: value for name, value in out_of_place if value is not None}
        return f(*operands[:first], **options)

    run.__name__ = f.__name__
    run.__module__ = f.__module__
    return run


def each(*functions: Any) -> tuple[Any, ...]:
    """The functions one loop declares."""
    return functions


def zero(
    f: Any, operands: str, options: str = "", *, kind: KindRule | None = None, **more: Any
) -> Primitive:
    """A function whose derivative is zero everywhere."""
    return rule(f, operands, options, kind=kind, zero=True, **more)


def sample(*args: Any, expect: tuple[Any, ...] | None = None, **attrs: Any) -> Sample:
    """A point at which a rule is tested; with ``expect``, the cotangents of a seed of ones."""
    return Sample(args, attrs, expect, expect is not None)


def define(
    name: str, fun: Callable[..., Any], operands: str, kind: KindRule, **more: Any
) -> Primitive:
    """A structural primitive: its own name, its own kind rule."""
    answers_to = more.pop("answers_to", (fun,))
    return register(Primitive(name, fun, tuple(operands.split()), kind, **more), *answers_to)


def points(count: int, domain: str = "real") -> Callable[[], Sequence[Sample]]:
    """The samples of an elementwise primitive that has no name in NumPy."""
    return _Points("", count, domain, ())


def reals(seed: int, size: float = 1.0) -> Callable[..., Any]:
    """Makes arrays for samples: uniform between -size and size, in every run the same.

    >>> f = reals(1)
    >>> f(2, 3).shape
    (2, 3)
    """
    rng = np.random.default_rng(seed)
    return lambda *shape: rng.uniform(-size, size, shape)


def complexes(real: Callable[..., Any]) -> Callable[..., Any]:
    """Makes complex arrays whose parts are drawn by ``real``."""
    return lambda *shape: real(*shape) + 1j * real(*shape)
