"""IR as the transform makes it, and the text a person would write for it."""

from __future__ import annotations

import linecache
import textwrap
import traceback

import numpy as np
import pytest

import s2sad.rules  # noqa: F401
from s2sad.backend.compile import compile_module
from s2sad.backend.emit import emit
from s2sad.backend.text import EmitError
from s2sad.errors import Span
from s2sad.ir.builder import Builder
from s2sad.ir.interp import run
from s2sad.ir.kinds import FLOAT, kind_of
from s2sad.ir.nodes import Const, Function, Module, Op, Region, Value
from s2sad.ir.text import parse
from s2sad.ir.verify import verify


def written(source: str, objects: dict | None = None, **options: object) -> str:
    return emit(verify(parse(textwrap.dedent(source), objects)), **options).text


def gives(source: str, text: str, **options: object) -> None:
    assert written(source, **options) == textwrap.dedent(text).lstrip("\n")


def agrees(source: str, *args: object, objects: dict | None = None, **options: object) -> object:
    """The emitted function and the interpreter agree; arguments stay as they are."""
    module = verify(parse(textwrap.dedent(source), objects))
    kept = [np.copy(a) for a in args]
    wanted = run(module, *args)
    got = compile_module(emit(module, **options))(*args)
    np.testing.assert_equal(got, wanted)
    np.testing.assert_equal(list(args), kept)
    return got


def test_straight_line() -> None:
    gives(
        """
        def cost_grad(w: float, b: float, x: float, y: float) -> tuple[$0, $1]:
            %1: float = mul(w, x)
            a: float = add(%1, b)
            a_bar: float = sub(a, y)
            w_bar: float = mul(a_bar, x)
            yield w_bar, a_bar
        """,
        """
        def cost_grad(w, b, x, y):
            a = w * x + b
            a_bar = a - y
            w_bar = a_bar * x
            return w_bar, a_bar
        """,
    )


def test_arrays() -> None:
    gives(
        """
        def layer_grad(W: float64[i, j], b: float64[j], x: float64[n, i]) -> tuple[$0, $1]:
            %1: float64[n, j] = matmul(x, W)
            %2: float64[n, j] = add(%1, b)
            h: float64[n, j] = np.tanh(%2)
            h_bar: float64[n, j] = mul(2.0, h)
            %3: float64[n, j] = mul(h, h)
            %4: float64[n, j] = sub(1.0, %3)
            z_bar: float64[n, j] = mul(h_bar, %4)
            %5: float64[i, n] = np.transpose(x)
            W_bar: float64[i, j] = matmul(%5, z_bar)
            b_bar: float64[j] = np.sum(z_bar, axis=0)
            yield W_bar, b_bar
        """,
        """
        def layer_grad(W, b, x):
            h = np.tanh(x @ W + b)
            h_bar = 2.0 * h
            z_bar = h_bar * (1.0 - h * h)
            W_bar = x.T @ z_bar
            b_bar = np.sum(z_bar, axis=0)
            return W_bar, b_bar
        """,
    )


SETTLE = """
def settle_grad(x: float, k: float) -> tuple[$0, $1]:
    tape: list[] = list()
    y.1: float, tape.1: list[float] = for i: int in range(0, 100, 1) with y: float = x, tape.2: list[float] = tape:
        %2: bool = lt(y, 1.0)
        step: float = if %2:
            step.1: float = mul(0.1, y)
            yield step.1
        else:
            step.2: float = div(k, y)
            yield step.2
        tape.3: list[float] = append(tape.2, y)
        y.2: float = sub(y, step)
        %3: bool = lt(step, 0.02)
        yield %3, y.2, tape.3
    %4: int = len(tape.1)
    %5: int = sub(%4, 1)
    k_bar.1: float, y_bar.1: float = for %6: int in range(%5, -1, -1) with k_bar: float = 0.0, y_bar: float = 1.0:
        y.3: float = item(tape.1, %6)
        step_bar: float = neg(y_bar)
        %7: bool = lt(y.3, 1.0)
        k_bar.2: float, y_bar.2: float = if %7:
            %8: float = mul(0.1, step_bar)
            y_bar.3: float = add_to(y_bar, %8)
            yield k_bar, y_bar.3
        else:
            %9: float = div(step_bar, y.3)
            k_bar.3: float = add_to(k_bar, %9)
            %10: float = mul(step_bar, k)
            %11: float = mul(y.3, y.3)
            %12: float = div(%10, %11)
            %13: float = neg(%12)
            y_bar.4: float = add_to(y_bar, %13)
            yield k_bar.3, y_bar.4
        yield False, k_bar.2, y_bar.2
    yield y_bar.1, k_bar.1
"""


