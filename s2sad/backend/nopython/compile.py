"""A module compiled by Numba.

In: a module of derivative IR and the name of the function to call. Out: a callable that takes the
user's arguments, with the text it was compiled from.

    compile_nopython(module)(np.ones(3))
"""

from __future__ import annotations

import functools
import hashlib
import linecache
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import Problem, UnsupportedError
from ...ir.nodes import Const, If, Module, Op, walk
from ...rules.registry import primitive
from ...runtime import Unforeseen
from ...transform.scaling import small_factors_first
from ...transform.target import for_compiler
from ..compile import file_name
from ..emit import Emitted, emit
from . import modules
from .ascending import count_upwards
from .containers import Door, as_tuples, door, flat_out
from .distribution import functions_at_once
from .forms import in_forms
from .fusion.fuse import fuse_loops
from .interchange import by_rows
from .margins import margins_once
from .masked import masked_as_choices
from .masked_sums import sums_where_they_stand
from .masks import masks_as_places
from .outer_products import multiply_outside
from .real_transforms import real_transforms
from .recursion import stack_saves
from .refusals import is_of_numba, translated
from .registers import sum_in_registers
from .rejoin import rejoin_loops
from .reruns import share_reruns
from .settled_checks import without_settled_checks
from .shapes_only import without_unread_writes
from .strips import sum_in_strips
from .sweeps import join_sweeps
from .tapes import stack_tapes
from .triangles import multiply_triangles

__all__ = ["Compiled", "compile_nopython"]

