"""What happens in a run, as typed events for callbacks of the user's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evo.search.observer import Observer
from evo.search.stopping import Stopped as SearchEnd
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, IndividualRecord, Outcome, Purpose
from trainer.errors import UsageError
from trainer.evaluation import Status

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Anything that a callback receives; the run's store holds it already.

    Attributes:
        stop: ends the run after saving, as Ctrl-C does; it can be resumed.
    """

    stop: Callable[[], None] = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Proposed(Event):
    """A new individual, which waits for its first evaluation."""

    individual: int
    parents: tuple[int, ...]
    operator: str
    idea: str


@dataclass(frozen=True, kw_only=True)
class Refused(Event):
    """A proposal that gave nothing to evaluate.

    Attributes:
        kind: such as `duplicate`, `no_offspring`, or a rule of the gate.
        reason: one sentence.
    """

    proposal: int
    operator: str
    kind: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A worker began an evaluation."""

    evaluation: int
    individual: int
    seed: int
    purpose: Purpose
    worker: str


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """An evaluation came to a result.

    Attributes:
        result_number: place in the order of results, from 1.
        objectives: measured values by name; empty unless `status` is OK.
        reason: one sentence; empty when OK.
    """

    result_number: int
    evaluation: int
    individual: int
    seed: int
    purpose: Purpose
    status: Status
    objectives: Mapping[str, float]
    reason: str


@dataclass(frozen=True, kw_only=True)
class NewBest(Event):
    """Another individual is the best so far.

    Attributes:
        objectives: its means by name.
        before: the individual that was the best until now; None for the first.
    """

    individual: int
    objectives: Mapping[str, float]
    before: int | None


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The run has ended.

    Attributes:
        kind: one of `evo.search.stopping.StopReason`, such as `complete` or `interrupted`.
        reason: one sentence.
    """

    kind: str
    reason: str


Callback = Callable[[Event], None]


class CallbackObserver(Observer):
    """Hands what a search reports to callbacks, and to the log what is no event.

    An exception in a callback is logged and ends nothing.

    Args:
        callbacks: called in this order, in the thread that drives the search.
        stop: ends the run.

    Raises:
        UsageError: `callbacks` is no sequence of functions.
    """

    def __init__(self, callbacks: Sequence[Callback], stop: Callable[[], None]) -> None:
        if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
            raise UsageError(
                f"`callbacks` must be a sequence of functions that take an event, but it was {callbacks!r}."
            )
        self._callbacks = callbacks
        self._stop = stop
        self._best: int | None = None

    def proposed(self, individual: int, parents: tuple[int, ...], operator: str, idea: str) -> None:
        """Report a new individual."""
        self._emit(Proposed(individual=individual, parents=parents, operator=operator, idea=idea, stop=self._stop))

    def refused(self, proposal: int, operator: str, kind: str, reason: str) -> None:
        """Report a proposal that gave nothing to evaluate."""
        self._emit(Refused(proposal=proposal, operator=operator, kind=kind, reason=reason, stop=self._stop))

    def started(self, evaluation: EvaluationRecord, worker: str, running: int) -> None:  # noqa: ARG002
        """Report that a worker began an evaluation."""
        self._emit(
            Started(
                evaluation=evaluation.id,
                individual=evaluation.individual,
                seed=evaluation.seed,
                purpose=evaluation.purpose,
                worker=worker,
                stop=self._stop,
            )
        )

    def finished(self, individual: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Report a result, and the best individual where it is another one now."""
        self._emit(
            Finished(
                result_number=outcome.result_number,
                evaluation=outcome.evaluation,
                individual=individual.id,
                seed=outcome.seed,
                purpose=outcome.purpose,
                status=outcome.status,
                objectives=outcome.objectives,
                reason=reason,
                stop=self._stop,
            )
        )
        best = standings.best()
        if best is not None and best.id != self._best:
            before, self._best = self._best, best.id
            self._emit(NewBest(individual=best.id, objectives=best.means(), before=before, stop=self._stop))

    def note(self, message: str) -> None:
        """Log a remark."""
        _log.info(message)

    def ended(self, end: SearchEnd) -> None:
        """Report how the run ended."""
        self._emit(Stopped(kind=end.stop_reason, reason=end.reason, stop=self._stop))

    def _emit(self, event: Event) -> None:
        for callback in self._callbacks:
            try:
                callback(event)
            except Exception:  # noqa: BLE001 - code of the user's must not end a run of hours
                name = getattr(callback, "__qualname__", repr(callback))
                _log.exception("The callback %s failed on a %s event; the run goes on.", name, type(event).__name__)