def test_branch_loop_and_early_exit() -> None:
    gives(
        SETTLE,
        """
        def settle_grad(x, k):
            tape = []
            y = x
            for i in range(100):
                if y < 1.0:
                    step = 0.1 * y
                else:
                    step = k / y
                tape.append(y)
                y -= step
                if step < 0.02:
                    break
            k_bar = 0.0
            y_bar = 1.0
            for y in tape[::-1]:
                step_bar = -y_bar
                if y < 1.0:
                    y_bar += 0.1 * step_bar
                else:
                    k_bar += step_bar / y
                    y_bar -= step_bar * k / (y * y)
            return y_bar, k_bar
        """,
    )
    agrees(SETTLE, 3.0, 0.5)


HEAT = """
def heat_grad(u0: float64[n], alpha: float) -> tuple[$0, $1]:
    u: float64[n] = copy(u0)
    tape: list[] = list()
    u.1: float64[n], tape.1: list[float64[+]] = for t: int in range(0, 20, 1) with u.2: float64[n] = u, tape.2: list[float64[+]] = tape:
        %2: float64[+] = item(u.2, slice(2, None, None))
        %3: float64[+] = item(u.2, slice(1, -1, None))
        %4: float64[+] = mul(2.0, %3)
        %5: float64[+] = sub(%2, %4)
        %6: float64[+] = item(u.2, slice(None, -2, None))
        lap: float64[+] = add(%5, %6)
        %7: float64[+] = mul(alpha, lap)
        %8: float64[+] = item(u.2, slice(1, -1, None))
        %9: float64[+] = add(%8, %7)
        u.3: float64[n] = setitem(u.2, slice(1, -1, None), %9)
        tape.3: list[float64[+]] = append(tape.2, lap)
        yield False, u.3, tape.3
    u_bar: float64[n] = mul(2.0, u.1)
    %14: int = len(tape.1)
    %15: int = sub(%14, 1)
    alpha_bar.1: float, u_bar.1: float64[n] = for %16: int in range(%15, -1, -1) with alpha_bar: float = 0.0, u_bar.2: float64[n] = u_bar:
        lap.2: float64[+] = item(tape.1, %16)
        %17: float64[+] = item(u_bar.2, slice(1, -1, None))
        %18: float = matmul(%17, lap.2)
        alpha_bar.2: float = add_to(alpha_bar, %18)
        %19: float64[+] = item(u_bar.2, slice(1, -1, None))
        lap_bar: float64[+] = mul(alpha, %19)
        u_bar.3: float64[n] = accumulate(u_bar.2, slice(2, None, None), lap_bar)
        %20: float64[+] = mul(2.0, lap_bar)
        %21: float64[+] = neg(%20)
        u_bar.4: float64[n] = accumulate(u_bar.3, slice(1, -1, None), %21)
        u_bar.5: float64[n] = accumulate(u_bar.4, slice(None, -2, None), lap_bar)
        yield False, alpha_bar.2, u_bar.5
    yield u_bar.1, alpha_bar.1
"""


