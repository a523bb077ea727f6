"""Adjoints of what ``sum`` adds up are lists of one number."""

from __future__ import annotations

from tests.checker import check


def test_a_list_that_held_something_before_the_loop() -> None:
    def f(x: float) -> float:
        items = [x * x]
        for i in range(3):
            items.append(x**i)
        return sum(items)

    check(f, 1.3)


def test_a_sum_over_a_generator_in_a_loop() -> None:
    def f(xs: list[float], y: float) -> float:
        total = 0.0
        for k in range(3):
            total += y * sum(x**k for x in xs)
        return total

    check(f, [0.5, 1.5, 2.0], 0.7)


def test_a_constant_with_a_name_is_written_by_it() -> None:
    import s2sad

    def f(x: float) -> float:
        h = 0.05
        for _ in range(4):
            x = x - h * x * x
        return x

    assert "    h = 0.05\n" in s2sad.grad(f).source(1.0)
    check(f, 1.0)
