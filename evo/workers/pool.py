"""Which workers are free, and which are taken out of service because they lose whatever they are given.

A candidate may end its worker, a worker may lose sound candidates, and a machine may fail as a whole. To tell them
apart, an evaluation that was lost goes to another worker, and only what others do meanwhile speaks against a worker.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from evo.store import Store, StoreView
from evo.workers import Slot
from trainer.errors import MachineError

MOST_LOSSES_IN_A_ROW = 3
"""A worker that has lost so much without a verdict of its own, while others came to one, is out of service."""

_EVENT = "out_of_service"
_JOINED = "worker_joined"
_LEFT = "worker_left"


@dataclass(frozen=True, slots=True)
class Retirement:
    """A worker that was taken out of service.

    Attributes:
        event: number of the event that records it.
        losses: how many evaluations it lost in a row.
        reason: of the last loss.
    """

    event: int
    worker: str
    losses: int
    reason: str

    def __str__(self) -> str:
        """Return what happened, for a person."""
        if not self.losses:
            return f"{self.worker}: {self.reason.rstrip('.')}"
        return f"{self.worker} lost {self.losses} evaluations in a row while others worked: {self.reason.rstrip('.')}"


@dataclass(eq=False, slots=True)
class _Record:
    """What speaks against a worker.

    Attributes:
        lost: evaluations that it lost since its last verdict, in order.
        reason: of the last of these.
        answers_before: verdicts of all workers until the first of these.
        is_down: whether it did not start the last time, and no worker has come to a verdict since.
        has_left: whether it is there no more; its last evaluation is still to be taken in.
    """

    slot: Slot
    lost: list[int] = field(default_factory=list)
    reason: str = ""
    answers_before: int = 0
    is_down: bool = False
    has_left: bool = False


class WorkerPool:
    """The workers of a search."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._in_service = {slot: _Record(slot) for slot in slots}
        self._free = deque(slots)
        self._lost_by: defaultdict[int, set[Slot]] = defaultdict(set)
        self._lost_evaluations = LostEvaluations()
        self._answers = 0

    @property
    def size(self) -> int:
        """How many workers are in service."""
        return sum(not record.has_left for record in self._in_service.values())

    @property
    def in_service(self) -> list[Slot]:
        """The workers that are given work."""
        return [slot for slot, record in self._in_service.items() if not record.has_left]

    @property
    def up(self) -> list[Slot]:
        """Those of them that did start the last time."""
        return [slot for slot in self.in_service if not self._in_service[slot].is_down]

    def reserve(self, evaluation: int, accepts: Callable[[Slot], bool] = lambda _: True) -> Slot | None:
        """Take a free worker that accepts it for an evaluation; None when it has to wait for one.

        It goes to none that lost it before or that did not start, as long as there are others.
        """
        if not self._free:
            return None
        able = [slot for slot in self._in_service if accepts(slot)]
        up = [slot for slot in able if not self._in_service[slot].is_down] or able
        lost_by = self._lost_by.get(evaluation, set())
        fit = [slot for slot in up if slot not in lost_by] or up
        chosen = next((slot for slot in self._free if slot in fit), None)
        if chosen is not None:
            self._free.remove(chosen)
        return chosen

    @property
    def free(self) -> list[Slot]:
        """The workers that have nothing to do."""
        return [slot for slot in self._free if not self._in_service[slot].is_down]

    def take(self, slot: Slot) -> None:
        """Take a free worker for an evaluation that is meant for it."""
        self._free.remove(slot)

    def release(self, slot: Slot) -> None:
        """Take back a worker that was reserved."""
        self._free.append(slot)

    def update(self, slots: Sequence[Slot], store: Store) -> None:
        """Take in which workers there are now, where they join and leave, and record that."""
        new = [slot for slot in slots if slot not in self._in_service]
        for slot in new:
            self._in_service[slot] = _Record(slot)
            store.record_event(_JOINED, {"worker": slot.name, "device": slot.device.device_class})
        self._free.extend(new)
        for slot, record in [*self._in_service.items()]:
            if slot not in slots and not record.has_left:
                record.has_left = True
                store.record_event(_LEFT, {"worker": slot.name})
            self._drop_departed(slot)

    def _drop_departed(self, slot: Slot) -> None:
        """Forget a worker that has left, once nothing of it is to be taken in any more."""
        if self._in_service[slot].has_left and slot in self._free:
            self._free.remove(slot)
            del self._in_service[slot]

    def answered(self, slot: Slot, evaluation: int) -> None:
        """Take in that a worker came to a verdict, whatever that is."""
        self._lost_evaluations.evaluated(evaluation)
        self._answers += 1
        self._in_service[slot].lost.clear()
        self._lost_by.pop(evaluation, None)
        for record in self._in_service.values():
            record.is_down = False
        self._drop_departed(slot)

    def lost(self, slot: Slot, evaluation: int, reason: str, *, any_measured: bool) -> Loss:
        """Take in that a worker lost an evaluation, and return what that means.

        Args:
            reason: why, as far as it is known.
            any_measured: whether anything was ever measured; before that no candidate is to blame.

        What is lost with a worker that has left is held against nothing.
        """
        if self._in_service[slot].has_left:
            self._drop_departed(slot)
            return Loss.RUN_AGAIN
        self._hold_against(slot, evaluation, reason)
        loss = self._lost_evaluations.lost(evaluation, any_measured=any_measured)
        if loss is Loss.GIVE_UP:  # its candidate may be what ends its workers
            self._acquit(evaluation)
        return loss

    def times_lost(self, evaluation: int) -> int:
        """Return how often an evaluation was lost under this driver since it last came to a verdict."""
        return self._lost_evaluations.times(evaluation)

    def did_not_start(self, slot: Slot, evaluation: int, reason: str) -> bool:
        """Take in that a worker could not start for an evaluation; return whether none can any more."""
        self._hold_against(slot, evaluation, reason)
        self._in_service[slot].is_down = True
        return all(record.is_down for record in self._in_service.values())

    def _hold_against(self, slot: Slot, evaluation: int, reason: str) -> None:
        record = self._in_service[slot]
        if not record.lost:
            record.answers_before = self._answers
        record.lost.append(evaluation)
        record.reason = reason
        self._lost_by[evaluation].add(slot)

    def _acquit(self, evaluation: int) -> None:
        """Clear the workers' failure counts for an evaluation."""
        self._lost_by.pop(evaluation, None)
        for record in self._in_service.values():
            record.lost = [lost for lost in record.lost if lost != evaluation]

    def retire_unfit(self, store: Store) -> list[tuple[Slot, Retirement]]:
        """Take the workers out of service that lose everything while others work; their losses are forgiven."""
        unfit = [
            record
            for record in self._in_service.values()
            if len(record.lost) >= MOST_LOSSES_IN_A_ROW
            and record.answers_before < self._answers  # so the worker of the last verdict stays
            and record.slot in self._free
        ]
        retired = []
        for record in unfit:
            retired.append((record.slot, self.retire(record.slot, store, record.reason, len(record.lost))))
            self._lost_evaluations.forgive(record.lost)
        return retired

    def retire(self, slot: Slot, store: Store, reason: str, losses: int = 0) -> Retirement:
        """Take a free worker out of service."""
        del self._in_service[slot]
        self._free.remove(slot)
        store.record_event(_EVENT, {"worker": slot.name, "losses": losses, "reason": reason})
        return retirements(store)[-1]


