"""Delta debugging of programs: smaller source with the same sort of finding.

In: a program, a finding and a checker.  Out: a program of (usually) a few lines.  Statements are
removed, compound statements replaced by their bodies, expressions by their operands, unused
functions and arguments dropped, for as long as plain Python still runs, the point is smooth, and
the same engine fails in the same way.
"""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .check import Finding, check
from .differences import Difference, NotSmooth, differences
from .engines import Engine
from .program import NAME, Program, TooLong, load, plain, text_of, time_limit

Edit = Callable[[ast.Module], bool]


def shrink(
    program: Program, finding: Finding, engines: Sequence[Engine], seconds: float = 30.0
) -> tuple[Program, Finding]:
    """The smallest program found in the time, and its finding."""
    end = time.monotonic() + seconds
    engines = [e for e in engines if e.name == finding.engine]
    best, latest = program, finding
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for smaller in _candidates(best):
            if time.monotonic() > end:
                break
            again = _still(smaller, finding, engines)
            if again:
                best, latest, progress = smaller, again, True
                break
    return best, latest


def _still(program: Program, finding: Finding, engines: Sequence[Engine]) -> Finding | None:
    """The finding of the same sort, if the program is still sound and still fails."""
    try:
        with time_limit(3.0), load(program.source) as module:
            f = getattr(module, NAME)
            for args in program.args:
                plain(f, args)
            if finding.sort == "gradient":
                program.gradients = [differences(f, a, program.argnums) for a in program.args]
    except (Exception, TooLong, NotSmooth):  # noqa: BLE001 - an unsound candidate, whatever it raised
        return None
    if finding.sort != "gradient":
        program.gradients = [[] for _ in program.args]
        program = _without_gradients(program)
    for again in check(program, engines):
        same = again.key == finding.key or finding.sort not in ("crash", "refused")
        if again.sort == finding.sort and same:
            return again
    return None


def _without_gradients(program: Program) -> Program:
    """The program with differences that accept every gradient."""
    free = Difference(np.zeros(1), np.full(1, 1e300))
    program.gradients = [[free] * len(program.argnums) for _ in program.args]
    return program


# -- candidates ----------------------------------------------------------------------------


def _candidates(program: Program) -> Iterator[Program]:
    tree = ast.parse(program.source)
    if len(program.args) > 1:
        for args in program.args:
            yield Program(program.label, program.source, program.argnums, (args,))
    yield from _fewer_arguments(program, tree)
    for edit in (*_statement_edits(tree), *_expression_edits(tree)):
        changed = copy.deepcopy(tree)
        if not edit(changed) or _falls_off(changed):
            continue
        try:
            source = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
        except (ValueError, AttributeError):
            continue
        if source != program.source:
            yield Program(program.label, source, program.argnums, program.args)


def _falls_off(tree: ast.Module) -> bool:
    """Whether ``f`` may end without a ``return``: a defect of its own, not the one looked for."""
    main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == NAME)
    return not isinstance(main.body[-1], ast.Return)


def _fewer_arguments(program: Program, tree: ast.Module) -> Iterator[Program]:
    """The program without a parameter of ``f`` that its body does not mention."""
    main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == NAME)
    for i, parameter in enumerate(main.args.args):
        used = any(isinstance(n, ast.Name) and n.id == parameter.arg for n in ast.walk(main))
        rest = tuple(a - (a > i) for a in program.argnums if a != i)
        if used or not rest:
            if len(program.argnums) > 1 and i in program.argnums:
                kept = tuple(a for a in program.argnums if a != i)
                yield Program(program.label, program.source, kept, program.args)
            continue
        changed = copy.deepcopy(tree)
        target = next(n for n in changed.body if getattr(n, "name", "") == NAME)
        del target.args.args[i]  # type: ignore[attr-defined]
        sets = tuple((*a[:i], *a[i + 1 :]) for a in program.args)
        yield Program(program.label, ast.unparse(changed) + "\n", rest, sets)


def _bodies(tree: ast.AST) -> list[list[ast.stmt]]:
    """All statement lists, outermost first."""
    found = []
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                found.append(block)
    return found


