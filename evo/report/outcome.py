"""The outcome of a run in one honest sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evo.report.data import Confirmation, Gain, RunReport
from evo.text import quantity


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
    best = f"{report.objective.label} {quantity(report.by_id[report.best].means[report.objective.name])}"
    if report.best == 0:
        return Outcome(f"Generation 0 is still the best: {best}", _verdict_on_the_others(report), Tone.NONE)
    if gain is None:
        return Outcome(f"Individual {report.best}: {best}", "Generation 0 was not scored.", Tone.OPEN)
    if report.confirmation is not None:
        return _confirmed_outcome(report, report.best, report.confirmation, gain)
    return Outcome(f"Individual {report.best}: {best}, {describe(gain)} than generation 0", *_verdict(gain))


def describe(gain: Gain) -> str:
    """Return a gain in words: `0.0412 ± 0.0011 (2.1%) better`."""
    error = "" if gain.standard_error is None else f" ± {quantity(gain.standard_error)}"
    share = "" if gain.fraction is None else f" ({abs(gain.fraction):.1%})"
    return f"{quantity(abs(gain.value))}{error}{share} {'better' if gain.value >= 0 else 'worse'}"


def _confirmed_outcome(report: RunReport, best: int, confirmation: Confirmation, selected: Gain) -> Outcome:
    """Return the outcome in the numbers of the confirmation: where selection looked, the best of many looks too good.

    Args:
        report: the run.
        best: id of its answer.
        confirmation: of that individual.
        selected: its gain where selection looked.
    """
    gain = report.gain_in(confirmation)
    value, seeds = f"{report.objective.label} {quantity(confirmation.best)}", _seeds(confirmation.replicates)
    where = f"with {seeds} that selection never saw"
    if confirmation.split is not None:
        value = f"{value} on split {confirmation.split}"
        where = f"on split {confirmation.split}, which selection never saw, with {seeds}"
    headline = f"Individual {best}: {value}, {describe(gain)} than generation 0"
    aside = f"Where selection looked, it is {describe(selected)}."
    if gain.margin is None:
        return Outcome(
            headline, f"Measured again {where}; too few replicates to tell it from noise. {aside}", Tone.OPEN
        )
    low, high = (quantity(bound) for bound in (gain.value - gain.margin, gain.value + gain.margin))
    aside = f"The 95% interval of the gain is {low} to {high}. {aside}"
    if gain.beyond_noise:
        return Outcome(headline, f"Confirmed {where}. {aside}", Tone.GOOD)
    return Outcome(headline, f"Not confirmed: {where}, it is not better beyond the noise. {aside}", Tone.OPEN)


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"


def _verdict_on_the_others(report: RunReport) -> str:
    first = report.ranking[0].id
    if first == 0:
        return "No offspring was better."
    # Only the gate split puts generation 0 before what scored better.
    return f"Individual {first} scored better where selection looked, but nobody held where it did not look."


def _verdict(gain: Gain) -> tuple[str, Tone]:
    if gain.beyond_noise is None:
        return "Not confirmed, and the noise was not measured.", Tone.OPEN
    if gain.beyond_noise:
        return "Beyond the noise where selection looked; not confirmed on data that selection never saw.", Tone.OPEN
    return "Within the noise: a tie with generation 0.", Tone.OPEN