#: From what any backend gets to what Numba gets, in this order.
_PASSES: tuple[Callable[[Module], Module], ...] = (
    without_unread_writes,
    multiply_triangles,
    multiply_outside,
    in_forms,
    as_tuples,
    stack_saves,
    rejoin_loops,
    stack_tapes,
    sums_where_they_stand,
    masked_as_choices,
    masks_as_places,
    real_transforms,
    fuse_loops,
    without_settled_checks,
    count_upwards,
    by_rows,
    join_sweeps,
    share_reruns,
    sum_in_registers,
    sum_in_strips,
    functions_at_once,
    margins_once,
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """``run`` takes and gives what the user has; ``dispatcher`` what the compiled code has."""

    run: Callable[..., Any]
    dispatcher: Any
    door: Door
    text: str


def compile_nopython(
    module: Module,
    *,
    fastmath: bool = False,
    parallel: bool = False,
    boundscheck: bool = True,
    private_from: int | None = None,
    assuming: bool = True,
) -> Compiled:
    """The entry of ``module``, compiled when it is first called.

    ``assuming`` that arguments fit each other as they usually do, where that makes faster code:
    ``run`` makes sure of it, and compiles code for all others when it meets such arguments;
    ``dispatcher`` only raises Unforeseen.

    Raises UnsupportedError if Numba is not installed.
    """
    require_numba()
    from .overloads import install

    install()
    _refuse_scipy(module)
    flat = {
        name: replace(
            f,
            body=small_factors_first(f.body, sums_of_rows=False),
            out=flat_out(f.out) if f is module.entry else f.out,
        )
        for name, f in module.functions.items()
    }
    passes: list[Callable[[Module], Module]] = [
        functools.partial(step, assuming=assuming) if step is fuse_loops else step
        for step in _PASSES
    ]
    lowered = functools.reduce(lambda made, step: step(made), passes, Module(flat))
    way = door(module.entry, lowered.entry)
    with for_compiler():
        emitted = emit(lowered, fresh_results=True, private_from=private_from)
    options = {"fastmath": fastmath, "parallel": parallel, "boundscheck": boundscheck}
    dispatcher, text = _jitted(emitted, options)
    run = _through(way, _explained(dispatcher, text))
    if _assumes(lowered):
        again = functools.partial(
            compile_nopython, module, **options, private_from=private_from, assuming=False
        )
        run = _or_else(run, functools.cache(lambda: again().run))
    return Compiled(run, dispatcher, way, emitted.text)


def _refuse_scipy(module: Module) -> None:
    """UnsupportedError for functions of SciPy, none of which Numba compiles by itself."""
    for function in module.functions.values():
        for node in walk(function.body):
            if not isinstance(node, Op):
                continue
            record = primitive(node.fn)
            of_scipy = record.name.startswith("scipy.") or str(
                getattr(record.fun, "__module__", "")
            ).startswith("s2sad.rules.scipy")
            if of_scipy:
                raise UnsupportedError(
                    Problem(
                        f"Numba does not compile {record.name}",
                        node.span,
                        "leave out backend='numba', or write it with functions of NumPy",
                    )
                )


def require_numba() -> None:
    """Raises UnsupportedError, which says how to install it, if there is no Numba."""
    try:
        import numba  # noqa: F401
    except ImportError:
        raise UnsupportedError(
            "backend='numba' needs Numba, which is not installed; "
            "install it with: pip install s2sad[numba]"
        ) from None


def _jitted(emitted: Emitted, options: dict[str, Any]) -> tuple[Any, str]:
    from numba import njit

    from .lean.pipeline import compiler

    text = _header(emitted, options) + emitted.text
    path = modules.write(text)
    filename = str(path) if path is not None else file_name(emitted)
    if path is None:
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    # A module of its own, known to the interpreter: machine code read back from disk asks for it,
    # and so do functions that call themselves.
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    module = types.ModuleType(Path(filename).stem if path is not None else f"s2sad_{digest}")
    module.__file__ = filename
    sys.modules[module.__name__] = module
    scope = vars(module)
    scope.update(emitted.namespace)
    exec(compile(text, filename, "exec", dont_inherit=True), scope)
    functions = {
        name: f
        for name, f in scope.items()
        if isinstance(f, types.FunctionType) and f.__code__.co_filename == filename
    }
    found_by_name = _call_themselves({name: f.__code__ for name, f in functions.items()})
    for name, f in functions.items():
        is_entry = name == emitted.entry_name
        scope[name] = njit(
            f,
            error_model="numpy",
            cache=is_entry and path is not None,  # with all that it calls
            no_cfunc_wrapper=True,
            no_cpython_wrapper=not is_entry,
            pipeline_class=compiler(found_by_name=found_by_name),
            **options,
        )
    return scope[emitted.entry_name], text


def _call_themselves(codes: dict[str, types.CodeType]) -> bool:
    """Whether any of these functions calls itself, or one that calls it."""
    calls = {name: codes.keys() & set(code.co_names) for name, code in codes.items()}
    while leaves := [name for name, called in calls.items() if not called]:
        calls = {name: called.difference(leaves) for name, called in calls.items() if called}
    return bool(calls)


def _explained(dispatcher: Any, text: str) -> Callable[..., Any]:
    """The dispatcher, whose errors while it compiles are said in one line."""

    def run(*values: Any) -> Any:
        try:
            return dispatcher(*values)
        except Exception as error:
            if is_of_numba(error):
                raise translated(error, text) from None
            raise

    run.stats = dispatcher.stats  # type: ignore[attr-defined]
    return run


def _assumes(module: Module) -> bool:
    """Whether the code asks first whether arguments are as it takes for granted."""
    arms = [n.then for n in module.entry.body.ops if isinstance(n, If)]
    fails = [n for arm in arms for n in arm.ops if isinstance(n, Op) and n.fn == "raise"]
    return any(isinstance(a, Const) and a.value is Unforeseen for n in fails for a in n.args)


def _or_else(run: Callable[..., Any], other: Callable[[], Callable[..., Any]]) -> Any:
    """``run``, or what ``other`` makes where it finds arguments that it was not made for."""

    def called(*values: Any) -> Any:
        try:
            return run(*values)
        except Unforeseen:
            pass
        return other()(*values)

    return called


def _header(emitted: Emitted, options: dict[str, Any]) -> str:
    """What the digest of the text must depend on besides the text.

    That is what its globals are, how it is compiled, and what the helpers mean to Numba: machine
    code that was kept says nothing of them.
    """
    from ... import __version__

    known = sorted(
        f"{name} = {getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
        for name, value in emitted.namespace.items()
    )
    chosen = [f"{name}={value}" for name, value in options.items() if value]
    versions = f"s2sad {__version__} {_own_digest()}, NumPy {np.__version__}"
    first = f"{versions} {' '.join(chosen)}".rstrip()
    return "".join(f"# {line}\n" for line in [first, *known]) + "\n"


@functools.cache
def _own_digest() -> str:
    """A digest of the modules that tell Numba what the helpers mean."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _through(way: Door, run: Callable[..., Any]) -> Callable[..., Any]:
    """``run`` between the containers of the user and the tuples of the compiled code."""
    if way.is_open:
        return run
    enter, leave = way.enter, way.leave

    def called(*values: Any) -> Any:
        out = run(*[v if part is None else part(v) for part, v in zip(enter, values, strict=True)])
        return out if leave is None else leave(out)

    return called
