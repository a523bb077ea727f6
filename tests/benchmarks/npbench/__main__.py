"""``python -m tests.benchmarks.npbench CHECKOUT [NAME ...]``: the table of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

# One thread: JAX and BLAS take as many as there are processors they may run on.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from ..kernels.driver import Row  # noqa: E402
from .checkout import programs  # noqa: E402
from .driver import COLUMNS, Nothing, measure  # noqa: E402
from .report import report  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.npbench")
    parser.add_argument("checkout", type=Path, help="of spcl/npbench")
    parser.add_argument("names", nargs="*", help="parts of the programs' names; all without")
    parser.add_argument("--size", default="S", help="of NPBench's: S, M, L or paper")
    parser.add_argument("--seconds", type=float, default=0.3, help="to time each column")
    parser.add_argument("--columns", nargs="+", default=list(COLUMNS), choices=COLUMNS)
    parser.add_argument("--squares", action="store_true", help="sum squares of the outputs")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one program")
    parser.add_argument("--save", help="a file for the rows, as JSON")
    parser.add_argument("--read", nargs="*", help="such files, to print instead of measuring")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        found = measure(
            options.checkout,
            options.names[0],
            options.size,
            options.seconds,
            options.columns,
            options.squares,
        )
        print(json.dumps(asdict(found)))
        return
    if options.read:
        rows = [restored(r) for name in options.read for r in json.loads(Path(name).read_text())]
    else:
        rows = measured(options)
    if options.save:
        Path(options.save).write_text(json.dumps([asdict(row) for row in rows]))
    print(report(rows, options.columns))


def restored(fields: dict[str, object]) -> Row | Nothing:
    return Nothing(**fields) if "reason" in fields else Row(**fields)  # type: ignore[arg-type]


def measured(options: argparse.Namespace) -> list[Row | Nothing]:
    rows = []
    for program in programs(options.checkout, options.names):
        row = in_its_own_process(program.name, options)
        rows.append(row)
        print(json.dumps(asdict(row)), file=sys.stderr, flush=True)
    return rows


def in_its_own_process(name: str, options: argparse.Namespace) -> Row | Nothing:
    """A row, or one that says what the process died of."""
    command = [sys.executable, "-m", __spec__.parent, str(options.checkout), name, "--one"]
    command += ["--size", options.size, "--seconds", str(options.seconds)]
    command += ["--columns", *options.columns, *(["--squares"] if options.squares else [])]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "S2SAD_CACHE_DIR": ""},  # so that first calls compile
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            timeout=options.limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Row(name, reasons={"check": f"took more than {options.limit:.0f} seconds"})
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return Row(name, reasons={"check": said[-1]})
    return restored(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    main()
