"""What a run found, in one honest sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evo.report.data import RunReport
from evo.standings.differences import Difference
from evo.standings.gains import Gain
from evo.text import relative
from trainer.errors import counted
from trainer.objectives import Objective

UNREPLICATED = "Not replicated: every seed gives the same run, so the noise is unknown, and this may be luck."


class Tone(StrEnum):
    """How a finding may be read, for its colour on the page."""

    GOOD = "good"
    OPEN = "open"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Finding:
    """A headline and how far one may believe it."""

    headline: str
    verdict: str
    tone: Tone


def finding_of(report: RunReport) -> Finding:
    """Return what the run found: the best, its gain with its noise, whether it was confirmed and is feasible."""
    found = _finding(report)
    broken = () if report.best is None else report.by_id[report.best].broken
    if broken:
        return Finding(found.headline, f"Infeasible: it breaks {' and '.join(broken)}. {found.verdict}", Tone.OPEN)
    return found


def _finding(report: RunReport) -> Finding:
    if report.best is None:
        return Finding("Nothing was scored", "No evaluation ended OK, so there is no best individual.", Tone.NONE)
    objective, summary = report.objective, report.summary
    best = f"{objective.label} {objective.format(report.by_id[report.best].objectives[objective.name])}"
    if report.best == 0:
        return Finding(f"Generation 0 is still the best: {best}", _verdict_on_the_others(report), Tone.NONE)
    selected = report.gains.get(report.best)
    if selected is None:
        return Finding(f"Individual {report.best}: {best}", "Generation 0 was not scored.", Tone.OPEN)
    if summary.gain is not None and summary.gain.is_exact:
        gain = describe(selected.value, selected.base, None, objective)
        verdict = "Exact: the task says that every run gives the same."
        return Finding(f"Individual {report.best}: {best}, {gain} than generation 0", verdict, Tone.GOOD)
    if summary.gain is not None:
        return _confirmed(report, summary.gain, selected)
    gain = describe(selected.value, selected.base, selected.standard_error, objective)
    verdict = UNREPLICATED if summary.is_unreplicated else _verdict(selected)
    return Finding(f"Individual {report.best}: {best}, {gain} than generation 0", verdict, Tone.OPEN)


def describe(value: float, base: float, standard_error: float | None, objective: Objective) -> str:
    """Return a gain over a mean in words: `0.0412 ± 0.0011 (2.1%) better`."""
    compared = relative(base + objective.weight * value, base)
    aside = f" ({compared})" if compared else ""
    return f"{objective.format(abs(value), standard_error)}{aside} {'better' if value >= 0 else 'worse'}"


def _confirmed(report: RunReport, gain: Gain, selected: Difference) -> Finding:
    """Return the finding in the numbers of the confirmation: the best of many looks too good where selection looked."""
    value, seeds = f"{report.objective.label} {report.objective.format(gain.own)}", counted(gain.seeds, "seed")
    where = f"with {seeds} that selection never saw"
    if report.confirmed_split is not None:
        value = f"{value} on split {report.confirmed_split}"
        where = f"on split {report.confirmed_split}, which selection never saw, with {seeds}"
    better = describe(gain.value, gain.generation_zero, gain.noise, report.objective)
    _, low, high = report.objective.interval(gain.value, gain.margin)
    looked = describe(selected.value, selected.base, selected.standard_error, report.objective)
    aside = f"The 95% interval of the gain is {low} to {high}. Where selection looked, it is {looked}."
    headline = f"Individual {report.best}: {value}, {better} than generation 0"
    if gain.is_real:
        return Finding(headline, f"Confirmed {where}. {aside}", Tone.GOOD)
    return Finding(headline, f"Not confirmed: {where}, it is not better beyond the noise. {aside}", Tone.OPEN)


def _verdict_on_the_others(report: RunReport) -> str:
    first, offspring = report.ranking[0].id, [one for one in report.individuals if one.parents]
    if not offspring:
        return "Nothing but generation 0 has been evaluated."
    if len(report.ranking) == 1:
        return "No offspring has been scored."
    if first == 0:
        return "No offspring was better."
    # Only the holdout split ranks generation 0 before an individual with a better score.
    return f"Individual {first} scored better where selection looked, but none held where it did not look."


def _verdict(gain: Difference) -> str:
    if gain.is_real is None:
        return "Not confirmed, and the noise was not measured."
    if gain.is_real:
        return "Beyond the noise where selection looked; not confirmed on data that selection never saw."
    return "Within the noise: a tie with generation 0."
