"""Whole runs of simulated nights: how the search keeps its workers busy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from searches import GENOME, configuration, opened

from evo.store import Purpose
from experiments.simulated_time import SimulatedTimeLoop
from experiments.workers_busy import Training, run


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


def test_workers_that_the_end_of_the_search_leaves_idle_begin_to_confirm(tmp_path: Path) -> None:
    config = configuration(pop=8, gens=12, noise={"confirm_fraction": 0.3, "baseline_replicates": 2})
    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as loop:
        clock = loop.get_loop().time
        with opened(tmp_path / "run", config, Training(GENOME), clock=clock) as (search, store):
            loop.run(search.run())
            result_number = [
                record for record in store.results() if record.purpose in (Purpose.SEARCH, Purpose.CONFIRM)
            ]
            searched = [record for record in result_number if record.purpose is Purpose.SEARCH]
            confirmed = [record for record in result_number if record.purpose is Purpose.CONFIRM]
    end = max(record.finished_at or 0.0 for record in searched)
    early = [record for record in confirmed if record.launched_at and record.launched_at < end]
    assert early
    assert {record.individual for record in early} == {0}
    assert search.standings.result_number == 96
    # Generation 0 runs with every seed that the finalists are confirmed with, and with none twice.
    seeds = [record.seed for record in confirmed if record.individual == 0]
    assert len(seeds) == len(set(seeds))
    assert {record.seed for record in confirmed if record.individual} <= {*seeds, 1}
    assert len(confirmed) == search.standings.plan.confirmations
