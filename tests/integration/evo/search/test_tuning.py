"""A search whose tuning operator asks for further looks at what it would propose again."""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator, SteadyEvaluator
from run_inspection import assert_no_error, decisions, results
from searches import GENOME, StopsAt, opened

from evo.commands.views.status import print_status
from evo.commands.views.terminal import Console
from evo.config.config import Config
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import build_operators
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import view
from evo.runs.replay import replay_run
from evo.runs.status import read_status
from evo.search.stopping import StopReason
from evo.store import MEASURED_AGAIN, ProposalRecord, Purpose, Store, mean_objectives
from evo.workers import Slot
from trainer.evaluation import Evaluation, Job, Status

CHOOSING = re.sub(
    r"^(WIDTH = 64|DEPTH = 2|LR = 3e-4).*$",
    lambda found: (
        f"{found[1]}  # one of: " + {"W": "32, 64, 128", "D": "1, 2, 3", "L": "1e-4, 3e-4, 1e-3"}[found[1][0]]
    ),
    GENOME,
    flags=re.MULTILINE,
).replace("COMPILE = False\n", "")


def configured(*, leaders: int = 3, weights: dict[str, float] | None = None) -> Config:
    data = {
        "search": {"pop": 8, "gens": 12, "seed": 7},
        "noise": {"sentinel_every": 0, "leaders": leaders},
        "operators": {"weights": weights or {"tuning": 0.7, "constants": 0.3}, "adaptive": True},
        "workers": {"devices": ["cpu"]},
    }
    return resolve(parse_config(data, "test"), {})


class Killed(PacedEvaluator):
    """A worker that takes longer than a proposal does, and loses what it is evaluating when the search is stopped."""

    def __init__(self, generation_zero: str) -> None:
        super().__init__(generation_zero, slots=1)

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        for _ in range(40):
            await asyncio.sleep(0)
            if self._closing.is_set():
                return self._failed(job, Status.LOST, "the workers are being ended")
        return await super().evaluate(slot, job)


def four_workers(generation_zero: str) -> PacedEvaluator:
    return PacedEvaluator(generation_zero, slots=4, turns=3)


def run(path: Path, evaluator: Callable[[str], PacedEvaluator], *stops: int, **noise: int) -> Path:
    """Search among choices, interrupted after so many results and resumed."""
    config = configured(**noise)
    for observer in map(StopsAt, (*stops, 0)):
        with opened(path, config, evaluator(CHOOSING), build_operators(config), observer, genome=CHOOSING) as (
            search,
            _,
        ):
            observer.search = search
            asyncio.run(search.run())
    return path


def repeats(path: Path) -> list[ProposalRecord]:
    with Store.read(RunFolder(path).store) as store:
        return [one for one in store.proposals() if one.kind == MEASURED_AGAIN]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("tuning") / "run", four_workers)


def test_every_look_is_an_evaluation_with_a_seed_of_its_own(finished: Path) -> None:
    assert_no_error(finished)
    with Store.read(RunFolder(finished).store) as store:
        evaluations = list(store.results())
        looks = Counter(one.individual for one in evaluations if one.purpose is Purpose.REPLICATE)
        asked = Counter(int(re.findall(r"individual (\d+) is", one.reason or "")[0]) for one in repeats(finished))
        assert [one.result_number for one in evaluations] == list(range(1, 97))
        assert max(Counter((one.individual, one.seed) for one in evaluations).values()) == 1
        assert asked.total() > 0
        assert all(looks[individual] >= count for individual, count in asked.items())
        for repeat in repeats(finished):
            individual = int(re.findall(r"individual (\d+) is", repeat.reason or "")[0])
            assert any(one.result_number <= repeat.result_number for one in store.measurements_of(individual))


def test_everybody_is_ranked_by_all_that_was_measured_of_them(finished: Path) -> None:
    with view(finished) as viewed:
        for individual, measured in viewed.standings.measured.items():
            outcomes = viewed.store.measurements_of(individual)
            assert measured.means == pytest.approx(mean_objectives(outcomes))
            assert len(measured.evaluations) == len(outcomes)


def test_a_space_that_is_searched_through_is_looked_at_until_the_budget_is_spent(tmp_path: Path) -> None:
    config = configured(weights={"tuning": 1.0, "constants": 0.1})
    small = re.sub(r"^(WIDTH|BETAS).*\n", "", CHOOSING, flags=re.MULTILINE)
    evaluator = PacedEvaluator(small, slots=4, turns=3)
    with opened(tmp_path / "run", config, evaluator, build_operators(config), genome=small) as (search, store):
        stopped = asyncio.run(search.run())
        assert len([*store.individuals()]) == 9
        assert (stopped.stop_reason, store.last_result_number()) == (StopReason.COMPLETE, 96)


def test_the_journal_leads_to_the_same_looks_again(finished: Path) -> None:
    replay = replay_run(finished)
    assert replay.difference is None
    with Store.read(RunFolder(finished).store) as store:
        assert replay.proposals == store.last_proposal_number()


def test_a_run_that_was_interrupted_goes_on_to_the_same_looks(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Killed)
    resumed = run(tmp_path / "resumed", Killed, 30, 47, 70)
    assert repeats(whole)
    assert decisions(resumed) == decisions(whole)
    assert results(resumed) == results(whole)


def test_status_counts_them_apart_from_what_was_refused(finished: Path) -> None:
    shown = io.StringIO()
    with view(finished) as viewed:
        status = read_status(viewed)
        print_status(Console(file=shown, width=200), status)
    assert status.measured_again == len(repeats(finished))
    assert MEASURED_AGAIN not in status.refused
    assert f"{status.measured_again} proposals of an existing program became a replicate of it" in shown.getvalue()


def test_nobody_is_looked_at_again_where_it_is_of_no_use(tmp_path: Path) -> None:
    unwanted = run(tmp_path / "one", four_workers, leaders=0)
    assert repeats(unwanted) == []
    exact = run(tmp_path / "exact", lambda genome: SteadyEvaluator(genome, slots=4, turns=3))
    with Store.read(RunFolder(exact).store) as store:
        result_number = [one.result_number for one in store.outcomes() if one.purpose is Purpose.REPLICATE]
    assert len(result_number) < 20
    assert all(one.result_number <= max(result_number) for one in repeats(exact))
