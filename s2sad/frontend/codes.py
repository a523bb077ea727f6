"""Which syntax tree node was a code object compiled from?

In: a file's text and a code object that claims to come from it. Out: the node, or None when the
text is not what that code was compiled from::

    f = lambda x: x * x; g = lambda x: x + 1
    read_file(...).find(g.__code__)      # the second lambda

Only the statement of the module that holds the code's first line is compiled again, with the
code's own `__future__` flags; the code object must then be among the nested ones: same
instructions, constants, names and positions. So a file that was edited since it was imported is
noticed, and two lambdas on one line are told apart.

pytest rewrites `assert` statements before it compiles a test module; such code is compared with
everything inside the spans of asserts set aside.
"""

from __future__ import annotations

import ast
import bisect
import copy
import linecache
import os
import re
import threading
import tokenize
import types
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from .same_code import (
    codes_in,
    has_rewritten_asserts,
    same_but_asserts,
    same_code,
    same_constant_but_code,
)

__all__ = ["ParsedFile", "read_file"]

FoundNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Key: TypeAlias = tuple[str, int]  # the name and the first line of a code object

# The one __future__ feature that still changes what these Pythons compile.
_FUTURE_FLAGS = annotations.compiler_flag

_TAG = 1 << 24  # line numbers from here on mark one lambda of several on a line
_WHOLE = -1  # in place of a block's number: the whole module
_MOST_FILES = 256


class ParsedFile:
    """The syntax tree of one file, and the code objects of the blocks that were asked for."""

    __slots__ = (
        "_blocks",
        "_compiled",
        "_imports",
        "_starts",
        "_statements",
        "filename",
        "lines",
        "stamp",
    )

    def __init__(self, filename: str, text: str, stamp: object) -> None:
        self.filename = filename
        self.stamp = stamp
        # Not str.splitlines: it also breaks at form feeds and other characters Python does not.
        self.lines: tuple[str, ...] = tuple(re.findall(r"[^\n]*\n|[^\n]+", text))
        self._statements = ast.parse(text, filename).body
        self._blocks = _blocks(self._statements)
        self._starts = [_first_line(block[0]) for block in self._blocks]
        self._imports = _imported_names(self._statements)
        self._compiled: dict[tuple[int, int], _Block] = {}

    def find(self, code: types.CodeType) -> FoundNode | None:
        """The node that `code` was compiled from, or None if it was not from this text."""
        number = bisect.bisect_right(self._starts, code.co_firstlineno) - 1
        if number < 0:
            return None
        # One block is nearly always enough, and a long file takes long to compile.
        return self._compile(number, code).find(code) or self._compile(_WHOLE, code).find(code)

    def _compile(self, number: int, code: types.CodeType) -> _Block:
        flags = code.co_flags & _FUTURE_FLAGS
        block = self._compiled.get((number, flags))
        if block is None:  # two threads may both do this; either result will do
            if number == _WHOLE:
                statements = self._statements
            else:
                statements = [*self._imports, *self._blocks[number]]
            block = self._compiled[number, flags] = _Block(statements, self.filename, flags)
        return block

    def lines_of(self, name: str) -> list[int]:
        """The first lines of all functions called `name`."""
        keys = (key for block in self._blocks for key in _function_nodes(block))
        return sorted(line for found, line in keys if found == name)


_files: dict[str, ParsedFile] = {}
_files_lock = threading.Lock()


def read_file(filename: str, module: dict[str, Any]) -> ParsedFile | None:
    """The file as it is now, parsed, or None if there is no text of that name.

    `module` are the globals of the code: they may hold a loader that knows the text. What is not
    on disk (notebook cells, doctests, generated code) comes from `linecache`. Raises SyntaxError
    or ValueError if the text cannot be parsed.
    """
    stamp: object
    try:
        status = os.stat(filename)
    except (OSError, ValueError):
        text = "".join(linecache.getlines(filename, module))
        if not text:
            return None
        stamp = text
    else:
        text, stamp = "", (status.st_mtime_ns, status.st_size, status.st_ino)
    known = _files.get(filename)
    if known is not None and known.stamp == stamp:
        return known
    if not text:
        try:
            with tokenize.open(filename) as stream:
                text = stream.read()
        except OSError:
            return None
    file = ParsedFile(filename, text, stamp)
    with _files_lock:
        while len(_files) >= _MOST_FILES:
            del _files[next(iter(_files))]
        _files[filename] = file
    return file


