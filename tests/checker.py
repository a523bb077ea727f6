"""The one checker that every derivative test goes through.

In: a program and arguments.  Out: nothing, or an AssertionError that says which promise broke.

    check(f, 2.0, np.ones(3))            every float argument, every promise
    refused(f, 2.0, match="yield")       a clear refusal with line and caret

``check`` compares with plain Python and with differences of plain Python (tests/differences.py),
never with another derivative: the value to the bit, the gradient of a random weighting of the
result, its structure and dtypes, the caller's arguments unchanged.  It repeats this for C- and
F-ordered, strided, read-only and aliased arrays, calls the pullback twice with everything the
caller can reach overwritten in between, and finally runs the tape.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.arguments import (
    LAYOUTS,
    Index,
    active_argnums,
    arranged,
    is_scalar,
    outline,
    random_like,
    rounded,
    runs,
    seed_of_one,
    spoil,
    weighted,
    writes,
)
from tests.differences import Reference, reference, total_slope, weigh
from tests.directions import check_forward, check_second, summed
from tests.trees import clone, fresh, is_active, leaves, same

RTOL = 1e-6  # against differences
RTOL_EXACT = 1e-10  # against the complex step


def check(
    f: Callable[..., Any],
    *args: Any,
    argnums: Index = None,
    expected: Any = None,
    rtol: float = RTOL,
    variants: bool = True,
    tape: bool = True,
    forward: bool = True,
    second: bool = True,
) -> None:
    """Check the derivative of ``f`` at ``args`` in every way there is.

    ``argnums`` defaults to every argument that holds a float.  ``expected`` is the gradient itself
    (structured like the arguments differentiated; a tuple if there are several) where differences
    cannot tell it: at kinks and singular points; the result must then be a scalar.
    ``variants=False`` keeps to the layout given; ``tape=False`` leaves the tape out,
    ``forward=False`` forward mode, ``second=False`` Hessian-vector products.
    """
    # Not at the top: the corpus is validated without the compiler.
    import s2sad

    nums = active_argnums(args, argnums)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value = f(*fresh(args))
        cotangent = random_like(value, f)
        if expected is None:
            truth = sane(f, *args, argnums=nums, cotangent=cotangent)
        else:
            truth = given(expected, args, nums)
            cotangent = seed_of_one(value)
        derivative = s2sad.value_and_grad(f, argnums=nums) if is_scalar(value) else None
        for layout in LAYOUTS if variants else LAYOUTS[:1]:
            call = arranged(args, layout)
            if call is None or not runs(f, call):
                continue
            plain = f(*fresh(call))
            # A reshape copies or views as the layout has it: then it is another program.
            differs = not same(rounded(plain), rounded(value))
            here = sane(f, *call, argnums=nums, cotangent=cotangent) if differs else truth
            judge = Judge(f, nums, here, rtol, layout)
            try:
                if derivative is not None:
                    check_grad(derivative, call, plain, judge, float(np.sum(cotangent)))
                check_vjp(call, plain, cotangent, judge)
                if forward and layout == "given":
                    singular = expected is not None
                    check_forward(fresh(args), plain, cotangent, judge, singular=singular)
                    program = f if derivative is not None else summed(f, plain, cotangent, args)
                    if program is not None and expected is None and second:
                        check_second(program, fresh(args), nums, judge)
            except s2sad.UnsupportedError:
                if not differs:
                    raise
        if variants and expected is None:
            check_aliased(f, args, nums, rtol)
        if tape:
            check_tape(f, *args, argnums=nums, expected=expected, rtol=rtol)


def check_tape(
    f: Callable[..., Any],
    *args: Any,
    argnums: Index = None,
    expected: Any = None,
    rtol: float = RTOL,
) -> None:
    """Check the gradient that ``s2sad.tape`` finds, by the same measure."""
    import s2sad.tape

    nums = active_argnums(args, argnums)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value = f(*fresh(args))
        if is_scalar(value):
            cotangent, program = seed_of_one(value), f
        else:
            cotangent = random_like(value, f)
            program = weighted(f, cotangent)
        if expected is None:
            truth = sane(f, *args, argnums=nums, cotangent=cotangent)
        else:
            truth = given(expected, args, nums)
        call = fresh(args)
        out, gradient = s2sad.tape.value_and_grad(program, nums)(*call)
        judge = Judge(f, nums, truth, rtol, "tape")
        judge.unchanged(call, args)
        wanted = value if program is f else weigh(value, cotangent)
        judge.that(np.allclose(out, wanted, rtol=1e-12, equal_nan=True), f"value {out}, {wanted}")
        judge.gradient(gradient, call)


def refused(f: Callable[..., Any], *args: Any, match: str = "", argnums: Index = None) -> str:
    """Assert that ``f`` is refused before any result, with a place and a caret; its message.

    ``match`` is a regular expression to be found in the message.
    """
    import s2sad

    nums = active_argnums(args, argnums)
    call = fresh(args)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with pytest.raises(s2sad.UnsupportedError) as caught:
            # vjp takes results of any shape, so it is never the shape that is refused.
            _, pullback = s2sad.vjp(f, *call)
            pullback(random_like(f(*fresh(args)), f))
        with pytest.raises(s2sad.UnsupportedError):
            s2sad.grad(f, argnums=nums)(*call)
    text = str(caught.value)
    assert re.search(r"--> .+:\d+:\d+", text), f"no place in the message:\n{text}"
    assert re.search(r"^\s*\|\s*\^+", text, re.MULTILINE), f"no caret in the message:\n{text}"
    assert re.search(match, text), f"{match!r} is not in the message:\n{text}"
    assert same(call, fresh(args)), "a refused call changed its arguments"
    return text


def sane(
    f: Callable[..., Any], *args: Any, argnums: Index = None, cotangent: Any = None
) -> Reference:
    """The reference gradient, asserting that plain Python and the differences are trustworthy."""
    nums = active_argnums(args, argnums)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        before = fresh(args)
        value = f(*before)
        assert same(f(*fresh(args)), value), "the program gives another value the second time"
        if cotangent is None:
            cotangent = random_like(value, f)
        truth = reference(f, args, nums, cotangent)
    flat = [np.ravel(leaf) for leaf in truth.gradient if leaf is not None]
    assert flat, "nothing to differentiate"
    every = np.concatenate(flat)
    assert np.all(np.isfinite(every)), f"differences are not finite: {every}"
    scale = max(np.max(np.abs(every), initial=0.0), 1e-3)
    assert truth.error <= 1e-6 * scale, f"differences are unsure: {truth.error} of {scale}"
    return truth


# What is compared


class Judge:
    """Says what broke, and in which program and layout."""

    __slots__ = ("argnums", "f", "layout", "rtol", "truth")

    def __init__(
        self,
        f: Callable[..., Any],
        argnums: tuple[int, ...],
        truth: Reference,
        rtol: float,
        layout: str,
    ) -> None:
        self.f, self.argnums, self.truth, self.rtol, self.layout = f, argnums, truth, rtol, layout

    def that(self, holds: Any, complaint: str) -> None:
        """Fail with a complaint unless it holds."""
        name = getattr(self.f, "__name__", repr(self.f))
        assert holds, f"{name} ({self.layout}): {complaint}"

    def value(self, value: Any, plain: Any) -> None:
        """The forward value is plain Python's, to the bit."""
        complaint = f"value {value!r} {type(value)}, plain Python {plain!r} {type(plain)}"
        self.that(same(value, plain), complaint)

    def unchanged(self, call: Any, before: Any) -> None:
        """The caller's arguments are as they were."""
        self.that(same(call, before), "an argument was changed")

    def gradient(self, gradient: Any, call: Sequence[Any], scale: float = 1.0) -> None:
        """The right numbers in the structure of the arguments differentiated."""
        self.that(type(gradient) is tuple, f"gradient is a {type(gradient)}, not a tuple")
        self.that(len(gradient) == len(self.argnums), f"{len(gradient)} parts in the gradient")
        found: list[Any] = []
        for part, n in zip(gradient, self.argnums, strict=True):
            self.structure(part, call[n])
            found.extend(leaves(part))
        wanted = [None if leaf is None else scale * leaf for leaf in self.truth.gradient]
        finite = [leaf[np.isfinite(leaf)] for leaf in wanted if leaf is not None]
        size = max((np.max(np.abs(leaf), initial=0.0) for leaf in finite), default=0.0)
        rtol = self.precision(call)
        atol = rtol * size + 10.0 * abs(scale) * self.truth.error + 1e-12
        for mine, theirs in zip(found, wanted, strict=True):
            if theirs is not None:
                close = np.allclose(mine, theirs, rtol=rtol, atol=atol, equal_nan=True)
                self.that(close, f"gradient\n{mine}\nbut differences say\n{theirs}")

    def precision(self, call: Sequence[Any]) -> float:
        """The relative error allowed for these arguments."""
        dtypes = [
            leaf.dtype for leaf in leaves(call) if isinstance(leaf, (np.ndarray, np.generic))
        ]
        rtol = RTOL_EXACT if self.truth.exact and self.rtol == RTOL else self.rtol
        return max(rtol, 2e-5) if np.float32 in dtypes else rtol

    def structure(self, part: Any, like: Any) -> None:
        """Float for float, float32 for float32, dict for dict with the same keys."""
        mine, theirs = leaves(part), leaves(like)
        shapes = [outline(part), outline(like)]
        self.that(shapes[0] == shapes[1], f"gradient is built like {shapes[0]}, not {shapes[1]}")
        for a, b in zip(mine, theirs, strict=True):
            if is_active(b):
                self.that(type(a) is type(b), f"a {type(a)} for a {type(b)}")
            if isinstance(b, (np.ndarray, np.generic)) and is_active(b):
                self.that(a.dtype == b.dtype, f"dtype {a.dtype} for {b.dtype}")
                self.that(a.shape == b.shape, f"shape {a.shape} for {b.shape}")


