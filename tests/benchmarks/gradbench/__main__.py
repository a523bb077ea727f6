"""``python -m tests.benchmarks.gradbench``: the tool, on standard input and output."""

from __future__ import annotations

import sys

from .tool import serve

if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
