"""CPU time of process trees, counted process by process where there is no control group."""

from __future__ import annotations

from collections.abc import Iterable

from trainer.machine.processes import CpuTimes, cpu_times, trees


class CpuMeter:
    """Adds up what trees use and never falls: what vanishes without being waited for is remembered.

    A process that ends is charged to its parent when that waits for it. Where the parent ignores its children's ends,
    nothing is charged, so the last reading of the process itself counts. What lives between two readings and is not
    waited for is missed.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], CpuTimes] = {}
        self._vanished_seconds = 0.0

    def seconds(self, roots: Iterable[int]) -> float:
        """Return the CPU seconds of the trees under `roots` so far."""
        now = {(pid, times.start_ticks): times for pid in trees(roots) if (times := cpu_times(pid)) is not None}
        gone = sum(times.total_seconds for key, times in self._last.items() if key not in now)
        waited_for = sum(
            times.reaped_seconds - self._last[key].reaped_seconds for key, times in now.items() if key in self._last
        )
        self._vanished_seconds += max(0.0, gone - waited_for)
        self._last = now
        return self._vanished_seconds + sum(times.total_seconds for times in now.values())
