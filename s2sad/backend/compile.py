"""Emitted text to a function: compiled, and registered so that tracebacks show it.

In: ``Emitted`` and, if need be, more globals. Out: the entry as a callable. The file name is made
from the text, so that the same text has the same name everywhere.

    compile_module(emit(module))(3.0)   ->   9.0
"""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable, Mapping
from typing import Any

from .emit import Emitted


def compile_module(
    emitted: Emitted, namespace: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """The entry of the emitted text, ready to be called with flat arguments."""
    filename = file_name(emitted)
    code = compile(emitted.text, filename, "exec", dont_inherit=True)
    scope: dict[str, Any] = {"__name__": "s2sad.emitted", **emitted.namespace, **(namespace or {})}
    exec(code, scope)
    text = emitted.text
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    entry: Callable[..., Any] = scope[emitted.entry_name]
    return entry


def file_name(emitted: Emitted) -> str:
    """The name under which the text is known to ``linecache``."""
    digest = hashlib.sha256(emitted.text.encode()).hexdigest()[:12]
    return f"<s2sad {emitted.entry_name} {digest}>"
