"""Whole runs of simulated nights: how the search keeps its workers busy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from experiments.simulated_time import SimulatedTimeLoop
from experiments.workers_busy import run


def test_time_passes_only_while_everybody_waits() -> None:
    async def race() -> list[tuple[str, float]]:
        order: list[tuple[str, float]] = []

        async def runner(name: str, seconds: float) -> None:
            for _ in range(2):
                await asyncio.sleep(seconds)
                order.append((name, asyncio.get_running_loop().time()))

        await asyncio.gather(runner("slow", 3e5), runner("fast", 1e5))
        return order

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as loop:
        assert loop.run(race()) == [("fast", 1e5), ("fast", 2e5), ("slow", 3e5), ("slow", 6e5)]
    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as loop, pytest.raises(RuntimeError, match="no timer"):
        loop.run(asyncio.Event().wait())


def test_the_asynchronous_search_keeps_workers_busy_and_a_barrier_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    night = run(96, 60.0, "asynchronous", 1)
    barrier = run(96, 60.0, "generational", 1)
    assert night.busy_searching > 0.8 > 0.7 > barrier.busy_searching
    assert night.hours < 0.8 * barrier.hours
    assert run(16, 60.0, "asynchronous", 1) == run(16, 60.0, "asynchronous", 1)
