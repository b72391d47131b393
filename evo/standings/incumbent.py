"""The incumbent: the best individual on the selection split that holds on the holdout split, before any confirmation.

The lowest score of hundreds is in part luck with the selection split, or a trick that fits it. So an individual that
scores below the incumbent there is scored on the holdout split too, with the same training, and follows only if it is
no worse there. Selection and survival never look at the holdout split.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Setback:
    """An individual led on the selection split, but did not hold on the holdout split.

    Attributes:
        incumbent: the individual that it would have followed.
        bpb: its own mean on the holdout split, bits per byte, over the seeds that both ran with.
        incumbent_bpb: the incumbent's mean over the same seeds; lower.
    """

    incumbent: int
    bpb: float
    incumbent_bpb: float


class IncumbentTracker:
    """Finds the incumbent from bits per byte on both splits; a function of the sequence of results alone.

    Generation 0 is the first incumbent. The individuals with a holdout score challenge it in the order of their first
    one. When a replicate moves a mean that was compared, all of them challenge again.

    Attributes:
        incumbent: None before generation 0 was scored on both splits.
        setbacks: by individual.
    """

    def __init__(self) -> None:
        self.incumbent: int | None = None
        self.setbacks: dict[int, Setback] = {}
        self._bpb: dict[int, list[float]] = {}
        self._holdout_bpb: dict[int, dict[int, float]] = {}  # by individual, by seed

    def tell(self, individual: int, seed: int, bpb: float, holdout_bpb: float | None) -> None:
        """Take in one OK evaluation.

        Args:
            individual: which was evaluated.
            seed: of its training.
            bpb: bits per byte on the selection split.
            holdout_bpb: on the holdout split, None where that was not scored.
        """
        was_judged = individual in self._holdout_bpb
        self._bpb.setdefault(individual, []).append(bpb)
        if holdout_bpb is not None:
            self._holdout_bpb.setdefault(individual, {})[seed] = holdout_bpb
        if was_judged or individual == 0:
            self._start_over()
        elif individual in self._holdout_bpb:
            self._challenge(individual)

    def _start_over(self) -> None:
        self.incumbent = 0 if 0 in self._holdout_bpb else None
        self.setbacks.clear()
        for individual in self._holdout_bpb:
            self._challenge(individual)

    def _challenge(self, individual: int) -> None:
        incumbent = self.incumbent
        if incumbent is None or fmean(self._bpb[individual]) >= fmean(self._bpb[incumbent]):
            return
        own, other = self._compared(individual, incumbent)
        if own > other:
            self.setbacks[individual] = Setback(incumbent, own, other)
        else:
            self.incumbent = individual

    def _compared(self, individual: int, incumbent: int) -> tuple[float, float]:
        """Return the means of both on the holdout split: over the seeds that they share, or else over all."""
        own, other = self._holdout_bpb[individual], self._holdout_bpb[incumbent]
        shared = sorted(own.keys() & other.keys())
        return fmean(own[seed] for seed in shared or own), fmean(other[seed] for seed in shared or other)