def joined_and_left(store: StoreView, after: int) -> tuple[dict[str, str], set[str]]:
    """Return which workers have joined a run after an event, with their classes of devices, and which of them left."""
    joined = {event.payload["worker"]: event.payload["device"] for event in store.events(_JOINED) if event.id > after}
    return joined, {event.payload["worker"] for event in store.events(_LEFT) if event.id > after}


def retirements(store: StoreView) -> tuple[Retirement, ...]:
    """Return all workers that were ever taken out of service, oldest first; each is tried again when a run resumes."""
    return tuple(Retirement(event.id, **event.payload) for event in store.events(_EVENT))


MOST_LOSSES = 3
"""An evaluation that one driver has lost so often is given up: its candidate may be what ends its workers."""

MOST_GIVEN_UP = 3
"""So many evaluations given up with no other result in between are the fault of the machine, not of the candidates."""


class Loss(Enum):
    """What a lost evaluation means."""

    RUN_AGAIN = auto()
    GIVE_UP = auto()
    MACHINE_FAILS = auto()


class LostEvaluations:
    """Tells a candidate that ends its workers from a machine that evaluates nothing.

    Only losses under the driver of today count: an evaluation that was under way when earlier ones were killed is no
    more suspect for that.
    """

    def __init__(self) -> None:
        self._losses: Counter[int] = Counter()
        self._given_up_in_a_row = 0

    def times(self, evaluation: int) -> int:
        """Return how often an evaluation was lost."""
        return self._losses[evaluation]

    def evaluated(self, evaluation: int) -> None:
        """Take in that an evaluation came to a verdict."""
        self._given_up_in_a_row = 0
        del self._losses[evaluation]

    def forgive(self, evaluations: Iterable[int]) -> None:
        """Take back one loss of each: a worker that is out of service now was to blame."""
        self._losses.subtract(evaluations)
        self._losses = +self._losses

    def lost(self, evaluation: int, *, any_measured: bool) -> Loss:
        """Take in that an evaluation was lost.

        Args:
            any_measured: whether the run has ever measured anything; before that no candidate is to blame.
        """
        self._losses[evaluation] += 1
        if self._losses[evaluation] < MOST_LOSSES:
            return Loss.RUN_AGAIN
        self._given_up_in_a_row += 1
        if any_measured and self._given_up_in_a_row < MOST_GIVEN_UP:
            return Loss.GIVE_UP
        return Loss.MACHINE_FAILS


def machine_failure(reason: str, then: str = "continue with `evo resume`") -> MachineError:
    """Return the error that ends what loses its evaluations; `reason` is the last loss's, `then` says how to go on."""
    return MachineError(
        f"Evaluations are lost {MOST_LOSSES} times in a row; the last reason: {reason.rstrip('.')}. "
        f"Check the device and the memory, then {then}."
    )
