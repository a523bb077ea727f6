"""What can be asked of atoms, nodes and regions."""

from __future__ import annotations

import pytest

import s2sad.rules.structural  # noqa: F401
from s2sad.ir.nodes import (
    Const,
    For,
    Function,
    While,
    defined_in,
    is_int,
    is_none,
    is_one,
    is_unit,
    never_leaves,
    read_by,
    regions_in,
    version,
)
from s2sad.ir.text import parse

PROGRAM = """\
def f(x: float64[n], m: int, c: bool) -> $0:
    y: float64[n] = copy(x)
    s: float64[n] = for i: int in range(0, m, 1) with s1: float64[n] = y:
        t: float64[n] = if c:
            u: float64[n] = mul(s1, x)
            yield u
        else:
            yield y
        yield False, t
    w: float64[n] = while with w1: float64[n] = s:
        yield c
    do w2: float64[n]:
        yield c, w2
    yield w
"""


def program() -> Function:
    return parse(PROGRAM).entry


def loops() -> tuple[For, While]:
    _, counted, other = program().body.ops
    assert isinstance(counted, For)
    assert isinstance(other, While)
    return counted, other


@pytest.mark.parametrize("value", [True, 1.0, 2, "1", None])
def test_only_the_int_is_that_int(value):
    assert is_int(Const.of(1), 1)
    assert not is_int(Const.of(value), 1)
    assert not is_int(loops()[0].stop, 1)


def test_one_may_be_of_any_type():
    assert all(is_one(Const.of(value)) for value in (1, 1.0, True))
    assert not any(is_one(a) for a in (Const.of(0), Const.of(None), loops()[0].stop))


def test_none_is_no_zero():
    assert is_none(Const.of(None))
    assert not any(is_none(a) for a in (Const.of(0), Const.of(False), loops()[0].stop))


def test_loops_that_count_by_one():
    counted, other = loops()
    assert is_unit(counted)
    assert not is_unit(other)


def test_a_loop_leaves_where_its_body_says_so():
    counted, other = loops()
    assert never_leaves(counted)
    assert not never_leaves(other)


def test_a_version_is_another_value_of_the_same_name_and_kind():
    (y,) = program().body.ops[0].results
    new = version(y)
    assert new is not y
    assert (new.kind, new.name, new.hint) == (y.kind, y.name, y.hint)


def test_regions_are_there_in_the_order_of_the_program():
    f = program()
    _, counted, other = f.body.ops
    branch = counted.body.ops[0]  # type: ignore[union-attr]
    inner = [branch.then, branch.orelse, other.test, other.body]  # type: ignore[union-attr]
    found = list(regions_in(f.body))
    assert found[:2] == [f.body, counted.body]  # type: ignore[union-attr]
    assert set(found[2:]) == set(inner)
    assert found.index(branch.then) < found.index(branch.orelse)  # type: ignore[union-attr]


def test_a_region_defines_its_parameters_and_all_that_is_inside():
    counted, _ = loops()
    names = {v.name for v in defined_in(counted.body)}
    assert names == {"i", "s1", "t", "u"}


def test_a_node_reads_what_its_regions_read_from_outside():
    f = program()
    x, m, c = f.params
    (y,) = f.body.ops[0].results
    read = read_by(f.body.ops[1])
    assert {a for a in read if not isinstance(a, Const)} == {x, m, c, y}
