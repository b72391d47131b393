"""Where a run stands: live or not, what runs now, what failed and why, how long it will take."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from evo.config.config import Config
from evo.config.task import ExternalTask
from evo.runs.folder import Driver
from evo.runs.lifecycle import Viewed
from evo.runs.provenance import Start, read_starts
from evo.search.credit import read_arms
from evo.standings.device_classes import ClassState
from evo.standings.exploration import Phase
from evo.standings.sentinels import Drift
from evo.standings.summary import Summary, summarize
from evo.steering.inbox import Inbox
from evo.steering.journal import Course, SteeringJournal
from evo.store import MEASURED_AGAIN, Purpose, StoreView, published
from evo.workers.pool import Retirement, retirements
from trainer.evaluation import Status


class State(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    """It ended after saving, short of its budget."""
    KILLED = "killed"
    """Its driver is gone and did not record why."""


@dataclass(frozen=True, slots=True)
class Running:
    """One evaluation that is under way; `seconds` since its launch."""

    evaluation: int
    individual: int
    purpose: Purpose
    device: str
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Failures:
    """Evaluations that ended in one way other than OK; `reasons` counts why, the most frequent first."""

    status: Status
    count: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The state of a run beyond its summary.

    Attributes:
        driver: the process that drives it now; None unless it is running.
        reason: why it stopped; empty unless it did.
        generation: completed ones, of `generations`.
        running: evaluations under way; empty unless the run is live.
        arms: what an adaptive choice has learnt of each operator, by name; empty without one.
        explorations: when the search had stalled and explored, oldest first; the last one may still be under way.
        device_classes: what is known of each class of devices, the reference first; empty where there is one.
        drifts: devices whose newest sentinel differs beyond the noise.
        out_of_service: workers that the last start's driver gave no more work; those of before are tried again.
        queued: evaluations that wait for a worker.
        proposing: proposals that are begun and not yet closed.
        refused: proposals that became nothing, by kind.
        smoke_runs: how many ended in which way; empty without smoke runs.
        measured_again: proposals that became another evaluation of what exists.
        steering: what holds of what users asked.
        asked: requests that wait for a driver, in words.
        claim: what self-reported objectives rest on, one sentence; empty where none is.
        starts: of its drivers, oldest first, with the versions of programs and the devices that each found.
        seconds_left: wall seconds that the rest of the budget takes at the pace so far; None before the first result.
    """

    path: str
    state: State
    driver: Driver | None
    reason: str
    generation: int
    generations: int
    running: tuple[Running, ...]
    arms: Mapping[str, Mapping[str, float]]
    explorations: tuple[Phase, ...]
    device_classes: tuple[ClassState, ...]
    drifts: tuple[Drift, ...]
    out_of_service: tuple[Retirement, ...]
    queued: int
    proposing: int
    failures: tuple[Failures, ...]
    refused: Mapping[str, int]
    smoke_runs: Mapping[Status, int]
    measured_again: int
    steering: Course
    asked: tuple[str, ...]
    claim: str
    starts: tuple[Start, ...]
    seconds_left: float | None
    summary: Summary

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        data: dict[str, Any] = asdict(self, dict_factory=published)
        return data | {"steering": self.steering.to_json()}


def read_status(viewed: Viewed) -> RunStatus:
    """Return where an opened run stands."""
    store, config = viewed.store, viewed.config
    summary = summarize(config, store, viewed.standings)
    driver = viewed.folder.driver()
    starts = read_starts(store)
    retired = tuple(one for one in retirements(store) if not starts or one.event > starts[-1].event)
    state, reason = state_of(viewed, driver)
    journal = SteeringJournal(store)
    kinds = refusals(store)
    measured_again = kinds.pop(MEASURED_AGAIN, 0)
    return RunStatus(
        path=str(viewed.folder.path),
        state=state,
        driver=driver,
        reason=reason,
        generation=config.search.gens if summary.is_complete else int(summary.spent // config.search.pop),
        generations=config.search.gens,
        running=_running(store) if driver else (),
        arms=read_arms(store),
        explorations=tuple(viewed.standings.exploration.phases),
        device_classes=tuple(viewed.standings.class_states()),
        drifts=tuple(viewed.standings.sentinels.drifts),
        out_of_service=retired,
        queued=len(store.queued()),
        proposing=len(store.open_proposals()),
        failures=_failures(store),
        refused=kinds,
        smoke_runs=store.smoke_counts(),
        measured_again=measured_again,
        steering=journal.course,
        asked=tuple(str(one) for one in Inbox(viewed.folder.steering).waiting() if not journal.knows(one)),
        claim=config.claim,
        starts=starts,
        seconds_left=_seconds_left(summary, max(1, (config.workers.count or len(store.running())) - len(retired))),
        summary=summary,
    )


def state_now(state: str, *, is_driven: bool) -> str:
    """Return the state of an evaluation or of a launch of one: what ran when its driver died is interrupted."""
    return "interrupted" if state == "running" and not is_driven else state


def refusals(store: StoreView) -> dict[str, int]:
    """Return how many proposals became no individual, by kind."""
    return dict(Counter(proposal.kind for proposal in store.proposals() if proposal.kind))


def state_of(viewed: Viewed, driver: Driver | None) -> tuple[State, str]:
    """Return the state of a run, and why it does not continue; without a driver, a spent budget means finished."""
    if driver:
        return State.RUNNING, ""
    if viewed.standings.budget_is_spent:
        return State.FINISHED, "the budget is spent"
    _, last_activity = viewed.store.period() or (0.0, 0.0)
    stops = list(viewed.store.events("stopped"))
    if stops and stops[-1].at >= last_activity:
        return State.STOPPED, str(stops[-1].payload["reason"])
    path = "" if isinstance(viewed.config.task, ExternalTask) else f" {shlex.quote(str(viewed.folder.path))}"
    return State.KILLED, f"its driver is gone; `{resumed_by(viewed.config)}{path}` continues it"


def resumed_by(config: Config) -> str:
    """Return what continues a run: a command, or a call in the program of the user's that evaluates its candidates."""
    return "evo.Search.resume" if isinstance(config.task, ExternalTask) else "evo resume"


def _running(store: StoreView) -> tuple[Running, ...]:
    now = time.time()
    return tuple(
        Running(
            evaluation=record.id,
            individual=record.individual,
            purpose=record.purpose,
            device=record.device or "",
            attempt=record.attempt,
            seconds=max(0.0, now - (record.launched_at or now)),
        )
        for record in store.running()
    )


def _failures(store: StoreView) -> tuple[Failures, ...]:
    reasons: dict[Status, Counter[str]] = {}
    for outcome in store.outcomes():
        if outcome.status is not Status.OK:
            result = store.evaluation(outcome.evaluation).result
            reasons.setdefault(outcome.status, Counter())[result.reason if result else ""] += 1
    return tuple(
        Failures(status, counts.total(), dict(counts.most_common())) for status, counts in sorted(reasons.items())
    )


def _seconds_left(summary: Summary, workers: int) -> float | None:
    if not summary.result_number:
        return None
    return summary.work.worker_seconds / summary.spent * (summary.budget - summary.spent) / workers
