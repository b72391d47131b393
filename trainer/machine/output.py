"""What a candidate prints: each stream for itself, as lines that are safe to show and to store, and the end of it."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum

_TAIL_SIZE = 16 * 2**10
_LONGEST_LINE_BYTES = 16 * 2**10  # what is longer counts as several lines
_FIRST_WORD = re.compile(r"\A\S*")
_READ_BYTES = 2**16
# A candidate that prints faster than it is read must not keep its supervisor from watching it.
_READS_AT_ONCE = 64
# Terminal escapes (CSI, OSC and two-character ones) and every control character but tab and newline.
_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
    r"|[^\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\U0010ffff]"
)
_BACK = "\uffff"  # stands for a backspace while control characters are removed; no character itself
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return `text` without terminal escapes, control characters, lone surrogates and changes of direction."""
    return _BIDI.sub("", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


class Stream(StrEnum):
    """Where a program prints."""

    STDOUT = "stdout"
    STDERR = "stderr"


class Screen:
    """One stream as the lines that a terminal shows: a carriage return begins a line again, and what follows covers it.

    A backspace goes back by one character in the same way.

    A progress bar prints its line a thousand times and shows it once. Of a longer line below a shorter one, what
    sticks out is a line of its own that begins with an ellipsis and its first whole word, so that half a number is
    never read for a number.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Take what was printed next; return the lines that are complete now, clean and none of them empty."""
        lines, _, self._rest = (self._rest + data).replace(b"\r\n", b"\n").rpartition(b"\n")
        if len(self._rest) > _LONGEST_LINE_BYTES:
            self._rest = b"\r".join(_uncovered(self._rest.split(b"\r")))
        if len(self._rest) > _LONGEST_LINE_BYTES:
            lines += b"\n" + self._rest
            self._rest = b""
        return _shown(lines)

    def rest(self) -> list[str]:
        """Return what stands in the last line, which no line feed has ended."""
        return _shown(self._rest)


def _uncovered(parts: Sequence[bytes]) -> list[bytes]:
    """Return the parts of a line that are not wholly covered by a later one, and the last, which may still grow."""
    kept, width = [parts[-1]], len(_cleaned(parts[-1]))
    for part in reversed(parts[:-1]):
        # Bytes first: there are many parts, and none has more characters than bytes.
        if len(part) > width and (wide := len(_cleaned(part))) > width:
            kept.append(part)
            width = wide
    return kept[::-1]


def _shown(printed: bytes) -> list[str]:
    """Return the lines that a terminal shows; of a line in parts, the oldest first."""
    if b"\r" in printed:
        lines = [line for one in printed.split(b"\n") for line in _laid_over(_uncovered(one.split(b"\r")))]
    else:
        lines = _cleaned(printed).split("\n")
    return [line for line in lines if line]


def _laid_over(parts: Sequence[bytes]) -> list[str]:
    covered = 0
    shown: list[str] = []
    for text in map(_cleaned, reversed(parts)):
        sticks_out = _FIRST_WORD.sub("", text[covered:]) if covered else text
        if sticks_out.strip():
            shown.append(f"…{sticks_out}" if covered else text)
        covered = max(covered, len(text))
    return shown[::-1]


def _cleaned(printed: bytes) -> str:
    text = printed.decode("utf-8", "replace")
    if "\b" not in text:
        return clean(text)
    return "\n".join(map(_struck_over, clean(text.replace("\b", _BACK)).split("\n")))


def _struck_over(line: str) -> str:
    """Return a line in which each backspace goes back by a character, which what follows covers."""
    shown: list[str] = []
    place = 1
    for text in line.split(_BACK):
        place = max(0, place - 1)
        shown[place : place + len(text)] = text
        place += len(text)
    return "".join(shown)


class Output:
    """Reads the two pipes of a program without blocking; the caller keeps the pipes open and closes them.

    Attributes:
        total_bytes: how much was read so far.

    Args:
        stdout: descriptor of the one pipe.
        stderr: descriptor of the other.
        listener: called with everything that is printed, and where.
    """

    def __init__(self, stdout: int, stderr: int, listener: Callable[[bytes, Stream], None] | None = None) -> None:
        self._open = {Stream.STDOUT: stdout, Stream.STDERR: stderr}
        self._screens = {stream: Screen() for stream in Stream}
        self._listener = listener
        for descriptor in self._open.values():
            os.set_blocking(descriptor, False)
        self.total_bytes = 0
        self._newest = Stream.STDOUT
        self._last_words = ""
        self._tail: deque[str] = deque()
        self._tail_size = 0

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The pipes that have not ended."""
        return tuple(self._open.values())

    def read(self) -> None:
        """Take what has been printed, up to 4 MiB of each stream; keep the end of it."""
        for stream, descriptor in [*self._open.items()]:
            for _ in range(_READS_AT_ONCE):
                try:
                    data = os.read(descriptor, _READ_BYTES)
                except BlockingIOError:
                    break
                if not data:
                    del self._open[stream]
                    break
                self._keep(data, stream)

    @property
    def last_line(self) -> str:
        """The last line with a word of the stream that printed last, be it complete or not."""
        return _last_with_words(self._screens[self._newest].rest()) or self._last_words

    def tail(self) -> str:
        """Return the end of the output as clean text of at most 16 Ki characters; lines stand as they ended."""
        rest = [line for screen in self._screens.values() for line in screen.rest()]
        return "\n".join([*self._tail, *rest])[-_TAIL_SIZE:]

    def _keep(self, data: bytes, stream: Stream) -> None:
        self.total_bytes += len(data)
        if self._listener is not None:
            self._listener(data, stream)
        self._newest = stream
        lines = self._screens[stream].feed(data)
        self._last_words = _last_with_words(lines) or self._last_words
        for line in lines:
            self._tail.append(line)
            self._tail_size += len(line) + 1
        while self._tail and self._tail_size - len(self._tail[0]) - 1 >= _TAIL_SIZE:
            self._tail_size -= len(self._tail.popleft()) + 1


def _last_with_words(lines: Sequence[str]) -> str:
    """Return the last line that is more than the border of a box; empty if none is."""
    return next((line for line in reversed(lines) if re.search(r"\w", line)), "")
