"""Findings in plain words: what is claimed, what is not, and what a claim would need."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evo.compare.report.findings import Arm, Contrast, Findings, Sentinel
from evo.compare.statistics.effect_sizes import Estimate
from evo.compare.statistics.power import POWER, superiority_of
from evo.compare.statistics.rank_tests import ALPHA, WAYS, Comparison, Source, Verdict
from evo.compare.statistics.results import Results
from trainer.objectives import Direction

UNKNOWN = "–"
_DIGITS = 6
_SEEDS_SHOWN = 12


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return a number with a true minus, `–` if it is none."""
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    return text.replace("-", "−")


def interval(estimate: Estimate, decimals: int, *, signed: bool = False) -> str:
    """Return the interval of an estimate as `1.20 to 1.31`, `–` where there is none."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{number(estimate.low, decimals, signed=signed)} to {number(estimate.high, decimals, signed=signed)}"


def p_value(p: float) -> str:
    """Return a p value with the digits that say something."""
    return "< 0.0001" if p < 0.0001 else f"{p:.3g}" if p < 0.1 else f"{p:.2f}"


def decimals_for(spread: float, runs: int) -> int:
    """Return the decimals that show a mean's standard error with two digits."""
    error = spread / math.sqrt(runs) if runs else 0.0
    return min(_DIGITS, max(0, 1 - math.floor(math.log10(error)))) if math.isfinite(error) and error > 0 else 4


def _p_values(comparison: Comparison) -> str:
    """Return both p values of a comparison, with `≈` where they are not exact."""
    equal = "=" if comparison.source is Source.EXACT else "≈"

    def stated(name: str, p: float) -> str:
        text = p_value(p)
        return f"{name} {text}" if text.startswith("<") else f"{name} {equal} {text}"

    return f"{stated('p', comparison.p)}, {stated('Holm p', comparison.holm_p)}"


def _sources(contrasts: Sequence[Contrast]) -> str:
    """Return where p values come from."""
    by_source = {
        source: [one.comparison.arm for one in contrasts if one.comparison.source is source] for source in Source
    }
    parts = []
    if drawn := by_source[Source.DRAWN]:
        parts.append(
            f"those of {listed(drawn)}, where values tie, are estimated from {WAYS:,} random draws of what chance "
            "could have done"
        )
    if normal := by_source[Source.NORMAL]:
        parts.append(f"those of {listed(normal)}, with so many runs, are normal approximations")
    if not parts:
        return "p values are exact"
    rest = ", and the others are exact" if by_source[Source.EXACT] else ""
    return f"p values are not all exact: {' and '.join(parts)}{rest}"


