"""Find the source of a function: the syntax tree of the code that is really running.

In: a callable. Out: a `Source`: the `def` or `lambda` node, its file's lines, and the live
globals, closure cells and defaults that its names refer to::

    f = lambda x: x * x; g = lambda x: x + 1
    find_source(g).node      # the second lambda, not the first

The running code decides, not the file (see `codes`): text that the code was not compiled from is
refused, with the reason.
"""

from __future__ import annotations

import ast
import functools
import textwrap
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from s2sad.errors import ArgumentError, Problem, SourceError, Span, UnsupportedError
from s2sad.frontend.codes import ParsedFile, read_file

__all__ = ["FunctionNode", "Source", "find_source", "span_of", "unwrap"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A function, its syntax tree, and what the tree's free names refer to.

    Line numbers and columns in `node` are those of the file. The node is shared between calls:
    read it, don't write it. `bound_args` and `bound_keywords` come before the caller's
    arguments: the receiver of a bound method, the arguments held by a `functools.partial`.
    """

    function: types.FunctionType
    node: FunctionNode
    filename: str
    lines: tuple[str, ...] = field(repr=False)
    bound_args: tuple[Any, ...] = ()
    bound_keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> types.CodeType:
        """The code object that runs."""
        return self.function.__code__

    @property
    def name(self) -> str:
        """The function's `__name__`; `<lambda>` for a lambda, whatever it is bound to."""
        return self.code.co_name

    @property
    def qualname(self) -> str:
        """The dotted name by which its module knows the function."""
        return self.function.__qualname__

    @property
    def module(self) -> str:
        """The name of the module the function was defined in."""
        return self.function.__module__ or ""

    @property
    def globals(self) -> dict[str, Any]:
        """The live global names of the function's module."""
        return self.function.__globals__

    @property
    def closure(self) -> dict[str, types.CellType]:
        """The cells of the enclosing functions' variables, by name; read them at each call."""
        return dict(zip(self.code.co_freevars, self.function.__closure__ or (), strict=True))

    @property
    def defaults(self) -> tuple[Any, ...]:
        """Defaults of the last positional parameters."""
        return self.function.__defaults__ or ()

    @property
    def kwdefaults(self) -> dict[str, Any]:
        """Defaults of keyword-only parameters."""
        return self.function.__kwdefaults__ or {}

    @property
    def first_line(self) -> int:
        """The line of the `def` (below its decorators) or of the `lambda`: line 1 of comments."""
        return self.node.lineno

    @property
    def text(self) -> str:
        """The function's own text, dedented: from its `def` to its end, or the lambda alone."""
        node, end = self.node, self.node.end_lineno or self.node.lineno
        if isinstance(node, ast.Lambda):
            return ast.get_source_segment("".join(self.lines), node) or ""
        return textwrap.dedent("".join(self.lines[node.lineno - 1 : end])).rstrip() + "\n"

    def span(self, node: ast.AST | None = None) -> Span:
        """Where `node` is; without it, the function's header."""
        if node is not None:
            return span_of(node, self)
        here = span_of(self.node, self)
        if here.end_line == here.line:
            return here
        end_col = len(here.text.encode())
        return Span(here.filename, here.line, here.col, here.line, end_col, self.name, self.lines)


def span_of(node: ast.AST, source: Source) -> Span:
    """The place of a syntax tree node in its file, for errors and comments.

    A node without a position of its own (`ast.arguments`, operators) gets that of the function.
    """
    if getattr(node, "lineno", None) is None:
        node = source.node
    line, col = node.lineno, node.col_offset  # type: ignore[attr-defined]
    end_line = getattr(node, "end_lineno", None) or line
    end_col = getattr(node, "end_col_offset", None) or col
    return Span(source.filename, line, col, end_line, end_col, source.name, source.lines)


def find_source(function: Callable[..., Any]) -> Source:
    """The source of `function`.

    Looks through bound methods, `functools.partial`, `staticmethod`, `classmethod`,
    `functools.lru_cache` and Numba's dispatchers. A decorator written in Python is code like any
    other: its wrapper is what runs, so the wrapper's source is what is found.

    Raises `SourceError` where there is no source or where it is not the code that runs,
    `UnsupportedError` for an `async def`, and `ArgumentError` for what cannot be called.

    >>> def double(x):
    ...     return 2 * x
    >>> find_source(double).first_line
    1
    >>> find_source(abs)
    Traceback (most recent call last):
        ...
    s2sad.SourceError: abs is written in C: it has no Python source to differentiate
       help: call it from a Python function, lambda x: abs(x), or give it a rule
    """
    plain, args, keywords = unwrap(function)
    code = plain.__code__
    try:
        file = read_file(code.co_filename, plain.__globals__)
    except (SyntaxError, ValueError) as error:
        reason = getattr(error, "msg", None) or str(error)
        raise _stale(plain, f"it cannot be parsed any more ({reason})") from None
    if file is None:
        raise _no_text(plain)
    node = file.find(code)
    if node is None:
        raise _stale(plain, _difference(file, code))
    if isinstance(node, ast.AsyncFunctionDef):
        span = Span(
            file.filename,
            node.lineno,
            node.col_offset,
            node.lineno,
            node.col_offset + len("async def"),
            code.co_name,
            file.lines,
        )
        problem = Problem("'async def' has no derivative", span, "make it a plain 'def'")
        raise UnsupportedError(problem)
    return Source(plain, node, code.co_filename, file.lines, args, keywords)


# ------------------------------------------------------------------ from a callable to a function


def unwrap(f: Any) -> tuple[types.FunctionType, tuple[Any, ...], dict[str, Any]]:
    """The Python function behind `f`, and the arguments that wrappers put before the caller's.

    Raises as `find_source` does for what is not a Python function.
    """
    args: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    original = f
    for _ in range(100):  # wrappers may be nested, but not without end
        match f:
            case types.FunctionType():
                return f, args, keywords
            case types.MethodType():
                f, args = f.__func__, (f.__self__, *args)
            case functools.partial():
                f, args, keywords = f.func, (*f.args, *args), {**f.keywords, **keywords}
            case staticmethod() | classmethod():
                f = f.__func__
            case functools._lru_cache_wrapper():
                f = f.__wrapped__
            case _ if is_numba_dispatcher(f):
                f = f.py_func
            case _ if not isinstance(f, type) and _is_callable_in_python(f):
                f = types.MethodType(type(f).__call__, f)
            case _:
                raise _no_function(original, f)
    raise SourceError(f"{_describe(original)} wraps itself")


def is_numba_dispatcher(f: Any) -> bool:
    # Without importing numba: dispatchers are the only objects of its that run py_func as it is
    # (a numba.vectorize'd function loops over it).
    return type(f).__module__.startswith("numba.") and type(f).__name__.endswith("Dispatcher")


def _is_callable_in_python(f: Any) -> bool:
    return isinstance(getattr(type(f), "__call__", None), types.FunctionType)  # noqa: B004


def _describe(f: Any) -> str:
    name = getattr(f, "__qualname__", None) or getattr(f, "__name__", None)
    if not isinstance(name, str):
        return f"a {type(f).__name__} object"
    module = getattr(f, "__module__", None)
    if type(f).__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
        module = "numpy" if module is None else module
    return f"{module}.{name}" if module not in (None, "builtins", "__main__") else name


def _no_function(original: Any, f: Any) -> Exception:
    """The error for what is not a Python function, each kind in its own words."""
    if not callable(f):
        return ArgumentError(f"a function is needed, not {_describe_value(f)}")
    name = _describe(f)
    if isinstance(f, type):
        return SourceError(
            Problem(
                f"{name} is a class, not a function",
                help=f"differentiate a function that builds it: lambda *args: {f.__name__}(*args)",
            )
        )
    if type(f).__name__ in ("ufunc", "_ArrayFunctionDispatcher", "DUFunc"):
        kind = "a ufunc" if type(f).__name__ != "_ArrayFunctionDispatcher" else "a NumPy function"
        return SourceError(
            Problem(
                f"{name} is {kind}: it has no Python source to differentiate",
                help=f"call it from a Python function: lambda x: {name}(x)",
            )
        )
    if isinstance(f, types.BuiltinFunctionType | types.MethodWrapperType) or hasattr(
        f, "__text_signature__"
    ):
        return SourceError(
            Problem(
                f"{name} is written in C: it has no Python source to differentiate",
                help=f"call it from a Python function, lambda x: {name}(x), or give it a rule",
            )
        )
    if callable(getattr(f, "__wrapped__", None)):
        return SourceError(
            Problem(
                f"{name} is wrapped by a {type(f).__module__}.{type(f).__qualname__}, "
                "which may change what it does",
                help="differentiate the function inside: its __wrapped__ attribute",
            )
        )
    return SourceError(
        Problem(
            f"{name} ({type(f).__module__}.{type(f).__qualname__}) is not a Python function",
            help="call it from a Python function, or give it a rule",
        )
    )


def _describe_value(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__} {value!r:.40}"


def _no_text(f: types.FunctionType) -> SourceError:
    """The error for a function whose text is nowhere, by the kind of file name it has."""
    name, filename = f.__qualname__, f.__code__.co_filename
    save = "put it in a file and import that"
    if filename == "<stdin>":
        why = "was typed at the plain Python prompt or piped in, and Python keeps no text of that"
        return SourceError(Problem(f"{name} {why}", help=f"{save}, or use IPython or a notebook"))
    if filename == "<string>":
        why = "was compiled from a string (python -c, exec or a generated method)"
        return SourceError(Problem(f"{name} {why}, of which Python keeps no text", help=save))
    if filename.startswith("<"):
        why = f"was compiled from {filename}, of which there is no text"
        return SourceError(
            Problem(f"{name} {why}", help=f"{save}, or register the text with linecache")
        )
    return SourceError(
        Problem(
            f"the source of {name} is not there: no file {filename}",
            help="install the .py files beside the compiled ones, or give the function a rule",
        )
    )


def _stale(f: types.FunctionType, why: str) -> SourceError:
    filename = f.__code__.co_filename
    if filename == "<string>":  # any text without a file goes by that name, and this is another
        return _no_text(f)
    return SourceError(
        Problem(
            f"the source of {f.__qualname__} is not the code that runs: {filename} was changed "
            f"since it was imported, and {why}",
            help="start Python again or reload the module (in a notebook, run the cell again)",
        )
    )


def _difference(file: ParsedFile, code: types.CodeType) -> str:
    lines = file.lines_of(code.co_name)
    if not lines:
        return f"no longer has a function {code.co_name!r}"
    if code.co_firstlineno not in lines:
        now = ", ".join(map(str, lines))
        return f"has {code.co_name!r} at line {now} instead of line {code.co_firstlineno}"
    return f"{code.co_name!r} at line {code.co_firstlineno} reads differently now"