def test_stencil_in_place() -> None:
    gives(
        HEAT,
        """
        def heat_grad(u0, alpha):
            u = u0.copy()
            tape = []
            for t in range(20):
                lap = u[2:] - 2.0 * u[1:-1] + u[:-2]
                u[1:-1] += alpha * lap
                tape.append(lap)
            u_bar = 2.0 * u
            alpha_bar = 0.0
            for lap in tape[::-1]:
                alpha_bar += u_bar[1:-1] @ lap
                lap_bar = alpha * u_bar[1:-1]
                u_bar[2:] += lap_bar
                u_bar[1:-1] -= 2.0 * lap_bar
                u_bar[:-2] += lap_bar
            return u_bar, alpha_bar
        """,
    )
    agrees(HEAT, np.linspace(0.0, 1.0, 7) ** 2, 0.1)


CHAIN = """
def chain_grad(x: float64[n], k: float64[m]) -> tuple[$0, $1]:
    x_bar: float64[n] = zeros_like(x)
    k_bar: float64[m] = zeros_like(k)
    %1: int = len(x)
    %2: int = sub(%1, 2)
    x_bar.1: float64[n], k_bar.1: float64[m] = for i: int in range(%2, -1, -1) with x_bar.2: float64[n] = x_bar, k_bar.2: float64[m] = k_bar:
        %3: float64 = item(k, i)
        g: float64, x_bar.3: float64[n] = call spring_reverse(x, i, %3, 1.0, x_bar.2)
        k_bar.3: float64[m] = accumulate(k_bar.2, i, g)
        yield False, x_bar.3, k_bar.3
    yield x_bar.1, k_bar.1
def spring_reverse(x: float64[n], i: int, k: float64, g: float, x_bar: float64[n]) mutates 4:1:
    %1: int = add(i, 1)
    %2: float64 = item(x, %1)
    %3: float64 = item(x, i)
    %4: float64 = sub(%2, %3)
    d: float64 = sub(%4, 1.0)
    %5: float64 = mul(0.5, d)
    %6: float64 = mul(%5, d)
    k_bar: float64 = mul(%6, g)
    %7: float64 = mul(k, d)
    d_bar: float64 = mul(%7, g)
    x_bar.2: float64[n] = accumulate(x_bar, %1, d_bar)
    %8: float64 = neg(d_bar)
    x_bar.3: float64[n] = accumulate(x_bar.2, i, %8)
    yield k_bar, x_bar.3
"""


def test_a_helper_accumulates_into_the_callers_buffer() -> None:
    gives(
        CHAIN,
        """
        def chain_grad(x, k):
            x_bar = np.zeros_like(x)
            k_bar = np.zeros_like(k)
            for i in range(len(x) - 2, -1, -1):
                g = spring_reverse(x, i, k[i], 1.0, x_bar)
                k_bar[i] += g
            return x_bar, k_bar


        def spring_reverse(x, i, k, g, x_bar):
            d = x[i + 1] - x[i] - 1.0
            k_bar = 0.5 * d * d * g
            d_bar = k * d * g
            x_bar[i + 1] += d_bar
            x_bar[i] -= d_bar
            return k_bar
        """,
    )
    agrees(CHAIN, np.array([0.1, 1.3, 2.0, 3.5]), np.array([1.0, 2.0, 0.5]))


