"""Python files as modules: the scripts in examples/, and programs that a test writes down.

The compiler reads source, so that what it is given has to be in a file.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str) -> ModuleType:
    """The script ``examples/NAME.py``, imported without running its ``main``."""
    return module_at(EXAMPLES / f"{name}.py", f"examples_{name}")


def written_down(path: Path, text: str) -> ModuleType:
    """A module of that text, kept at ``path`` and known by the name of the file."""
    path.write_text(text)
    module = sys.modules[path.stem] = module_at(path, path.stem)
    return module


def module_at(path: Path, name: str) -> ModuleType:
    """The file as a module that nobody else imports."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