def check_grad(
    derivative: Callable[..., Any], call: tuple[Any, ...], plain: Any, judge: Judge, seed: float
) -> None:
    """``value_and_grad``: value, gradient, arguments unchanged, and the same thing again."""
    before = fresh(call)
    value, gradient = derivative(*call)
    judge.unchanged(call, before)
    judge.value(value, plain)
    judge.gradient(gradient, call, 1.0 / seed)
    first = fresh(gradient)
    spoil(gradient)
    judge.unchanged(call, before)
    again = derivative(*call)
    judge.that(same(again, (plain, first)), "the second call differs from the first")


def check_vjp(call: tuple[Any, ...], plain: Any, cotangent: Any, judge: Judge) -> None:
    """``vjp``: as above, with everything in reach overwritten between two pullbacks."""
    import s2sad

    before, seed = fresh(call), fresh(cotangent)
    out, pullback = s2sad.vjp(judge.f, *call)
    judge.unchanged(call, before)
    judge.value(out, plain)
    spoil(out)
    spoil(call)
    first = pullback(seed)
    judge.that(same(seed, fresh(cotangent)), "the pullback changed its cotangent")
    judge.that(type(first) is tuple and len(first) == len(call), f"pullback gave {type(first)}")
    judge.gradient(tuple(first[n] for n in judge.argnums), before)
    kept = fresh(first)
    spoil(first)
    spoil(seed)
    second = pullback(fresh(cotangent))
    mine = [second[n] for n in judge.argnums]
    theirs = [kept[n] for n in judge.argnums]
    judge.that(same(mine, theirs), f"the second pullback gave\n{mine}\nthe first\n{theirs}")


