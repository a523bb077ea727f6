"""Checking derivatives: of a program, and of a rule of one's own.

In: a function and a point, or a function with a rule and points. Out: nothing where derivatives
agree with differences, or an AssertionError that says in which mode, at which order and for which
argument they do not.

    check_grads(f, (x, y), order=2)      check_rule(softplus, (0.3,), (np.array([1.0, -2.0]),))
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import ArgumentError
from .ir.tree import flatten, gradient_tree, leaves_like, unflatten
from .numeric import directional_difference

__all__ = ["check_grads", "check_rule"]

_MODES = ("fwd", "rev")


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any] | None = None,
    order: int = 2,
    modes: Sequence[str] = _MODES,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> Any:
    """Compare the derivatives of ``f`` at ``args`` with differences, up to the given order.

    Named and shaped as in JAX, ``check_grads(f, args, order, modes)``; without ``args`` as in
    autograd, ``check_grads(f, modes=["rev"], order=1)(*args)``. "fwd" compares `jvp` along a
    random direction, "rev" the cotangent from `vjp` for a random cotangent; of higher orders, the
    same for the function that this derivative is, in every mode. The arguments and the result may
    be any structures of numbers and arrays; parts that are not floating point stay as they are.

    Differences are central ones: extrapolated to step zero, or with ``eps`` for one step of that
    size. What counts as equal is ``atol + rtol * |expected|``; by default 1e-6 and 1e-6 in double
    precision at first order, ten times that for each order more, and 2e-3 in single precision.

    Raises AssertionError where they differ, and what `vjp` and `jvp` raise.

    >>> check_grads(lambda x, y: np.sin(x) * y, (np.array([0.3, 0.7]), 2.0), order=2)
    """
    if args is None:

        def checker(*given: Any) -> None:
            check_grads(f, given, order, modes, atol, rtol, eps)

        return checker
    if isinstance(args, np.ndarray) or not isinstance(args, Sequence):
        raise ArgumentError("check_grads takes the arguments as a tuple: check_grads(f, (x,))")
    unknown = [m for m in modes if m not in _MODES]
    if unknown or isinstance(modes, str):
        raise ArgumentError(f"modes are 'fwd' and 'rev', not {modes!r}")
    leaves, _ = flatten(tuple(args))
    if not leaves:
        raise ArgumentError("check_grads: there is no float among the arguments")
    single = any(np.asarray(v).dtype.itemsize < 8 for v in leaves)
    check = _Check(atol, rtol, eps, single, np.random.default_rng(0))
    check.orders(f, tuple(args), order, tuple(modes), ())
    return None


class _Check:
    """Tolerances and the source of directions of one check."""

    def __init__(
        self,
        atol: float | None,
        rtol: float | None,
        eps: float | None,
        single: bool,
        rng: np.random.Generator,
    ) -> None:
        self.atol, self.rtol, self.eps, self.single, self.rng = atol, rtol, eps, single, rng

    def orders(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        order: int,
        modes: tuple[str, ...],
        path: tuple[str, ...],
    ) -> None:
        """Check ``f``, which is the derivative of the user's function by ``path``."""
        if order < 1:
            return
        # imported here: the compiler should not be loaded by who only wants check_rule's samples
        from .api import jvp, vjp

        tangents = self.direction(args)
        if "fwd" in modes:
            self.forward(f, args, tangents, (*path, "forward"))
        out = f(*_fresh(args))
        cotangent = self.direction(out)
        if "rev" in modes:
            self.reverse(f, args, tangents, cotangent, (*path, "reverse"))
        if order == 1:
            return
        given = {"f": f, "jvp": jvp, "vjp": vjp, "tangents": tangents, "g": cotangent}
        along, back = _derivatives(len(args), given)
        if "fwd" in modes:
            self.orders(along, args, order - 1, modes, (*path, "forward"))
        if "rev" in modes:
            self.orders(back, args, order - 1, modes, (*path, "reverse"))

    def forward(
        self, f: Callable[..., Any], args: tuple[Any, ...], tangents: Any, path: tuple[str, ...]
    ) -> None:
        from .api import jvp

        def found(tangents: Any) -> list[Any]:
            _, moved = jvp(f, args, tangents)
            return _numbers(f(*_fresh(args)), moved)

        self.agree(found(tangents), self.slopes(f, args, tangents), args, tangents, path, f, found)

    def reverse(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        tangents: Any,
        cotangent: Any,
        path: tuple[str, ...],
    ) -> None:
        from .api import vjp

        out, pullback = vjp(f, *args)
        bars = pullback(cotangent)
        weights = _numbers(out, cotangent)

        def found(tangents: Any) -> list[Any]:
            return [_inner(_numbers(args, bars), _numbers(args, tangents))]

        def expected(tangents: Any) -> list[Any]:
            return [_inner(self.slopes(f, args, tangents), weights)]

        self.agree(found(tangents), expected(tangents), args, tangents, path, f, found, expected)

    def agree(
        self,
        found: list[Any],
        expected: list[Any],
        args: tuple[Any, ...],
        tangents: Any,
        path: tuple[str, ...],
        f: Callable[..., Any],
        again: Callable[[Any], list[Any]],
        wanted: Callable[[Any], list[Any]] | None = None,
    ) -> None:
        """Raise AssertionError unless all are close; the message says which argument is wrong."""
        if self.close(found, expected, len(path)):
            return
        wanted = wanted or (lambda tangents: self.slopes(f, args, tangents))
        guilty = []
        for name, alone in _one_by_one(args, tangents):
            one, other = again(alone), wanted(alone)
            if not self.close(one, other, len(path)):
                guilty.append(f"  along {name}: {_shown(one)}, differences {_shown(other)}")
        about = "\n".join(guilty) or f"  {_shown(found)}, differences {_shown(expected)}"
        raise AssertionError(
            f"the {' over '.join(reversed(path))} derivative of order {len(path)} differs from "
            f"differences\n{about}"
        )

    def close(self, found: list[Any], expected: list[Any], order: int) -> bool:
        default = 2e-3 if self.single else 1e-6 * 10.0 ** (order - 1)
        atol = default if self.atol is None else self.atol
        rtol = default if self.rtol is None else self.rtol
        return all(
            np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=rtol, atol=atol)
            for a, b in zip(found, expected, strict=True)
        )

    def slopes(self, f: Callable[..., Any], args: tuple[Any, ...], tangents: Any) -> list[Any]:
        """How the leaves of the result move along ``tangents``, by differences."""
        if self.eps is None and not np.iscomplexobj(_ravel(f(*_fresh(args)))):
            slopes, _ = directional_difference(f, args, tangents)
            return list(slopes)
        eps = self.eps or (1e-2 if self.single else 1e-4)
        leaves, struct = flatten(args)
        moves = leaves_like(struct, tangents)

        def at(h: float) -> list[Any]:
            moved = [
                x if t is None else (x + np.asarray(h * t).astype(np.asarray(x).dtype))
                for x, t in zip(leaves, moves, strict=True)
            ]
            moved = [
                type(x)(v) if not isinstance(x, np.ndarray) else v
                for x, v in zip(leaves, moved, strict=True)
            ]
            return flatten(f(*unflatten(struct, moved)))[0]

        ahead, behind = at(eps), at(-eps)
        return [
            (np.asarray(a) - np.asarray(b)) / (2 * eps) for a, b in zip(ahead, behind, strict=True)
        ]

    def direction(self, tree: Any) -> Any:
        """Random numbers in the structure of ``tree``, None for what is not floating point."""
        leaves, struct = flatten(tree)
        return gradient_tree(struct, [self.random(leaf) for leaf in leaves])

    def random(self, leaf: Any) -> Any:
        value: Any = self.rng.standard_normal(np.shape(leaf))
        if np.iscomplexobj(leaf):
            value = value + 1j * self.rng.standard_normal(np.shape(leaf))
        if isinstance(leaf, np.ndarray):
            return np.asarray(value, leaf.dtype)
        return type(leaf)(value)


