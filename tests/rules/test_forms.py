"""Every form of every function's arguments, through the compiler.

The expressions of `forms` are written to a file as programs. Each is checked as any program is:
value to the bit, both modes, second order, dtypes, arguments unchanged; against differences.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.checker import check
from tests.rules.forms import FORMS, REFUSED, VALUES
from tests.scripts import written_down

_HEAD = "import functools\nimport itertools\nimport math\nimport operator\n\nimport numpy as np\n"


def arguments(expression: str) -> list[str]:
    """The names in an expression that stand for values."""
    nodes = list(ast.walk(ast.parse(expression)))
    bound = {a.arg for n in nodes if isinstance(n, ast.Lambda) for a in n.args.args}
    bound |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names = [n.id for n in nodes if isinstance(n, ast.Name)]
    return [n for n in dict.fromkeys(names) if n in VALUES and n not in bound]


EXPRESSIONS = {
    f"{name}-{n}": expression
    for name, expressions in FORMS.items()
    for n, expression in enumerate(dict.fromkeys(expressions))
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("forms") / "form_programs.py"
    texts = [
        f"\n\ndef f{n}({', '.join(arguments(e))}):\n    return {e}\n"
        for n, e in enumerate(EXPRESSIONS.values())
    ]
    return written_down(path, _HEAD + "".join(texts))


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, programs: Any) -> None:
    for n, (key, expression) in enumerate(EXPRESSIONS.items()):
        if key.rpartition("-")[0] != name:
            continue
        f = getattr(programs, f"f{n}")
        values = [VALUES[a] for a in arguments(expression)]
        narrow = any(getattr(v, "dtype", None) == np.float32 for v in values)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if expression in REFUSED:
                with pytest.raises(s2sad.UnsupportedError):
                    s2sad.vjp(f, *values)[1](f(*values))
                continue
            try:
                rtol = 2e-2 if narrow or "32" in expression else 1e-6
                first = key.endswith("-0")  # the second order does not depend on the form
                check(f, *values, variants=False, tape=False, second=first, rtol=rtol)
            except BaseException as error:
                error.add_note(f"in the form {expression}")
                raise
