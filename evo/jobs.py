"""What a worker is asked for an evaluation: what to train and to score, and when to end it early."""

from __future__ import annotations

from dataclasses import replace

from evo.confirmation import gated_job
from evo.standings import Standings
from evo.store import EvaluationRecord, Purpose, StoreView
from trainer.evaluation import Job


class Jobs:
    """Makes the jobs of a run from what its store holds.

    Args:
        store: of the run.
        standings: what is known.
        min_throughput: share of its slowest parent's training throughput below which an offspring is ended early; 0 for
            never. The throughput is in tokens, which nobody knows of a script: there the wall limit is all.
    """

    def __init__(self, store: StoreView, standings: Standings, min_throughput: float = 0.0) -> None:
        self._store = store
        self._standings = standings
        self._min_throughput = min_throughput

    def of(self, record: EvaluationRecord) -> Job:
        """Return the job of an evaluation."""
        job = gated_job(record, self._store.source(record.individual), self._standings)
        job = replace(job, share=record.share)
        if record.purpose in (Purpose.SCREEN, Purpose.SEARCH) and self._min_throughput:
            job = replace(job, floor_tokens_per_second=self._floor(record.individual))
        return job

    def _floor(self, individual: int) -> float:
        """Return the slowest training that is let go on, tokens per second; 0.0 where no parent was measured."""
        parents = self._store.individual(individual).parents
        measured = [self._store.train_tokens_per_second(parent) for parent in parents]
        return self._min_throughput * min((one for one in measured if one is not None), default=0.0)
