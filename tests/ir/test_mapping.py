"""Passes copy nodes by one walk: operands are mapped, in all regions, and the rest stays."""

from __future__ import annotations

from collections.abc import Sequence

import s2sad.rules.structural  # noqa: F401
from s2sad.ir.clone import clone
from s2sad.ir.mapping import Mapper, carrying, map_nodes, map_regions, with_nodes, yielding
from s2sad.ir.nodes import For, If, Module, Node, Op, Region, While, read_in, walk
from s2sad.ir.rewrite import substitute
from s2sad.ir.text import parse
from s2sad.ir.verify import verify

PROGRAM = """\
def f(x: float64[n], c: bool) -> tuple[$0, $1, $2]:
    y: float64[n] = copy(x)
    z: float64[n] = add(y, y)
    a: float64[n], b: float64[n] = if c:
        y2: float64[n] = copy(y)
        u: float64[n] = mul(y2, y)
        yield u, y2
    else:
        yield y, z
    s: float64[n], t: float64[n] = for i: int in range(0, 3, 1) with s1: float64[n] = y, t1: float64[n] = z:
        s2: float64[n] = add(s1, y)
        yield False, s2, t1
    w: float64[n] = while with w1: float64[n] = y:
        yield c
    do w2: float64[n]:
        w3: float64[n] = copy(w2)
        yield True, w3
    yield a, s, w
"""


class WithoutCopies(Mapper):
    def op(self, op: Op) -> Sequence[Node]:
        if op.fn != "copy":
            return super().op(op)
        self.known[op.results[0]] = self.atom(op.args[0])
        return ()


def body() -> Region:
    return parse(PROGRAM).entry.body


def test_operands_are_mapped_in_all_regions():
    module = parse(PROGRAM)
    f = module.entry
    new = type(f)("f", f.params, WithoutCopies().region(f.body), f.out)
    verify(Module({"f": new}))
    assert not any(isinstance(n, Op) and n.fn == "copy" for n in walk(new.body))
    (x, _) = f.params
    branch, loop, last = (n for n in new.body.ops if not isinstance(n, Op))
    assert isinstance(branch, If)
    assert branch.then.ops[0].args == (x, x)  # type: ignore[union-attr]
    assert branch.then.yields[1] is x
    assert branch.orelse.yields[0] is x
    assert isinstance(loop, For)
    assert loop.init[0] is x
    assert loop.body.ops[0].args[1] is x  # type: ignore[union-attr]
    assert isinstance(last, While)
    assert last.init == (x,)
    assert last.body.yields[1] is last.body.params[0]


def test_results_and_untouched_ops_keep_their_identity():
    old = body()
    new = Mapper().region(old)
    assert [r for n in walk(new) for r in n.results] == [r for n in walk(old) for r in n.results]
    untouched = [n for n in walk(old) if isinstance(n, Op)]
    assert [n for n in walk(new) if isinstance(n, Op)] == untouched


def test_nothing_to_substitute_leaves_the_nodes_themselves():
    old = body()
    assert substitute(old.ops, {}) == old.ops


def test_a_clone_defines_every_value_anew():
    old = body()
    nodes, yields = clone(old, {})
    new = Region((), nodes, yields)
    defined = {r for n in walk(old) for r in n.results}
    assert defined.isdisjoint(r for n in walk(new) for r in n.results)
    assert defined.isdisjoint(yields)


def test_each_node_of_all_regions_may_become_several_or_none():
    old = body()
    new = map_nodes(old, lambda n: () if isinstance(n, Op) and n.fn == "copy" else (n,))
    kept = [n for n in walk(old) if isinstance(n, Op) and n.fn != "copy"]
    assert [n for n in walk(new) if isinstance(n, Op)] == kept
    twice = map_nodes(old, lambda n: (n, n) if isinstance(n, Op) else (n,))
    assert sum(isinstance(n, Op) for n in walk(twice)) == 2 * sum(
        isinstance(n, Op) for n in walk(old)
    )


def test_nodes_that_stay_leave_the_region_itself():
    old = body()
    assert map_nodes(old, lambda n: (n,)) is old


def test_a_node_inside_is_changed_before_the_one_around_it():
    seen: list[Node] = []
    old = body()
    map_nodes(old, lambda n: seen.append(n) or (n,))  # type: ignore[func-returns-value]
    branch = next(n for n in old.ops if isinstance(n, If))
    assert seen.index(branch.then.ops[0]) < seen.index(branch)


def test_a_branch_yields_only_what_is_kept():
    branch = next(n for n in body().ops if isinstance(n, If))
    slim = yielding(branch, [1])
    assert slim.results == branch.results[1:]
    assert slim.then.yields == branch.then.yields[1:]
    assert slim.orelse.yields == branch.orelse.yields[1:]


def test_a_loop_carries_only_what_is_kept():
    loop = next(n for n in body().ops if isinstance(n, For))
    slim = carrying(loop, [0])
    assert slim.results == loop.results[:1]
    assert slim.init == loop.init[:1]
    assert slim.body.params == loop.body.params[:2]
    assert slim.body.yields == loop.body.yields[:2]


def test_a_while_loop_has_the_same_values_in_its_test():
    loop = next(n for n in body().ops if isinstance(n, While))
    slim = carrying(loop, [])
    assert isinstance(slim, While)
    assert (slim.init, slim.test.params, slim.body.params) == ((), (), ())
    assert slim.body.yields == loop.body.yields[:1]


def test_regions_that_do_not_change_leave_the_node_itself():
    for node in body().ops:
        assert map_regions(node, lambda region: region) is node


def test_regions_that_change_are_put_in_their_places():
    empty = Region((), (), ())
    seen: list[Region] = []

    def change(region: Region) -> Region:
        seen.append(region)
        return empty

    loop = next(n for n in body().ops if isinstance(n, While))
    new = map_regions(loop, change)
    assert isinstance(new, While)
    assert new.test is new.body is empty
    assert seen == [loop.test, loop.body]


def test_a_region_with_its_own_nodes_is_itself():
    region = body()
    assert with_nodes(region, list(region.ops)) is region
    shorter = with_nodes(region, region.ops[:-1])
    assert shorter.ops == region.ops[:-1]
    assert (shorter.params, shorter.yields) == (region.params, region.yields)


def test_what_a_region_reads_is_found_in_all_regions_inside_it():
    f = parse(PROGRAM).entry
    branch, loop, last = (n for n in f.body.ops if not isinstance(n, Op))
    assert isinstance(branch, If)
    assert isinstance(last, While)
    read = read_in(f.body)
    assert {*f.params, *f.body.yields, *branch.then.yields, *last.test.yields} <= read
    assert loop.results[1] not in read