RNN = """
def rnn_grad(params: dict['W': float64[i, j], 'U': float64[j]], inputs: list[float]) -> dict['W': $0, 'U': $1]:
    W: float64[i, j] = item(params, 'W')
    U: float64[j] = item(params, 'U')
    h: float64[3] = np.zeros(shape=3)
    tape: list[] = list()
    %0: int = len(inputs)
    h.1: float64[3], tape.1: list[tuple[float, float64[3], float64[3]]] = for %1: int in range(0, %0, 1) with h_old: float64[3] = h, tape.2: list[tuple[float, float64[3], float64[3]]] = tape:
        x: float = item(inputs, %1)
        %2: float64[3] = matmul(W, h_old)
        %3: float64[3] = mul(U, x)
        %4: float64[3] = add(%2, %3)
        h.2: float64[3] = np.tanh(%4)
        %5: tuple[float, float64[3], float64[3]] = tuple(x, h_old, h.2)
        tape.3: list[tuple[float, float64[3], float64[3]]] = append(tape.2, %5)
        yield False, h.2, tape.3
    W_bar: float64[i, j] = zeros_like(W)
    U_bar: float64[j] = zeros_like(U)
    h_bar: float64[3] = zeros_like(h.1)
    %6: int = len(tape.1)
    %7: int = sub(%6, 1)
    W_bar.1: float64[i, j], U_bar.1: float64[j], h_bar.1: float64[3] = for %8: int in range(%7, -1, -1) with W_bar.2: float64[i, j] = W_bar, U_bar.2: float64[j] = U_bar, h_bar.2: float64[3] = h_bar:
        %9: tuple[float, float64[3], float64[3]] = item(tape.1, %8)
        x.2: float = item(%9, 0)
        h_old.2: float64[3] = item(%9, 1)
        h.3: float64[3] = item(%9, 2)
        %10: float64[3] = mul(2.0, h.3)
        h_bar.3: float64[3] = add_to(h_bar.2, %10)
        %11: float64[3] = mul(h.3, h.3)
        %12: float64[3] = sub(1.0, %11)
        z_bar: float64[3] = mul(h_bar.3, %12)
        %13: float64[i, j] = np.outer(z_bar, h_old.2)
        W_bar.3: float64[i, j] = add_to(W_bar.2, %13)
        %14: float64[j] = mul(z_bar, x.2)
        U_bar.3: float64[j] = add_to(U_bar.2, %14)
        %15: float64[j, i] = np.transpose(W)
        h_bar.4: float64[3] = matmul(%15, z_bar)
        yield False, W_bar.3, U_bar.3, h_bar.4
    yield W_bar.1, U_bar.1
"""


def test_a_recurrent_network() -> None:
    text = written(RNN)
    assert text == textwrap.dedent(
        """
        def rnn_grad(params, inputs):
            W = params["W"]
            U = params["U"]
            h = np.zeros(3)
            tape = []
            h_old = h
            for x in inputs:
                h = np.tanh(W @ h_old + U * x)
                tape.append((x, h_old, h))
                h_old = h
            W_bar = np.zeros_like(W)
            U_bar = np.zeros_like(U)
            h_bar = np.zeros_like(h_old)
            for x, h_old, h in tape[::-1]:
                h_bar += 2.0 * h
                z_bar = h_bar * (1.0 - h * h)
                W_bar += np.outer(z_bar, h_old)
                U_bar += z_bar * x
                h_bar = W.T @ z_bar
            return {"W": W_bar, "U": U_bar}
        """
    ).lstrip("\n")


def test_tangents_stand_beside_their_statements() -> None:
    gives(
        """
        def settle_jvp(x: float, k: float, x_dot: float, k_dot: float) -> tuple[$0, $1]:
            y.1: float, y_dot.1: float = for i: int in range(0, 100, 1) with y: float = x, y_dot: float = x_dot:
                step: float = div(k, y)
                %1: float = mul(step, y_dot)
                %2: float = sub(k_dot, %1)
                step_dot: float = div(%2, y)
                y.2: float = sub(y, step)
                y_dot.2: float = sub(y_dot, step_dot)
                %3: bool = lt(step, 0.02)
                yield %3, y.2, y_dot.2
            yield y.1, y_dot.1
        """,
        """
        def settle_jvp(x, k, x_dot, k_dot):
            y = x
            y_dot = x_dot
            for i in range(100):
                step = k / y
                step_dot = (k_dot - step * y_dot) / y
                y -= step
                y_dot -= step_dot
                if step < 0.02:
                    break
            return y, y_dot
        """,
    )


# -- the three traps ------------------------------------------------------------------------------


