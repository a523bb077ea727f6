"""The rules: importing this package fills the registry."""

from __future__ import annotations

from . import structural

__all__ = ["structural"]
