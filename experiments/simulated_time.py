"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do: a night in some seconds.

What takes no `asyncio.sleep` takes no time, and the order of events does not depend on the machine. Nothing may work in
threads or other processes meanwhile: nothing would wait for them.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Waits for no file longer than it takes to look, and lets the time pass that it was to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Return the files that are ready, those of now."""
        if timeout is None:
            raise RuntimeError("every task waits for something that no timer brings about")
        ready = super().select(0)
        if not ready:
            self.now += timeout
        return ready


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time, which begins at 0 s."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._jumping.now