def test_a_tape_loop_does_not_clobber_what_is_returned() -> None:
    source = """
    def f(x: float) -> tuple[$0, $1]:
        tape: list[] = list()
        y.1: float, tape.1: list[float] = for i: int in range(0, 3, 1) with y: float = x, tape.2: list[float] = tape:
            tape.3: list[float] = append(tape.2, y)
            y.2: float = mul(y, x)
            yield False, y.2, tape.3
        %1: int = len(tape.1)
        %2: int = sub(%1, 1)
        g.1: float = for %3: int in range(%2, -1, -1) with g: float = 0.0:
            y.4: float = item(tape.1, %3)
            g.2: float = add(g, y.4)
            yield False, g.2
        yield y.1, g.1
    """
    assert "for y_2 in tape[::-1]:" in written(source)
    agrees(source, 2.0)


def test_a_view_that_outlives_a_write_is_copied() -> None:
    source = """
    def f(x: float64[n, m]) -> tuple[$0, $1]:
        a_bar: float64[n, m] = mul(x, 2.0)
        v_bar: float64[m] = item(a_bar, 0)
        a_bar.2: float64[n, m] = setitem(a_bar, 0, 0.0)
        yield v_bar, a_bar.2
    """
    assert "v_bar = a_bar[0].copy()" in written(source)
    agrees(source, np.ones((2, 2)))


def test_a_broadcast_array_from_a_list_is_copied_before_it_is_written() -> None:
    source = """
    def f(x: float64[n], s: float) -> $0:
        y: float64[n] = broadcast_like(s, x)
        ys: list[float64[n]] = list(y)
        z: float64[n] = item(ys, 0)
        z.2: float64[n] = setitem(z, 0, 1.0)
        yield z.2
    """
    agrees(source, np.ones(2), 3.0)


def test_a_broadcast_array_from_a_call_is_copied_before_it_is_written() -> None:
    source = """
    def f(x: float64[n], s: float) -> $0:
        y: float64[n] = call spread(x, s)
        z: float64[n] = setitem(y, 0, 1.0)
        yield z

    def spread(x: float64[n], s: float) -> $0:
        y: float64[n] = broadcast_like(s, x)
        yield y
    """
    agrees(source, np.ones(2), 3.0)


def test_saved_state_shares_nothing_with_the_caller() -> None:
    source = """
    def forward(x: float64[n]):
        y: float64[n] = mul(x, 2.0)
        yield y, y, x
    """
    text = written(source, private_from=1)
    assert text.endswith("return y, y.copy(), x.copy()\n")


# -- writing in place -----------------------------------------------------------------------------


def test_an_argument_is_copied_once_before_the_loop() -> None:
    source = """
    def f(x: float64[n]):
        x.1: float64[n] = for i: int in range(0, 3, 1) with x.2: float64[n] = x:
            x.3: float64[n] = setitem(x.2, i, 1.0)
            yield False, x.3
        yield x.1
    """
    gives(
        source,
        """
        def f(x):
            x = x.copy()
            for i in range(3):
                x[i] = 1.0
            return x
        """,
    )
    agrees(source, np.zeros(4))


def test_a_chain_of_writes_takes_one_copy() -> None:
    x = Value(kind_of(np.ones(3), "x"), "x")

    def chain(b: Builder) -> Value:
        out = x
        for n in range(30):
            out = b.op("setitem", out, Const.of(n % 3), Const.of(float(n)))
        return out

    assert straight(chain, x).count("copy") == 1


def test_what_comes_out_of_a_loop_is_not_copied_again() -> None:
    source = """
    def f(x: float64[n]) -> tuple[$0, $1]:
        y: float64[n] = mul(x, 2.0)
        z.1: float64[n] = for i: int in range(0, 2, 1) with z.2: float64[n] = y:
            z.3: float64[n] = for j: int in range(0, 2, 1) with z.4: float64[n] = z.2:
                z.5: float64[n] = setitem(z.4, j, 1.0)
                yield False, z.5
            yield False, z.3
        z.6: float64[n] = setitem(z.1, 2, 3.0)
        y.1: float64[n] = for i: int in range(0, 2, 1) with y.2: float64[n] = y:
            y.3: float64[n] = setitem(y.2, i, 5.0)
            yield False, y.3
        y.4: float64[n] = setitem(y.1, 2, 7.0)
        yield y.4, z.6
    """
    assert written(source).count("copy") == 1
    agrees(source, np.arange(4.0))


