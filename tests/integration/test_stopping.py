"""Rules that end a search early: the finalists are confirmed all the same, and changed rules let the run go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from paced_evaluator import PacedEvaluator
from searches import GENOME, Notes, configuration, opened

from evo.config import overlaid
from evo.endings import Ending
from evo.store import Purpose
from operators import ConstantMutation

POP, GENS = 8, 20


def confirmed(store: object) -> list[object]:
    return [one for one in store.outcomes() if one.purpose is Purpose.CONFIRM]  # type: ignore[attr-defined]


def test_a_target_ends_the_search_and_not_the_confirmation(tmp_path: Path) -> None:
    with opened(tmp_path / "all", configuration(POP, GENS), PacedEvaluator(GENOME), ConstantMutation()) as (search, _):
        asyncio.run(search.run())
        zero, best = search.standings.generation_zero, search.standings.best()
    assert zero is not None
    assert best is not None
    target = (zero.fitness.values[0] + best.fitness.values[0]) / 2
    config, notes = configuration(POP, GENS, target=target), Notes()
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME), ConstantMutation(), notes) as (search, store):
        stopped = asyncio.run(search.run())
        assert stopped.ending is Ending.TARGET
        assert f"reaches the target of {target:g}" in stopped.reason
        assert search.standings.told < POP * GENS
        assert confirmed(store)
        told = search.standings.told
    assert any("target" in one for one in notes.said)
    further = overlaid(config, {"search": {"target": 0.0}})
    with opened(tmp_path / "run", further, PacedEvaluator(GENOME), ConstantMutation()) as (search, _):
        assert asyncio.run(search.run()).ending is Ending.COMPLETE
        assert search.standings.told == POP * GENS > told


def test_a_search_without_progress_ends(tmp_path: Path) -> None:
    config = configuration(POP, GENS, patience=12)
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=1), ConstantMutation()) as (search, store):
        stopped = asyncio.run(search.run())
        searched = [one.told for one in store.outcomes() if one.purpose is not Purpose.CONFIRM]
        assert stopped.ending is Ending.STAGNATION
        assert "12 results brought no better individual" in stopped.reason
        assert confirmed(store)
    assert 12 < max(searched) < POP * GENS


def test_a_time_leaves_room_for_the_confirmation(tmp_path: Path) -> None:
    config = configuration(POP, GENS, max_hours=1.5 / 3600)
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, seconds=0.02), ConstantMutation()) as (search, store):
        stopped = asyncio.run(search.run())
        assert stopped.ending is Ending.TIME_LIMIT
        assert search.standings.told < POP * GENS
        assert confirmed(store)
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, seconds=0.02), ConstantMutation()) as (search, store):
        told = search.standings.told
        assert asyncio.run(search.run()).ending is Ending.TIME_LIMIT  # what it was driven before counts
        assert search.standings.told < told + POP
