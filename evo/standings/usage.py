"""What a run has used of its workers and of money: everything, whatever came of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from evo.config.config import Config
from evo.store import StoreView

SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What a second of a worker counts for.

    Attributes:
        devices: that one evaluation takes; a worker on the CPU counts as one.
        dollars_per_hour: of one device.
    """

    devices: int = 1
    dollars_per_hour: float = 0.0

    @classmethod
    def of(cls, config: Config) -> Prices:
        """Return the prices of a configuration's run."""
        gpus = config.script.gpus if config.script else None
        return cls(max(1, gpus or 1), config.operators.dollars_per_hour)

    def gpu_seconds(self, worker_seconds: float) -> float:
        """Return the seconds of all devices together in so many seconds of workers."""
        return self.devices * worker_seconds

    def worker_usd(self, worker_seconds: float) -> float:
        """Return what so many seconds of workers are worth."""
        return self.gpu_seconds(worker_seconds) / SECONDS_AN_HOUR * self.dollars_per_hour


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run has used so far.

    Attributes:
        gpu_seconds: of all devices together: results of every kind, lost and abandoned evaluations.
        llm_usd: for language models; calls of unknown price count nothing.
        worker_usd: what the devices' seconds are worth.
    """

    gpu_seconds: float = 0.0
    llm_usd: float = 0.0
    worker_usd: float = 0.0

    @classmethod
    def of(cls, store: StoreView, prices: Prices) -> Usage:
        """Return what a run has used; it reads every small row."""
        seconds = store.occupied_seconds()
        return cls(prices.gpu_seconds(seconds), store.spending().cost_usd, prices.worker_usd(seconds))

    @property
    def usd(self) -> float:
        """Money and what the time is worth."""
        return self.llm_usd + self.worker_usd


def course(store: StoreView, prices: Prices) -> Iterator[tuple[float, float]]:
    """Yield what had been used when each result came, in the order of acceptance: GPU-seconds and dollars.

    Dollars are NaN from the first call of unknown price on.
    """
    payments = iter(store.payments())
    pending = next(payments, None)
    seconds = llm_usd = 0.0
    for outcome in store.outcomes():
        while pending is not None and pending.at <= outcome.finished_at:
            seconds += pending.worker_seconds
            llm_usd += math.nan if pending.cost_usd is None else pending.cost_usd
            pending = next(payments, None)
        yield prices.gpu_seconds(seconds), llm_usd + prices.worker_usd(seconds)
