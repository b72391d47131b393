"""What carries a gain: every edit of a change made alone, and left out, beside both whole programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from evo.standings.paired_noise import PairedNoise
from evo.studies.batch import Trial
from evo.studies.comparison import PairedGain, Sample, gain_over, noise_between
from evo.studies.edits import Change, Edit
from evo.studies.measurement_cache import MeasurementCache
from trainer.errors import ConfigError, counted
from trainer.objectives import Constraint, Objective

MOST_EVALUATIONS = 40
"""Of an ablation, unless more are asked for."""

_CARRIES_SHARE = 0.5


class EditEffect(StrEnum):
    """What one edit does for the gain."""

    CARRIES = "carries the gain"
    """Half of it or more."""
    CONTRIBUTES = "contributes"
    NEUTRAL = "no effect beyond noise"
    HARMFUL = "harmful"
    FAILS_ALONE = "fails alone"
    """And leaving it out changes nothing beyond noise."""
    NEEDED = "the rest fails without it"
    """And alone it changes nothing beyond noise."""
    OPEN = "cannot be told with these seeds"
    """The noise is unknown."""
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Part:
    """One edit with what it does.

    Attributes:
        alone: gain of generation 0 with this edit over generation 0.
        left_out: gain of the individual over the individual without this edit.
        remarks: how the seeds of its two programs ended that did not end OK, else the constraints that these break.
        reasons: why the first of the failures failed.
    """

    edit: Edit
    alone: PairedGain
    left_out: PairedGain
    remarks: tuple[str, str]
    reasons: tuple[str, str]
    verdict: EditEffect


@dataclass(frozen=True, slots=True)
class Ablation:
    """What was found out about a change.

    Attributes:
        base: mean of generation 0, None where it was not measured.
        whole: gain of the individual over generation 0.
        paired_noise: of one paired difference, from all programs.
    """

    objective: Objective
    base: float | None
    individual: float | None
    whole: PairedGain
    parts: tuple[Part, ...]
    paired_noise: PairedNoise
    seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form; hunks are left out, texts are in the genomes."""
        edits = [
            {
                "edit": part.edit.title,
                "added": part.edit.added,
                "removed": part.edit.removed,
                "gain_alone": asdict(part.alone),
                "loss_left_out": asdict(part.left_out),
                "remark_alone": part.remarks[0],
                "remark_left_out": part.remarks[1],
                "reason_alone": part.reasons[0],
                "reason_left_out": part.reasons[1],
                "verdict": part.verdict.value,
            }
            for part in self.parts
        ]
        return {
            "objective": self.objective.name,
            "unit": self.objective.unit,
            "self_reported": self.objective.self_reported,
            "generation_zero": self.base,
            "individual": self.individual,
            "gain": asdict(self.whole),
            "seeds": list(self.seeds),
            "edits": edits,
        }


def planned(change: Change, evaluations: int | None, seeds: int) -> Change:
    """Return the change as coarse as the budget demands: `evaluations`, or up to `MOST_EVALUATIONS` without one.

    Raises:
        ConfigError: not even both whole programs fit.
    """
    budget = MOST_EVALUATIONS if evaluations is None else evaluations
    if budget < 2 * seeds:
        raise ConfigError(
            f"An ablation compares two programs at least, with {counted(seeds, 'seed')} each: "
            f"{2 * seeds} evaluations, but --evaluations is {budget}. Give more of them, or fewer --seeds."
        )
    return change.grouped(budget // seeds)


def trials(change: Change, seeds: Sequence[int]) -> list[Trial]:
    """Return the evaluations that an ablation needs; one seed after the other, so that pairs are measured together."""
    labels = {change.before: "generation 0", change.after: "the individual"}
    for number, edit in enumerate(change.edits, start=1):
        labels.setdefault(change.alone(edit), f"edit {number} alone")
        labels.setdefault(change.without(edit), f"without edit {number}")
    return [Trial(labels[program], program, seed) for seed, program in product(seeds, change.programs)]


def ablation(
    change: Change,
    cache: MeasurementCache,
    seeds: Sequence[int],
    objective: Objective,
    bounds: Sequence[Constraint] = (),
    *,
    is_deterministic: bool = False,
) -> Ablation:
    """Return what the measurements so far say about a change; `bounds` are the task's constraints."""
    samples = {program: Sample.of(cache, program, seeds) for program in change.programs}
    zero, whole = samples[change.before], samples[change.after]
    others = [one for one in samples.values() if one is not zero]
    paired_noise = noise_between(zero, others, objective, is_exact=is_deterministic)
    gain = gain_over(whole, zero, objective, paired_noise)

    def part(edit: Edit) -> Part:
        alone, without = samples[change.alone(edit)], samples[change.without(edit)]
        own, loss = gain_over(alone, zero, objective, paired_noise), gain_over(whole, without, objective, paired_noise)
        remarks = alone.failures or alone.broken(bounds), without.failures or without.broken(bounds)
        verdict = _verdict(alone, without, own, loss, gain)
        return Part(edit, own, loss, remarks, (alone.reason, without.reason), verdict)

    return Ablation(
        objective=objective,
        base=zero.mean(objective),
        individual=whole.mean(objective),
        whole=gain,
        parts=tuple(map(part, change.edits)),
        paired_noise=paired_noise,
        seeds=tuple(seeds),
    )


def _verdict(alone: Sample, without: Sample, gain: PairedGain, loss: PairedGain, whole: PairedGain) -> EditEffect:
    """Return what an edit does: what is lost without it counts first, for that is its part in the individual."""
    for effect in (loss, gain):
        if effect.is_real:
            share = max(one.mean or 0.0 for one in (loss, gain) if one.is_real)
            carries = whole.is_real and whole.mean is not None and share >= _CARRIES_SHARE * whole.mean
            return EditEffect.CARRIES if carries else EditEffect.CONTRIBUTES
        if effect.is_loss:
            return EditEffect.HARMFUL
    if alone.has_failed:
        return EditEffect.FAILS_ALONE
    if without.has_failed:
        return EditEffect.NEEDED
    if gain.mean is None or loss.mean is None:
        return EditEffect.UNKNOWN
    return EditEffect.OPEN if gain.margin is None or loss.margin is None else EditEffect.NEUTRAL
