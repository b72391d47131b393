"""What a run leaves of a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import live_driver
import pytest

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal:
    """A terminal with one program on it, that of `live_driver`."""

    def __init__(self, path: Path) -> None:
        self._master, slave = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, live_driver.__file__, path],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        )
        os.close(slave)

    def wait_for(self, text: str) -> None:
        """Read until the program has written `text`, or everything it ever will."""
        while text not in self.shown and (more := self._read()):
            self.shown += more
        assert text in self.shown

    def wait(self) -> int:
        """Read the rest and return the exit code, negative for the signal that ended the program."""
        while more := self._read():
            self.shown += more
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> str:
        try:
            return os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # Linux' way to say that the other side is closed
            return ""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "run")
    yield terminal
    terminal.close()


def test_the_cursor_is_shown_after_a_second_interrupt(terminal: Terminal) -> None:
    terminal.wait_for(" running, ")
    assert terminal.shown.rindex(HIDE) > terminal.shown.rfind(SHOW)
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for("Ctrl-C again ends it at once")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == -signal.SIGINT
    assert terminal.shown.rindex(SHOW) > terminal.shown.rindex(HIDE)
    pieces = re.split(r"[\r\n]|\x1b\[2K", terminal.shown)
    assert max(len(re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", piece)) for piece in pieces) <= 80
