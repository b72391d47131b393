"""Who counts as the best before anything is confirmed: who leads on the selection split and holds on the gate split.

The lowest score of hundreds is in part luck with the selection split, or a trick that fits it. So whoever comes out
below the champion there is scored on the gate split too, with the same training, and follows only if it is no worse
there. Selection and survival never look at the gate split.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Setback:
    """An individual led on the selection split, but did not hold on the gate split.

    Attributes:
        champion: the individual that it would have followed.
        bpb: its own mean on the gate split, bits per byte, over the seeds that both ran with.
        champion_bpb: the champion's mean over the same seeds; lower.
    """

    incumbent: int
    bpb: float
    incumbent_bpb: float


class IncumbentTracker:
    """Finds the champion from bits per byte on both splits; a function of the sequence of results alone.

    Generation 0 is the first champion. The individuals that have a gate score challenge it in the order in which they
    got their first one. When a replicate moves what somebody was judged by, all of it is decided anew.

    Attributes:
        champion: None before generation 0 was scored on both splits.
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
            individual: whose it is.
            seed: of its training.
            bpb: bits per byte on the selection split.
            holdout_bpb: on the gate split, None where that was not scored.
        """
        was_judged = individual in self._holdout_bpb
        self._bpb.setdefault(individual, []).append(bpb)
        if holdout_bpb is not None:
            self._holdout_bpb.setdefault(individual, {})[seed] = holdout_bpb
        if was_judged or individual == 0:
            self._begin_anew()
        elif individual in self._holdout_bpb:
            self._challenge(individual)

    def _begin_anew(self) -> None:
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
        """Return the means of both on the gate split: over the seeds that they share, over all if they share none."""
        own, other = self._holdout_bpb[individual], self._holdout_bpb[incumbent]
        shared = sorted(own.keys() & other.keys())
        return fmean(own[seed] for seed in shared or own), fmean(other[seed] for seed in shared or other)
