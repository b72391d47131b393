"""A device that begins to measure otherwise is noticed, and what its sentinels measure is in nobody's mean."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from searches import GENOME, Notes, configuration, opened

from evo.commands.views.status import print_status
from evo.commands.views.terminal import stdout_console
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.report.loading import load_report
from evo.runs.lifecycle import view
from evo.runs.status import read_status
from evo.store import Purpose
from evo.workers.evaluator import Slot
from trainer.evaluation import Evaluation, Job, Status


@dataclass
class Throttling(PacedEvaluator):
    """After some evaluations everything on the first device comes out worse.

    Attributes:
        sound: evaluations before that.
    """

    sound: int = 40

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        result = await super().verdict(slot, job)
        if result.status is not Status.OK or len(self.evaluated) <= self.sound or not slot.name.endswith("0"):
            return result
        worse = result.objectives["val_bpb"] + 0.1
        return replace(result, objectives={**result.objectives, "val_bpb": worse})


@dataclass
class SeveralDevices(Throttling):
    """Each slot is a device of its own, and the first one throttles."""

    retired: list[str] = field(default_factory=list, init=False)

    @cached_property
    def workers(self) -> tuple[Slot, ...]:
        return tuple(Slot(f"gpu-{number}/{number}") for number in range(self.slots))

    def retire(self, slot: Slot) -> None:
        self.retired.append(slot.name)


@dataclass
class Crowded(Throttling):
    """Both workers are on the device that throttles."""

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        return await super().verdict(self.workers[0], job)


def _config(gens: int) -> ResolvedConfig:
    return resolve(configuration(8, gens, noise={"sentinel_every": 10, "baseline_replicates": 4}), {})


CONFIG = _config(gens=12)


def test_drift_is_noticed_and_counts_in_no_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = Notes()
    with opened(tmp_path / "run", CONFIG, Throttling(GENOME, slots=1), observer=notes) as (search, store):
        asyncio.run(search.run())
        sentinels = [one for one in store.outcomes() if one.purpose is Purpose.SENTINEL]
        first = next(store.outcomes())
        zero = search.standings.generation_zero
        measured = [one for one in store.outcomes_of(0) if one.purpose is not Purpose.SENTINEL]
        assert len(store.outcomes_of(0)) == len(measured) + len(sentinels)
    assert {(one.individual, one.seed) for one in sentinels} == {(0, first.seed)}
    assert {later.result_number - earlier.result_number for earlier, later in itertools.pairwise(sentinels)} <= {
        10,
        11,
        12,
    }
    assert zero is not None
    assert zero.replicates == len(measured)
    (said, *_) = [one for one in notes.said if "drifts" in one]
    assert said.startswith("stand-in drifts: generation 0 came out ")
    assert "σ worse than before" in said
    with view(tmp_path / "run") as viewed:
        assert any("drifts" in line for line in load_report(viewed).drifts)
        print_status(stdout_console(), read_status(viewed))
    assert "stand-in drifts" in capsys.readouterr().out


def test_a_device_that_drifts_is_taken_out_of_service_where_there_are_others(tmp_path: Path) -> None:
    notes, evaluator = Notes(), SeveralDevices(GENOME, slots=4, turns=2, sound=20)
    with opened(tmp_path / "run", _config(gens=20), evaluator, observer=notes) as (search, store):
        asyncio.run(search.run())
        on_it = [one for one in store.outcomes() if one.device == "gpu-0/0"]
    assert evaluator.retired == ["gpu-0/0"]
    assert [one.purpose for one in on_it][-2:] == [Purpose.SENTINEL, Purpose.SENTINEL]
    (said,) = [one for one in notes.said if one.startswith("Out of service")]
    assert said.startswith(
        "Out of service until the run is resumed: gpu-0/0: two sentinels in a row were far off; gpu-0 drifts"
    )
    assert not any("share it" in one for one in notes.said)
    with view(tmp_path / "run") as viewed:
        assert any("two sentinels in a row" in line for line in load_report(viewed).out_of_service)


def test_where_workers_share_a_device_the_warning_says_so(tmp_path: Path) -> None:
    notes = Notes()
    with opened(tmp_path / "run", CONFIG, Crowded(GENOME, slots=2), observer=notes) as (search, _):
        asyncio.run(search.run())
    assert any("; 2 workers share it and may disturb one another" in one for one in notes.said if "drifts" in one)


def test_a_steady_device_is_not_accused(tmp_path: Path) -> None:
    notes = Notes()
    with opened(tmp_path / "run", CONFIG, PacedEvaluator(GENOME, slots=2), observer=notes) as (search, store):
        asyncio.run(search.run())
        assert any(one.purpose is Purpose.SENTINEL for one in store.outcomes())
    assert [one for one in notes.said if "drifts" in one] == []


def test_sentinels_can_be_switched_off(tmp_path: Path) -> None:
    config = configuration(8, 12, noise={"sentinel_every": 0})
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME, slots=2)) as (search, store):
        asyncio.run(search.run())
        assert all(one.purpose is not Purpose.SENTINEL for one in store.outcomes())
