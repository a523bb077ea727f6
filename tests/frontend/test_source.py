"""The source that is found is the source that runs; everything else is refused with the reason."""

from __future__ import annotations

import ast
import functools
import importlib.util
import linecache
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from s2sad.errors import ArgumentError, SourceError, UnsupportedError
from s2sad.frontend import codes
from s2sad.frontend.source import Source, find_source, span_of

_numbers = count()


def load(path: Path, text: str) -> ModuleType:
    """Write `text` to `path` and import it."""
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"{path.stem}_{next(_numbers)}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def body(source: Source) -> str:
    """The text of what the function returns first."""
    node = source.node
    if isinstance(node, ast.Lambda):
        return ast.unparse(node.body)
    return next(ast.unparse(n.value) for n in ast.walk(node) if isinstance(n, ast.Return))


def refusal(f: Any) -> str:
    with pytest.raises(SourceError) as caught:
        find_source(f)
    return str(caught.value)


# -------------------------------------------------------------------------------- what is found


def test_a_plain_function(tmp_path: Path) -> None:
    m = load(
        tmp_path / "plain.py",
        """\
        # a comment
        def f(x, k=2.0, *, p=3):
            y = x * k
            return y ** p
        """,
    )
    source = find_source(m.f)
    assert isinstance(source.node, ast.FunctionDef)
    assert (source.name, source.qualname, source.first_line) == ("f", "f", 2)
    assert source.filename == str(tmp_path / "plain.py")
    assert source.globals is m.__dict__
    assert (source.defaults, source.kwdefaults) == ((2.0,), {"p": 3})
    assert source.text == "def f(x, k=2.0, *, p=3):\n    y = x * k\n    return y ** p\n"


def test_lambdas_on_one_line_are_told_apart() -> None:
    f, g, h = lambda x: x * 2, lambda x: x * 3, lambda x, k=1: x * k  # fmt: skip
    assert [body(find_source(each)) for each in (f, g, h)] == ["x * 2", "x * 3", "x * k"]
    a, b = lambda: 1, lambda: 2.0  # fmt: skip
    assert [body(find_source(each)) for each in (a, b)] == ["1", "2.0"]
    c, d = (lambda x: (lambda y: x * y)), (lambda x: (lambda y: x + y))  # fmt: skip
    assert [body(find_source(each(1))) for each in (c, d)] == ["x * y", "x + y"]
    same = [lambda x: x, lambda x: x]  # fmt: skip
    assert [find_source(each).node.col_offset for each in same] == [12, 25]
    one, true, zero, minus = lambda: 1, lambda: True, lambda: 0.0, lambda: -0.0  # fmt: skip
    assert [body(find_source(each)) for each in (one, true, zero, minus)] == [
        "1", "True", "0.0", "-0.0",
    ]  # fmt: skip


def test_lambdas_of_two_statements_on_one_line(tmp_path: Path) -> None:
    m = load(tmp_path / "one_line.py", "f = lambda x: x + 1; g = lambda x: x + 2\n")
    assert [body(find_source(each)) for each in (m.f, m.g)] == ["x + 1", "x + 2"]


def test_closures_read_their_own_cells() -> None:
    def scaled(k: float) -> Any:
        def f(x: float) -> float:
            return k * x

        return f

    two, three = find_source(scaled(2.0)), find_source(scaled(3.0))
    assert two.node is three.node
    assert two.closure["k"].cell_contents == 2.0
    assert three.closure["k"].cell_contents == 3.0


def test_one_text_two_definitions(tmp_path: Path) -> None:
    m = load(
        tmp_path / "twice.py",
        """\
        def f(x):
            return x
        g = f
        def f(x):
            return x
        if len(g.__name__) == 1:
            def h(x):
                return x + 1
        else:
            def h(x):
                return x + 2
        class C:
            def f(self, x):
                return x
        """,
    )
    lines = [find_source(each).first_line for each in (m.g, m.f, m.h, m.C.f)]
    assert lines == [1, 4, 7, 13]


def test_decorated_functions(tmp_path: Path) -> None:
    m = load(
        tmp_path / "decorated.py",
        """\
        import functools
        def doubled(f):
            @functools.wraps(f)
            def wrapper(*args):
                return 2 * f(*args)
            return wrapper
        def marked(f):
            return f
        @doubled
        def f(x):
            return x
        @marked
        @functools.lru_cache(
            maxsize=None)
        def g(x):
            return x + 1
        """,
    )
    # The wrapper is what runs: its source, not that of the function inside.
    assert body(find_source(m.f)) == "2 * f(*args)"
    assert find_source(m.f).closure["f"].cell_contents is m.f.__wrapped__
    assert body(find_source(m.f.__wrapped__)) == "x"
    assert body(find_source(m.g)) == "x + 1"
    assert find_source(m.g).first_line == 15


