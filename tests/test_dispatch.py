"""The dispatcher and its guards, with a compiler that only says what it was asked to compile."""

from __future__ import annotations

import functools
import sys
import threading
import time
import types
from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from s2sad.binding import Layout, layout_of
from s2sad.dispatch import MAXSIZE, Dispatcher, Specialization
from s2sad.dispatch_text import specialized
from s2sad.errors import ArgumentError
from s2sad.frontend.refs import Fetch
from s2sad.guards import Is, KindIs, Names, ValueIs, apart, conditions
from s2sad.ir.kinds import kind_of


@dataclass
class Point:
    x: float
    y: Any


Pair = namedtuple("Pair", "a b")


class Meter(float):
    pass


VALUES: list[Any] = [
    1.0, 2, True, 1j, None, "text", "other", b"b", slice(1, 2), print, len,
    np.float64(1.0), np.float32(1.0), np.int64(3), np.bool_(True), np.complex64(1j), np.str_("s"),
    Meter(2.0),
    np.ones(()), np.ones(3), np.ones(5), np.ones(1), np.ones(0), np.ones(3, np.float32),
    np.ones(3, int), np.ones(3, bool), np.ones(3, complex), np.array([None, 1]),
    np.array(["a", "b"]), np.ones((2, 3)), np.ones((1, 3)), np.ones((3, 1)), np.ones((1, 1)),
    np.ones((2, 1, 3)), np.ones((2, 4, 3)), np.ones((0, 3)), np.matrix([[1.0, 2.0]]),
    np.ma.array([1.0, 2.0]), np.ones(3, ">f8"),
    (), (1.0,), (1.0, 2), (1.0, 2.0), (1.0, (2.0, 3.0)), Pair(1.0, 2.0), Pair(1.0, 2), (None,),
    [], [1.0], [1.0, 2.0], [1.0, 2], [1, 2], [True, False], [np.ones(2), np.ones(2)],
    [np.ones(2), 1.0], [np.float64(1.0)], [[1.0], [2.0]], [[1.0], []], [np.ones(2)] * 20,
    [np.ones(1)] * 20, [(1.0, 2.0)] * 20, ["a", "b"], [None],
    {}, {"a": 1.0}, {"a": 1}, {"a": 1.0, "b": np.ones(2)}, {"b": np.ones(2), "a": 1.0},
    {1: 1.0}, {("a", 1): 1.0}, {"a": {"b": 1.0}}, {"a": {"b": 1}}, {"a": None},
    Point(1.0, 2.0), Point(1.0, 2), Point(1.0, np.ones(3)), Point(1.0, Point(1.0, 1.0)),
    SimpleNamespace(a=1),
]  # fmt: skip


def test_conditions_hold_for_values_of_the_kind_and_no_others() -> None:
    for model in VALUES:
        kind = kind_of(model, "x")
        names = Names({"x"})
        text = f"lambda x: {' and '.join(conditions('x', kind, names, 'x'))}"
        holds = eval(text, names.namespace)
        for value in VALUES:
            same = kind_of(value, "x") == kind
            if isinstance(value, np.ndarray) and not value.dtype.isnative:
                assert not holds(value) or same, (text, value)  # may be turned away
            else:
                assert bool(holds(value)) == same, (text, value)


# A stand-in for the compiler: its "code" returns the values it is run on.


class Recorder:
    """Everything a derivative object does for its dispatcher."""

    def __init__(self, f: Any, **spec: Any) -> None:
        self.f = f
        self.spec = spec
        self.builds: list[Any] = []
        self.call: Any = None
        self.pause = 0.0
        self.start()

    def start(self) -> Any:
        self.layout = layout_of(self.f)
        self.dispatcher = Dispatcher(
            self.layout, lambda v: v, self.build, lambda g: setattr(self, "call", g), self.start
        )
        return lambda *args, **kwargs: self.call(*args, **kwargs)

    def build(self, values: Any, kinds: Any) -> Specialization:
        time.sleep(self.pause)
        self.builds.append(values)
        number = len(self.builds)

        def run(*values: Any) -> Any:
            return number, values

        spec = {k: v(values) if callable(v) else v for k, v in self.spec.items()}
        return Specialization(run, kinds, **spec)


def plain(x: Any, k: Any = 2.0) -> None: ...


def test_each_kind_is_built_once() -> None:
    r = Recorder(plain)
    assert r.call(1.0) == (1, (1.0, 2.0))
    assert r.call(5.0, 3.0) == (1, (5.0, 3.0))
    assert r.call(np.ones(3), 1.0)[0] == 2
    assert r.call(np.ones(4), 1.0)[0] == 2
    assert r.call(np.ones(1), 1.0)[0] == 3
    assert r.call(k=1.0, x=2.0) == (1, (2.0, 1.0))
    assert r.dispatcher.info()[:2] == (3, 3)