def test_what_a_tape_holds_is_copied_where_it_goes_in() -> None:
    source = """
    def f(x: float64[n]) -> tuple[$0, $1]:
        u: float64[n] = mul(x, 1.0)
        tape: list[] = list()
        u.1: float64[n], tape.1: list[float64[+]] = for i: int in range(0, 3, 1) with u.2: float64[n] = u, tape.2: list[float64[+]] = tape:
            %1: float64[+] = item(u.2, slice(1, None, None))
            tape.3: list[float64[+]] = append(tape.2, %1)
            u.3: float64[n] = setitem(u.2, i, 7.0)
            yield False, u.3, tape.3
        yield u.1, tape.1
    """
    assert "tape.append(u[1:].copy())\n        u[i] = 7.0" in written(source)
    agrees(source, np.arange(4.0))


def test_sums_are_in_place_only_where_the_buffer_is_ours() -> None:
    source = """
    def f(x: float64[n], g: float64[n]) -> tuple[$0, $1]:
        x_bar: float64[n] = add_to(g, x)
        x_bar.2: float64[n] = add_to(x_bar, x)
        yield x_bar.2, g
    """
    gives(
        source,
        """
        def f(x, g):
            x_bar = g + x
            x_bar += x
            return x_bar, g
        """,
    )
    agrees(source, np.ones(2), np.ones(2))


def test_repeated_indices_add_up() -> None:
    source = """
    def f(x: float64[n], i: int64[m], g: float64[m]):
        x_bar: float64[n] = zeros_like(x)
        x_bar.2: float64[n] = accumulate(x_bar, i, g)
        yield x_bar.2
    """
    assert "np.add.at(x_bar, i, g)" in written(source)
    agrees(source, np.ones(3), np.array([0, 0, 2]), np.array([1.0, 2.0, 3.0]))


def test_writes_through_nested_views_are_one_statement() -> None:
    source = """
    def f(x: float64[n, m], i: int, j: int):
        A: float64[n, m] = copy(x)
        %1: float64[m] = item(A, i)
        %2: float64 = item(%1, j)
        %3: float64 = mul(%2, 3.0)
        %4: float64[m] = setitem(%1, j, %3)
        A.2: float64[n, m] = setitem(A, i, %4)
        yield A.2
    """
    assert "A[i][j] *= 3.0" in written(source)
    agrees(source, np.arange(6.0).reshape(2, 3), 1, 2)


def test_results_do_not_share_memory() -> None:
    source = """
    def f(x: float64[n], g: float64[n]) -> tuple[$0, $1, $2]:
        a: float64[n] = mul(x, g)
        yield g, a, a
    """
    assert written(source, fresh_results=True).endswith("return g.copy(), a, a.copy()\n")


# -- text -----------------------------------------------------------------------------------------


def straight(build, *params: Value) -> str:
    b = Builder()
    out = build(b)
    function = Function("f", params, Region((), tuple(b.nodes), (out,)))
    return emit(Module({"f": function})).text


def test_constants() -> None:
    x = Value(FLOAT, "x")

    def body(value: object) -> str:
        text = straight(lambda b: b.op("pow", Const.of(value), x), x)
        return text.removeprefix("def f(x):\n    return ").rstrip()

    assert body(-1.5) == "(-1.5) ** x"
    assert body(-2) == "(-2) ** x"
    assert body(float("inf")) == "np.inf ** x"
    assert body(float("-inf")) == "(-np.inf) ** x"
    assert body(float("nan")) == "np.nan ** x"
    assert body(1e300) == "1e+300 ** x"
    assert body(2j) == "2j ** x"
    assert body(1 - 2j) == "complex(1.0, -2.0) ** x"
    assert body(np.float32(0.5)) == "np.float32(0.5) ** x"


