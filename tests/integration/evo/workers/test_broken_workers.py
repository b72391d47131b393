"""Workers that lose everything while others work: out of service, and no candidate is blamed."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from paced_evaluator import BrokenWorkers, LosingEvaluator, PacedEvaluator
from rich.console import Console
from searches import GENOME, Notes, configuration, opened, searched

from evo.commands.views.status import print_status
from evo.config.resolution import resolve
from evo.report.loading import load_report
from evo.runs import lifecycle as runs
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.provenance import record_start
from evo.runs.status import read_status
from evo.search.stopping import StopReason
from evo.store import Store
from evo.workers.pool import MOST_LOSSES_IN_A_ROW, retirements
from trainer.errors import MachineError
from trainer.evaluation import Status

LOST = "GPU-1 does not answer its driver: GPU is lost"
LINE = f"stand-in/0 lost {MOST_LOSSES_IN_A_ROW} evaluations in a row while others worked: {LOST}"


def devices(path: Path, state: str) -> list[str]:
    with Store.read(RunFolder(path).store) as store:
        attempts = [one for record in store.results() for one in store.attempts_of(record.id)]
    return [attempt.device for attempt in attempts if attempt.state == state]


def statuses(path: Path) -> set[Status]:
    with Store.read(RunFolder(path).store) as store:
        return {outcome.status for outcome in store.outcomes()}


@pytest.mark.parametrize("healthy", [0, 7])
@pytest.mark.parametrize("starts", [True, False])
@pytest.mark.parametrize(("slots", "broken"), [(2, (0,)), (3, (1,)), (4, (0, 3))])
def test_broken_workers_are_retired_and_their_evaluations_run_on_others(
    tmp_path: Path, slots: int, broken: tuple[int, ...], starts: bool, healthy: int
) -> None:
    path, notes = tmp_path / "run", Notes()
    evaluator = BrokenWorkers(GENOME, slots=slots, one_in=10**9, broken=broken, starts=starts, healthy=healthy)
    with opened(path, configuration(4, 10), evaluator, observer=notes) as (search, store):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        names = {f"stand-in/{place}" for place in broken}
        assert {one.worker for one in retirements(store)} == set(evaluator.retired) == names
    assert statuses(path) == {Status.OK}
    lost = devices(path, "released")
    assert set(lost) == names
    assert len(lost) < 3 * MOST_LOSSES_IN_A_ROW * len(broken)
    assert sum(said.startswith("Out of service until the run is resumed: ") for said in notes.said) == len(broken)
    assert check_run(path) == []


def test_the_status_and_the_report_name_it_until_it_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first, second = resolve(configuration(2, 10), {}), resolve(configuration(2, 20), {})
    with opened(path, first, BrokenWorkers(GENOME)) as (search, store):
        record_start(store, first)
        asyncio.run(search.run())
    with runs.view(path) as viewed:
        status = read_status(viewed)
        assert load_report(viewed).out_of_service == (LINE,)
        shown = io.StringIO()
        print_status(Console(file=shown, width=200), status)
    assert f"out of service {LINE}\n" in shown.getvalue()
    assert [one["worker"] for one in status.to_json()["out_of_service"]] == ["stand-in/0"]
    before = devices(path, "accepted").count("stand-in/0")
    with opened(path, second, PacedEvaluator(GENOME)) as (search, store):
        record_start(store, second)
        asyncio.run(search.run())
    assert devices(path, "accepted").count("stand-in/0") > before
    with runs.view(path) as viewed:
        assert read_status(viewed).out_of_service == ()


@pytest.mark.parametrize("starts", [True, False])
@pytest.mark.parametrize(("slots", "broken"), [(1, (0,)), (3, (0, 1, 2))])
def test_when_no_worker_is_left_the_run_ends(tmp_path: Path, slots: int, broken: tuple[int, ...], starts: bool) -> None:
    path = tmp_path / "run"
    evaluator = BrokenWorkers(GENOME, slots=slots, broken=broken, starts=starts, healthy=8)
    with pytest.raises(MachineError, match=LOST) as failure:
        searched(path, configuration(4, 10), evaluator)
    assert failure.value.exit_code == 1
    assert evaluator.retired == []
    assert check_run(path) == []
    assert searched(path, configuration(4, 10), PacedEvaluator(GENOME)).stop_reason is StopReason.COMPLETE


def test_the_last_worker_in_service_is_the_only_one(tmp_path: Path) -> None:
    class BreaksLater(BrokenWorkers):
        async def verdict(self, slot, job):
            if self.retired:
                self.broken = (0, 1)
            return await super().verdict(slot, job)

    evaluator = BreaksLater(GENOME, slots=2)
    with pytest.raises(MachineError, match="Check the device"):
        searched(tmp_path / "run", configuration(4, 10), evaluator)
    assert evaluator.retired == ["stand-in/0"]


@pytest.mark.parametrize("slots", [2, 4])
def test_candidates_that_end_their_workers_are_given_up_and_no_worker_is_blamed(tmp_path: Path, slots: int) -> None:
    path = tmp_path / "run"
    evaluator = LosingEvaluator(GENOME, slots=slots, poison="1e-5")  # proposals 1, 11, 21, …
    with opened(path, configuration(4, 10), evaluator) as (search, store):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        assert retirements(store) == ()
        lost = [outcome for outcome in store.outcomes() if outcome.status is Status.LOST]
        assert len(lost) >= 2
        for outcome in lost:
            tried = [attempt.device for attempt in store.attempts_of(outcome.evaluation)]
            assert len(set(tried[:slots])) == min(slots, len(tried))
