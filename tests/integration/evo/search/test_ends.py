"""How a search ends before its budget does, and that it goes on from there."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest
from paced_evaluator import (
    BrokenGenerationZero,
    LosingEvaluator,
    PacedEvaluator,
    SteadyEvaluator,
    UnstartableEvaluator,
)
from run_inspection import assert_complete, assert_no_error
from searches import GENOME, Notes, Numbering, StopsAt, configuration, opened, searched

from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.results_table import write_results_table
from evo.search.stopping import StopReason
from evo.standings.plan import make_plan
from evo.store import Purpose, Store
from evo.workers.pool import MOST_LOSSES
from operators.proposal import Proposal, Request
from trainer.errors import GenomeError, MachineError
from trainer.evaluation import Status

BUDGET = 20


def result_number(path: Path) -> int:
    with Store.read(RunFolder(path).store) as store:
        return store.last_result_number()


def test_nothing_new_to_evaluate(tmp_path: Path) -> None:
    path = tmp_path / "run"
    stopped = searched(path, configuration(), PacedEvaluator(GENOME), Numbering(one_in=1))
    assert stopped.stop_reason is StopReason.NO_OFFSPRING
    assert "50 proposals in a row" in stopped.reason
    assert "no idea" in stopped.reason
    assert check_run(path) == []
    assert searched(path, configuration(), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
    assert result_number(path) == BUDGET


def test_a_broken_generation_0_ends_it_whenever_it_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "run"
    for _ in range(2):
        with pytest.raises(
            GenomeError, match=r"Generation 0 must train and be scored .* it ended crashed: ImportError"
        ):
            searched(path, configuration(), BrokenGenerationZero(GENOME))
    assert result_number(path) <= 3 + 1  # its replicates, and what the second worker was given meanwhile
    assert_no_error(path)


def test_a_candidate_that_ends_its_workers_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "run"
    evaluator = LosingEvaluator(GENOME, slots=1, poison="LR = 2e-5")
    assert searched(path, configuration(), evaluator).stop_reason is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        lost = [outcome for outcome in store.outcomes() if outcome.status is Status.LOST]
        assert [(outcome.individual, outcome.attempt) for outcome in lost] == [(2, MOST_LOSSES)]
    assert check_run(path) == []


def test_losses_under_earlier_drivers_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "run"
    for _ in range(MOST_LOSSES):
        with opened(path, configuration(), PacedEvaluator(GENOME)) as (_, store):
            store.launch(store.queued()[0].id, "cpu")
    evaluator = PacedEvaluator(GENOME)
    evaluator._lost = False  # loses the first job once
    assert searched(path, configuration(), evaluator).stop_reason is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        assert all(outcome.status is not Status.LOST for outcome in store.outcomes())


@pytest.mark.parametrize("healthy", [0, 9])
@pytest.mark.parametrize("kind", [LosingEvaluator, UnstartableEvaluator])
def test_a_machine_that_evaluates_nothing_ends_it_and_is_not_blamed_on_candidates(
    tmp_path: Path, kind: type[LosingEvaluator] | type[UnstartableEvaluator], healthy: int
) -> None:
    path = tmp_path / "run"
    with pytest.raises(MachineError, match="supervisor"):
        searched(path, configuration(), kind(GENOME, slots=2, healthy=healthy))
    assert check_run(path) == []
    assert healthy <= result_number(path) <= healthy + 2
    assert searched(path, configuration(), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
    assert result_number(path) == BUDGET


class Faulty:
    """An operator with a mistake."""

    name = "numbering"
    arity = 1

    async def propose(self, request: Request) -> Proposal:
        if request.number == 5:
            raise RuntimeError("a mistake")
        return await Numbering().propose(request)


def test_an_error_of_an_operator_keeps_the_results_that_came_with_it(tmp_path: Path) -> None:
    path = tmp_path / "run"
    evaluator = PacedEvaluator(GENOME, slots=1)
    with pytest.raises(RuntimeError, match="a mistake"):
        searched(path, configuration(), evaluator, Faulty())
    assert result_number(path) == len(evaluator.evaluated)
    assert check_run(path) == []
    assert searched(path, configuration(), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
    assert result_number(path) == BUDGET


def test_an_interrupt_keeps_what_is_finished_and_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run"
    watcher = Notes()

    async def interrupted_at_once() -> str:
        asyncio.get_running_loop().call_soon(search.interrupt)
        return (await search.run()).stop_reason

    with opened(path, configuration(), PacedEvaluator(GENOME, seconds=60), observer=watcher) as (search, store):
        assert asyncio.run(interrupted_at_once()) == StopReason.INTERRUPTED
        assert watcher.running == [1, 2]
        assert store.running() == []
        assert [attempt.state for attempt in store.attempts_of(1)] == ["released"]
    assert check_run(path) == []
    assert searched(path, configuration(), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
    assert result_number(path) == BUDGET


def test_an_interrupt_together_with_the_last_result_is_no_early_end(tmp_path: Path) -> None:
    with opened(tmp_path / "run", configuration(2, 1), PacedEvaluator(GENOME)) as (search, _):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        search.interrupt()
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE


def test_open_proposals_of_an_operator_that_is_gone_are_given_up(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with opened(path, configuration(), PacedEvaluator(GENOME)) as (_, store):
        store.begin_proposal(1, "llm_mutation", (0,), 0)
    assert searched(path, configuration(), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        assert store.proposal(1).kind == "operator_gone"
    assert result_number(path) == BUDGET


def test_a_clock_that_jumps_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, day = random.Random(1), 86_400.0
    monkeypatch.setattr("evo.store.store.time.time", lambda: 1e9 + chance.uniform(-day, day))
    path = tmp_path / "run"
    assert searched(path, configuration(), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
    with opened(path, configuration(), PacedEvaluator(GENOME)) as (search, store):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        write_results_table(RunFolder(path), store, search._lineage_writer._lineage, search.standings)
    assert_complete(path)


class TestConfirmations:
    """The reserve at the end of the budget."""

    def test_more_generations_after_the_confirmations_are_searched_and_confirmed(self, tmp_path: Path) -> None:
        path = tmp_path / "run"
        assert searched(path, configuration(4, 5), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
        assert searched(path, configuration(4, 10), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
        with opened(path, configuration(4, 10), PacedEvaluator(GENOME)) as (search, store):
            outcomes = list(store.outcomes())
            assert len(outcomes) == 40
            first = [outcome for outcome in outcomes[:20] if outcome.purpose is Purpose.CONFIRM]
            second = [outcome for outcome in outcomes[20:] if outcome.purpose is Purpose.CONFIRM]
            assert first
            assert second
            assert outcomes[20].purpose is Purpose.SEARCH
            assert outcomes[-1].purpose is Purpose.CONFIRM
            pairs = [(outcome.individual, outcome.seed) for outcome in (*first, *second)]
            assert len(set(pairs)) == len(pairs)
            confirmed = {outcome.individual for outcome in (*first, *second)} - {0}
            gains = search.standings.confirmations.gains()
            assert {gain.individual for gain in gains} == confirmed
            best = search.standings.best()
            assert best is not None
            assert best.id == gains[0].individual

    @pytest.mark.parametrize("slots", [1, 3, 16])
    def test_the_finalists_race(self, tmp_path: Path, slots: int) -> None:
        config = configuration(8, 20)
        with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=slots)) as (search, store):
            assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
            first, last = make_plan(config).rounds
            ran = [(one.individual, one.seed) for one in store.outcomes() if one.purpose is Purpose.CONFIRM]
            best, gains = search.standings.best(), search.standings.confirmations.gains()
        assert len(ran) == len(set(ran))
        assert len(ran) == make_plan(config).confirmations
        seeds = Counter(individual for individual, _ in ran if individual)
        assert len(seeds) == first.finalists
        assert min(seeds.values()) >= first.seeds
        assert best is not None
        assert best.id in (0, gains[0].individual)
        assert not gains[0].is_behind
        # Nobody goes on before all finalists were seen.
        later = min(place for place, (one, seed) in enumerate(ran) if one and seed > first.seeds)
        assert {one for one, _ in ran[:later]} >= {*seeds}
        assert {gain.individual for gain in gains if gain.is_behind} == {
            one for one, count in seeds.items() if 2 * count <= last.seeds
        }
        # With one worker every decision waits for the results before it; with many some have gone on too early.
        if slots == 1:
            assert sorted(seeds.values()) == [first.seeds] * 2 + [last.seeds] * 2
            assert {gain.individual for gain in gains if gain.seeds == last.seeds} == {
                one.individual for one in gains[:2]
            }

    @pytest.mark.parametrize("slots", [1, 8])
    def test_a_race_after_a_rule_ended_the_search_costs_what_was_reserved(self, tmp_path: Path, slots: int) -> None:
        config = configuration(8, 60, patience=30)
        with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=slots)) as (search, store):
            assert asyncio.run(search.run()).stop_reason is StopReason.STAGNATION
            outcomes = list(store.outcomes())
        confirmed = [one for one in outcomes if one.purpose is Purpose.CONFIRM]
        assert len(outcomes) < 400
        assert 0.9 * make_plan(config).confirmations < len(confirmed) <= make_plan(config).confirmations
        assert len({one.individual for one in confirmed} - {0}) == make_plan(config).finalists
        began = min(one.result_number for one in confirmed if one.individual)
        assert {one.purpose for one in outcomes if one.result_number > began} == {Purpose.CONFIRM}

    def test_a_race_that_was_interrupted_anywhere_ends_as_it_would_have(self, tmp_path: Path) -> None:
        config, end = configuration(8, 20), 160

        def race(path: Path) -> list[tuple[int, int]]:
            with Store.read(RunFolder(path).store) as store:
                return [(one.individual, one.seed) for one in store.outcomes() if one.purpose is Purpose.CONFIRM]

        assert searched(tmp_path / "whole", config, PacedEvaluator(GENOME, slots=1)).stop_reason is StopReason.COMPLETE
        path = tmp_path / "run"
        for stop in range(end - make_plan(config).confirmations - 1, end - 1, 2):
            observer = StopsAt(stop)
            with opened(path, config, PacedEvaluator(GENOME, slots=1), observer=observer) as (search, _):
                observer.search = search
                assert asyncio.run(search.run()).stop_reason is StopReason.INTERRUPTED
        assert searched(path, config, PacedEvaluator(GENOME, slots=1)).stop_reason is StopReason.COMPLETE
        assert race(path) == race(tmp_path / "whole")
        assert_no_error(path)

    def test_where_every_seed_gives_the_same_run_nothing_is_replicated_or_claimed(self, tmp_path: Path) -> None:
        config, observer = configuration(8, 20, noise={"leader_seeds": 5}), Notes()
        evaluator = SteadyEvaluator(GENOME, slots=1)
        with opened(tmp_path / "run", config, evaluator, observer=observer) as (search, store):
            assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
            purposes = Counter(one.purpose for one in store.outcomes())
            standings, best = search.standings, search.standings.best()
        assert purposes == {Purpose.BASELINE: 3, Purpose.SEARCH: 157}
        assert best is not None
        assert best.id > 0
        assert standings.gain(best.id) is None
        assert standings.is_unreplicated
        assert "val_bpb" not in standings.noise()
        difference = standings.difference(best.id, 0)
        assert difference is not None
        assert difference.value > 0
        assert difference.is_real is None
        assert sum("every seed gives the same run" in note.lower() for note in observer.said) == 1

    def test_a_resumed_run_may_do_without_a_confirmation(self, tmp_path: Path) -> None:
        path = tmp_path / "run"
        assert searched(path, configuration(4, 5), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
        config = configuration(4, 10, noise={"confirm_fraction": 0.0})
        assert searched(path, config, PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE
        assert_no_error(path)

    def test_nobody_to_confirm_leaves_the_reserve_to_the_search(self, tmp_path: Path) -> None:
        path = tmp_path / "run"
        evaluator = PacedEvaluator(GENOME, one_in=1)  # every offspring fails
        assert searched(path, configuration(), evaluator).stop_reason is StopReason.COMPLETE
        with Store.read(RunFolder(path).store) as store:
            assert {outcome.purpose for outcome in store.outcomes()} == {Purpose.BASELINE, Purpose.SEARCH}
        assert result_number(path) == BUDGET

    def test_speed_first_is_confirmed_with_fresh_seeds_and_has_no_gate(self, tmp_path: Path) -> None:
        path = tmp_path / "run"
        config = configuration(objectives=("tokens_per_second",))
        with opened(path, config, PacedEvaluator(GENOME)) as (search, store):
            assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
            searched_for = [one for one in store.outcomes() if one.purpose is Purpose.SEARCH]
            assert not any("G" in one.split_bpb for one in searched_for)
            gain, *_ = search.standings.confirmations.gains()
            fresh = [one for one in store.outcomes_of(gain.individual) if one.purpose is Purpose.CONFIRM]
            assert gain.own == pytest.approx(fmean(one.objectives["tokens_per_second"] for one in fresh))
            best = search.standings.best()
            assert best is not None
            assert best.id == (gain.individual if gain.value > 0 else 0)
