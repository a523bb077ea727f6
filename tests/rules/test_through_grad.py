"""Every rule through the compiler: a program that calls the function, differentiated and checked.

The programs are written to a file, since the compiler reads source; each function of NumPy,
``math`` and Python with a rule is called at every sample of its rule.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from s2sad.rules.checking import is_active, numbers
from s2sad.rules.registry import Primitive, Sample, keyword_from
from tests.checker import check
from tests.rules.test_rules import records
from tests.scripts import written_down

BUILTINS = ("abs", "max", "min", "sum", "float", "divmod", "sorted")
_HEAD = "import math\n\nimport numpy as np\nfrom numpy import array, float32, float64, inf, nan\n"


def programs() -> dict[str, list[tuple[str, list[Any]]]]:
    """For each function, programs (text of the body, arguments) at smooth points."""
    found: dict[str, list[tuple[str, list[Any]]]] = {}
    for name, p in records().items():
        if name in ("np.float32", "np.complex64"):  # differences of a cast are too coarse
            continue
        if name == "np.unstack":  # of a size that is not known it gives a list
            continue
        if p.differentiable and (name.startswith(("np.", "math.")) or name in BUILTINS):
            points = p.samples() if callable(p.samples) else p.samples
            calls = [call(p, s) for s in points if not s.edge and is_usual(s)]
            found[name] = [c for c in calls if c[1]]
    return {name: calls for name, calls in found.items() if calls}


def is_usual(s: Sample) -> bool:
    """Whether finite differences of the program itself make sense: no complex inputs, no cast."""
    narrow = "32" in str(s.attrs.get("dtype", ""))
    return not narrow and all(v.dtype.kind != "c" for v in numbers(s.args))


def call(p: Primitive, s: Sample) -> tuple[str, list[Any]]:
    """The call at a sample; operands out of place in the signature are keywords."""
    texts, names, values = [], [], []
    many = any(name.startswith("*") for name in p.operands)
    first = len(s.args) if many else keyword_from(p.operands, p.signature)
    for n, v in enumerate(s.args):
        if n >= first and v is None:
            continue
        keyword = f"{p.operands[n]}=" if n >= first else ""
        if is_active(v):
            names.append(f"x{n}")
            values.append(v)
        texts.append(f"{keyword}x{n}" if is_active(v) else f"{keyword}{v!r}")
    options = [f"{k}={v!r}" for k, v in s.attrs.items()]
    body = f"({', '.join(names)}):\n    return {p.name}({', '.join(texts + options)})\n"
    return body, values


PROGRAMS = programs()


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("rules") / "rule_programs.py"
    parts = [_HEAD]
    for name, calls in PROGRAMS.items():
        for n, (body, _) in enumerate(calls):
            parts.append(f"\n\ndef {name.replace('.', '_')}_{n}{body}")
    return written_down(path, "".join(parts))


@pytest.mark.parametrize("name", PROGRAMS)
def test_function(name: str, module: Any) -> None:
    for n, (_, values) in enumerate(PROGRAMS[name]):
        f = getattr(module, f"{name.replace('.', '_')}_{n}")
        single = any(v.dtype == np.float32 for v in numbers(values))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if name in ("max", "min") and isinstance(f(*values), int):
                continue
            check(f, *values, tape=False, variants=False, rtol=2e-2 if single else 1e-5)