def test_a_chain_of_900_terms() -> None:
    x = Value(FLOAT, "x")

    def chain(b: Builder) -> Value:
        total = x
        for _ in range(900):
            total = b.op("add", b.op("mul", total, Const.of(0.5)), x)
        return total

    text = straight(chain, x)
    assert max(map(len, text.splitlines())) < 99
    scope: dict = {}
    exec(text, scope)
    assert scope["f"](1.0) == pytest.approx(2.0)


def test_long_lines_are_split() -> None:
    params = [Value(FLOAT, f"a_rather_long_parameter_name_{n}") for n in range(8)]

    def product(b: Builder) -> Value:
        total = params[0]
        for p in params[1:]:
            total = b.op("mul", total, b.op("add", p, Const.of(1.0)))
        return total

    text = straight(product, *params)
    assert max(map(len, text.splitlines()[1:])) < 99
    scope: dict = {}
    exec(text, scope)
    assert scope["f"](*range(8)) == 0.0


def test_names_of_the_user_give_way_to_what_is_used() -> None:
    np_, length = Value(kind_of(np.ones(2), "np"), "np"), Value(FLOAT, "len")

    def body(b: Builder) -> Value:
        n = b.op("len", np_, name="n")
        return b.op("add", b.op("np.sum", np_), b.op("mul", n, length))

    text = straight(body, np_, length)
    assert "def f(np_2, len_2):" in text


def test_a_value_of_one_branch_only() -> None:
    source = """
    def f(x: float) -> tuple[$0, $1]:
        tape: list[] = list()
        %1: bool = gt(x, 0.0)
        z: float = if %1:
            z.1: float = mul(x, 2.0)
            yield z.1
        else:
            yield undef
        %2: tuple[float, bool] = tuple(z, %1)
        tape.1: list[tuple[float, bool]] = append(tape, %2)
        r: float = if %1:
            yield z
        else:
            yield x
        yield r, tape.1
    """
    f = compile_module(emit(parse(textwrap.dedent(source))))
    assert f(1.0) == (2.0, [(2.0, True)])
    assert f(-1.0) == (-1.0, [(None, False)])


def test_comments_quote_the_line() -> None:
    lines = ["def f(x):", "    y = x * x", "    return y"]
    span = Span("<test>", 2, 4, 2, 13, "f", lines=lines, reverse=True)
    ahead = Span("<test>", 2, 4, 2, 13, "f", lines=lines)
    x, y, x_bar = Value(FLOAT, "x"), Value(FLOAT, "y"), Value(FLOAT, "x_bar")
    ops = (
        Op((y,), "mul", (x, x), {}, ahead),
        Op((x_bar,), "mul", (Const.of(2.0), y), {}, span),
    )
    text = emit(Module({"f": Function("f", (x,), Region((), ops, (x_bar,)))})).text
    assert text == (
        "def f(x):\n    y = x * x\n    # reverse sweep\n    # line 2: y = x * x\n"
        "    x_bar = 2.0 * y\n    return x_bar\n"
    )


def test_tracebacks_show_the_text() -> None:
    f = compile_module(emit(parse("def f(x: float):\n    y: float = div(1.0, x)\n    yield y\n")))
    with pytest.raises(ZeroDivisionError) as caught:
        f(0.0)
    assert "y = 1.0 / x" in "".join(traceback.format_exception(caught.value))
    assert linecache.getline(f.__code__.co_filename, 1) == "def f(x):\n"


def test_the_check_refuses_a_clobbered_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from s2sad.backend import emit as module

    real = module.name_values

    def clobber(*args: object) -> dict[Value, str]:
        return {v: "x" for v in real(*args)}  # type: ignore[arg-type]

    monkeypatch.setattr(module, "name_values", clobber)
    source = "def f(x: float):\n    y: float = neg(x)\n    z: float = mul(x, y)\n    yield z\n"
    with pytest.raises(EmitError, match="no longer holds"):
        emit(parse(source))
