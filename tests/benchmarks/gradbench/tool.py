"""The protocol: one JSON message a line in, one answer a line out.

``start``, ``define`` (compiles everything an eval needs on a small example), ``evaluate`` (runs a
function until there were enough runs and seconds, each timed) and ``analysis`` (not for us).
"""

from __future__ import annotations

import importlib
import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

EVALS = (
    "hello", "llsq", "lse", "ode", "det", "gmm", "kmeans", "lstm", "ba", "ht", "particle", "saddle"
)  # fmt: skip


@dataclass(frozen=True)
class Function:
    """What an eval calls: ``prepare`` reads its input, ``answer`` shows its output; only ``run``,
    which takes what ``prepare`` gave, is timed."""

    run: Callable[..., Any]
    prepare: Callable[[dict[str, Any]], tuple[Any, ...]]
    answer: Callable[[Any], Any]


class Eval:
    """One eval: its functions by name."""

    def __init__(self, name: str) -> None:
        module = importlib.import_module(f".evals.{name}", __package__)
        self.functions: dict[str, Function] = module.FUNCTIONS
        for example in module.EXAMPLES:
            for function in self.functions.values():
                function.run(*function.prepare(example))

    def evaluate(self, name: str, given: Any) -> dict[str, Any]:
        """The answer to one ``evaluate`` message; that of hello is a number."""
        options = given if isinstance(given, dict) else {}
        function = self.functions[name]
        args = function.prepare(given)
        timings: list[dict[str, Any]] = []
        elapsed = 0
        least, seconds = options.get("min_runs", 1), options.get("min_seconds", 0)
        while len(timings) < least or elapsed < seconds * 1e9:
            start = time.perf_counter_ns()
            out = function.run(*args)
            taken = time.perf_counter_ns() - start
            elapsed += taken
            timings.append({"name": "evaluate", "nanoseconds": taken})
        return {"success": True, "output": function.answer(out), "timings": timings}


def keep_memory() -> None:
    """Have freed memory kept for the next array, as in a process that has run for a while.

    Until an array of that size was freed, glibc hands memory back to the system again and again,
    and every function, whoever wrote it, is timed with the zeroing of its pages.
    """
    np.ones(31 << 17)


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer every message until there are no more."""
    keep_memory()
    evals: dict[str, Eval] = {}
    for line in lines:
        message = json.loads(line)
        answer: dict[str, Any] = {"id": message["id"]}
        try:
            match message["kind"]:
                case "start":
                    answer["tool"] = "s2sad"
                case "define":
                    name = message["module"]
                    answer["success"] = name in EVALS
                    if name in EVALS and name not in evals:
                        evals[name] = Eval(name)
                case "evaluate":
                    found = evals[message["module"]]
                    answer |= found.evaluate(message["function"], message["input"])
        except Exception as error:  # noqa: BLE001 - the protocol wants to be told
            answer |= {"success": False, "error": "".join(traceback.format_exception(error))}
        print(json.dumps(answer), file=out, flush=True)
