"""The job of a worker for an evaluation: what to train and to score, and when to end it early."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from evo.search.time_limits import TimeLimits
from evo.standings.plan import CONFIRMED_OBJECTIVE
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, Purpose, StoreView
from trainer.evaluation import Job, Split

_GAP_SHARE = 0.1
"""Of generation 0's score: by how much more than its own an honest individual's two scores never differ."""

COMPARED_SPLITS = (Split.SELECTION, Split.HOLDOUT)
"""Of every evaluation that is compared with another one beyond selection."""


class Jobs:
    """Makes the jobs of a run from what its store holds.

    Args:
        min_throughput: fraction of its slowest parent's training throughput, or of generation 0's where that is less,
            below which an offspring is ended early; 0 for never. The throughput is in tokens, which a script does
            not count.
        limits: of a script's time; None where this process does not evaluate one.
    """

    def __init__(
        self,
        store: StoreView,
        standings: Standings,
        min_throughput: float = 0.0,
        limits: TimeLimits | None = None,
    ) -> None:
        self._store = store
        self._standings = standings
        self._min_throughput = min_throughput
        self._limits = limits

    def may_start(self, record: EvaluationRecord) -> bool:
        """Return whether an evaluation may start now.

        Offspring wait for the first result of generation 0 where that alone says how long they may run.
        """
        waits = self._limits is not None and self._limits.are_measured and self._standings.generation_zero is None
        return record.individual == 0 or not waits

    def of(self, record: EvaluationRecord, device_class: str | None = None) -> Job:
        """Return the job of an evaluation on a class of devices; None for that of the run's reference."""
        job = holdout_job(record, self._store.source(record.individual), self._standings, device_class)
        is_reference = record.purpose in (Purpose.BASELINE, Purpose.CALIBRATION)
        job = replace(job, budget_fraction=record.budget_fraction, is_reference=is_reference)
        if record.individual:
            job = replace(job, widest_gap=self._widest_gap())
        if self._limits is not None and record.individual and (longest := self._store.longest_seconds(0)):
            job = self._limits.bounded(job, *longest)
        if record.purpose in (Purpose.SCREEN, Purpose.SEARCH) and self._min_throughput:
            job = replace(job, floor_tokens_per_second=self._floor(record.individual, device_class))
        return job

    def smoke(self, source: str, seed: int, losses: int = 0) -> Job:
        """Return the job of a smoke run, which may take as long as the command of an evaluation."""
        job = Job(source, seed, losses=losses, is_smoke=True)
        if self._limits is not None and (longest := self._store.longest_seconds(0)):
            job = replace(job, wall_seconds=self._limits.bounded(job, *longest).wall_seconds)
        return job

    def _widest_gap(self) -> float | None:
        """Return how much worse on the holdout split an individual may be; None where generation 0 tells nothing.

        What learned the selection split by a leak is much better on that one, and must not become a parent.
        """
        means = self._store.split_means(0)
        if means is None:
            return None
        selection, holdout = means
        return holdout - selection + _GAP_SHARE * selection

    def _floor(self, individual: int, device_class: str | None) -> float:
        """Return the slowest training that is let go on, tokens per second; 0.0 where too little is known for one.

        Tokens are counted by the genomes. A parent that counts too many must not end its honest children, so the floor
        is never above that of generation 0, which the user wrote. Where devices are unequal, generation 0 says how much
        faster each class is.
        """
        parents = self._store.individual(individual).parents
        if self._standings.device_classes.is_mixed:
            return self._min_throughput * self._slowest(parents, device_class)
        rates = [self._store.train_tokens_per_second(one) for one in parents]
        known = [rate for rate in rates if rate is not None]
        generation_zero = self._store.train_tokens_per_second(0)
        return self._min_throughput * min(*known, generation_zero) if known and generation_zero is not None else 0.0

    def _slowest(self, parents: tuple[int, ...], device_class: str | None) -> float:
        """Return the speed of the slowest of generation 0 and the parents as a class of devices would have it."""
        zero = self._store.tokens_per_second_by_class(0)
        ratios = [
            rate / zero[name]
            for parent in parents
            for name, rate in self._store.tokens_per_second_by_class(parent).items()
            if zero.get(name)
        ]
        return min(*ratios, 1.0) * zero.get(device_class, 0.0) if ratios else 0.0


def holdout_job(record: EvaluationRecord, source: str, standings: Standings, device_class: str | None = None) -> Job:
    """Return the job of an evaluation: an offspring that leads is scored on the holdout split as well."""
    job = Job(source, record.seed, record.splits)
    if record.purpose is not Purpose.SEARCH or not standings.plan.has_holdout:
        return job
    if standings.incumbent is None:
        return replace(job, splits=COMPARED_SPLITS)
    leading = standings.incumbent.means()[CONFIRMED_OBJECTIVE]
    below = standings.device_classes.on_class(CONFIRMED_OBJECTIVE, leading, device_class)
    return replace(job, holdout_below=below)


def in_order(queue: Iterable[EvaluationRecord]) -> deque[EvaluationRecord]:
    """Return evaluations in the order in which they are launched: replicates go first."""
    return deque(sorted(queue, key=lambda record: record.purpose is not Purpose.REPLICATE))
