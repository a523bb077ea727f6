"""Rules of packages that may not be there: loaded when a program uses one of their objects.

In: a callable that has no rule yet. Out: True where rules were loaded that may know it. Nothing
is imported that the program has not imported itself, so that ``import s2sad`` stays quick.

    load_rules_of(scipy.special.gammaln)    imports s2sad.rules.scipy.special
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "is_distribution",
    "is_scipys",
    "is_sparse_class",
    "load_all",
    "load_rules_of",
    "maker",
    "makes",
]

#: A function, its first operands, and keywords.
Maker: TypeAlias = "tuple[Callable[..., Any], list[Any], dict[str, Any]]"
#: Parts of SciPy and the modules of rules that know their functions.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "special": ("special", "gammas", "error_functions", "bessels", "softmax"),
    "stats": ("stats", "discrete", "multivariate"),
    "linalg": ("linalg",),
    "signal": ("signal",),
    "ndimage": ("ndimage",),
    "interpolate": ("interpolate",),
    "integrate": ("integrate", "quadrature", "ode"),
    "optimize": ("optimize",),
    "sparse": ("sparse",),
}
_loaded: set[str] = set()
#: Classes whose instances are called like functions, and functions of both calls' arguments.
_makers: dict[Any, Callable[..., Any]] = {}


def load_rules_of(f: Any) -> bool:
    """Load the rules for the part of SciPy that ``f`` belongs to; True where that is news."""
    family = _family(f)
    if family is None or family in _loaded:
        return False
    _load(family)
    return True


def load_all() -> bool:
    """Load the rules of every optional package that is installed; False where there is none."""
    if importlib.util.find_spec("scipy") is None:
        return False
    for family in _FAMILIES:
        if family not in _loaded:
            _load(family)
    return True


def makes(cls: type, function: Callable[..., Any]) -> None:
    """Enter a class with ``cls(*a)(*b) == function(*a, *b)``."""
    _makers[cls] = function


def maker(cls: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Maker | None:
    """What ``cls(*args, **kwargs)`` means for a class that was entered, else None."""
    if not isinstance(cls, type):
        return None
    load_rules_of(cls)
    function = _makers.get(cls)
    if function is None:
        return None
    operands = list(inspect.signature(function).parameters)[:2]
    given = inspect.signature(cls).bind(*args, **kwargs).arguments
    first = [given.pop(name) for name in operands]
    return function, first, given


def is_scipys(obj: Any) -> bool:
    """Whether a function or class comes from SciPy."""
    return str(getattr(obj, "__module__", None) or "").startswith("scipy.")


def is_distribution(obj: Any) -> bool:
    """Whether an object is one of the distributions of ``scipy.stats``."""
    if not str(type(obj).__module__).startswith("scipy.stats") or not callable(obj):
        return False
    return hasattr(obj, "logpdf") or hasattr(obj, "logpmf")


def frozen_parts(obj: Any) -> tuple[Any, dict[str, Any]] | None:
    """The distribution and the parameters of ``stats.norm(0.5, 2.0)``, else None."""
    found: Any = getattr(obj, "dist", None)
    if not hasattr(found, "_parse_args") or not is_scipys(type(obj)):
        return None
    shapes = [n.strip() for n in (found.shapes or "").split(",") if n.strip()]
    names = [*shapes, "loc", "scale"]
    distribution = getattr(sys.modules["scipy.stats"], found.name, None)
    if type(distribution) is not type(found):
        return None
    return distribution, {**dict(zip(names, obj.args, strict=False)), **obj.kwds}


def is_curve(obj: Any) -> bool:
    """Whether an object is a piecewise polynomial or a spline of SciPy, called as (x, nu)."""
    names = {c.__name__ for c in type(obj).__mro__ if c.__module__.startswith("scipy.interp")}
    return bool(names & {"PPoly", "BSpline"})


def is_sparse_class(cls: type) -> bool:
    """Whether a class is one of SciPy's sparse matrices or arrays."""
    return cls.__module__.startswith("scipy.sparse") and hasattr(cls, "tocsr")


def _load(family: str) -> None:
    for name in _FAMILIES[family]:
        importlib.import_module(f"s2sad.rules.scipy.{name}")
    _loaded.add(family)


def _family(f: Any) -> str | None:
    """The part of SciPy an object belongs to. Ufuncs do not tell: they are looked for by name."""
    if isinstance(f, np.ufunc):
        special = sys.modules.get("scipy.special")
        return "special" if getattr(special, f.__name__, None) is f else None
    module = getattr(f, "__module__", None)
    if not isinstance(module, str) or not module.startswith("scipy."):
        return None
    family = module.split(".")[1]
    return family if family in _FAMILIES else None
