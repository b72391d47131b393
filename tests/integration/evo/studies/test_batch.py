"""Studies on workers: every pair of a program and a seed is evaluated once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from paced_evaluator import BrokenWorkers, LosingEvaluator, PacedEvaluator, UnstartableEvaluator
from searches import GENOME

from evo.studies.batch import Batch, Trial
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.workers import Slot
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Job, Split, Status

PROGRAMS = tuple(GENOME.replace("LR = 3e-4", f"LR = {number}e-4") for number in range(3, 7))
SPLITS = (Split.SELECTION, Split.HOLDOUT)


class Notes:
    """Keeps what a watcher is told."""

    def __init__(self) -> None:
        self.known: list[int] = []
        self.done: list[tuple[Trial, Measurement]] = []
        self.left: list[int] = []
        self.said: list[str] = []
        self.stops = 0

    def begun(self, wanted: int, known: int) -> None:
        self.known.append(known)

    def measured(self, trial: Trial, measurement: Measurement, left: int) -> None:
        self.done.append((trial, measurement))
        self.left.append(left)

    def note(self, message: str) -> None:
        self.said.append(message)

    def stopping(self) -> None:
        self.stops += 1


def trials(seeds: int = 3) -> list[Trial]:
    return [Trial(f"program {place}", program, seed) for seed in range(seeds) for place, program in enumerate(PROGRAMS)]


def cache(folder: Path, **conditions: object) -> MeasurementCache:
    return MeasurementCache(folder / "study.json", {"task": "this one", **conditions})


def run(
    folder: Path, evaluator: PacedEvaluator, wanted: Sequence[Trial] | None = None, notes: Notes | None = None
) -> bool:
    batch = Batch(evaluator, cache(folder), SPLITS, notes or Notes())
    return asyncio.run(batch.run(wanted or trials()))


def saved(folder: Path) -> list[dict[str, object]]:
    measurements: list[dict[str, object]] = json.loads((folder / "study.json").read_text())["measurements"]
    return measurements


@pytest.mark.parametrize("slots", [1, 3])
def test_everything_is_evaluated_once_and_kept(slots: int, tmp_path: Path) -> None:
    evaluator, notes = PacedEvaluator(GENOME, slots=slots, one_in=10**9), Notes()
    assert run(tmp_path, evaluator, notes=notes)
    assert sorted((job.genome, job.seed) for job in evaluator.evaluated) == sorted(
        (trial.program, trial.seed) for trial in trials()
    )
    assert all(job.splits == SPLITS for job in evaluator.evaluated)
    assert notes.left == list(range(11, -1, -1))
    kept = cache(tmp_path)
    for trial, measurement in notes.done:
        assert kept.get(trial.program, trial.seed) == measurement
    again, more = PacedEvaluator(GENOME, slots=slots, one_in=10**9), Notes()
    assert run(tmp_path, again, trials(4), more)
    assert more.known == [12]
    assert [job.seed for job in again.evaluated] == [3] * 4


def test_bits_per_byte_are_those_of_the_split_that_selection_never_saw(tmp_path: Path) -> None:
    evaluator = PacedEvaluator(GENOME, one_in=10**9)
    assert run(tmp_path, evaluator, trials(1))
    job = evaluator.evaluated[0]
    verdict = asyncio.run(PacedEvaluator(GENOME, one_in=10**9).verdict(evaluator.workers[0], job))
    kept = cache(tmp_path).get(job.genome, job.seed)
    assert kept is not None
    assert kept.objectives["val_bpb"] == verdict.split_bpb["G"] != verdict.objectives["val_bpb"]


def test_failures_are_results(tmp_path: Path) -> None:
    evaluator, notes = PacedEvaluator(PROGRAMS[0], one_in=1), Notes()
    assert run(tmp_path, evaluator, notes=notes)
    failed = {measurement.status for trial, measurement in notes.done if trial.program != PROGRAMS[0]}
    assert Status.OK not in failed
    assert len(saved(tmp_path)) == 12
    assert all(one["status"] == "ok" or one["reason"] for one in saved(tmp_path))


def test_what_is_lost_runs_again_elsewhere(tmp_path: Path) -> None:
    evaluator, notes = BrokenWorkers(GENOME, slots=3, one_in=10**9), Notes()
    assert run(tmp_path, evaluator, notes=notes)
    assert len(saved(tmp_path)) == 12
    assert any("was lost and runs again: GPU-1" in said for said in notes.said)


def test_what_is_lost_again_and_again_is_given_up_until_next_time(tmp_path: Path) -> None:
    notes = Notes()
    assert run(tmp_path, LosingEvaluator(GENOME, slots=2, one_in=10**9, poison="LR = 5e-4"), trials(1), notes)
    lost = [trial.program for trial, measurement in notes.done if measurement.status is Status.LOST]
    assert lost == [PROGRAMS[2]]
    assert len(saved(tmp_path)) == 3
    assert run(tmp_path, PacedEvaluator(GENOME, one_in=10**9), trials(1))
    assert len(saved(tmp_path)) == 4


@pytest.mark.parametrize("evaluator", [LosingEvaluator(GENOME, poison=""), UnstartableEvaluator(GENOME, healthy=-1)])
def test_a_machine_that_evaluates_nothing_ends_it(evaluator: PacedEvaluator, tmp_path: Path) -> None:
    with pytest.raises(MachineError):
        run(tmp_path, evaluator)
    assert saved(tmp_path) == []


def interrupted(evaluator: PacedEvaluator, folder: Path, left: int) -> int:
    """Interrupt a study when so many evaluations are left; return how many were kept."""
    notes = Notes()

    async def scenario() -> bool:
        batch = Batch(evaluator, cache(folder), SPLITS, notes)
        notes.measured = lambda _trial, _measurement, now: batch.interrupt() if now == left else None  # type: ignore[method-assign]
        return await batch.run(trials())

    assert asyncio.run(scenario()) is False
    assert notes.stops == 1
    return len(saved(folder))


def test_an_interrupted_study_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    assert interrupted(PacedEvaluator(GENOME, slots=1, one_in=10**9), tmp_path, left=7) == 5
    rest = PacedEvaluator(GENOME, one_in=10**9)
    assert run(tmp_path, rest)
    assert len(rest.evaluated) == 7


def test_what_finishes_while_everything_is_ended_is_kept(tmp_path: Path) -> None:
    class Uneven(PacedEvaluator):
        async def verdict(self, slot: Slot, job: Job) -> Evaluation:
            for _ in range(20 * self.workers.index(slot)):
                await asyncio.sleep(0)
            return await super().verdict(slot, job)

    assert interrupted(Uneven(GENOME, slots=3, one_in=10**9, stubborn=True), tmp_path, left=11) == 3


def test_measurements_under_other_conditions_do_not_count_and_stay(tmp_path: Path) -> None:
    assert run(tmp_path, PacedEvaluator(GENOME, one_in=10**9), trials(1))
    other = cache(tmp_path, seconds=60)
    assert other.others == 4
    assert other.get(PROGRAMS[0], 0) is None
    other.add(PROGRAMS[0], 0, Measurement(Status.OK, {"val_bpb": 9.0}))
    again = cache(tmp_path)
    assert again.others == 1
    kept = again.get(PROGRAMS[0], 0)
    assert kept is not None
    assert kept.objectives["val_bpb"] < 9
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"conditions": {}}', '{"conditions": {}, "measurements": 3}', '{"conditions": 3}']
)
def test_a_damaged_notebook_is_no_measurement(content: str, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(content)
    with pytest.raises(MachineError, match="damaged"):
        MeasurementCache(tmp_path / "study.json", {})
    assert (tmp_path / "study.json").read_text() == content


def test_a_place_that_cannot_be_written_shows_before_anything_is_paid_for(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"could not be kept .*: No such file or directory"):
        MeasurementCache(tmp_path / "nowhere" / "study.json", {})
    (tmp_path / "study.json").mkdir()
    with pytest.raises(MachineError, match="Is a directory"):
        MeasurementCache(tmp_path / "study.json", {})