def _derivatives(count: int, given: dict[str, Any]) -> list[Callable[..., Any]]:
    """The derivative along the tangents and that of the cotangent, as functions of arguments."""
    names = ", ".join(f"x{n}" for n in range(count))
    texts = {
        "along": f"def along({names}):\n    return jvp(f, ({names},), tangents)[1]\n",
        "back": f"def back({names}):\n    return vjp(f, {names})[1](g)\n",
    }
    made = []
    for name, text in texts.items():
        filename = f"<s2sad.testing {name} {count}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        scope = {**given, "__name__": __name__}
        exec(compile(text, filename, "exec"), scope)
        made.append(scope[name])
    return made


def check_rule(f: Any, *samples: Any) -> None:
    """Compare a derivative rule with differences at each sample, in both modes.

    ``f`` is a function that was given a rule by `s2sad.rules`, or its name in the registry, or one
    made by `custom_vjp` (whose rule serves reverse mode only) or `custom_jvp`. A sample is a tuple
    of arguments, or ``s2sad.rules.sample(*operands, **options)``, which may also say what to
    ``expect`` at a kink; without samples, those that the rule was declared with are taken.

    Raises AssertionError where a cotangent or tangent is wrong, or of another structure, shape or
    dtype; ArgumentError where there is no rule or no sample.

    >>> import s2sad
    >>> from s2sad.rules import elementwise
    >>> def cube_misruled(x):
    ...     return np.power(x, 3.0)
    >>> _ = elementwise(cube_misruled, "2 * x")
    >>> check_rule(cube_misruled, (0.5,))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AssertionError: cube_misruled, operand x: the vjp gives ... along ..., differences ...
    """
    import s2sad.rules  # noqa: F401 - fills the registry

    from .controls import custom_rule
    from .rules.checking import check_sample
    from .rules.registry import Sample, has_primitive, lookup, primitive

    rule = custom_rule(f)
    if rule is not None:
        modes = ("rev",) if rule.how == "vjp" else _MODES
        for s in _required(f, samples):
            check_grads(f, s.args if isinstance(s, Sample) else tuple(s), 1, modes)
        return
    record = primitive(f) if isinstance(f, str) and has_primitive(f) else lookup(f)
    if record is None:
        raise ArgumentError(f"{getattr(f, '__name__', f)!r} has no rule: see s2sad.rules")
    if not record.differentiable:
        raise ArgumentError(f"{record.name} is declared to have a zero derivative")
    declared = record.samples() if callable(record.samples) else record.samples
    for s in _required(f, samples or declared):
        check_sample(record, s if isinstance(s, Sample) else Sample(tuple(s)))


