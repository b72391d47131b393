"""Whether gains transfer: individuals beside generation 0 at larger settings, all with the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from evo.runs.lifecycle import Viewed
from evo.standings.paired_noise import PairedNoise
from evo.store import IndividualRecord, Outcome
from evo.studies.batch import Trial
from evo.studies.comparison import PairedGain, Sample, gain_over, noise_between, noise_of_replicates
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.studies.scale import Scale
from trainer.objectives import Constraint, Objective

_SHARE_LEFT = 0.5


class Transfer(StrEnum):
    """What became of a gain at larger settings."""

    TRANSFERS = "transfers"
    DOES_NOT = "does not transfer"
    """It is worse there, or at most half of the gain is left."""
    OPEN = "cannot be told with these seeds"
    FAILS = "fails at these settings"
    BREAKS = "breaks a constraint at these settings"
    SAME = "is generation 0 at these settings"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Contender:
    """An individual with its genome at the scale, and its gain in the run.

    Attributes:
        in_run: over the seeds that it and generation 0 ran with there; None where nothing can be compared.
        share_in_run: that gain as a share of generation 0's value; None likewise.
        confirmed: whether the gain was measured again on data and seeds that the search never saw.
    """

    individual: int
    idea: str
    program: str
    in_run: PairedGain | None
    share_in_run: float | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Promoted:
    """What became of one individual.

    Attributes:
        value: its mean at the scale, None where no seed ended OK.
        gain: over generation 0 at the scale.
        remark: how its seeds ended that did not end OK, else the constraints that it breaks.
        reason: why the first of the failures failed.
    """

    contender: Contender
    value: float | None
    gain: PairedGain
    remark: str
    reason: str
    verdict: Transfer


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was found out at a scale.

    Attributes:
        base: mean of generation 0 at the scale, None where no seed ended OK.
        base_remark: how its other seeds ended, else the constraints that it breaks.
        paired_noise: of one paired difference at the scale.
    """

    objective: Objective
    scale: Scale
    base: float | None
    base_remark: str
    base_reason: str
    promoted: tuple[Promoted, ...]
    paired_noise: PairedNoise
    seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "objective": self.objective.name,
            "unit": self.objective.unit,
            "self_reported": self.objective.self_reported,
            "scale": self.scale.to_json(),
            "generation_zero": self.base,
            "remark_generation_zero": self.base_remark,
            "seeds": list(self.seeds),
            "individuals": [
                {
                    "id": one.contender.individual,
                    "idea": one.contender.idea,
                    "value": one.value,
                    "gain": asdict(one.gain),
                    "gain_in_run": asdict(one.contender.in_run) if one.contender.in_run else None,
                    "confirmed_in_run": one.contender.confirmed,
                    "remark": one.remark,
                    "reason": one.reason,
                    "verdict": one.verdict.value,
                }
                for one in self.promoted
            ],
        }


def trials(zero: str, contenders: Sequence[Contender], seeds: Sequence[int]) -> list[Trial]:
    """Return the evaluations that a promotion needs; one seed after the other, so that pairs are measured together."""
    labels = {zero: "generation 0"} | {one.program: f"#{one.individual}" for one in contenders if one.program != zero}
    return [Trial(label, program, seed) for seed, (program, label) in product(seeds, labels.items())]


def promotion(
    zero: str,
    contenders: Sequence[Contender],
    scale: Scale,
    cache: MeasurementCache,
    seeds: Sequence[int],
    objective: Objective,
    bounds: Sequence[Constraint] = (),
    *,
    is_deterministic: bool = False,
) -> Promotion:
    """Return what the measurements so far say; `bounds` are the task's constraints."""
    base = Sample.of(cache, zero, seeds)
    samples = [Sample.of(cache, one.program, seeds) for one in contenders]
    distinct = {one.program: sample for one, sample in zip(contenders, samples, strict=True) if one.program != zero}
    paired_noise = noise_between(base, distinct.values(), objective, is_exact=is_deterministic)
    mean = base.mean(objective)

    def promoted(one: Contender, sample: Sample) -> Promoted:
        gain, broken = gain_over(sample, base, objective, paired_noise), sample.broken(bounds)
        verdict = Transfer.BREAKS if broken else _verdict(one, sample, gain, mean)
        if one.program == zero:
            verdict = Transfer.SAME
        return Promoted(one, sample.mean(objective), gain, sample.failures or broken, sample.reason, verdict)

    return Promotion(
        objective=objective,
        scale=scale,
        base=mean,
        base_remark=base.failures or base.broken(bounds),
        base_reason=base.reason,
        promoted=tuple(map(promoted, contenders, samples)),
        paired_noise=paired_noise,
        seeds=tuple(seeds),
    )


def contender(record: IndividualRecord, program: str, viewed: Viewed, objective: Objective) -> Contender:
    """Return an individual as it enters a promotion, with its gain in the run: the confirmed one if there is one."""
    if objective.name == viewed.config.search.objectives[0]:
        for one in viewed.standings.confirmations.gains():
            if one.individual == record.id:
                gain = PairedGain(one.value, one.noise, one.margin, one.seeds)
                share = one.value / abs(one.generation_zero) if one.generation_zero else None
                return Contender(record.id, record.idea, program, gain, share, confirmed=True)
    own, zero = (_sample_in_run(viewed.store.outcomes_of(one)) for one in (record.id, 0))
    base = zero.mean(objective)
    is_deterministic = viewed.config.task.is_deterministic
    noise = PairedNoise.none() if is_deterministic else noise_of_replicates(zero, objective)
    found = gain_over(own, zero, objective, noise)
    share = found.mean / abs(base) if found.mean is not None and base else None
    in_run = found if found.mean is not None else None
    return Contender(record.id, record.idea, program, in_run, share, confirmed=False)


def _sample_in_run(outcomes: Sequence[Outcome]) -> Sample:
    return Sample({one.seed: Measurement(one.status, one.objectives) for one in outcomes})


def _verdict(one: Contender, sample: Sample, gain: PairedGain, base: float | None) -> Transfer:
    if sample.has_failed:
        return Transfer.FAILS
    if gain.mean is None or base is None:
        return Transfer.UNKNOWN
    if gain.is_real:
        return Transfer.TRANSFERS
    if gain.is_loss or _little_is_left(one, gain, base):
        return Transfer.DOES_NOT
    return Transfer.OPEN


def _little_is_left(one: Contender, gain: PairedGain, base: float) -> bool:
    """Return whether even the most that noise allows is less than half of the gain in the run, in shares of the base.

    Values at another scale are other values: a share of them says more than a difference.
    """
    if gain.mean is None or gain.margin is None or one.share_in_run is None or not base:
        return False
    return one.share_in_run > 0 and (gain.mean + gain.margin) / abs(base) < _SHARE_LEFT * one.share_in_run
