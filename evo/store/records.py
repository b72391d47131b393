"""The records that the store returns, one for each kind of row. All times are seconds since 1970, UTC."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainer.evaluation import Evaluation, Split, Status


class ProposalState(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    """The operator is at work, or was when the search died."""
    ADMITTED = "admitted"
    REFUSED = "refused"


MEASURED_AGAIN = "measured_again"
"""The kind of a proposal that led to another evaluation of an existing individual."""
UNAVAILABLE = "unavailable"
"""The kind of a proposal whose operator could not reach its service, while others stood in."""


ABANDONED_CALL = "abandoned_call"
"""The kind of the event that says what a call cost that was cancelled or given up."""

LESSONS_ASKED = "lessons_asked"
LESSONS_ANSWERED = "lessons_answered"
"""The kinds of the events that journal the calls for lessons: a request, and a reply with what it cost."""

REPAIR = "repair"
"""The kind of the event that says that a proposal is to mend an individual that crashed."""

STOOD_IN = "stood_in"
"""The kind of the event that says that another language model was asked than the one that was drawn."""


class EvaluationState(StrEnum):
    """Where an evaluation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class Purpose(StrEnum):
    """Why an evaluation was requested."""

    BASELINE = "baseline"
    """A replicate of generation 0, at the beginning."""
    CALIBRATION = "calibration"
    """Generation 0 on another class of devices than the reference (`evo.standings.device_classes`); in no mean."""
    SCREEN = "screen"
    """An offspring on a fraction of the budget (`evo.standings.rungs`); in no mean."""
    SEARCH = "search"
    REPLICATE = "replicate"
    """Another seed for a leader, or on request of an operator (`evo.search.replication`)."""
    SENTINEL = "sentinel"
    """Generation 0 again, to detect a drift of its device (`evo.standings.sentinels`); in no mean."""
    CONFIRM = "confirm"
    """A finalist on a split that selection never saw."""

    @property
    def counts(self) -> bool:
        """Whether such a result enters the means of an individual."""
        return self not in (Purpose.CALIBRATION, Purpose.SCREEN, Purpose.SENTINEL)


@dataclass(frozen=True, slots=True)
class SmokeRun:
    """What came of a smoke run.

    Attributes:
        reason: why it failed; empty where it did not.
        output: the end of what the program printed.
        seconds: of the worker; 0 where the program had failed for another proposal before.
    """

    status: Status
    reason: str
    output: str
    device: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """One attempt to make offspring.

    Attributes:
        result_number: how many results the population had seen when the proposal began.
        newest_evaluation: the newest one queued by then, from which follows which individuals existed; None in a store
            of a version that did not record it.
        kind: why it was refused, in one word; None unless refused.
        idea: the idea of the individual it became; None unless admitted.
    """

    number: int
    operator: str
    parents: tuple[int, ...]
    result_number: int
    state: ProposalState
    kind: str | None
    reason: str | None
    idea: str | None
    created_at: float
    closed_at: float | None
    newest_evaluation: int | None


@dataclass(frozen=True, slots=True)
class IndividualRecord:
    """One individual without its source; `id` is the number of the proposal it came from."""

    id: int
    operator: str
    parents: tuple[int, ...]
    idea: str
    genome_sha256: str
    created_at: float


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What a new evaluation should be.

    Attributes:
        budget_fraction: of the training budget.
        device_class: that a calibration is of; None for all others.
    """

    seed: int
    splits: tuple[Split, ...]
    purpose: Purpose
    budget_fraction: float = 1.0
    device_class: str | None = None


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """One evaluation with its complete result.

    Attributes:
        attempt: number of the newest attempt; 0 before the first.
        result_number: place in the order of acceptance, from 1; None until done.
        device: of the newest attempt.
        budget_fraction: of the training budget.
        device_class: of the device of the newest attempt, or that a calibration is of; None where a version has written
            it that did not record classes.
    """

    id: int
    individual: int
    seed: int
    splits: tuple[Split, ...]
    purpose: Purpose
    budget_fraction: float
    state: EvaluationState
    attempt: int
    device: str | None
    result_number: int | None
    created_at: float
    launched_at: float | None
    finished_at: float | None
    result: Evaluation | None
    device_class: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The small part of a done evaluation: all that ranking needs, cheap to read in bulk.

    Attributes:
        budget_fraction: of the training budget, and so of what an evaluation costs.
        worker_seconds: wall seconds of the worker.
        device_class: see `EvaluationRecord`.
    """

    evaluation: int
    individual: int
    result_number: int
    purpose: Purpose
    seed: int
    attempt: int
    device: str
    status: Status
    objectives: Mapping[str, float]
    split_bpb: Mapping[str, float]
    finished_at: float
    budget_fraction: float = 1.0
    worker_seconds: float = 0.0
    device_class: str | None = None


