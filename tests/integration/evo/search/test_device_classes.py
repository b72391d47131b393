"""A search whose devices are unequal: everything that compares results sees them on the scale of one class."""

from __future__ import annotations

import asyncio
import io
import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from run_inspection import assert_no_error
from searches import GENOME, Notes, configuration, opened
from stand_in_evaluator import SIGMA_BPB

from evo.commands.views.status import print_status
from evo.commands.views.terminal import Console
from evo.config.reading import overlaid
from evo.report.loading import load_report
from evo.report.render import render_report
from evo.runs.lifecycle import view
from evo.runs.replay import replay_run
from evo.runs.status import read_status
from evo.search.placement import choose_reference
from evo.search.stopping import StopReason
from evo.standings.rungs import WHOLE
from evo.store import Purpose, Store
from evo.workers.evaluator import Slot
from operators.mutation.constants import ConstantMutation
from trainer.errors import ConfigError
from trainer.evaluation import Evaluation, Job, Status
from trainer.machine.devices import Device

FAST, SLOW = (Device("cuda", "", name, driver="570.1", power_limit_watts=700.0) for name in ("H200", "A100"))
SHIFT = 25 * SIGMA_BPB


@dataclass
class UnequalEvaluator(PacedEvaluator):
    """Half of the devices are slower: everything comes out worse on them, by a constant and by a factor.

    Attributes:
        devices: of the slots, in turn.
    """

    devices: tuple[Device, ...] = (FAST, SLOW)
    fails_on: str = ""

    @cached_property
    def workers(self) -> tuple[Slot, ...]:
        return tuple(
            Slot(
                f"cuda:{self.devices[number % len(self.devices)].name}-{number}/0",
                self.devices[number % len(self.devices)],
            )
            for number in range(self.slots)
        )

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if slot.device.name == self.fails_on:
            return self._failed(job, Status.OUT_OF_MEMORY, "out of memory")
        result = await super().verdict(slot, job)
        if slot.device is FAST or result.status is not Status.OK:
            return result
        slower = {
            "val_bpb": result.objectives["val_bpb"] + SHIFT,
            "tokens_per_second": result.objectives["tokens_per_second"] / 2,
        }
        split_bpb = {split: bpb + SHIFT for split, bpb in result.split_bpb.items()}
        return replace(result, objectives=result.objectives | slower, split_bpb=split_bpb)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A whole search on two classes; where, and what was said meanwhile."""
    path, notes = tmp_path_factory.mktemp("unequal") / "run", Notes()
    evaluator = UnequalEvaluator(GENOME, 4, turns=3)
    config = overlaid(configuration(pop=8, gens=16), {"operators": {"weights": {"constants": 1.0}}})
    with opened(path, config, evaluator, ConstantMutation(), notes) as (search, _):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
    return path, notes.said


def test_a_result_of_another_class_is_put_on_the_scale_of_the_reference(finished: tuple[Path, list[str]]) -> None:
    with Store.read(finished[0] / "evo.db") as store:
        found = [one for one in store.results() if one.purpose.counts and one.result and one.result.status is Status.OK]
    moved = [one.result for one in found if one.result and one.device_class == SLOW.device_class]
    assert len(moved) > 20
    for result in moved:
        # The same seeds have the same noise here, so the shift is known exactly.
        assert result.raw_objectives["val_bpb"] - result.objectives["val_bpb"] == pytest.approx(SHIFT)
        assert result.objectives["tokens_per_second"] == pytest.approx(2 * result.raw_objectives["tokens_per_second"])
        assert result.objectives["parameters"] == result.raw_objectives["parameters"]
        assert result.raw_split_bpb["S"] - result.split_bpb["S"] == pytest.approx(SHIFT)
    assert not any(one.result.raw_objectives for one in found if one.result and one.device_class == FAST.device_class)


def test_generation_zero_runs_on_every_class_and_what_is_claimed_on_the_reference(
    finished: tuple[Path, list[str]],
) -> None:
    with Store.read(finished[0] / "evo.db") as store:
        ran = Counter((one.purpose, one.device_class) for one in store.outcomes())
        calibrated = [one.result_number for one in store.outcomes() if one.purpose is Purpose.CALIBRATION]
        offspring = [one for one in store.outcomes() if one.purpose is Purpose.SEARCH]
    assert ran[Purpose.BASELINE, FAST.device_class] == ran[Purpose.CALIBRATION, SLOW.device_class] == 3
    on_reference = (Purpose.BASELINE, Purpose.REPLICATE, Purpose.CONFIRM)
    assert {one for purpose, one in ran if purpose in on_reference} == {FAST.device_class}
    assert ran[Purpose.CONFIRM, FAST.device_class] > 0
    slow = [one.result_number for one in offspring if one.device_class == SLOW.device_class]
    assert min(slow) > max(calibrated)
    assert len(slow) > len(offspring) / 3  # while the others confirmed, these did not wait


def test_views_say_which_classes_there_are(finished: tuple[Path, list[str]]) -> None:
    path, said = finished
    assert f"Generation 0 runs on {SLOW.device_class} too: all values are on the scale of {FAST.device_class}." in said
    assert_no_error(path)
    with view(path) as viewed:
        stream = io.StringIO()
        status = read_status(viewed)
        print_status(Console(file=stream, width=200), status)
        report = load_report(viewed)
    reference, other = status.device_classes
    assert (reference.name, reference.is_reference, other.name) == (FAST.device_class, True, SLOW.device_class)
    assert other.shift == pytest.approx(SHIFT)
    assert reference.confirmations > other.confirmations == 0
    assert "H200, driver 570.1, 700 W, the reference" in stream.getvalue()
    assert str(other) in stream.getvalue()
    assert report.device_classes == (str(reference), str(other))
    assert str(other) in render_report(report)


def test_such_a_run_is_replayed(finished: tuple[Path, list[str]]) -> None:
    replay = replay_run(finished[0])
    assert replay.difference is None
    assert replay.individuals > 60


def test_a_difference_between_classes_carries_the_noise_of_their_shift(finished: tuple[Path, list[str]]) -> None:
    with view(finished[0]) as viewed:
        standings = viewed.standings
        ran = {one.individual: one.device_class for one in viewed.store.outcomes() if one.purpose is Purpose.SEARCH}
    single = [one for one, known in standings.measured.items() if one and len(known.evaluations) == 1]
    fast, slow = ([one for one in single if ran[one] == name.device_class] for name in (FAST, SLOW))
    (alike, unlike), sigma = (
        (standings.difference(fast[0], fast[1]), standings.difference(fast[0], slow[0])),
        standings.noise()["val_bpb"],
    )
    assert alike is not None
    assert unlike is not None
    assert alike.standard_error == pytest.approx(sigma * 2**0.5)
    assert unlike.standard_error is not None
    of_slow = standings.device_classes.noise(SLOW.device_class)
    assert of_slow is not None
    assert unlike.standard_error > math.hypot(sigma, of_slow)


def test_a_run_goes_on_where_its_reference_is_gone(tmp_path: Path) -> None:
    notes = Notes()
    with opened(tmp_path / "run", configuration(pop=4, gens=8), UnequalEvaluator(GENOME, 2, devices=(FAST,))) as (
        search,
        _,
    ):
        search.interrupt()
        asyncio.run(search.run())
    config = configuration(pop=4, gens=8)
    with opened(tmp_path / "run", config, UnequalEvaluator(GENOME, 2, devices=(FAST,)), observer=notes) as (search, _):
        notes.finished = lambda *_: search.standings.result_number == 12 and search.interrupt()  # type: ignore[method-assign]
        asyncio.run(search.run())
    with opened(tmp_path / "run", config, UnequalEvaluator(GENOME, 2, devices=(SLOW,))) as (search, store):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        ran = Counter((one.purpose, one.device_class) for one in store.outcomes())
    assert ran[Purpose.CALIBRATION, SLOW.device_class] == 3
    assert ran[Purpose.CONFIRM, SLOW.device_class] > 0
    assert search.standings.generation_zero is not None
    assert_no_error(tmp_path / "run")


def test_a_class_on_which_generation_zero_fails_gets_no_work(tmp_path: Path) -> None:
    notes = Notes()
    evaluator = UnequalEvaluator(GENOME, 4, fails_on="A100")
    with opened(tmp_path / "run", configuration(pop=4, gens=8), evaluator, observer=notes) as (search, store):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        assert {one.purpose for one in store.outcomes() if one.device_class == SLOW.device_class} == {
            Purpose.CALIBRATION
        }
    assert sum("generation 0 failed on A100" in one for one in notes.said) == 2


def test_the_reference_is_the_most_frequent_class_or_the_one_asked_for(tmp_path: Path) -> None:
    devices = (SLOW, FAST, SLOW)
    config = configuration(pop=4, gens=3)
    asked = config.model_copy(update={"workers": config.workers.model_copy(update={"reference_device": "h200"})})
    for number, (one, reference) in enumerate(((config, SLOW), (asked, FAST))):
        with opened(tmp_path / str(number), one, UnequalEvaluator(GENOME, 3, devices=devices)) as (search, _):
            asyncio.run(search.run())
            assert search.standings.device_classes.reference == reference.device_class
    with pytest.raises(ConfigError, match=r"'B300' names none\. There is: A100, driver 570\.1, 700 W; H200"):
        choose_reference(devices, "B300")


def test_rungs_compare_results_of_one_class_only(tmp_path: Path) -> None:
    evaluator = UnequalEvaluator(GENOME, 4, turns=2)
    config = configuration(pop=8, gens=16, fidelity={"rungs": [0.25, 1.0], "calibrate": 8, "promote": 0.5})
    with opened(tmp_path / "run", config, evaluator, ConstantMutation()) as (search, store):
        assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
        promoted = Counter(
            one.device_class
            for one in store.outcomes()
            if one.purpose is Purpose.SCREEN and _went_on(store, one.individual)
        )
    # Compared as raw numbers, hardly one of the slower class would go on.
    assert promoted[SLOW.device_class] > promoted[FAST.device_class] / 2


def _went_on(store: Store, individual: int) -> bool:
    return any(one.budget_fraction == WHOLE for one in store.outcomes_of(individual))
