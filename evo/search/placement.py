"""Which worker may take an evaluation where devices are unequal, and what becomes of its result.

Generation 0 runs on the reference class, and with the same seeds on every other class in use; before that is measured,
nothing else runs there. Leaders and finalists are measured again on the reference, as long as it has a worker; whatever
waits for one lets the others go ahead. What another class measured is put on the scale of the reference when it is
accepted (`evo.standings.device_classes`), so whatever compares results, then or later, compares like with like. On one
class none of this changes anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from evo.search.jobs import COMPARED_SPLITS
from evo.standings.device_classes import DeviceClasses
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose
from evo.workers import Slot
from evo.workers.pool import WorkerPool
from trainer.errors import ConfigError
from trainer.evaluation import Evaluation, Status
from trainer.machine.devices import Device

_ON_REFERENCE = (Purpose.BASELINE, Purpose.REPLICATE, Purpose.CONFIRM)


def choose_reference(devices: Sequence[Device], wanted: str = "") -> str:
    """Return the class that all values of a new run are on the scale of: the most frequent one, of equals the first.

    Args:
        wanted: id of a device, or a part of the name of a class, that the user asks for.

    Raises:
        ConfigError: no worker, or workers of several classes, are of the class that was asked for.
    """
    classes = Counter(device.device_class for device in devices)
    if not wanted:
        return classes.most_common(1)[0][0] if classes else ""
    by_id = {device.device_class for device in devices if device.id and wanted in device.id.split(",")}
    found = by_id or {one for one in classes if one == wanted}
    found = found or {one for one in classes if wanted.casefold() in one.casefold()}
    if len(found) != 1:
        what = "none" if not found else f"{len(found)} of these"
        raise ConfigError(
            f"--reference-device must name one class of the workers' devices, but {wanted!r} names {what}. "
            f"There is: {'; '.join(classes)}."
        )
    return found.pop()


class Placement:
    """Places the evaluations of a search on workers of unequal devices.

    `wanted` is what the user asks for as the reference (`choose_reference`).

    Attributes:
        others: the classes in service beside the reference; none in a run that began before classes were recorded.
    """

    def __init__(self, standings: Standings, pool: WorkerPool, wanted: str = "") -> None:
        self.others: list[str] = []
        self._standings = standings
        self._pool = pool
        self._wanted = wanted
        self._chosen = ""
        self._classes: dict[Slot, str] = {}
        self._has_reference = True  # has a worker that starts
        self._open: set[str | None] = set()  # classes on which generation 0 is under way

    @property
    def _known(self) -> DeviceClasses:
        return self._standings.device_classes

    @property
    def reference(self) -> str:
        """The class that all values are on the scale of: that of the first result of generation 0."""
        return self._known.reference or self._chosen

    @property
    def is_mixed(self) -> bool:
        """Whether a worker in service has another device than the reference."""
        return bool(self.others)

    def look(self, under_way: Iterable[EvaluationRecord]) -> list[EvaluationRequest]:
        """Look at the workers once more; return the evaluations of generation 0 that their classes lack.

        Args:
            under_way: evaluations that are queued or running.
        """
        in_service = dict.fromkeys(self._class_of(slot) for slot in self._pool.in_service)
        if not self._chosen and not self._known.has_begun:
            self._choose()
        is_older = self._known.has_begun and self._known.reference is None
        self.others = [one for one in in_service if not is_older and one != self.reference]
        if not self.others:
            return []
        self._has_reference = any(self._class_of(slot) == self.reference for slot in self._pool.up)
        self._open = set()
        for record in under_way:
            if record.purpose is Purpose.CALIBRATION:
                self._open.add(record.device_class)
            elif record.purpose is Purpose.BASELINE:
                self._open.add(self.reference)
        plan = self._standings.plan
        seeds = [plan.training_seed(index) for index in range(plan.baseline)]
        return [
            EvaluationRequest(seed, COMPARED_SPLITS, Purpose.CALIBRATION, device_class=one)
            for one in self.others
            if one not in self._open and not self._known.calibrations[one]
            for seed in seeds
        ]

    @property
    def unfit(self) -> list[str]:
        """The classes in service on which generation 0 has failed, so that nothing can be compared there."""
        return [
            one
            for one in self.others
            if one not in self._open and self._known.calibrations[one] and not self._known.has_measured(one)
        ]

    def accepts(self, record: EvaluationRecord, slot: Slot) -> bool:
        """Return whether a worker may take an evaluation."""
        if not self.others:
            return True
        own = self._class_of(slot)
        if record.purpose is Purpose.CALIBRATION:
            return own == record.device_class
        if record.purpose in _ON_REFERENCE and self._has_reference:
            return own == self.reference
        return self.is_ready(slot)

    def is_ready(self, slot: Slot) -> bool:
        """Return whether what a worker measures can be put on the scale of the reference."""
        own = self._class_of(slot)
        if not self.others or own == self.reference:
            return True
        waits = own in self._open or (self._has_reference and self.reference in self._open)
        return not waits and self._known.is_calibrated(own)

    def free(self, purpose: Purpose) -> int:
        """Return how many workers that have nothing to do may take an evaluation of a purpose."""
        only_reference = self.others and self._has_reference and purpose in _ON_REFERENCE
        return sum(not only_reference or self._class_of(slot) == self.reference for slot in self._pool.free)

    def comparable(self, record: EvaluationRecord, slot: Slot, result: Evaluation) -> Evaluation:
        """Return a result on the scale of the reference, with what its device measured beside it."""
        own = self._class_of(slot)
        as_measured = result.status is not Status.OK or record.purpose in (Purpose.CALIBRATION, Purpose.SCREEN)
        if as_measured or self._known.is_reference(own):
            return result
        return replace(
            result,
            objectives=self._known.scaled(result.objectives, own),
            split_bpb=self._known.scaled_splits(result.split_bpb, own),
            raw_objectives=result.objectives,
            raw_split_bpb=result.split_bpb,
        )

    def _choose(self) -> None:
        """Choose the reference of a run that has no result yet, among the workers that are there."""
        devices = [slot.device for slot in self._pool.in_service]
        try:
            self._chosen = choose_reference(devices, self._wanted)
        except ConfigError:  # checked when the run began; of a cluster, such a node has left since
            self._chosen = choose_reference(devices)

    def _class_of(self, slot: Slot) -> str:
        if slot not in self._classes:
            self._classes[slot] = slot.device.device_class
        return self._classes[slot]