def test_many_kinds_take_turns() -> None:
    r = Recorder(plain)
    for _ in range(50):
        for value in VALUES:
            before = len(r.builds)
            number, (x, k) = r.call(value)
            assert x is value and k == 2.0
            assert kind_of(r.builds[number - 1][0], "x") == kind_of(value, "x")
            assert len(r.builds) - before in (0, 1)
    kinds: list[Any] = []
    for value in VALUES:
        if kind_of(value, "x") not in kinds:
            kinds.append(kind_of(value, "x"))
    assert len(r.builds) == len(kinds)


def test_defaults_are_read_live() -> None:
    def f(x: Any, k: Any = 2.0, *, s: Any = 1.0) -> None: ...

    r = Recorder(f)
    assert r.call(1.0) == (1, (1.0, 2.0, 1.0))
    f.__defaults__ = (7.0,)
    f.__kwdefaults__["s"] = 8.0
    assert r.call(1.0) == (1, (1.0, 7.0, 8.0))
    f.__defaults__ = (7,)
    assert r.call(1.0) == (2, (1.0, 7, 8.0))
    f.__defaults__ = ()
    with pytest.raises(ArgumentError, match="without argument 'k'"):
        r.call(1.0)


def test_every_form_of_parameter() -> None:
    def f(a: Any, b: Any, /, c: Any, *rest: Any, d: Any, e: Any = 5.0, **more: Any) -> None: ...

    r = Recorder(f)
    for _ in range(2):
        out = r.call(1.0, 2.0, 3.0, 4.0, d=6.0, z=7.0)
        assert out == (1, (1.0, 2.0, 3.0, (4.0,), 6.0, 5.0, {"z": 7.0}))
        out = r.call(1.0, 2.0, c=3.0, d=6.0, e=0.0, a=1.0)
        assert out == (2, (1.0, 2.0, 3.0, (), 6.0, 0.0, {"a": 1.0}))
    assert r.layout.bind((1.0, 2.0, 3.0, 4.0), {"d": 6.0, "z": 7.0}) == r.builds[0]


def test_parameters_may_have_any_name() -> None:
    def f(
        counts: Any, slow: Any, dispatch: Any, more_1: Any, function_1: Any, s_1: Any
    ) -> None: ...

    r = Recorder(f)
    values = (np.ones((2, 2)), 1.0, 2.0, 3.0, 4.0, np.ones((2, 2)))
    for _ in range(2):
        assert r.call(*values) == (1, values)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "without argument 'x'"),
        ((1.0, 2.0, 3.0), {}, "takes 2 positional arguments, not 3"),
        ((1.0,), {"z": 1.0}, "no parameter 'z'"),
    ],
)
def test_wrong_calls_are_argument_errors(args: Any, kwargs: Any, message: str) -> None:
    r = Recorder(plain)
    for _ in range(2):
        with pytest.raises(ArgumentError, match=message):
            r.call(*args, **kwargs)
        with pytest.raises(ArgumentError, match=message):
            r.layout.bind(args, kwargs)
        r.call(1.0)


def test_twice_the_same_argument() -> None:
    with pytest.raises(ArgumentError, match="two values"):
        layout_of(plain).bind((1.0,), {"x": 1.0})


def test_partials_and_methods_bring_arguments_along() -> None:
    class C:
        def m(self, x: Any, *rest: Any) -> None: ...

    c = C()
    r = Recorder(c.m)
    for _ in range(2):
        assert r.call(1.0, 2.0) == (1, (c, 1.0, (2.0,)))
    with pytest.raises(ArgumentError, match="without argument 'x'"):
        r.call()

    def g(a: Any, b: Any, *rest: Any, k: Any, **more: Any) -> None: ...

    r = Recorder(functools.partial(g, 1.0, 2.0, 3.0, k=4.0, z=5.0))
    for _ in range(2):
        assert r.call(9.0) == (1, (1.0, 2.0, (3.0, 9.0), 4.0, {"z": 5.0}))
        assert r.call(9.0, k=1.0, z=2.0) == (1, (1.0, 2.0, (3.0, 9.0), 1.0, {"z": 2.0}))


GLOBAL = 2.0


def test_captures_are_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        cell: Any = 3.0

        def change(new: Any) -> None:
            nonlocal cell
            cell = new

        return change, (lambda: cell).__closure__[0]  # type: ignore[index]

    change, cell = make()
    space = SimpleNamespace(a=SimpleNamespace(b=1.0))
    places = (
        Fetch.of("global", globals(), "GLOBAL"),
        Fetch.of("cell", cell),
        Fetch.of("object", space).sub("a").sub("b"),
        Fetch.of("param", 1).sub(("item", "k")),
    )
    guards = lambda values: tuple(  # noqa: E731
        KindIs(p, kind_of(p.get(values), ("captured", p)), ("captured", p)) for p in places
    )
    r = Recorder(plain, captures=places, guards=guards)
    arg = {"k": 5.0}
    for _ in range(2):
        assert r.call(1.0, arg) == (1, (1.0, arg, 2.0, 3.0, 1.0, 5.0))
    monkeypatch.setitem(globals(), "GLOBAL", 20.0)
    change(30.0)
    space.a = SimpleNamespace(b=40.0)
    assert r.call(1.0, arg) == (1, (1.0, arg, 20.0, 30.0, 40.0, 5.0))
    change(np.ones(3))
    assert r.call(1.0, arg)[0] == 2
    change(0.0)
    assert r.call(1.0, arg)[0] == 1
    f = specialized(r.layout, r.dispatcher.find((1.0, arg)))
    assert f(2.0, arg) == (1, (2.0, arg, 20.0, 0.0, 40.0, 5.0))
    monkeypatch.delitem(globals(), "GLOBAL")
    r.spec = {}
    assert r.call(1.0, arg)[0] == 3  # built anew: the frontend will say that the name is gone


