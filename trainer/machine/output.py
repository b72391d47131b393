"""What a candidate prints: the end of it is kept, as text that is safe to show and to store."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable

_TAIL_BYTES = 16 * 2**10
_READ_BYTES = 2**16
# A candidate that prints faster than it is read must not keep its supervisor from watching it.
_READS_AT_ONCE = 64
# Terminal escapes (CSI, OSC and two-character ones) and every control character but tab and newline.
_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
    r"|[^\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\U0010ffff]"
)
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return `text` without terminal escapes, control characters, lone surrogates and changes of direction."""
    return _BIDI.sub("", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


class Output:
    """Reads a pipe without blocking; the caller keeps the pipe open and closes it.

    Attributes:
        descriptor: of the pipe; -1 after its end.
        total_bytes: how much was read so far.
    """

    def __init__(self, descriptor: int, listener: Callable[[bytes], None] | None = None) -> None:
        os.set_blocking(descriptor, False)
        self._listener = listener
        self.descriptor = descriptor
        self.total_bytes = 0
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    def read(self) -> None:
        """Take what has been printed, up to 4 MiB; keep the end of it."""
        for _ in range(_READS_AT_ONCE):
            if self.descriptor < 0:
                return
            try:
                data = os.read(self.descriptor, _READ_BYTES)
            except BlockingIOError:
                return
            if data:
                self._keep(data)
            else:
                self.descriptor = -1

    def tail(self) -> str:
        """Return the end of the output as clean text, made of at most 16 KiB."""
        return clean(b"".join(self._tail)[-_TAIL_BYTES:].decode("utf-8", "replace"))

    def _keep(self, data: bytes) -> None:
        self.total_bytes += len(data)
        if self._listener is not None:
            self._listener(data)
        self._tail.append(data)
        self._tail_bytes += len(data)
        while self._tail_bytes - len(self._tail[0]) >= _TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft())
