"""Where a training spends its time: a thread looks now and then at what the training's own thread is doing.

Unlike hooks and a profiler, this changes nothing that the program sees, compiled or not, and costs 500 looks of some
microseconds. Where a device works on its own, calls return before it has done what they ask for, and the program waits
for it elsewhere.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import torch

from trainer.ipc.candidate_protocol import Part

_LOOKS = 500
_SHORTEST_INTERVAL_SECONDS = 0.01
_LONGEST_WAIT = 100.0
"""For a look, in intervals."""
_TORCH = str(Path(torch.__file__).parent) + "/"
_FILES = {
    "nn/modules/module.py": Part.FORWARD,
    "nn/functional.py": Part.FORWARD,
    "_tensor.py": Part.BACKWARD,
    "autograd/__init__.py": Part.BACKWARD,
}
_COMPILED = "_dynamo/eval_frame.py"


class StackSamples:
    """Samples the main thread from now on, about 500 times in some seconds of a clock."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._interval_seconds = max(_SHORTEST_INTERVAL_SECONDS, seconds / _LOOKS)
        self._counts: Counter[Part] = Counter()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        with contextlib.suppress(RuntimeError):  # the system allows no more threads: nothing is sampled
            self._thread.start()

    def end(self) -> dict[str, float]:
        """Stop, and return the share of each part; nothing where there was no time for a look."""
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()
        total = self._counts.total()
        return {part: self._counts[part] / total for part in Part} if total else {}

    def _sample(self) -> None:
        watched = threading.main_thread().ident or 0
        interval = wait = self._interval_seconds
        before = self._clock()
        while not self._is_over.wait(wait):
            self._counts[part_of(sys._current_frames().get(watched))] += 1  # noqa: SLF001 - documented
            # On a busy machine the clock of a process is slow, and more looks would take more of its time.
            before, passed = (now := self._clock()), now - before
            wait = min(_LONGEST_WAIT * interval, max(interval, wait * interval / max(passed, interval / _LONGEST_WAIT)))


def part_of(frame: FrameType | None) -> Part:
    """Return what a thread does: what the outermost of its frames tells that tells anything."""
    part = Part.ELSEWHERE
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_TORCH):
            inside = file.removeprefix(_TORCH)
            if inside.startswith("optim/"):
                part = Part.OPTIMIZER
            elif inside == _COMPILED and part is Part.ELSEWHERE:  # within which an optimizer may be compiled too
                part = Part.FORWARD
            else:
                part = _FILES.get(inside, part)
        frame = frame.f_back
    return part