class _Block:
    """Statements of a module, compiled: each nested code object beside its node."""

    __slots__ = ("asserts", "codes")

    def __init__(self, statements: list[ast.stmt], filename: str, flags: int) -> None:
        nodes = _function_nodes(statements)
        root = _compile(statements, filename, flags)
        self.codes: dict[_Key, list[tuple[types.CodeType, FoundNode]]] = {}
        self.asserts = [
            ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
            for statement in statements
            for node in ast.walk(statement)
            if isinstance(node, ast.Assert)
        ]
        same_line = [node for several in nodes.values() if len(several) > 1 for node in several]
        pairs: Iterable[tuple[types.CodeType, types.CodeType]]
        if same_line:
            # Compile once more, with the line of each such lambda replaced by a number of its
            # own: the code objects come in the same order and tell their nodes.
            tagged = _compile(_tag(statements, same_line), filename, flags)
            pairs = _parallel(root, tagged, same_line)
        else:
            pairs = ((code, code) for code in _nested(root))
        for code, twin in pairs:
            key = (code.co_name, code.co_firstlineno)
            if twin.co_firstlineno >= _TAG:
                node = same_line[twin.co_firstlineno - _TAG]
            elif key in nodes:
                node = nodes[key][0]
            else:
                continue  # a class body, a comprehension
            self.codes.setdefault(key, []).append((code, node))

    def find(self, running: types.CodeType) -> FoundNode | None:
        near = self.codes.get((running.co_name, running.co_firstlineno), [])
        for code, node in near:
            if same_code(code, running):
                return node
        if has_rewritten_asserts(running):
            for code, node in near:
                if same_but_asserts(code, running, self.asserts):
                    return node
        return None


# ------------------------------------------------------------------------------ nodes and codes


def _blocks(statements: list[ast.stmt]) -> list[list[ast.stmt]]:
    """The statements of a module, in groups that share no line.

    They can be compiled apart: all that a function's code can tell of the rest of its module is
    which names it imports (calls of `module.name` compile to something else than method calls).
    """
    blocks: list[list[ast.stmt]] = []
    end = 0
    for statement in statements:
        if _first_line(statement) <= end:
            blocks[-1].append(statement)
        else:
            blocks.append([statement])
        end = max(end, statement.end_lineno or statement.lineno)
    return blocks


def _imported_names(statements: list[ast.stmt]) -> list[ast.stmt]:
    """One statement that imports every name that the module imports anywhere outside functions."""
    names: dict[str, None] = {}
    rest: list[ast.AST] = list(statements)
    for node in rest:  # grows as we go
        match node:
            case ast.Import() | ast.ImportFrom():
                names.update((a.asname or a.name.partition(".")[0], None) for a in node.names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.expr():
                pass
            case _:
                rest.extend(ast.iter_child_nodes(node))
    names.pop("*", None)
    if not names:
        return []
    aliases = [ast.alias(name, None, lineno=1, col_offset=0) for name in names]
    return [ast.Import(aliases, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)]


def _first_line(node: ast.stmt | FoundNode) -> int:
    """`co_firstlineno` of what `node` defines: the line of its first decorator."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return decorators[0].lineno if decorators else node.lineno


def _function_nodes(statements: list[ast.stmt]) -> dict[_Key, list[FoundNode]]:
    nodes: dict[_Key, list[FoundNode]] = {}
    for statement in statements:
        for node in ast.walk(statement):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    nodes.setdefault((name, _first_line(node)), []).append(node)
                case ast.Lambda():
                    nodes.setdefault(("<lambda>", node.lineno), []).append(node)
    return nodes


def _compile(statements: list[ast.stmt], filename: str, flags: int) -> types.CodeType:
    module = ast.Module(body=statements, type_ignores=[])
    code = compile(module, filename, "exec", flags=flags, dont_inherit=True)
    assert isinstance(code, types.CodeType)
    return code


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in codes_in(code):
        yield constant
        yield from _nested(constant)


def _tag(statements: list[ast.stmt], nodes: list[FoundNode]) -> list[ast.stmt]:
    """A copy of the statements in which the i-th of `nodes` is at line `_TAG + i`."""
    memo: dict[int, Any] = {}
    twins = copy.deepcopy(statements, memo)
    for number, node in enumerate(nodes):
        twin = memo[id(node)]
        twin.lineno = twin.end_lineno = _TAG + number
        twin.col_offset, twin.end_col_offset = 0, 1
    return twins


def _parallel(
    code: types.CodeType, tagged: types.CodeType, nodes: list[FoundNode]
) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """Pairs of the code objects nested in `code` and their twins in `tagged`."""
    ours, theirs = codes_in(code), codes_in(tagged)
    if len(ours) != len(theirs):
        theirs = _align(ours, theirs, nodes)
    for mine, twin in zip(ours, theirs, strict=False):
        yield mine, twin
        yield from _parallel(mine, twin, nodes)


def _align(
    ours: list[types.CodeType], theirs: list[types.CodeType], nodes: list[FoundNode]
) -> list[types.CodeType]:
    # The compiler keeps one of several equal constants, `lambda: 1, lambda: 1` too when no
    # instruction has a column; with tags they differ. Leave out the repetitions.
    aligned: list[types.CodeType] = []
    for twin in theirs:
        if len(aligned) == len(ours):
            break
        mine, line = ours[len(aligned)], twin.co_firstlineno
        if line >= _TAG:
            line = nodes[line - _TAG].lineno
        if (
            (mine.co_name, mine.co_firstlineno) == (twin.co_name, line)
            and mine.co_code == twin.co_code
            and mine.co_names == twin.co_names
            and all(map(same_constant_but_code, mine.co_consts, twin.co_consts))
        ):
            aligned.append(twin)
    return aligned


# ---------------------------------------------------------------------------------- comparison
