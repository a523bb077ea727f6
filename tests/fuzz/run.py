"""Runs many random programs and sums up: ``python -m tests.fuzz --count 500 --seed 0 --jobs 2``.

Prints programs, clean ones, failures by class, refusals by reason, feature counts and the share of
programs with a gradient above 1e-3 in every active input.  Failures are shrunk and printed as tests.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .check import Finding, check
from .engines import Engine, available
from .generator import feature_names, generate
from .program import Program
from .shrink import as_test, shrink

GRADIENT = 1e-3
SHRUNK_OF_A_KIND = 2
_shrunk: Counter[str] = Counter()  # per process: a failure seen often is shrunk only now and then


@dataclass(slots=True)
class Outcome:
    """What became of one program."""

    index: int
    findings: list[Finding]
    features: frozenset[str]
    attempts: int
    lines: int
    steep: bool
    tests: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """Counts over many programs."""

    programs: int = 0
    clean: int = 0
    failing: int = 0
    refusing: int = 0
    steep: int = 0
    attempts: int = 0
    lines: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)
    tests: list[tuple[int, str]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.programs += 1
        self.steep += outcome.steep
        self.attempts += outcome.attempts
        self.lines += outcome.lines
        self.features.update(outcome.features)
        failed = [f for f in outcome.findings if f.sort != "refused"]
        self.clean += not outcome.findings
        self.failing += bool(failed)
        self.refusing += len(failed) < len(outcome.findings)
        for finding in outcome.findings:
            table = self.refusals if finding.sort == "refused" else self.failures
            table[str(finding)] += 1
            self.examples.setdefault(str(finding), []).append(outcome.index)
        self.tests += [(outcome.index, text) for text in outcome.tests]

    def text(self, level: int, wide: bool = False) -> str:
        """The summary as it is printed."""
        each = 1.0 / max(self.programs, 1)
        share = 100.0 * each
        lines = [
            f"programs  {self.programs}",
            f"          {self.lines * each:.0f} lines, {self.attempts * each:.1f} candidates each",
            f"clean     {self.clean} ({self.clean * share:.1f} %)",
            f"failing   {self.failing} ({self.failing * share:.1f} %)",
            f"refused   {self.refusing} ({self.refusing * share:.1f} %)",
            f"gradient above {GRADIENT} in every active input: {self.steep * share:.1f} %",
        ]
        for title, table in (("failures", self.failures), ("refusals", self.refusals)):
            if table:
                lines.append(f"{title}:")
                lines += [
                    f"  {n:5d}  {key}   e.g. index {self.examples[key][:3]}"
                    for key, n in table.most_common()
                ]
        names = feature_names(level)
        rare = sorted((self.features[n], n) for n in names)
        lines.append(
            f"features  {len(names)}, rarest: " + ", ".join(f"{n} {k}" for k, n in rare[:5])
        )
        if wide:
            counts = sorted(self.features.items(), key=lambda item: (-item[1], item[0]))
            lines += [f"  {n:5d}  {name}" for name, n in counts]
        return "\n".join(lines)


def run_one(
    seed: int,
    index: int,
    level: int,
    engines: Sequence[Engine],
    shrinking: frozenset[str],
    wait: float,
) -> Outcome:
    """Generate, run and check one program; ``shrinking`` names the sorts of findings to shrink."""
    program = generate(seed, index, level)
    findings = check(program, engines)
    steep = all(np.abs(d.values).max(initial=0.0) > GRADIENT for d in program.gradients[0])
    lines = program.source.count("\n")
    outcome = Outcome(index, findings, program.features, program.attempts, lines, steep)
    for finding in findings:
        if finding.sort in shrinking and _shrunk[str(finding)] < SHRUNK_OF_A_KIND:
            _shrunk[str(finding)] += 1
            small, latest = shrink(program, finding, engines, wait)
            outcome.tests.append(as_test(small, latest))
    return outcome


def _work(task: tuple[int, int, int, tuple[str, ...], frozenset[str], float]) -> Outcome:
    seed, index, level, names, shrinking, wait = task
    return run_one(seed, index, level, available(names) if names else [], shrinking, wait)


def run_many(
    count: int,
    seed: int = 0,
    level: int = 3,
    jobs: int = 1,
    engines: Sequence[str] | None = None,
    first: int = 0,
    shrinking: frozenset[str] = frozenset(),
    wait: float = 20.0,
) -> Iterator[Outcome]:
    """Outcomes of programs ``first .. first + count - 1``; ``engines`` None means all there are."""
    names = tuple(e.name for e in available(engines or ()))
    tasks = [(seed, i, level, names, shrinking, wait) for i in range(first, first + count)]
    if jobs <= 1:
        yield from map(_work, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=500) as pool:
        yield from pool.imap_unordered(_work, tasks, chunksize=8)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 1 if any program failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="index of the first program")
    parser.add_argument("--level", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--engines", nargs="*", help="interpreter, generated, tape (default: all)")
    parser.add_argument(
        "--no-engines", action="store_true", help="plain Python and differences only"
    )
    parser.add_argument("--save", type=Path, help="directory for shrunken failures")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--shrink-refusals", action="store_true")
    parser.add_argument("--shrink-seconds", type=float, default=20.0)
    parser.add_argument("--max-shown", type=int, default=5, help="failures printed as tests")
    parser.add_argument(
        "--show", action="store_true", help="print program number --first and stop"
    )
    parser.add_argument("--features", action="store_true", help="print all feature counts")
    options = parser.parse_args(arguments)
    if options.show:
        print(shown(generate(options.seed, options.first, options.level)))
        return 0
    sorts = {"value", "gradient", "structure", "mutated", "unstable", "crash"}
    sorts |= {"refused"} if options.shrink_refusals else set()
    shrinking: frozenset[str] = frozenset() if options.no_shrink else frozenset(sorts)
    summary, start = Summary(), time.perf_counter()
    engines = ["none"] if options.no_engines else options.engines
    outcomes = run_many(
        options.count, options.seed, options.level, options.jobs, engines, options.first, shrinking,
        options.shrink_seconds,
    )  # fmt: skip
    try:
        for outcome in outcomes:
            summary.add(outcome)
            if summary.programs % 1000 == 0:
                seconds = time.perf_counter() - start
                done = f"{summary.programs} programs, {summary.failing} failing, "
                done += f"{summary.refusing} refused, {seconds:.0f} s"
                print(done, file=sys.stderr, flush=True)
            if options.save and outcome.tests:
                options.save.mkdir(parents=True, exist_ok=True)
                for k, text in enumerate(outcome.tests):
                    name = f"test_seed{options.seed}_level{options.level}_{outcome.index}_{k}.py"
                    (options.save / name).write_text(text, encoding="utf-8")
    except KeyboardInterrupt:
        print("interrupted; what has run so far:", file=sys.stderr)
    for index, text in sorted(summary.tests)[: options.max_shown]:
        print(f"# ---- program {index} ----\n{text}")
    ran = [e.name for e in available(engines or ())] or ["plain Python and differences only"]
    print(summary.text(options.level, options.features), flush=True)
    print(f"engines   {', '.join(ran)}; {time.perf_counter() - start:.1f} s")
    return 1 if summary.failing else 0


def shown(program: Program) -> str:
    """A program with its arguments, for reading."""
    sets = "\n".join("# args = " + " ".join(repr(args).split()) for args in program.args)
    return f"# {program.label}; argnums {program.argnums}\n{sets}\n{program.source}"


if __name__ == "__main__":
    sys.exit(main())
