"""Generated text as a file on disk, named by its content.

In: text. Out: the path of a file that holds it, or None where no directory is safe to use. Numba
keeps machine code beside the file a function comes from, so that a second process starts at once::

    write("def f(x): ...")   ->   ~/.cache/s2sad/1f/s2sad_1f0c….py

The directory is ``S2SAD_CACHE_DIR`` if that is set, else the user's cache directory. Only its
owner may write there: Numba runs what it finds. Files are published by renaming, so that a reader
never sees half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["directory", "write"]


def directory() -> Path | None:
    """The directory for generated modules; None where there is none that only we can write."""
    given = os.environ.get("S2SAD_CACHE_DIR")
    if given == "":
        return None
    path = Path(given) if given else _user_cache() / "s2sad"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError:
        return None
    if hasattr(os, "getuid") and (
        status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ):
        return None
    return path


def write(text: str) -> Path | None:
    """The file that holds ``text``, written if it was not there or holds something else."""
    root = directory()
    if root is None:
        return None
    data = text.encode()
    path = root / f"s2sad_{hashlib.sha256(data).hexdigest()[:24]}.py"
    try:
        if path.read_bytes() == data:
            return path
    except OSError:
        pass
    try:
        handle, temporary = tempfile.mkstemp(dir=root, suffix=".tmp")
    except OSError:
        return None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return None
    return path


def _user_cache() -> Path:
    try:
        from platformdirs import user_cache_dir
    except ImportError:
        pass
    else:
        return Path(user_cache_dir())
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
