"""The forward transform on the IR: what it carries, what it leaves out, what it promises."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest

from s2sad.api import primal_ir
from s2sad.errors import UnsupportedError
from s2sad.ir.interp import run
from s2sad.ir.nodes import Const, For, If, Module, Op, walk
from s2sad.ir.text import text
from s2sad.ir.verify import verify
from s2sad.rules.declare import rule
from s2sad.transform.forward import forward
from tests.arguments import active_argnums
from tests.directions import tangents_like
from tests.programs import Program
from tests.programs.golden import PROGRAMS
from tests.trees import fresh, is_active, leaves, map_leaves


def forwarded(f: Any, *args: Any, wrt: tuple[int, ...] = (0,), **options: Any) -> Module:
    return verify(forward(primal_ir(f, args, {}), wrt, **options))


def zeros_for_none(tree: Any, like: Any) -> Any:
    """Tangents as the entry takes them: 0.0 where an int has none."""
    values = iter(leaves(like))

    def fill(leaf: Any) -> Any:
        value = next(values)
        return leaf if leaf is not None else 0.0 if isinstance(value, (int, float)) else None

    return map_leaves(fill, tree)


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_interpreted_and_emitted_agree(program: Program) -> None:
    """The reference interpreter knows value semantics only: nothing in place, nothing renamed."""
    import s2sad

    nums = active_argnums(program.args, program.options.get("argnums"))
    args = fresh(program.args)
    along = s2sad.jvp(program.f).along(nums)
    compiled = along._shown(args, {})
    verify(compiled.ir)
    tangents = tangents_like(args, nums, program.f)
    moved = [zeros_for_none(tangents[n], args[n]) for n in nums]
    values = along._inner.bind(args, {})
    captured = [capture.get(values) for capture in compiled.captures]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out, out_dot = run(compiled.ir, *values, *moved, *captured)
        wanted, wanted_dot = s2sad.jvp(program.f, fresh(program.args), tangents)
    assert out == pytest.approx(wanted, rel=1e-12)
    assert out_dot == pytest.approx(wanted_dot, rel=1e-10)
    assert is_active(wanted_dot)


def count_and_product(x: Any, n: Any) -> Any:
    count, y = 0, x
    shift = 1.0
    for i in range(n):
        count += i
        shift = shift * 0.5
        y = y * x + shift
    return y, count


def test_a_loop_carries_tangents_of_active_values_only() -> None:
    entry = forwarded(count_and_product, 1.5, 4).entry
    (loop,) = [node for node in entry.body.ops if isinstance(node, For)]
    names = [p.name for p in loop.body.params]
    assert "y_dot" in names
    assert not {"count_dot", "shift_dot"} & set(names)
    assert entry.out.children[1].children[1].form == "const"


def one_arm(x: Any, c: Any) -> Any:
    if c > 0.0:
        y = x * x
    else:
        y = 2.0
    return y


def test_a_zero_is_spelled_out_in_the_other_arm_only() -> None:
    (branch,) = [n for n in walk(forwarded(one_arm, 1.0, 1.0).entry.body) if isinstance(n, If)]
    zero = branch.orelse.yields[-1]
    assert isinstance(zero, Const) and zero.value == 0.0
    assert len(branch.results) == 2


def test_no_tangent_no_change() -> None:
    module = primal_ir(one_arm, (1.0, 1.0), {})
    alone = verify(forward(module, [1]))
    assert "dot" not in re.sub("c_dot", "", text(alone))
    (_, tangent) = run(alone, 1.0, 1.0, 1.0)
    assert tangent == 0.0


def test_tangents_come_where_they_are_wanted() -> None:
    entry = forwarded(count_and_product, 1.5, 4, at=1).entry
    assert [p.name for p in entry.params] == ["x", "x_dot", "n"]
    seeded = forwarded(count_and_product, 1.5, 4, seeds=[Const.of(1.0)], value=False)
    assert [p.name for p in seeded.entry.params] == ["x", "n"]
    (slope, nothing) = run(seeded, 1.5, 4)
    h = 1e-6
    above, below = (count_and_product(1.5 + s, 4)[0] for s in (h, -h))
    assert slope == pytest.approx((above - below) / (2.0 * h), rel=1e-8)
    assert nothing is None


def chatty(x: Any) -> Any:
    print("value", x)
    if x > 10.0:
        raise ValueError("too large")
    return math.exp(x)


def test_effects_are_neither_repeated_nor_moved() -> None:
    ops = [n for n in walk(forwarded(chatty, 1.0).entry.body) if isinstance(n, Op)]
    assert [op.fn for op in ops if op.fn in ("print", "raise")] == ["print", "raise"]


def overwritten(x: Any) -> Any:
    u = x.copy()
    u[0] = u[1] * u[2]
    u[1:] *= u[:-1]
    return u


def test_a_tangent_precedes_a_statement_whose_old_value_it_needs() -> None:
    import s2sad

    lines = [line.strip() for line in s2sad.jvp(overwritten).source(np.ones(3)).splitlines()]
    assert lines.index("u_dot[1:] = u_dot[1:] * t + u[1:] * u_dot[:-1]") < lines.index(
        "u[1:] *= t"
    )
    assert sum("copy" in line for line in lines) == 2
    out, out_dot = s2sad.jvp(overwritten, (np.array([2.0, 3.0, 5.0]),), (np.ones(3),))
    assert out.tolist() == [15.0, 45.0, 15.0]
    assert out_dot.tolist() == [8.0, 39.0, 8.0]


def lists(x: Any, n: Any) -> Any:
    stack = [x]
    for i in range(n):
        stack.append(stack[-1] * x + i)
    stack.insert(1, x * 3.0)
    last = stack.pop()
    first = stack.pop(0)
    more = [last, 2.0] + stack
    more.extend([x, 1.0])
    more[2] = more[2] * more[0]
    return sum(more) + first * len(more)


def mixed(x: Any, scalar: Any) -> Any:
    """A number on one path, an array on the other."""
    y = x[0] if scalar else x * 2.0
    return np.sum(y * y + x)


def test_lists_and_mixed_kinds() -> None:
    import s2sad

    h = 1e-6
    found = s2sad.jvp(lists, (1.3, 4), (1.0, None))[1]
    assert found == pytest.approx((lists(1.3 + h, 4) - lists(1.3 - h, 4)) / (2.0 * h), rel=1e-8)
    x, v = np.array([0.3, -0.8]), np.array([1.0, 0.5])
    for scalar in (True, False):
        slope = (mixed(x + h * v, scalar) - mixed(x - h * v, scalar)) / (2.0 * h)
        found = s2sad.jvp(mixed, (x, scalar), (v, None))[1]
        assert found == pytest.approx(slope, rel=1e-8)


def test_the_tangent_of_a_view_is_the_view_of_the_tangent() -> None:
    import s2sad

    def through_views(x: Any) -> Any:
        u = x * 1.0
        row = u.reshape(2, 2)[1]
        row[0] = row[1] * u[0]
        return u[2] * u[3]

    x, v = np.array([1.5, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, 0.0, 1.0])
    assert s2sad.jvp(through_views, (x,), (v,)) == (24.0 * 1.0, 16.0 + 12.0)


def without_a_rule(x: Any) -> Any:
    return x + 1.0


def test_what_has_no_derivative_is_refused_with_a_place() -> None:
    import s2sad

    rule(without_a_rule, "x")

    def f(x: Any) -> Any:
        return without_a_rule(x) * x

    with pytest.raises(UnsupportedError, match="test_forward.py") as caught:
        s2sad.jvp(f, (1.0,), (1.0,))
    assert "without_a_rule has no derivative" in str(caught.value)
