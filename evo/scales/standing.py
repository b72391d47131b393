"""What is known of a ladder, from its folder alone: what stands at each scale, and what each has brought."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from evo.config.resolved import StoredConfig
from evo.errors import RunFolderError
from evo.runs.lifecycle import view
from evo.scales.correlation import Agreement
from evo.scales.folder import LadderFolder, LadderOutcome, Round
from evo.standings.gains import Gain
from evo.standings.plan import Confirmed
from evo.standings.summary import Summary, summarize
from evo.standings.usage import Prices
from evo.store import StoreView
from trainer.errors import counted
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True)
class ScaleState:
    """What stands at one scale.

    Attributes:
        run: its folder; None before it began.
        evaluations: of its run.
        seconds: of all devices together, of its searches and of the comparisons that followed them.
        generation_zero: mean of the first objective; None before it was measured.
        best: id of its best individual; 0 where that is generation 0, None before anything was measured.
        value: mean of the best.
        gain: confirmed; None where it is not.
        unconfirmed_gain: over generation 0 where selection looked; None where there is none.
        next: how far its ranks agree with those of the next scale; None at the largest.
        failed: individuals that were measured at the next scale and failed there.
        raised: by how much it raised the best known gain at the largest scale.
    """

    name: str
    run: Path | None
    evaluations: float
    seconds: float
    generation_zero: float | None
    best: int | None
    value: float | None
    gain: Gain | None
    unconfirmed_gain: float | None
    next: Agreement | None
    failed: int
    raised: float


@dataclass(frozen=True, slots=True)
class LadderState:
    """What is known of a ladder.

    Attributes:
        rounds: complete ones.
        objective: None before any run began.
        confirmed: how gains are.
        scales: from small to large.
        outcome: the gain at the largest scale; None before the end.
    """

    name: str
    folder: Path
    total_seconds: float
    rounds: int
    objective: Objective | None
    confirmed: Confirmed
    scales: tuple[ScaleState, ...]
    outcome: LadderOutcome | None

    @property
    def largest(self) -> ScaleState:
        """What the ladder is about."""
        return self.scales[-1]

    @property
    def seconds(self) -> float:
        """What all scales have taken."""
        return sum(one.seconds for one in self.scales)

    @property
    def headline(self) -> str:
        """The gain at the largest scale, in a sentence."""
        outcome, objective = self.outcome, self.objective
        if outcome is None or objective is None:
            return self._so_far()
        at = f"At {self.largest.name}, the largest scale,"
        if not outcome.individual:
            return f"{at} nothing better than generation 0 was found."
        best, gain = f"{at} #{outcome.individual}", outcome.gain
        if gain.mean is None:
            return f"{best} failed with the seeds that measure its gain at the end."
        value, low, high = objective.interval(gain.mean, gain.margin or 0.0, signed=True)
        told = f"{value} {objective.unit}".rstrip()
        said = f"{best} gains {told} over generation 0 in {objective.label}"
        if outcome.is_exact:
            return f"{said}, exact, since every run gives the same."
        text = "on held-out text, " if self.confirmed is Confirmed.ON_TEXT else ""
        where = f"{text}with {counted(gain.seeds, 'fresh seed')}"
        if gain.margin is None:
            return f"{said} {where}; the noise is unknown, since every seed gives the same run."
        verdict = "beyond noise" if gain.is_real else "within noise"
        return f"{said}, {where} (95% interval {low} to {high}): {verdict}."

    def _so_far(self) -> str:
        largest = self.largest
        if not largest.best:
            return f"Nothing better than generation 0 is known at {largest.name}, the largest scale, yet."
        at = f"At {largest.name}, the largest scale,"
        return f"{at} #{largest.best} is the best so far; its gain is measured at the end."

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "objective": None if self.objective is None else self.objective.name,
            "headline": self.headline,
            "outcome": None if self.outcome is None else asdict(self.outcome),
            "rounds": self.rounds,
            "total_seconds": self.total_seconds,
            "seconds": self.seconds,
            "scales": [asdict(one) | {"run": None if one.run is None else str(one.run)} for one in self.scales],
        }


def read_ladder_state(path: Path) -> LadderState:
    """Return what is known of the ladder in a folder: live, killed or finished.

    Raises:
        RunFolderError: there is no ladder.
    """
    folder = LadderFolder(path)
    begun = folder.begun
    if begun is None or "ladder" not in begun:
        raise RunFolderError(f"A ladder was expected in {path}, but it holds none. `evo ladder` makes one.")
    rounds, names = folder.rounds(), [one["name"] for one in begun["ladder"]["scale"]]
    agreed = [*agreements(names, rounds), None]
    scales, summaries = [], []
    for number, (name, agreement) in enumerate(zip(names, agreed, strict=True)):
        run, summary = folder.run(number, name), None
        with suppress(RunFolderError), view(run.path) as viewed:
            summary = summarize(viewed.config, viewed.store, viewed.standings)
        summaries.append(summary)
        scales.append(_scale(name, run.path, summary, rounds, agreement))
    known = next((one for one in reversed(summaries) if one is not None), None)
    return LadderState(
        begun["ladder"]["name"],
        path,
        begun["ladder"]["total_seconds"],
        sum(len(one.steps) == len(names) for one in rounds),
        None if known is None else known.objective,
        Confirmed.WITH_SEEDS if known is None else known.confirmed,
        tuple(scales),
        folder.outcome,
    )


def agreements(names: Sequence[str], rounds: Sequence[Round]) -> list[Agreement]:
    """Return how far the ranks of each scale agree with those of the next one, over all rounds."""
    found = []
    for name in names[:-1]:
        compared = [one.compared[name] for one in rounds if name in one.compared]
        found.append(Agreement.of([pair for each in compared for pair in each.values.values()]))
    return found


def transfers(agreed: Sequence[Agreement]) -> list[float]:
    """Return for each scale how far its ranks agree with those of the largest: along the scales between them."""
    products = accumulate((one.transfer for one in reversed(agreed)), lambda one, other: one * other, initial=1.0)
    return [*products][::-1]


def run_seconds(store: StoreView, config: StoredConfig, evaluation_seconds: float | None) -> float:
    """Return the seconds of all devices together that a run has taken, or that its evaluations count for."""
    if evaluation_seconds is not None:
        return evaluation_seconds * store.spent()
    return Prices.of(config).gpu_seconds(store.occupied_seconds())


def _scale(
    name: str, run: Path, summary: Summary | None, rounds: Sequence[Round], agreement: Agreement | None
) -> ScaleState:
    steps = [one.steps[name] for one in rounds if name in one.steps]
    compared = [one.compared[name] for one in rounds if name in one.compared]
    best = summary.best if summary else None
    zero = summary.generation_zero if summary else None
    objective = summary.objective.name if summary else ""
    return ScaleState(
        name=name,
        run=None if summary is None else run,
        evaluations=0.0 if summary is None else summary.spent,
        seconds=sum(one.seconds for one in steps),
        generation_zero=None if zero is None else zero.objectives.get(objective),
        best=None if best is None else best.id,
        value=None if best is None else best.objectives.get(objective),
        gain=None if summary is None else summary.gain,
        unconfirmed_gain=None if summary is None else summary.unconfirmed_gain,
        next=agreement,
        failed=sum(len(one.failed) for one in compared),
        raised=sum(one.raised for one in steps),
    )
