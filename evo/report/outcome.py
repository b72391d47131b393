"""The outcome of a run in one honest sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evo.report.data import Gain, RunReport
from evo.report.text import quantity


class Tone(StrEnum):
    """How an outcome may be read, for its colour on the page."""

    GOOD = "good"
    OPEN = "open"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A headline and how far one may believe it."""

    headline: str
    verdict: str
    tone: Tone


def outcome_of(report: RunReport) -> Outcome:
    """Return what the run found: the best, its gain with its noise, and whether it was confirmed."""
    gain = report.best_gain()
    if report.best is None:
        return Outcome("Nothing was scored", "No evaluation ended OK, so there is no best individual.", Tone.NONE)
    best = report.by_id[report.best].means[report.objective.name]
    value = f"{report.objective.name} {quantity(best)}"
    if report.best == 0:
        return Outcome(f"Generation 0 is still the best: {value}", "No offspring was better.", Tone.NONE)
    if gain is None:
        return Outcome(f"Individual {report.best}: {value}", "Generation 0 was not scored.", Tone.OPEN)
    return Outcome(f"Individual {report.best}: {value}, {describe(gain)} than generation 0", *_verdict(report, gain))


def describe(gain: Gain) -> str:
    """Return a gain in words: `0.0412 ± 0.0011 (2.1%) better`."""
    error = "" if gain.standard_error is None else f" ± {quantity(gain.standard_error)}"
    share = "" if gain.fraction is None else f" ({abs(gain.fraction):.1%})"
    return f"{quantity(abs(gain.value))}{error}{share} {'better' if gain.value >= 0 else 'worse'}"


def _verdict(report: RunReport, gain: Gain) -> tuple[str, Tone]:
    confirmed = report.confirmed_gain()
    if report.confirmation is not None and confirmed is not None:
        where = f"on split {report.confirmation.split}, which selection never saw, it is {describe(confirmed)}"
        if confirmed.beyond_noise is None:
            return f"Measured again: {where}; too few replicates to tell it from noise.", Tone.OPEN
        if confirmed.beyond_noise:
            return f"Confirmed: {where}.", Tone.GOOD
        return f"Not confirmed: {where}, which is within the noise.", Tone.OPEN
    if gain.beyond_noise is None:
        return "Not confirmed, and the noise was not measured.", Tone.OPEN
    if gain.beyond_noise:
        return "Beyond the noise where selection looked; not confirmed on data that selection never saw.", Tone.OPEN
    return "Within the noise: a tie with generation 0.", Tone.OPEN
