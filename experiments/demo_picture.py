"""Draw docs/run.svg: what `make demo` shows on a terminal.

The program runs the demo on a terminal of 80 columns and draws what stands there at its end. Of the results, the first
and the last ones are shown, with a mark where lines are left out.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from experiments.demo_gain import demo_arguments

_DOCS = Path(__file__).parents[1] / "docs"
_EVO = Path(sys.executable).with_name("evo")
_COLUMNS = 80
_RESULT = re.compile(r" *(\d+) \S ")
_SHOWN_FIRST, _SHOWN_LAST = 12, 6
_ERASED = re.compile(r".*(?:\x1b\[2K|\r)", re.DOTALL)
_CURSOR = re.compile(r"\x1b\[\??\d*[A-HJKhl]")


def record(command: list[str], folder: Path) -> str:
    """Return what a command writes to a terminal of its own."""
    master, slave = pty.openpty()
    path = f"{_EVO.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(_COLUMNS), "PATH": path}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=folder)
    os.close(slave)
    written = bytearray()
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # Linux' way to say that the other side is closed
            break
        if not more:
            break
        written += more
    if process.wait():
        raise RuntimeError(f"{shlex.join(command)} ended with {process.returncode}:\n{written.decode()}")
    return written.decode()


def shown(written: str) -> list[Text]:
    """Return the lines that stay on a terminal: without the progress bar, which each of them erases before it."""
    lines = [_CURSOR.sub("", _ERASED.sub("", line.rstrip("\r"))) for line in written.split("\n")]
    texts = [Text.from_ansi(line) for line in lines]
    results = [place for place, text in enumerate(texts) if _RESULT.match(text.plain)]
    left_out = results[_SHOWN_FIRST:-_SHOWN_LAST]
    for place in left_out[1:]:
        texts[place] = Text("\0")
    if left_out:
        texts[left_out[0]] = Text("   ⋮", style="dim")
    return [text for text in texts if text.plain != "\0"]


def draw(command: str, lines: list[Text], target: Path) -> None:
    """Write lines of a terminal as a picture."""
    console = Console(record=True, width=_COLUMNS, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    for line in lines:
        console.print(line, highlight=False)
    target.write_text(console.export_svg(title=command, unique_id="evo"), encoding="utf-8")


def main() -> None:
    """Run the demo in a folder, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty folder for the run")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    command = ["evo", "run", *demo_arguments()]
    draw("make demo", shown(record([str(_EVO), *command[1:]], folder)), _DOCS / "run.svg")


if __name__ == "__main__":
    main()
