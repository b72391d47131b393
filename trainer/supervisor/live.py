"""The curve of the training under way, for views of the run: a small file a worker, rewritten at most once a second.

No result depends on it: a file that cannot be written is left out, and one whose supervisor was killed is told by the
time at which its evaluation began.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trainer.evaluation import CurvePoint
from trainer.machine.output import clean

_EVERY_SECONDS = 1.0
_SAMPLED_SECONDS = 0.125
_MOST_POINTS = 200
_SEARCHED_CHARACTERS = 4096
_LOSS = re.compile(
    r"(?<![a-z])loss[\"']?\s{0,4}[:=]?\s{0,4}([-+]?\d{0,20}\.?\d{1,20}(?:e[-+]?\d{1,3})?)", re.IGNORECASE
)


class LiveCurve:
    """The curve of what one worker trains.

    Args:
        path: of its file; None where no view follows.
        clock: monotonic seconds.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._name = ""
        self._points: list[tuple[float, float]] = []
        self._began = self._started = self._written = self._sampled = 0.0

    @property
    def name(self) -> str:
        """What the curve follows; empty while it has no point."""
        return self._name

    @property
    def curve(self) -> list[CurvePoint]:
        """The points so far, numbered as their steps."""
        return [CurvePoint(seconds, step, value) for step, (seconds, value) in enumerate(self._points)]

    def begin(self) -> None:
        """Begin another evaluation."""
        self._name, self._points = "", []
        self._began, self._started = time.time(), self._clock()
        self._written = self._sampled = -math.inf

    def tell(self, name: str, seconds: float, value: float) -> None:
        """Add a point.

        Args:
            name: of what is followed; a curve keeps its first one.
            seconds: that the training has taken.
            value: what is not finite is left out.
        """
        self._name = self._name or name
        if name != self._name or not math.isfinite(value):
            return
        self._points.append((round(seconds, 3), value))
        if len(self._points) > _MOST_POINTS:
            del self._points[1:-1:2]
        if self._path is not None and self._clock() - self._written >= _EVERY_SECONDS:
            self._write(self._path)

    def follow(self, printed: bytes, latest: tuple[str, float] | None) -> None:
        """Add what a program has printed, at most eight times a second.

        Args:
            printed: the newest of it.
            latest: name and value of its objective, where it has printed one by now; a loss by that word otherwise.
        """
        if self._clock() - self._sampled < _SAMPLED_SECONDS:
            return
        self._sampled = self._clock()
        seconds = self._sampled - self._started
        if latest is not None and self._name in ("", latest[0]):
            self.tell(latest[0], seconds, latest[1])
        elif (loss := loss_in(printed)) is not None:
            self.tell("loss", seconds, loss)

    def end(self) -> None:
        """Remove the file: the store has the result, or will have it."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _write(self, path: Path) -> None:
        self._written = self._clock()
        draft = path.with_suffix(".part")
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            draft.write_text(json.dumps({"began": self._began, "name": self._name, "points": self._points}))
            draft.replace(path)


def loss_in(printed: bytes) -> float | None:
    """Return the loss in the last line that names one; None without any."""
    text = clean(printed[-_SEARCHED_CHARACTERS:].decode(errors="replace"))
    for line in reversed(text.split("\n")):
        if found := _LOSS.search(line):
            with suppress(ValueError):
                return float(found[1])
    return None