def _required(f: Any, samples: Sequence[Any]) -> Sequence[Any]:
    if not samples:
        name = getattr(f, "__name__", f)
        raise ArgumentError(f"check_rule({name}) needs a sample: a tuple of arguments")
    for s in samples:
        if isinstance(s, np.ndarray | float | int):
            raise ArgumentError("a sample is a tuple of arguments: check_rule(f, (x,))")
    return samples


# -- trees ---------------------------------------------------------------------------------------


def _fresh(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with copies of their arrays: a program may write them."""
    leaves, struct = flatten(args)
    copies = [v.copy() if isinstance(v, np.ndarray) else v for v in leaves]
    found: tuple[Any, ...] = unflatten(struct, copies)
    return found


def _numbers(like: Any, tree: Any) -> list[Any]:
    """The leaves of ``tree`` where ``like`` has floats, zeros where it has None."""
    leaves, struct = flatten(like)
    found = leaves_like(struct, tree)
    return [
        np.zeros(np.shape(x)) if v is None else np.asarray(v)
        for x, v in zip(leaves, found, strict=True)
    ]


def _inner(a: list[Any], b: list[Any]) -> Any:
    """Re sum(a b): how cotangents meet tangents."""
    return sum(float(np.real(np.sum(x * y))) for x, y in zip(a, b, strict=True))


def _ravel(tree: Any) -> Any:
    leaves, _ = flatten(tree)
    return np.concatenate([np.ravel(v) for v in leaves]) if leaves else np.zeros(0)


def _one_by_one(args: tuple[Any, ...], tangents: Any) -> list[tuple[str, Any]]:
    """The direction of each argument alone, with the argument's position."""
    return [
        (f"argument {n}", tuple(t if m == n else None for m in range(len(args))))
        for n, t in enumerate(tangents)
        if flatten(args[n])[0]
    ]


def _shown(values: list[Any]) -> str:
    flat = _ravel(values)
    text = ", ".join(f"{v:.8g}" for v in flat[:4])
    return text + (", ..." if flat.size > 4 else "")
