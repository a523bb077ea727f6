"""The command line.

    python -m s2sad demo                              a small simulation, differentiated
    python -m s2sad show package.module:function      source, SSA and derivative
    python -m s2sad coverage                          which functions have derivatives

The status is 0 if all went well, and 1 if s2sad had to refuse.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it went well, 1 if s2sad had to refuse, with the reason on stderr."""
    options = _parser().parse_args(arguments)
    from s2sad.errors import S2sadError

    try:
        if options.command == "demo":
            from s2sad.tools.demo import demo

            demo()
        elif options.command == "coverage":
            from s2sad.tools.coverage import coverage

            coverage()
        else:
            from s2sad.tools.show import show

            if os.getcwd() not in sys.path:  # installed as a script, we start without it
                sys.path.insert(0, os.getcwd())
            show(options.function, options.args, options.argnums)
    except S2sadError as error:
        print(f"s2sad.{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="s2sad", description="Source-to-source automatic differentiation of plain Python."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="differentiate a small simulation, and check the result")
    commands.add_parser("coverage", help="print which functions have derivatives")
    show = commands.add_parser("show", help="print a function's source, SSA and derivative")
    show.add_argument("function", help="package.module:function, or path/to/file.py:function")
    show.add_argument("--args", default="", help='as in a call: --args "1.0, np.ones(3)"')
    show.add_argument("--argnums", default="0", help="number or name of the argument, or several")
    return parser


if __name__ == "__main__":
    sys.exit(main())