def listed(words: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def counts(amount: int, singular: str, plural: str = "") -> str:
    """Return `1 run`, `2 runs`."""
    return f"{amount:,} {singular if amount == 1 else plural or f'{singular}s'}"


def question(results: Results) -> str:
    """Return what the experiment asks."""
    first, *others = results.arms
    if not others:
        return f"What does {first} reach with {results.budget}?"
    which = others[0] if len(others) == 1 else f"any of {listed(others)}"
    return f"Is {which} better than {first}, with {results.budget} each?"


def headline(findings: Findings) -> str:
    """Return the answer in one sentence."""
    arms = findings.results.arms
    if findings.results.rehearsal:
        return "A rehearsal of the machinery, which claims nothing about any arm"
    if not any(arm.counted for arm in findings.arms):
        return "No run has an outcome to compare yet"
    if len(arms) == 1:
        return f"There is one arm, {arms[0]}, and nothing to compare it with"
    by_verdict = {
        verdict: [c.comparison.arm for c in findings.contrasts if c.comparison.verdict is verdict]
        for verdict in Verdict
    }
    parts = [
        f"{listed(found)} {'is' if len(found) == 1 else 'are'} {verdict.value} than {arms[0]}"
        for verdict, found in by_verdict.items()
        if found and verdict in (Verdict.BETTER, Verdict.WORSE)
    ]
    if by_verdict[Verdict.TOO_FEW]:
        parts.append(f"too few runs for a claim about {listed(by_verdict[Verdict.TOO_FEW])}")
    if by_verdict[Verdict.OPEN]:
        undecided = listed(by_verdict[Verdict.OPEN])
        parts.append(f"no difference from {arms[0]} was shown for {undecided}")
    sentence = "; ".join(parts)
    return sentence if by_verdict[Verdict.BETTER] or by_verdict[Verdict.WORSE] else _capitalised(sentence)


def rehearsal(results: Results) -> str:
    """Return what a rehearsal does not say; empty for any other experiment."""
    if not results.rehearsal:
        return ""
    return (
        "This experiment was declared a rehearsal before it began: it shows that runs, outcomes, statistics and report "
        "work together. Its sentences and numbers have the form of an answer and none of its meaning; they say nothing "
        "about the methods that the arms are named after."
    )


def design(findings: Findings) -> list[str]:
    """Return how the experiment was done, one sentence a string."""
    results = findings.results
    objective = results.objective
    direction = "lower" if objective.direction is Direction.MINIMIZE else "higher"
    unit = f", in {objective.unit}" if objective.unit else ""
    anew = f"measured anew with fresh seeds{' on split F, which no search scores' if results.held_out else ''}"
    budget = (
        f"Arms: {listed(results.arms)}. Each has {counts(results.repeats, 'run')} with an equal budget of "
        f"{results.budget}; crashes, repairs and re-evaluations are part of it."
    )
    outcome = (
        f"Outcome: {objective.name}{unit} ({direction} is better), {anew} for the one individual that a run chose; "
        "never the best value that a run saw. A run that ended without an individual to show counts with the outcome "
        "of generation 0, which is all that its user is left with."
    )
    if len(results.arms) < 2:
        return [budget, outcome]
    family = len(results.arms) - 1
    test = (
        "Runs of one repeat share their seed, so differences within repeats are tested, by Wilcoxon's signed ranks"
        if results.paired
        else "Runs do not share seeds, so arms are tested by Mann and Whitney's rank sums"
    )
    tests = (
        f"Tests: {test}, two-sided; {_sources(findings.contrasts)}. The family: {counts(family, 'comparison')}, every "
        f"other arm beside {results.arms[0]}. Holm's procedure keeps the chance of claiming any difference that is not "
        f"there within {ALPHA:.0%}."
    )
    return [budget, outcome, *_seeds(results), tests]


def _seeds(results: Results) -> list[str]:
    seeds = sorted({int(seed) for seed in results.runs["seed"].dropna()})
    if not seeds:
        return []
    shown = (
        listed([str(seed) for seed in seeds])
        if len(seeds) <= _SEEDS_SHOWN
        else f"{len(seeds)} from {seeds[0]} to {seeds[-1]}"
    )
    return [f"Seeds: {shown}."]


def tally(findings: Findings) -> list[str]:
    """Return how the runs ended, one sentence an arm, and what does not count."""
    sentences = [_ended(arm) for arm in findings.arms]
    if findings.results.paired and findings.left_out:
        which = listed([str(repeat) for repeat in findings.left_out])
        do = "does" if len(findings.left_out) == 1 else "do"
        sentences.append(
            f"{counts(len(findings.left_out), 'repeat')} ({which}) {do} not count for any arm, here or below: not "
            "every arm has an outcome with that seed."
        )
    if findings.without_outcome:
        sentences.append(
            f"{counts(findings.without_outcome, 'run')} ended without any number, not even that of generation 0, and "
            "cannot count."
        )
    sentences.extend(findings.results.drifts)
    if findings.sentinel:
        sentences.append(_course(findings.sentinel))
    return sentences


def statement(contrast: Contrast, findings: Findings) -> str:
    """Return what a comparison allows to say, and what more it would need."""
    comparison = contrast.comparison
    if not contrast.runs:
        return f"{comparison.arm}: there is no run to compare with {comparison.reference} yet."
    match comparison.verdict:
        case Verdict.TOO_FEW:
            return _too_few(contrast)
        case Verdict.OPEN:
            return _open(contrast)
        case verdict:
            return _decided(contrast, findings, verdict)


def detectable(contrast: Contrast) -> str:
    """Return the smallest difference that so many runs would have found, `–` where that is unknown."""
    if contrast.detectable is None or contrast.any_failed or not contrast.spread > 0:
        return UNKNOWN
    return number(contrast.detectable * contrast.spread, _decimals(contrast))


def limits(findings: Findings) -> list[str]:
    """Return what cannot be claimed from these results."""
    results = findings.results
    scope = (
        "The answer holds for this task, this budget and these configurations; other tasks, longer budgets or other "
        "models may order the arms differently."
    )
    sentences = [rehearsal(results) or scope]
    if not findings.is_complete:
        sentences.append(
            "The experiment is not complete. Whoever looks again and again and stops when the answer pleases claims "
            f"false differences in more than {ALPHA:.0%} of experiments; only the complete result keeps that rate."
        )
    if findings.contrasts:
        sentences.append(f"“No difference shown” is no proof of equality. {_could_find(findings.contrasts)}".rstrip())
        sentences.append("Arms were compared with the first one alone; differences between the others were not tested.")
    sentences.append(
        "Intervals are 95% bootstrap intervals of one quantity each, not adjusted for their number. From few runs with "
        "lopsided luck they are too narrow. p values decide."
    )
    sentences.append(
        "Curves, runtimes and fronts show what selection saw, which flatters every arm; targets were set from the same "
        "runs. They describe and are not tested."
    )
    if not results.held_out:
        sentences.append("Outcomes are of the data that the searches scored too: seeds are fresh, the data are not.")
    if results.objective.self_reported:
        sentences.append(f"{results.objective.name} is what the candidates said of themselves; nobody has checked it.")
    return sentences


def _ended(arm: Arm) -> str:
    asked = arm.finished + arm.failed + arm.unfinished + arm.missing
    parts = [f"{arm.finished} of {counts(asked, 'run')} finished"]
    if arm.failed:
        reasons = "; ".join(f"{reason or 'no reason given'} (×{count})" for reason, count in arm.reasons[:3])
        parts.append(f"{arm.failed} failed and {'counts' if arm.failed == 1 else 'count'} as generation 0: {reasons}")
    if arm.unfinished:
        parts.append(f"{arm.unfinished} {'is' if arm.unfinished == 1 else 'are'} unfinished")
    if arm.missing:
        parts.append(f"{arm.missing} {'was' if arm.missing == 1 else 'were'} not begun")
    return f"{arm.name}: {', '.join(parts)}."


def _course(sentinel: Sentinel) -> str:
    """Return whether generation 0 came out alike from block to block."""
    decimals = decimals_for(sentinel.high - sentinel.low, sentinel.blocks)
    mean, low, high = (number(value, decimals) for value in (sentinel.mean, sentinel.low, sentinel.high))
    judged = f"Generation 0, judged anew in each of {counts(sentinel.blocks, 'block')}"
    if math.isnan(sentinel.trend):
        return f"{judged}, came out the same every time: {mean}."
    test = f"Kendall's τ {number(sentinel.trend, 2, signed=True)}, p = {p_value(sentinel.p)}".replace("= <", "<")
    values = f"{judged}: {mean} on average, {low} to {high}"
    if sentinel.p >= ALPHA:
        return f"{values}, with no trend over the experiment ({test})."
    way = "better" if sentinel.trend > 0 else "worse"
    return (
        f"{values}, and {way} from block to block ({test}): the machine drifted. A block holds one run of every arm, "
        "so that this hits all alike."
    )


def _decided(contrast: Contrast, findings: Findings, verdict: Verdict) -> str:
    comparison = contrast.comparison
    decimals = _decimals(contrast)
    unit = findings.results.objective.unit
    found = contrast.difference
    size = f"{number(abs(found.value), decimals)} {unit}".rstrip()
    bounds = f", 95% interval {interval(found, decimals, signed=True)}" if found.low is not None else ""
    side = "better" if found.value > 0 else "worse"
    sentence = (
        f"{comparison.arm} is {verdict.value} than {comparison.reference}: on average {size} {side}{bounds}; "
        f"{_wins(contrast)} ({_p_values(comparison)})."
    )
    if side != verdict.value:
        sentence += " Ranks and means disagree: most runs point one way, a few large differences the other."
    return sentence


def _open(contrast: Contrast) -> str:
    comparison = contrast.comparison
    sentence = (
        f"No difference between {comparison.arm} and {comparison.reference} was shown: {_wins(contrast)} "
        f"({_p_values(comparison)})."
    )
    return f"{sentence} {_needed(contrast)}".rstrip()


def _too_few(contrast: Contrast) -> str:
    comparison = contrast.comparison
    among = f" among {counts(comparison.family, 'comparison')}" if comparison.family > 1 else ""
    sentence = (
        f"Too few runs for a claim about {comparison.arm}: with {_runs(contrast, contrast.runs)} p cannot be less than "
        f"{p_value(comparison.smallest_p)}, and the first claim{among} needs {p_value(comparison.strictest)} or less, "
        f"which takes {_runs(contrast, contrast.fewest)} at least."
    )
    return f"{sentence} {_needed(contrast)}".rstrip()


def _could_find(contrasts: Sequence[Contrast]) -> str:
    """Return what the comparison with the fewest runs could have found."""
    least = min(contrasts, key=lambda contrast: contrast.runs)
    if least.detectable is None:
        return ""
    paired = least.comparison.paired
    better = f"{superiority_of(least.detectable, paired=paired):.0%} of {'repeats' if paired else 'cases'}"
    return (
        f"{_capitalised(_runs(least, least.runs))} find an effect of {least.detectable:.1f} standard deviations of "
        f"{'a paired difference' if paired else 'a run'} (better in {better}) in {POWER:.0%} of experiments, and "
        "smaller ones less often."
    )


def _needed(contrast: Contrast) -> str:
    if contrast.needed is None:
        return (
            "The observed effect is so small that no reasonable number of runs would find it."
            if contrast.runs > 1
            else ""
        )
    return (
        f"If the arms truly differ as clearly as they did here, about {_runs(contrast, contrast.needed)} would show it "
        f"in {POWER:.0%} of experiments."
    )


def _runs(contrast: Contrast, amount: int) -> str:
    return counts(amount, "paired repeat") if contrast.comparison.paired else f"{counts(amount, 'run')} of each arm"


def _wins(contrast: Contrast) -> str:
    """Return how often the arm was better."""
    comparison = contrast.comparison
    if not comparison.paired:
        share = contrast.superiority.value
        return f"a run of {comparison.arm} beats one of {comparison.reference} with probability {share:.2f}"
    differences = comparison.differences
    wins, ties = int((differences > 0).sum()), int((differences == 0).sum())
    equal = f" and equal in {ties}" if ties else ""
    return f"better in {wins} of {counts(len(differences), 'repeat')}{equal}"


def _decimals(contrast: Contrast) -> int:
    return decimals_for(contrast.spread, contrast.runs)


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
