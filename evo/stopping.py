"""Rules by which a search ends before its budget is spent: a time, a target, or no progress. All leave it resumable."""

from __future__ import annotations

from dataclasses import dataclass

from evo.config import SearchConfig
from evo.endings import Ending, Stopped
from evo.plan import Plan
from evo.standings import Standings

_SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class StoppingRules:
    """What ends the search proper; the finalists are confirmed after it all the same.

    Attributes:
        max_seconds: wall time of all drivers of the run together, the confirmation included; None for no limit.
        target: of the first objective's mean; None for none.
        patience: results without another best individual; 0 for no limit.
    """

    max_seconds: float | None = None
    target: float | None = None
    patience: int = 0

    @classmethod
    def of(cls, config: SearchConfig) -> StoppingRules:
        """Return the rules of a configuration."""
        seconds = None if config.max_hours is None else config.max_hours * _SECONDS_AN_HOUR
        return cls(seconds, config.target, config.patience)

    def verdict(self, plan: Plan, standings: Standings, driven_seconds: float, result_seconds: float) -> Stopped | None:
        """Return why the search proper should end now, None while it should not.

        Args:
            plan: of the run.
            standings: what is known.
            driven_seconds: wall seconds that the run was driven so far.
            result_seconds: wall seconds from one result to the next, lately.
        """
        reserved = plan.confirmations * result_seconds
        if self.max_seconds is not None and driven_seconds + reserved >= self.max_seconds:
            hours = self.max_seconds / _SECONDS_AN_HOUR
            return Stopped(Ending.TIME_LIMIT, f"the limit of {hours:g} h leaves time for the confirmation only")
        best = standings.best()
        if best is None:
            return None
        (objective, *_), value = standings.objectives, best.fitness.values[0]
        if self.target is not None and objective.weight * (value - self.target) >= 0 and best.fitness.feasible:
            return Stopped(Ending.TARGET, f"{objective.name} {value:.6g} reaches the target of {self.target:g}")
        if self.patience and standings.told - standings.led_since >= self.patience:
            return Stopped(Ending.STAGNATION, f"{self.patience} results brought no better individual than {best.id}")
        return None
