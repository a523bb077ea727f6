"""The rules: importing this package fills the registry."""

from __future__ import annotations

from . import reverse_only, structural

__all__ = ["reverse_only", "structural"]
