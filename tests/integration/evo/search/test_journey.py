"""Whole searches: schedules, several objectives, what the first proposals know, and what a candidate costs."""

from __future__ import annotations

import asyncio
import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from paced_evaluator import PacedEvaluator
from run_inspection import decisions
from searches import GENOME, Notes, Numbering, configuration, opened, searched

from evo.lineage import Lineage
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.results_table import write_results_table
from evo.search.stopping import StopReason
from evo.store import Purpose, Store
from operators.mutation.constants import ConstantMutation
from trainer.evaluation import Job


def test_the_first_proposals_know_that_nothing_is_measured_yet(tmp_path: Path) -> None:
    operator = Numbering(looks=True)
    searched(tmp_path / "run", configuration(), PacedEvaluator(GENOME, slots=1, turns=9), operator)
    first = operator.requests[0]
    assert [parent.id for parent in first.parents] == [0]
    assert first.parents[0].objectives == {}
    assert first.parents[0].source == GENOME
    assert operator.known[0].noise == {}
    assert operator.known[0].best is None
    assert decisions(tmp_path / "run")[1][2:4] == ((0,), 0)
    assert operator.known[-1].noise
    assert operator.requests[-1].parents[0].objectives


def test_a_reopened_proposal_knows_what_it_knew(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with opened(path, configuration(), PacedEvaluator(GENOME, slots=1)) as (search, store):
        asyncio.run(search.run())
        result_number = store.last_result_number() - 5
        before = store.last_proposal_number() or 0
        known = [outcome.individual for outcome in store.outcomes() if outcome.result_number <= result_number]
        store.begin_proposal(before + 1, "numbering", (0,), result_number)
    operator = Numbering(looks=True)
    larger = configuration(4, 6)
    assert searched(path, larger, PacedEvaluator(GENOME), operator).stop_reason is StopReason.COMPLETE
    around = operator.known[0]
    assert operator.requests[0].number == before + 1
    assert around.best is not None
    assert around.best.id in known
    assert {relative.id for relative in around.relatives} <= set(known)


def test_generations_have_a_barrier(tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = configuration(4, 6, schedule="generational")
    assert searched(path, config, PacedEvaluator(GENOME, slots=3, one_in=3)).stop_reason is StopReason.COMPLETE
    with Store.read(RunFolder(path).store) as store:
        searches = [outcome for outcome in store.outcomes() if outcome.purpose is Purpose.SEARCH]
        generation = {outcome.individual: index // 4 for index, outcome in enumerate(searches)}
        last = {index // 4: outcome.result_number for index, outcome in enumerate(searches)}
        for number, of in generation.items():
            proposal = store.proposal(number)
            parents = {generation.get(parent, -1) for parent in proposal.parents}
            assert max(parents) < of
            # Begun when the generation before was complete, and before any of its own was told.
            assert of == 0 or proposal.result_number >= last[of - 1]
        assert any(outcome.status != "ok" for outcome in searches)
    assert check_run(path) == []


def test_two_objectives_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    config = configuration(4, 6, objectives=("val_bpb", "tokens_per_second"))
    with opened(path, config, PacedEvaluator(GENOME)) as (search, _):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        standings = search.standings
        assert len(standings.population) == 4
        assert standings.confirmations.gains()
        assert len(standings.archive.front.individuals) > 1
    assert check_run(path) == []


def test_no_individual_is_the_best_unseen_by_the_holdout_split(tmp_path: Path) -> None:
    class Fickle(PacedEvaluator):
        def _holdout_noise(self, job: Job) -> float:
            return random.Random(job.genome).gauss(0, 0.03)

    class Auditor(Notes):
        def __init__(self) -> None:
            super().__init__()
            self.best: set[int] = set()
            self.leaders: set[int] = set()

        def finished(self, record: Any, outcome: Any, standings: Any, reason: str) -> None:
            self.best.add(standings.best().id)
            self.leaders.add(standings.archive.hall[0].id)

    path, watcher = tmp_path / "run", Auditor()
    config = configuration(4, 20, noise={"confirm_fraction": 0.0, "baseline_replicates": 1, "leaders": 0})
    with opened(path, config, Fickle(GENOME, turns=5), ConstantMutation(), watcher) as (search, store):
        asyncio.run(search.run())
        last, setbacks = search.standings.best(), dict(search.standings.incumbents.setbacks)
        measured = [one for one in store.outcomes() if one.status == "ok"]
        write_results_table(RunFolder(path), store, search._lineage_writer._lineage, search.standings)
        kept = [one for one, line in zip(store.outcomes(), table(path), strict=True) if line["status"] == "keep"]
    gated = {one.individual for one in measured if "G" in one.split_bpb}
    assert len(watcher.best) > 1
    assert watcher.best <= gated < {one.individual for one in measured}
    assert watcher.leaders & setbacks.keys()
    assert watcher.best == {one.individual for one in kept}
    with opened(path, config, Fickle(GENOME)) as (search, _):
        assert search.standings.best() == last
        assert search.standings.incumbents.setbacks == setbacks


def table(path: Path) -> list[dict[str, str]]:
    """Return the lines of a run's table of results."""
    with RunFolder(path).results.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_results_are_told_when_they_are_safe(tmp_path: Path) -> None:
    class Auditor(Notes):
        def finished(self, record: Any, outcome: Any, standings: Any, reason: str) -> None:
            super().finished(record, outcome, standings, reason)
            with Store.read(RunFolder(path).store) as other:
                assert other.last_result_number() >= outcome.result_number

    path, watcher = tmp_path / "run", Auditor()
    with opened(path, configuration(2, 4), PacedEvaluator(GENOME), observer=watcher) as (search, _):
        asyncio.run(search.run())
    assert watcher.result_number == list(range(1, 9))
    assert max(watcher.running) == 2


def test_nothing_stays_open(tmp_path: Path) -> None:
    process = psutil.Process()
    searched(tmp_path / "first", configuration(), PacedEvaluator(GENOME))
    before = (process.num_fds(), process.num_threads())
    searched(tmp_path / "second", configuration(), PacedEvaluator(GENOME))
    assert (process.num_fds(), process.num_threads()) <= before


def test_a_late_candidate_costs_no_more_reads_than_an_early_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: Counter[str] = Counter()
    per_result: list[int] = []

    def counted(name: str, method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            reads[name] += 1
            return method(*arguments, **named)

        return call

    for name in ("individual", "source", "outcome", "outcomes_of", "evaluation"):
        monkeypatch.setattr(Store, name, counted(name, getattr(Store, name)))
    monkeypatch.setattr(Lineage, "project_notes", lambda *_: None)  # once a generation, for all of its results

    class Meter(Notes):
        def finished(self, *arguments: Any) -> None:
            per_result.append(reads.total())

    config = configuration(4, 30, noise={"confirm_fraction": 0.0})
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=1, one_in=10**9), observer=Meter()) as (
        search,
        _,
    ):
        asyncio.run(search.run())
    early, late = per_result[40] - per_result[20], per_result[110] - per_result[90]
    assert late <= early + 5