def check_aliased(
    f: Callable[..., Any], args: tuple[Any, ...], nums: tuple[int, ...], rtol: float
) -> None:
    """One array passed in two places: the gradients add up to the slope along both.

    A program that writes to such an argument may be refused instead.
    """
    import s2sad

    arrays = [n for n in nums if isinstance(args[n], np.ndarray) and args[n].ndim > 0]
    for first in arrays:
        tied = tuple(
            n
            for n in arrays
            if args[n].shape == args[first].shape and args[n].dtype == args[first].dtype
        )
        if tied[0] != first or len(tied) < 2:
            continue
        shared = clone(args[first])
        call = tuple(shared if n in tied else a for n, a in enumerate(fresh(args)))
        if not runs(f, call):
            continue
        plain = f(*fresh(call))
        cotangent = random_like(plain, f)
        wanted, error = total_slope(f, call, tied, cotangent)
        if error > 1e-6 * np.max(np.abs(wanted), initial=1e-3):
            continue  # a kink where the two are equal
        judge = Judge(f, tied, Reference([], 0.0, exact=False), rtol, f"aliased {tied}")
        before = fresh(call)
        try:
            out, pullback = s2sad.vjp(f, *call)
        except s2sad.UnsupportedError:
            judge.that(writes(f, call), "refused, although it writes to no argument")
            continue
        judge.value(out, plain)
        judge.unchanged(call, before)
        parts = pullback(cotangent)
        found = sum(parts[n] for n in tied)
        size = np.max(np.abs(wanted), initial=1e-3)
        loose = 1e-3 if shared.dtype == np.float32 else 100.0 * rtol
        judge.that(
            np.allclose(found, wanted, rtol=loose, atol=loose * size),
            f"gradients add up to\n{found}\nnot to\n{wanted}",
        )


def given(expected: Any, args: tuple[Any, ...], nums: tuple[int, ...]) -> Reference:
    """A gradient written down by hand."""
    parts = expected if len(nums) > 1 else (expected,)
    active = [is_active(leaf) for n in nums for leaf in leaves(args[n])]
    flat = [leaf for part in parts for leaf in leaves(part)]
    numbers = [
        np.asarray(leaf, dtype=np.float64) if on else None
        for leaf, on in zip(flat, active, strict=True)
    ]
    return Reference(numbers, 0.0, exact=False)