class Model:
    """Methods of every kind."""

    __scale = 2.0

    def method(self, x: float) -> float:
        return x * self.__scale

    @staticmethod
    def static(x: float) -> float:
        return x - 1

    @classmethod
    def of_class(cls, x: float) -> float:
        return x - 2

    def __call__(self, x: float) -> float:
        return x - 3


def test_methods_bring_their_receiver() -> None:
    model = Model()
    assert find_source(model.method).bound_args == (model,)
    assert find_source(Model.method).bound_args == ()
    assert find_source(Model.of_class).bound_args == (Model,)
    assert find_source(model).bound_args == (model,)
    assert body(find_source(model)) == "x - 3"
    assert body(find_source(Model.static)) == "x - 1"
    assert body(find_source(Model.__dict__["static"])) == "x - 1"
    assert find_source(model.method).qualname == "Model.method"


def test_partial_brings_its_arguments() -> None:
    def f(a: float, b: float, c: float = 0.0) -> float:
        return a * b + c

    source = find_source(functools.partial(functools.partial(f, 1.0, c=2.0), 3.0, c=4.0))
    assert source.bound_args == (1.0, 3.0)
    assert source.bound_keywords == {"c": 4.0}


def test_numba_dispatchers_are_looked_through() -> None:
    numba = pytest.importorskip("numba")

    def f(x: float) -> float:
        return x * x

    assert find_source(numba.njit(f)).function is f


def test_future_flags_are_those_of_the_code(tmp_path: Path) -> None:
    text = "def f(x: Undefined) -> 'y':\n    def g(z: x): return z\n    return g\n"
    m = load(tmp_path / "future.py", "from __future__ import annotations\n" + text)
    assert find_source(m.f).first_line == 2
    m = load(tmp_path / "present.py", "Undefined = 1\n" + text)
    assert find_source(m.f).first_line == 2
    assert find_source(m.f(int)).first_line == 3


def test_calls_of_imported_modules(tmp_path: Path) -> None:
    # `m.f()` compiles to something else when the module imports m.
    m = load(
        tmp_path / "imports.py",
        """\
        try:
            import numpy.linalg, math as m
        except ImportError:
            pass
        from os import path as p
        def f(x):
            return m.sin(x) + numpy.cos(x) + p.join(x)
        """,
    )
    assert find_source(m.f).first_line == 6


def test_the_generic_functions_of_312(tmp_path: Path) -> None:
    if sys.version_info < (3, 12):
        pytest.skip("syntax of 3.12")
    m = load(tmp_path / "generic.py", "def f[T](x: T) -> T:\n    return x\n")
    assert find_source(m.f).first_line == 1


def test_another_text_by_the_name_of_string_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "def g(x):\n    return x\n"
    entry = (len(text), None, text.splitlines(True), "<string>")
    monkeypatch.setitem(linecache.cache, "<string>", entry)
    space: dict[str, Any] = {}
    exec("def f(x):\n    return x * x\n", space)
    assert "compiled from a string" in refusal(space["f"])


def test_text_of_notebooks_comes_from_linecache() -> None:
    names = []
    for value in (1, 2):  # the same cell, run again with another text
        text = f"def f(x):\n    return x * {value}\n"
        name = f"<ipython-input-{value}-abc>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        scope: dict[str, Any] = {}
        exec(compile(text, name, "exec"), scope)
        names.append(body(find_source(scope["f"])))
        if value == 2:
            linecache.cache[name] = (0, None, ["def f(x):\n", "    return x * 9\n"], name)
            assert "reads differently now" in refusal(scope["f"])
    assert names == ["x * 1", "x * 2"]


