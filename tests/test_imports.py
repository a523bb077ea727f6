"""Every module can be the first one that is imported."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import s2sad

#: What ``import s2sad`` loads is there first in any case; the rules take long and are kept, too.
_EACH_FIRST = """
import importlib, sys
import s2sad, s2sad.rules
from s2sad.rules.optional import load_all
load_all()
kept = set(sys.modules)
failed = []
for name in sys.argv[1:]:
    for loaded in [m for m in sys.modules if m.startswith("s2sad") and m not in kept]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        if getattr(error, "name", None) is None or error.name.startswith("s2sad"):
            failed.append(f"{name}: {error}")
sys.exit("\\n".join(failed))
"""

#: What rules may not load: they stand below all of these.
_RULES_ALONE = """
import sys, types
package = types.ModuleType("s2sad")
package.__path__ = [sys.argv[1]]
sys.modules["s2sad"] = package
import s2sad.rules
above = ("frontend", "transform", "backend", "analysis", "api", "pipeline", "derivative", "tape")
sys.exit(", ".join(m for m in sys.modules if m.startswith(tuple("s2sad." + a for a in above))))
"""


def run(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    return done.stderr.strip()


def test_every_module_can_come_first() -> None:
    found = [m.name for m in pkgutil.walk_packages(s2sad.__path__, "s2sad.")]
    names = [n for n in found if not n.endswith("__main__")]
    assert len(names) > 100
    assert run(_EACH_FIRST, *names) == ""


def test_rules_stand_on_their_own() -> None:
    assert run(_RULES_ALONE, *s2sad.__path__) == ""