def _statement_edits(tree: ast.Module) -> list[Edit]:
    edits: list[Edit] = []
    for which, block in enumerate(_bodies(tree)):
        size = len(block)
        chunk = size
        while chunk >= 1:
            edits += [_remove(which, lo, chunk) for lo in range(0, size, chunk)]
            chunk //= 2
        for i, node in enumerate(block):
            for name in ("body", "orelse"):
                if getattr(node, name, None) and not isinstance(node, (ast.FunctionDef, ast.Expr)):
                    edits.append(_hoist(which, i, name))
            if getattr(node, "orelse", None):
                edits.append(_no_else(which, i))
    return edits


def _remove(which: int, lo: int, count: int) -> Edit:
    def edit(tree: ast.Module) -> bool:
        block = _bodies(tree)[which]
        gone = block[lo : lo + count]
        if any(getattr(n, "name", "") == NAME or isinstance(n, ast.Pass) for n in gone):
            return False
        block[lo : lo + count] = [] if len(block) > len(gone) else [ast.Pass()]
        return bool(gone)

    return edit


def _hoist(which: int, i: int, name: str) -> Edit:
    def edit(tree: ast.Module) -> bool:
        block = _bodies(tree)[which]
        inner = getattr(block[i], name)
        if not isinstance(inner, list):
            return False
        block[i : i + 1] = inner
        return True

    return edit


def _no_else(which: int, i: int) -> Edit:
    def edit(tree: ast.Module) -> bool:
        node = _bodies(tree)[which][i]
        if not isinstance(getattr(node, "orelse", None), list):
            return False
        node.orelse = []  # type: ignore[attr-defined]
        return True

    return edit


def _expressions(tree: ast.AST) -> list[tuple[ast.AST, str, int | None, ast.expr]]:
    """Every expression with the place it stands in, outermost first."""
    found: list[tuple[ast.AST, str, int | None, ast.expr]] = []
    for node in ast.walk(tree):
        for name, child in ast.iter_fields(node):
            if isinstance(child, ast.expr):
                found.append((node, name, None, child))
            elif isinstance(child, list):
                items = [(k, c) for k, c in enumerate(child) if isinstance(c, ast.expr)]
                found += [(node, name, k, c) for k, c in items]
    return found


def _parts(node: ast.expr) -> list[ast.expr]:
    """Expressions a node may be replaced by."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Call(args=args):
            return [a for a in args if not isinstance(a, ast.Starred)]
        case ast.IfExp(body=body, orelse=orelse):
            return [body, orelse]
        case ast.BoolOp(values=values):
            return list(values)
        case ast.Compare(left=left):
            return [left]
        case ast.NamedExpr(value=value):
            return [value]
    return []


def _expression_edits(tree: ast.Module) -> list[Edit]:
    edits: list[Edit] = []
    for which, (_, _, _, node) in enumerate(_expressions(tree)):
        edits += [_replace(which, part) for part in range(len(_parts(node)))]
        if isinstance(node, (ast.BinOp, ast.Call, ast.Subscript, ast.IfExp)):
            edits.append(_replace(which, -1))
    return edits


def _replace(which: int, part: int) -> Edit:
    def edit(tree: ast.Module) -> bool:
        parent, name, k, node = _expressions(tree)[which]
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            return False
        new: Any = _parts(node)[part] if part >= 0 else ast.Constant(0.5)
        if k is None:
            setattr(parent, name, new)
        else:
            getattr(parent, name)[k] = new
        return True

    return edit


# -- a ready test --------------------------------------------------------------------------


def as_test(program: Program, finding: Finding) -> str:
    """The text of a test module that fails as the program does."""
    note = "\n".join(f"# {line}" for line in finding.detail.strip().splitlines()[-12:])
    sets = "".join(
        f"        ({''.join(f'{text_of(v)}, ' for v in args)}),\n" for args in program.args
    )
    strided = "    from tests.fuzz.program import strided\n" if "strided(" in sets else ""
    return (
        f'"""Found by tests/fuzz ({program.label}): {finding}."""\n\n'
        f"{program.source.strip()}\n\n\n{note}\n"
        f"def test_{finding.engine}_{finding.sort}():\n"
        f"    from tests.fuzz.check import agrees\n{strided}\n"
        f"    args = [\n{sets}    ]\n"
        f"    agrees({NAME}, {program.argnums}, args)\n"
    )
