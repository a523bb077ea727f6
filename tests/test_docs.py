"""The pages of the documentation are executed, block by block.

A page is one program: its ``python`` blocks run in order and share their names. A ``text`` block
that follows one is what it prints; where the block ends in an exception, the last lines are those
of the exception. Every block counts its own lines, as ``example.py``.

    pytest tests/test_docs.py --update-golden    writes what the blocks print into the pages
"""

from __future__ import annotations

import contextlib
import io
import linecache
import math
import re
import sys
import traceback
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])

_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<text>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]?\d+)?|[-+]?\d+e[-+]?\d+")


def run(page: Path) -> list[tuple[re.Match[str], str]]:
    """The blocks of a page, each with what it prints."""
    module = types.ModuleType(f"docs_{page.stem}")
    module.__dict__["__name__"] = module.__name__
    sys.modules[module.__name__] = module
    found = []
    for number, block in enumerate(_BLOCK.finditer(page.read_text())):
        filename = f"example-{page.stem}-{number}.py"
        code = block["code"]
        linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(code, filename, "exec"), module.__dict__)
            except Exception as error:
                print("".join(traceback.format_exception_only(error)), end="")
        text = re.sub(r"example-\w+-\d+\.py", "example.py", printed.getvalue())
        lines = [line.rstrip() for line in text.rstrip().splitlines()]
        found.append((block, "".join(line + "\n" for line in lines)))
    return found


def same(a: str, b: str) -> bool:
    """Equal, but for the last digits of floating point numbers."""
    if _NUMBER.split(a) != _NUMBER.split(b):
        return False
    pairs = zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True)
    return all(math.isclose(float(x), float(y), rel_tol=1e-10) for x, y in pairs)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Path, update_golden: bool) -> None:
    if page.stem in ("scipy", "numba"):
        pytest.importorskip(page.stem)
    if update_golden:
        update(page)
        return  # rules are entered once: a page does not run twice in one process
    for block, printed in run(page):
        wanted = block["text"] or ""
        if not same(wanted, printed):
            line = page.read_text()[: block.start()].count("\n") + 1
            pytest.fail(f"{page.name}:{line}\n{block['code']}\nprints\n{printed}\nnot\n{wanted}")


def update(page: Path) -> None:
    """Write what the blocks print into the page."""
    text, end, pieces = page.read_text(), 0, []
    for block, printed in run(page):
        pieces += [text[end : block.start()], f"```python\n{block['code']}```\n"]
        if printed:
            pieces.append(f"\n```text\n{printed}```\n")
        end = block.end()
    page.write_text("".join([*pieces, text[end:]]))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        update(Path(name))
