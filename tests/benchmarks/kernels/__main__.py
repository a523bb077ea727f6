"""``python -m tests.benchmarks.kernels``: the table of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

# One thread: JAX and BLAS take as many as there are processors they may run on.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from .columns import COLUMNS  # noqa: E402
from .driver import GROUPS, Row, kernels, measure, summary, table, warm  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kernels")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="parts of the kernels' names"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes; 1 is the table's")
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="to time each column of a kernel"
    )
    parser.add_argument("--columns", nargs="+", default=list(COLUMNS), choices=list(COLUMNS))
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
    print(table(rows, options.columns))
    print()
    print(summary(rows, options.columns))


def measured(options: argparse.Namespace) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["S2SAD_CACHE_DIR"] = cache  # so that first calls compile
        warm(options.columns)
        for module, kernel in kernels(options.only, options.groups):
            row = measure(module, kernel, options.scale, options.seconds, options.columns)
            rows.append(row)
            print(table([row], options.columns).split("\n", 2)[2].strip(), file=sys.stderr)
    return rows


if __name__ == "__main__":
    main()
