"""A search on rungs: who gets the whole budget, what that costs, and what a person sees of it."""

from __future__ import annotations

import asyncio
import io
import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from run_inspection import assert_no_error
from searches import GENOME, Notes, configuration, opened

from evo.commands.views.status import print_status
from evo.commands.views.terminal import Console
from evo.report.loading import load_report
from evo.runs.assemble import read_standings
from evo.runs.lifecycle import view
from evo.runs.status import read_status
from evo.search.context import Variants
from evo.search.stopping import StopReason
from evo.store import Purpose
from evo.workers.evaluator import Slot
from operators.mutation.constants import ConstantMutation
from trainer.evaluation import Clock, Evaluation, Job, Status

FIDELITY = {"rungs": [0.25, 1.0], "calibrate": 8}


@dataclass
class RungEvaluator(PacedEvaluator):
    """With less than the whole budget everybody is worse, and if it `misleads` in an order of its own."""

    misleads: bool = False

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        result = await super().verdict(slot, job)
        if job.budget_fraction == 1 or result.status is not Status.OK:
            return result
        bpb = 2 + random.Random(job.genome).random() if self.misleads else result.objectives["val_bpb"] + 0.3
        return replace(result, objectives=result.objectives | {"val_bpb": bpb}, split_bpb={"S": bpb})


def searched(path: Path, *, misleads: bool) -> tuple[Path, list[str]]:
    """Search on two rungs to the end; return where, and what was said meanwhile."""
    notes = Notes()
    evaluator = RungEvaluator(GENOME, 4, turns=2, misleads=misleads)
    config = configuration(pop=8, gens=12, fidelity=FIDELITY)
    resolved = config.model_copy(
        update={"budget": config.budget.model_copy(update={"train_seconds": 10.0, "clock": Clock.CPU})}
    )
    with opened(path, resolved, evaluator, ConstantMutation(), notes) as (search, _):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
    return path, notes.said


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    return searched(tmp_path_factory.mktemp("rungs") / "agrees", misleads=False)


@pytest.fixture(scope="module")
def misleading(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    return searched(tmp_path_factory.mktemp("rungs") / "misleads", misleads=True)


def test_only_whole_trainings_have_a_fitness_and_everybody_climbed(agreeing: tuple[Path, list[str]]) -> None:
    path, _ = agreeing
    with view(path) as viewed:
        outcomes = list(viewed.store.outcomes())
        whole = {one.individual for one in outcomes if one.purpose is Purpose.SEARCH}
        tried = {one.individual for one in outcomes if one.purpose is Purpose.SCREEN}
        standings = viewed.standings
        assert {one.budget_fraction for one in outcomes if one.purpose is Purpose.SCREEN} == {0.25}
        assert all(one.budget_fraction == 1 for one in outcomes if one.purpose is not Purpose.SCREEN)
        for known in (standings.population, standings.archive.hall, standings.archive.front.individuals):
            assert {one.id for one in known} <= whole | {0}
        assert all(one.means()["val_bpb"] < 2 for one in standings.population)
        assert standings.spent == viewed.store.spent() == 0.25 * len(tried) + len(outcomes) - len(tried)
        assert 95 < standings.spent <= 96
        dropped = tried - whole
        assert all(viewed.store.measurements_of(one) == [] for one in dropped)
        variants = Variants(viewed.store).of(0, standings.result_number)  # what the tuning operator learns from
        worked = [variant for variant in variants if variant.objectives]
        assert {variant.individual for variant in worked} == set(standings.measured)
        assert all(0 < variant.objectives["val_bpb"] < 2 for variant in worked)
        reasons = {relative.reason for relative in viewed.store.children_of(range(200), limit=200)}
        assert "only tried with 0.25 of the training budget" in reasons
    assert_no_error(path)


def test_a_rung_that_agrees_is_kept_and_drops_the_worse(agreeing: tuple[Path, list[str]]) -> None:
    path, said = agreeing
    with view(path) as viewed:
        (rung,) = viewed.standings.halving.rungs
        individuals = sum(1 for _ in viewed.store.individuals()) - 1
    assert rung.is_used
    assert rung.correlation is not None
    assert rung.correlation > 0.8
    assert rung.results >= 0.9 * individuals  # the last may go straight to the whole budget
    assert rung.promoted < 0.7 * rung.results  # those of the calibration, the tenth, and who beats a third of the older
    assert not [line for line in said if "rung" in line]


def test_a_rung_that_misleads_is_switched_off_with_a_warning(misleading: tuple[Path, list[str]]) -> None:
    path, said = misleading
    with view(path) as viewed:
        (rung,) = viewed.standings.halving.rungs
        (off, *_) = viewed.standings.halving.switches
        later = [one for one in viewed.store.outcomes(after=off.result_number + 10) if one.purpose is Purpose.SCREEN]
        assert not rung.is_used
        assert rung.pairs >= 8
        assert sum(viewed.standings.halving._is_drawn(one.individual) for one in later) == len(later)
    assert any(line.startswith("The rung of 0.25 of the budget is switched off: offspring skip it.") for line in said)


def test_people_see_the_agreement(agreeing: tuple[Path, list[str]]) -> None:
    path, _ = agreeing
    with view(path) as viewed:
        (rung,) = viewed.standings.halving.rungs
        status = read_status(viewed)
        report = load_report(viewed)
        shown = io.StringIO()
        print_status(Console(file=shown, width=200), status)
    line = f"rung 0.25     {rung.results} results, {rung.promoted} promoted; rank correlation with the whole budget"
    assert f"{line} {rung.correlation:.2f} (Spearman, {rung.pairs} individuals)" in shown.getvalue()
    assert status.to_json()["summary"]["rungs"][0]["correlation"] == rung.correlation
    assert "evaluations spent on" in shown.getvalue()
    assert report.summary.rungs == (rung,)
    assert 95 < report.summary.spent <= 96
    assert not any(one.broken for one in report.individuals)


def test_what_a_restored_run_knows_of_the_rungs_is_the_same(misleading: tuple[Path, list[str]]) -> None:
    path, _ = misleading
    with view(path) as viewed:
        again = read_standings(viewed.config, viewed.store)
        assert again.halving.rungs == viewed.standings.halving.rungs
        assert again.halving.switches == viewed.standings.halving.switches
