"""How a search can end, and the rules that end it before its budget is spent: a time, a cost, a target, no progress.

All leave it resumable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evo.config.config import Config
from evo.standings.plan import Plan
from evo.standings.standings import Standings
from evo.standings.usage import SECONDS_AN_HOUR, Prices, Usage
from evo.store import EvaluationRecord, StoreView
from trainer.errors import GenomeError, counted


class StopReason(StrEnum):
    """Why a search stopped."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    NO_OFFSPRING = "no_offspring"
    OPERATOR_UNAVAILABLE = "operator_unavailable"
    COST_LIMIT = "cost_limit"
    TIME_LIMIT = "time_limit"
    GPU_LIMIT = "gpu_limit"
    USD_LIMIT = "usd_limit"
    TARGET = "target"
    STAGNATION = "stagnation"
    FAILED = "failed"
    """An error ended it."""

    @property
    def is_by_rule(self) -> bool:
        """Whether the run ended as its user wanted: by its budget or by another rule of stopping."""
        return self in _BY_RULE


_BY_RULE = frozenset(
    (
        StopReason.COMPLETE,
        StopReason.TIME_LIMIT,
        StopReason.GPU_LIMIT,
        StopReason.USD_LIMIT,
        StopReason.TARGET,
        StopReason.STAGNATION,
    )
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a search ended; `reason` says it in a sentence."""

    stop_reason: StopReason
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        driven_seconds: wall seconds that it was driven so far.
        result_seconds: wall seconds from one result to the next, lately; as if each had the whole budget.
        under_way: evaluations that are queued, running or being proposed.
    """

    driven_seconds: float
    result_seconds: float
    under_way: int


@dataclass(frozen=True, slots=True)
class StoppingRules:
    """What ends the search proper; the finalists are confirmed after it all the same.

    Attributes:
        max_seconds: wall time of all drivers of the run together, the confirmation included; None for no limit.
        max_gpu_seconds: of all devices together, the confirmation included; None for no limit.
        max_usd: what these are worth and what language models cost, likewise.
        prices: by which both are counted.
        target: of the first objective's mean; None for none.
        patience: results without another best individual, or a new one on the front of several objectives; 0 for no
            limit.
    """

    max_seconds: float | None = None
    max_gpu_seconds: float | None = None
    max_usd: float | None = None
    prices: Prices = field(default_factory=Prices)
    target: float | None = None
    patience: int = 0

    @classmethod
    def of(cls, config: Config) -> StoppingRules:
        """Return the rules of a configuration."""
        search = config.search
        return cls(
            max_seconds=None if search.max_hours is None else search.max_hours * SECONDS_AN_HOUR,
            max_gpu_seconds=None if search.max_gpu_hours is None else search.max_gpu_hours * SECONDS_AN_HOUR,
            max_usd=search.max_usd,
            prices=Prices.of(config),
            target=search.target,
            patience=search.patience,
        )

    def verdict(self, plan: Plan, standings: Standings, store: StoreView, progress: Progress) -> Stopped | None:
        """Return why the search proper should end now, None while it should not."""
        reserved = plan.confirmations * progress.result_seconds
        if self.max_seconds is not None and progress.driven_seconds + reserved >= self.max_seconds:
            hours = self.max_seconds / SECONDS_AN_HOUR
            return Stopped(StopReason.TIME_LIMIT, f"the limit of {hours:g} h leaves time for the confirmation only")
        return self._expensive(plan, standings, store, progress) or self._content(standings)

    def _expensive(self, plan: Plan, standings: Standings, store: StoreView, progress: Progress) -> Stopped | None:
        """Return the limit that what is under way and the confirmation would reach."""
        if self.max_gpu_seconds is None and self.max_usd is None:
            return None
        used = Usage.of(store, self.prices)
        # Taken to end well, which takes longest.
        coming_seconds = (progress.under_way + plan.confirmations) * store.success_seconds()
        gpu_seconds = used.gpu_seconds + self.prices.gpu_seconds(coming_seconds)
        if self.max_gpu_seconds is not None and gpu_seconds >= self.max_gpu_seconds:
            hours = self.max_gpu_seconds / SECONDS_AN_HOUR
            return Stopped(StopReason.GPU_LIMIT, f"{hours:.3g} GPU-hours leave room for the confirmation only")
        llm_usd = used.llm_usd * (1 + progress.under_way / max(1, standings.result_number))
        usd = llm_usd + used.worker_usd + self.prices.worker_usd(coming_seconds)
        if self.max_usd is not None and usd >= self.max_usd:
            return Stopped(StopReason.USD_LIMIT, f"${self.max_usd:.2f} leave room for the confirmation only")
        return None

    def _content(self, standings: Standings) -> Stopped | None:
        """Return what has been reached, or that nothing more is."""
        best = standings.best()
        if best is None:
            return None
        (objective, *_), value = standings.objectives, best.fitness.values[0]
        if self.target is not None and objective.weight * (value - self.target) >= 0 and best.fitness.feasible:
            return Stopped(StopReason.TARGET, f"{objective.name} {value:.6g} reaches the target of {self.target:g}")
        if self.patience and standings.result_number - standings.led_since >= self.patience:
            what = "nothing new to the front" if standings.plan.several else f"no better individual than {best.id}"
            return Stopped(StopReason.STAGNATION, f"{counted(self.patience, 'result')} brought {what}")
        return None


_QUOTED_CHARACTERS = 2000


def failed_generation_zero(evaluations: Sequence[EvaluationRecord]) -> GenomeError:
    """Return the error that ends a run none of whose evaluations of generation 0 ended OK; one at least is done."""
    last = [record.result for record in evaluations if record.result is not None][-1]
    said = f" Its last output:\n{last.log_tail[-_QUOTED_CHARACTERS:]}" if last.log_tail.strip() else ""
    return GenomeError(
        f"Generation 0 must train and be scored before anything can evolve, but it ended {last.status}: "
        f"{last.reason.rstrip('.')}.{said}"
    )
