"""``python -m tests.benchmarks.kernels``: the table of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from .driver import GROUPS, TOOLS, Row, kernels, measure, summary, table, warm  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kernels")
    parser.add_argument("--only", help="a part of a kernel's name")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes; 1 is the table's")
    parser.add_argument("--seconds", type=float, default=0.5, help="to time each function")
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--groups", nargs="*", default=list(GROUPS), choices=list(GROUPS))
    parser.add_argument("--save", help="a file for the rows, as JSON")
    parser.add_argument("--read", nargs="*", help="such files, to print instead of measuring")
    options = parser.parse_args()
    if options.read:
        rows = [Row(**row) for name in options.read for row in json.loads(Path(name).read_text())]
    else:
        rows = measured(options)
    if options.save:
        Path(options.save).write_text(json.dumps([asdict(row) for row in rows]))
    print(table(rows, options.tools))
    print()
    print(summary(rows, options.tools))


def measured(options: argparse.Namespace) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["S2SAD_CACHE_DIR"] = cache  # so that first calls compile
        warm(options.tools)
        for module, kernel in kernels(options.only, options.groups):
            row = measure(module, kernel, options.scale, options.seconds, options.tools)
            rows.append(row)
            print(table([row], options.tools).split("\n", 2)[2].strip(), file=sys.stderr)
    return rows


if __name__ == "__main__":
    main()
