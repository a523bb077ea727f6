"""Rules of packages that may not be there: loaded when a program uses one of their objects.

In: a callable that has no rule yet. Out: True where rules were loaded that may know it. Nothing
is imported that the program has not imported itself, so that ``import s2sad`` stays quick.

    load_rules_of(scipy.special.gammaln)    imports s2sad.rules.scipy.special
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import numpy as np

__all__ = ["is_distribution", "is_scipys", "load_all", "load_rules_of"]

#: Parts of SciPy and the modules of rules that know their functions.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "special": ("special", "softmax"),
    "stats": ("stats",),
    "linalg": ("linalg",),
    "signal": ("signal",),
    "ndimage": ("ndimage",),
    "interpolate": ("interpolate",),
    "integrate": ("integrate",),
    "optimize": ("optimize",),
    "sparse": ("sparse",),
}
_loaded: set[str] = set()


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


def is_scipys(obj: Any) -> bool:
    """Whether a function or class comes from SciPy."""
    return str(getattr(obj, "__module__", None) or "").startswith("scipy.")


def is_distribution(obj: Any) -> bool:
    """Whether an object is one of the distributions of ``scipy.stats``."""
    return str(type(obj).__module__).startswith("scipy.stats") and hasattr(obj, "_parse_args")


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