def test_odd_files(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(b"# coding: latin-1\r\nname = '\xe9'\r\n\x0cdef f(x):\r\n    return x\r\n")
    m = load(tmp_path / "unicode.py", "é = 1\ndef f(x): return 'ü', é, x # ∂\n")
    source = find_source(m.f)
    assert isinstance(source.node, ast.FunctionDef)
    expression = source.node.body[0].value  # type: ignore[attr-defined]
    assert span_of(expression.elts[2], source).place.endswith("unicode.py:2:26 in f")
    spec = importlib.util.spec_from_file_location("odd", path)
    assert spec is not None and spec.loader is not None
    odd = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(odd)
    assert find_source(odd.f).first_line == 3
    assert find_source(odd.f).lines[3] == "    return x\n"


def test_spans_show_the_line(tmp_path: Path) -> None:
    m = load(tmp_path / "spans.py", "def f(x):\n\treturn (x +\n\t\t1)\n")
    source = find_source(m.f)
    value = source.node.body[0].value  # type: ignore[union-attr]
    shown = span_of(value, source).render().splitlines()
    assert shown[1:] == ["    2 |     return (x +", "      |             ^^^"]
    assert span_of(source.node.args, source).line == 1
    assert source.span().render().splitlines()[-1] == "      | ^^^^^^^^^"


def test_running_under_a_tracer_changes_nothing() -> None:
    def f(x: float) -> float:
        for _ in range(3):
            x = x * 2
        return x

    before = sys.gettrace()
    sys.settrace(lambda *args: None)
    try:
        for _ in range(100):  # long enough for the interpreter to specialise its bytecode
            f(1.0)
        assert find_source(f).name == "f"
    finally:
        sys.settrace(before)
    assert find_source(f).name == "f"


def test_threads_agree(tmp_path: Path) -> None:
    m = load(tmp_path / "threads.py", "\n".join(f"f{i} = lambda x: x * {i}" for i in range(50)))
    start = threading.Barrier(8)

    def look(_: int) -> list[int]:
        start.wait()
        return [id(find_source(getattr(m, f"f{i}")).node) for i in range(50)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(look, range(8)))
    found = [find_source(getattr(m, f"f{i}")) for i in range(50)]
    assert [body(source) for source in found] == [f"x * {i}" for i in range(50)]
    assert all(len(result) == 50 for result in results)


def test_a_second_look_parses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(f"def f{i}(x):\n    y = x + {i}\n    return y * x\n" for i in range(125))
    m = load(tmp_path / "long.py", text)
    find_source(m.f3)
    parsed: list[int] = []
    parse = ast.parse

    def counted(source: str, *args: object, **options: object) -> ast.AST:
        parsed.append(len(source))
        return parse(source, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(ast, "parse", counted)
    for i in range(100):
        find_source(getattr(m, f"f{i}"))
    assert not [size for size in parsed if size >= len(text)]


# ------------------------------------------------------------------- pytest's rewritten asserts


def asserting(x: float, n: int) -> float:
    assert x > 0, f"not {x}"
    names = [k * x for k in range(n) if k]
    for i in range(n):
        if x > 10 and not names:
            assert np.isfinite(x) and i >= 0
            continue
        x = x * 2 + (lambda v: v + 1)(i)

        def inner(y: float) -> float:
            assert y == y, [q for q in names]
            return y + x

        x = inner(x)
        assert (m := x) == x
        del m
    while x > 1e6:
        try:
            x = x / 2
        finally:
            assert all(v >= 0 for v in names)
    assert x
    return x


def many_locals(x: float) -> float:
    a = b = c = d = e = f = g = h = x
    assert a == b
    i = j = k = l = m = n = o = p = a + b  # noqa: E741
    assert i == j, "same"
    q = c + d + e + f + g + h + k + l + m + n + o + p
    r = q + i
    return r + q


def test_rewritten_asserts_are_set_aside() -> None:
    assert any("@py" in name for name in asserting.__code__.co_varnames), "run under pytest"
    assert find_source(asserting).name == "asserting"
    assert find_source(many_locals).name == "many_locals"

    def only(x: float) -> None:
        assert x

    assert find_source(only).name == "only"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x * 2", "x * 3"),
        ("x > 10", "x < 10"),
        ("and not names", "and     names"),
        ("x = x / 2", "x = x * 2"),
        ("return y + x", "return x + y"),
        ("if k]", "if i]"),
        ("v + 1)(i)", "v + 2)(i)"),
    ],
)
def test_edits_are_seen_beside_rewritten_asserts(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(__file__).read_text()
    head, rest = text.split("def asserting", 1)
    assert old in rest
    edited = codes.ParsedFile(__file__, head + "def asserting" + rest.replace(old, new, 1), None)
    assert edited.find(asserting.__code__) is None
    again = codes.ParsedFile(__file__, text, None)
    assert again.find(asserting.__code__) is not None


# ------------------------------------------------------------------------------ what is refused


def test_a_file_edited_since_it_was_imported(tmp_path: Path) -> None:
    path = tmp_path / "edited.py"
    m = load(path, "def f(x):\n    return x * 2\n")
    find_source(m.f)
    cases = {
        "def f(x):\n    return x * 3\n": "'f' at line 1 reads differently now",
        "\n\ndef f(x):\n    return x * 2\n": "has 'f' at line 3 instead of line 1",
        "def g(x):\n    return x * 2\n": "no longer has a function 'f'",
        "def f(x:\n": "cannot be parsed any more",
    }
    for number, (text, reason) in enumerate(cases.items()):
        path.write_text(text)
        os.utime(path, ns=(number, number))
        message = refusal(m.f)
        assert reason in message
        assert "edited.py was changed since it was imported" in message
        assert "reload the module" in message
    path.unlink()
    assert "the source of f is not there: no file" in refusal(m.f)


@pytest.mark.parametrize(
    ("code", "stdin", "reason"),
    [
        ("{}", None, "compiled from a string (python -c, exec or a generated method)"),
        (None, "{}", "typed at the plain Python prompt or piped in"),
        ("exec(compile({!r}, '<made up>', 'exec'))", None, "compiled from <made up>"),
    ],
)
def test_text_that_python_does_not_keep(code: str | None, stdin: str | None, reason: str) -> None:
    program = (
        "from s2sad.frontend.source import find_source\n"
        "from s2sad.errors import SourceError\n"
        "def f(x): return x\n"
        "try: find_source(f)\n"
        "except SourceError as error: print(error)\n"
        "else: print('found')\n\n"
    )
    command = [sys.executable, *(["-c", code.format(program)] if code else ["-"])]
    done = subprocess.run(
        command,
        input=None if stdin is None else stdin.format(program),
        capture_output=True,
        text=True,
        check=True,
    )
    # From 3.13 on, python -c keeps its text where tracebacks (and we) can see it.
    assert reason in done.stdout or (sys.version_info >= (3, 13) and done.stdout == "found\n")


def test_what_is_not_a_python_function() -> None:
    import math

    assert "math.sin is written in C" in refusal(math.sin)
    assert "abs is written in C" in refusal(abs)
    assert "numpy.sin is a ufunc" in refusal(np.sin)
    assert "numpy.sum" in refusal(np.sum)
    assert "lambda x: numpy.sin(x)" in refusal(np.sin)
    assert "is written in C" in refusal("abc".upper)
    assert "is a class, not a function" in refusal(dict)
    assert "is a class, not a function" in refusal(Model)
    for value, name in ((None, "None"), (3, "int 3"), ("f", "str 'f'")):
        with pytest.raises(ArgumentError, match=f"a function is needed, not {name}"):
            find_source(value)  # type: ignore[arg-type]


def test_generated_methods_have_no_text() -> None:
    import dataclasses

    @dataclasses.dataclass
    class Point:
        x: float

    assert "compiled from a string" in refusal(Point.__init__)


def test_async_functions(tmp_path: Path) -> None:
    m = load(tmp_path / "asynchronous.py", "async def f(x):\n    return x\n")
    with pytest.raises(UnsupportedError, match="'async def' has no derivative"):
        find_source(m.f)


@pytest.mark.parametrize("flags", [["-O"], ["-OO"], ["-X", "no_debug_ranges"]])
def test_other_ways_to_compile(tmp_path: Path, flags: list[str]) -> None:
    text = """\
        '''Docstring.'''
        from s2sad.frontend.source import find_source
        def f(x):
            '''Docstring.'''
            assert x, 'message'
            return x + 1
        a, b, c = lambda x: x * 2, lambda x: x * 3, lambda: 1
        if __name__ == "__main__":
            print(*[find_source(g).text.split()[-1] for g in (f, a, b, c)])
        """
    path = tmp_path / "flags_model.py"
    path.write_text(textwrap.dedent(text))
    command = [sys.executable, *flags]
    here = str(Path(codes.__file__).parents[2])

    def run(command: list[str]) -> tuple[str, str]:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": here},
        )
        return done.stdout, done.stderr

    assert run([*command, str(path)]) == ("1 2 3 1\n", "")
    # A .pyc without columns, read by a Python that would have written them.
    program = "import sys; sys.path.insert(0, sys.argv[1]); import flags_model as m; "
    program += "print(*[m.find_source(g).text.split()[-1] for g in (m.f, m.a, m.b, m.c)])"
    for again in (command, [sys.executable, *(f for f in flags if f.startswith("-O"))]):
        assert run([*again, "-c", program, str(tmp_path)]) == ("1 2 3 1\n", "")