def mean_objectives(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the mean of each objective over outcomes that ended OK, as far as they count; empty without any.

    An optional objective that an outcome lacks is averaged over the others.
    """
    outcomes = [outcome for outcome in outcomes if outcome.purpose.counts]
    values: dict[str, list[float]] = {}
    for outcome in reversed(outcomes):
        for name, value in outcome.objectives.items():
            values.setdefault(name, []).append(value)
    return {name: sum(reversed(numbers)) / len(numbers) for name, numbers in values.items()}


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One launch of an evaluation; `state` is running, accepted or released."""

    evaluation: int
    number: int
    device: str
    state: str
    reason: str | None
    launched_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class SlotUse:
    """One launch of an evaluation in a slot, with what it was for.

    Attributes:
        device: the slot's name.
        device_class: of its device; None where its result was not accepted, or in old stores.
        state: running, accepted or released.
        status: how the evaluation ended; None while it has not.
        train_wall_seconds: how long it trained; None unless its result was accepted.
    """

    device: str
    device_class: str | None
    individual: int
    purpose: Purpose
    state: str
    status: str | None
    launched_at: float
    ended_at: float | None
    train_wall_seconds: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that no other table holds."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class Spending:
    """Totals over the calls of language models.

    Attributes:
        calls: answered calls.
        abandoned_calls: cancelled or given up; tokens and cost count what they are likely to have taken.
        unanswered_calls: requests that were sent, or about to be, whose reply was never journaled.
        unpriced_calls: calls whose cost is unknown, abandoned ones too; `cost_usd` leaves them out.
        estimated_calls: answered calls whose tokens the server did not count; what is told of them, and their cost, was
            worked out from the length of texts.
        latency_seconds: sum over the answered calls.
    """

    calls: int = 0
    abandoned_calls: int = 0
    unanswered_calls: int = 0
    unpriced_calls: int = 0
    estimated_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0
    latency_seconds: float = 0.0

    @property
    def known_usd(self) -> float | None:
        """What all of them cost; None where a price is unknown."""
        return None if self.unpriced_calls else self.cost_usd

    def with_abandoned(self, call: Mapping[str, Any]) -> Spending:
        """Return these totals with what a call cost that brought no reply."""
        names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")
        totals = {name: getattr(self, name) + (call[name] or 0) for name in names}
        unpriced_calls = self.unpriced_calls + (call["cost_usd"] is None)
        abandoned_calls = self.abandoned_calls + 1
        return dataclasses.replace(self, abandoned_calls=abandoned_calls, unpriced_calls=unpriced_calls, **totals)

    def with_answered(self, call: Mapping[str, Any]) -> Spending:
        """Return these totals with an answered call that belongs to no proposal."""
        return dataclasses.replace(
            self.with_abandoned(call),
            calls=self.calls + 1,
            abandoned_calls=self.abandoned_calls,
            latency_seconds=self.latency_seconds + call["latency_seconds"],
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """One thing that a run has used: a result, a lost or abandoned attempt, or a call of a language model.

    Attributes:
        worker_seconds: wall seconds of a worker.
        cost_usd: None for a call of unknown price.
    """

    at: float
    worker_seconds: float
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class OperatorTotals:
    """How many proposals one operator began, and what its language model cost.

    Attributes:
        proposals: begun, whatever became of them.
        unpriced_calls: answered calls whose cost is unknown; `cost_usd` leaves them out.
    """

    operator: str
    proposals: int
    unpriced_calls: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Work:
    """Totals over the evaluations.

    Attributes:
        attempts: launches, those that were lost or abandoned included.
        by_status: done evaluations by how they ended.
        train_seconds: on the budget's clock, over the done evaluations.
        worker_seconds: wall seconds of workers, over the done evaluations.
    """

    attempts: int = 0
    by_status: Mapping[Status, int] = field(default_factory=dict)
    train_seconds: float = 0.0
    worker_seconds: float = 0.0


def published(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return fields under the keys that `--json` prints, which stay when fields are renamed.

    A `dict_factory` for `dataclasses.asdict`.
    """
    return {_PUBLISHED_KEYS.get(name, name): value for name, value in fields}


_PUBLISHED_KEYS = {
    "budget_fraction": "share",
    "result_number": "told",
    "incumbent": "champion",
    "incumbent_bpb": "champion_bpb",
}