def test_objects_and_values_are_guarded() -> None:
    space = SimpleNamespace(f=len, s="a")
    f, s = (Fetch.of("object", space).sub(n) for n in "fs")
    r = Recorder(plain, guards=lambda _: (Is(f, space.f), ValueIs(s, space.s)))
    assert [r.call(1.0)[0] for _ in range(2)] == [1, 1]
    space.f = print
    assert [r.call(1.0)[0] for _ in range(2)] == [2, 2]
    space.s = "b"
    assert [r.call(1.0)[0] for _ in range(2)] == [3, 3]
    space.f, space.s = len, str(b"a", "ascii")
    assert [r.call(1.0)[0] for _ in range(2)] == [1, 1]
    del space.f
    assert r.spec and pytest.raises(AttributeError, r.call, 1.0)


def test_replaced_code_is_noticed() -> None:
    def f(x: Any, k: Any) -> None: ...

    def g(x: Any, m: Any, *rest: Any) -> int:
        return 1

    r = Recorder(f)
    assert r.call(1.0, 2.0) == (1, (1.0, 2.0))
    f.__code__ = g.__code__
    assert r.call(1.0, 2.0) == (2, (1.0, 2.0, ()))
    assert r.call(1.0, m=2.0) == (2, (1.0, 2.0, ()))
    assert r.call(1.0, 2.0, 3.0) == (3, (1.0, 2.0, (3.0,)))


def test_written_arrays_stand_alone() -> None:
    a, b = np.ones(6), np.ones(3)
    r = Recorder(plain, written=(0,))
    assert r.call(b, a)[0] == 1
    assert r.call(a[:3], a[3:])[0] == 1
    assert r.call(a[:3], a[1:4])[0] == 2  # the real compiler refuses
    assert r.call(a, a)[0] == 3
    r = Recorder(plain, written=(0,), aliases=((0, 1),))
    assert r.call(a, a)[0] == 1
    assert r.call(a, a)[0] == 1
    assert r.call(a, a.copy())[0] == 2


def test_apart() -> None:
    a = np.ones(6)
    assert apart([a], [1.0, np.ones(6), (a.copy(),)])
    assert not apart([a], [[1.0, {"k": a[2:3]}]])
    assert not apart([[a, a]], [])
    assert not apart([Point(1.0, a)], [Pair(1.0, a)])


def test_eight_threads_build_once() -> None:
    r = Recorder(plain)
    r.pause = 0.02
    gate = threading.Barrier(8)
    results = []

    def work(n: int) -> None:
        gate.wait()
        results.append(r.call(float(n)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(results) == [(1, (float(n), 2.0)) for n in range(8)]
    assert r.dispatcher.info()[:2] == (7, 1)


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2sad.dispatch.MAXSIZE", 10)
    r = Recorder(plain)
    for n in range(30):
        r.call((1.0,) * n)
    assert r.dispatcher.info().currsize == 10
    assert r.call((1.0,) * 29)[0] == 30
    assert r.call(())[0] == 31


def test_a_failed_build_leaves_nothing() -> None:
    r = Recorder(plain, guards=lambda values: 1 / (values[0] - 1.0) and ())
    with pytest.raises(ZeroDivisionError):
        r.call(1.0)
    assert r.dispatcher.info()[1:] == (0, MAXSIZE, 0)
    assert r.call(2.0)[0] == 2


def test_layout_of_a_wrapped_function() -> None:
    assert isinstance(layout_of(functools.lru_cache(plain)), Layout)
    assert layout_of(staticmethod(plain)).names == ("x", "k")


def test_dispatch_is_cheap() -> None:
    space = {"a": 1.0, "b": 2.0, "c": np.ones(3), "d": 4, "f": len}
    places = [Fetch.of("global", space, n) for n in space]
    kinds = tuple(
        KindIs(p, kind_of(p.get(), ("captured", p)), ("captured", p)) for p in places[:4]
    )
    r = Recorder(
        lambda x, y, z: None,
        guards=(*kinds, Is(places[4], len)),
        captures=tuple(places[:4]),
    )
    r.call(1.0, np.ones((2, 3)), np.ones(4))
    y, z = np.ones((2, 3)), np.ones(4)
    entered: list[str] = []

    def trace(frame: types.FrameType, event: str, arg: object) -> None:
        if event == "call":
            entered.append(frame.f_code.co_name)

    sys.setprofile(trace)
    try:
        r.call(1.0, y, z)
    finally:
        sys.setprofile(None)
    # the generated guards run inline; nothing but the compiled code is called
    assert len(r.builds) == 1
    assert len([name for name in entered if name != "call"]) <= 2
