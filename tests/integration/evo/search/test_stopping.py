"""Rules that end a search early: the finalists are confirmed all the same, and changed rules let the run go on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from paced_evaluator import LosingEvaluator, PacedEvaluator
from searches import GENOME, Notes, configuration, opened

from evo.config.reading import overlaid
from evo.search.stopping import StopReason
from evo.store import EvaluationRequest, Purpose, Store
from evo.workers import Slot
from operators.mutation.constants import ConstantMutation
from trainer.evaluation import Evaluation, Job, Split, Status

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
        assert stopped.stop_reason is StopReason.TARGET
        assert f"reaches the target of {target:g}" in stopped.reason
        assert search.standings.result_number < POP * GENS
        assert confirmed(store)
        result_number = search.standings.result_number
    assert any("target" in one for one in notes.said)
    further = overlaid(config, {"search": {"target": 0.0}})
    with opened(tmp_path / "run", further, PacedEvaluator(GENOME), ConstantMutation()) as (search, _):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        assert search.standings.result_number == POP * GENS > result_number


def test_a_search_without_progress_ends(tmp_path: Path) -> None:
    config = configuration(POP, GENS, patience=12)
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=1), ConstantMutation()) as (search, store):
        stopped = asyncio.run(search.run())
        searched = [one.result_number for one in store.outcomes() if one.purpose is not Purpose.CONFIRM]
        assert stopped.stop_reason is StopReason.STAGNATION
        assert "12 results brought no better individual" in stopped.reason
        assert confirmed(store)
    assert 12 < max(searched) < POP * GENS


class TenSeconds(PacedEvaluator):
    """Its evaluations take ten seconds each, one after the other, on a clock of its own."""

    now = 0.0

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        self.now += 10.0
        return await super().verdict(slot, job)


def test_a_time_leaves_room_for_the_confirmation(tmp_path: Path) -> None:
    config, evaluator = configuration(POP, GENS, max_hours=300 / 3600), TenSeconds(GENOME)
    path, clock = tmp_path / "run", lambda: evaluator.now
    with opened(path, config, evaluator, ConstantMutation(), clock=clock) as (search, store):
        stopped = asyncio.run(search.run())
        assert stopped.stop_reason is StopReason.TIME_LIMIT
        assert search.standings.result_number < POP * GENS
        assert confirmed(store)
        assert evaluator.now <= 330.0
        result_number = search.standings.result_number
    evaluator = TenSeconds(GENOME)
    with opened(path, config, evaluator, ConstantMutation(), clock=clock) as (search, _):
        assert asyncio.run(search.run()).stop_reason is StopReason.TIME_LIMIT  # what it was driven before counts
        assert search.standings.result_number == result_number


@pytest.mark.parametrize(
    ("limit", "ending"),
    [({"max_gpu_hours": 600 / 3600}, StopReason.GPU_LIMIT), ({"max_usd": 600 / 3600 * 2.0}, StopReason.USD_LIMIT)],
)
def test_what_workers_cost_is_limited_whatever_came_of_it(
    tmp_path: Path, limit: dict[str, float], ending: StopReason
) -> None:
    config = configuration(POP, GENS, **limit)
    evaluator = LosingEvaluator(GENOME, one_in=3, slots=1)
    with opened(tmp_path / "run", config, evaluator, ConstantMutation()) as (search, store):
        stopped = asyncio.run(search.run())
        assert stopped.stop_reason is ending
        assert confirmed(store)
        outcomes = [*store.outcomes()]
        assert any(one.status is not Status.OK for one in outcomes)
        seconds = sum(one.result.timings.total_seconds for one in store.results() if one.result)
        assert store.occupied_seconds() == pytest.approx(seconds, abs=1.0)
        assert 560 < seconds < 615  # an evaluation takes 12 s, a crash 2 s


def test_an_attempt_counts_until_its_driver_wrote_last(tmp_path: Path) -> None:
    with Store.create(tmp_path / "evo.db") as store:
        store.begin_proposal(0, "seed", (), 0)
        request = EvaluationRequest(0, (Split.SELECTION,), Purpose.BASELINE)
        (evaluation,) = store.admit(0, source=GENOME, normal_form="", idea="", evaluations=[request])
        store.launch(evaluation, "cpu/0")
        store.begin_proposal(1, "random", (0,), 0)
        (_, last) = store.period() or (0.0, 0.0)
        time.sleep(0.05)
        store.release_all_running("the driver ended")
        (attempt,) = store.attempts_of(evaluation)
        assert attempt.ended_at == last
        assert store.occupied_seconds() == pytest.approx(last - attempt.launched_at)
