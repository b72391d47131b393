"""The report's content, the same for HTML and Markdown: sentences and tables of plain text, not escaped yet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evo.compare.report.figures import Figure, draw_figures
from evo.compare.report.findings import Arm, Contrast, Findings
from evo.compare.report.wording import (
    UNKNOWN,
    counts,
    decimals_for,
    design,
    detectable,
    headline,
    interval,
    limits,
    number,
    p_value,
    question,
    rehearsal,
    statement,
    tally,
)
from evo.compare.statistics.curves import expected_runtimes
from evo.compare.statistics.effect_sizes import Estimate
from evo.compare.statistics.power import POWER
from evo.compare.statistics.rank_tests import ALPHA, Verdict, counted
from evo.text import duration, money


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; numbers are set to the right."""

    title: str
    detail: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and below it in small what belongs to it, such as an interval."""

    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by row; `tones` colours a row's last cell: `better`, `worse`, `tie`, or empty."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    tones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that a report shows, in its order.

    Attributes:
        rehearsal: that nothing is claimed; empty for any other experiment.
        so_far: how much is missing; empty where the experiment is complete.
        statements: one sentence or more a comparison, with its tone.
        runtimes: None where no run got better than it began.
    """

    name: str
    question: str
    headline: str
    rehearsal: str
    so_far: str
    statements: tuple[tuple[str, str], ...]
    arms: Table
    comparisons: Table | None
    runtimes: Table | None
    design: tuple[str, ...]
    tally: tuple[str, ...]
    limits: tuple[str, ...]
    figures: tuple[Figure, ...]


_TONES = {Verdict.BETTER: "better", Verdict.WORSE: "worse", Verdict.OPEN: "tie", Verdict.TOO_FEW: "tie"}


def compose(findings: Findings) -> Document:
    """Return the document of findings, figures drawn."""
    results = findings.results
    return Document(
        name=results.name,
        question=question(results),
        headline=headline(findings),
        rehearsal=rehearsal(results),
        so_far=_so_far(findings),
        statements=tuple((statement(c, findings), _TONES[c.comparison.verdict]) for c in findings.contrasts),
        arms=_arms(findings),
        comparisons=_comparisons(findings) if findings.contrasts else None,
        runtimes=_runtimes(findings),
        design=tuple(design(findings)),
        tally=tuple(tally(findings)),
        limits=tuple(limits(findings)),
        figures=tuple(draw_figures(findings)),
    )


def _so_far(findings: Findings) -> str:
    if findings.is_complete:
        return ""
    ended = sum(arm.finished + arm.failed for arm in findings.arms)
    asked = ended + sum(arm.unfinished + arm.missing for arm in findings.arms)
    return f"Not complete: {ended} of {counts(asked, 'run')} have ended. What follows may still change."


def _arms(findings: Findings) -> Table:
    results = findings.results
    unit = results.objective.unit
    decimals = _outcome_decimals(findings)
    several = any(arm.hypervolume is not None for arm in findings.arms)
    columns = (
        Column("Arm", numeric=False),
        Column("Runs", "counted"),
        Column("Interquartile mean", f"{unit}, 95% interval".removeprefix(", ")),
        Column("Mean", f"{unit}, 95% interval".removeprefix(", ")),
        Column("Gain", "over generation 0, 95% interval"),
        *((Column("Hypervolume", "of the front, 95% interval"),) if several else ()),
        Column("Evaluations", "a run"),
        Column("Device time", "a run"),
        Column("Cost", "a run"),
    )
    return Table(columns, tuple(_arm_row(arm, decimals) for arm in findings.arms))


def _arm_row(arm: Arm, decimals: int) -> tuple[Cell, ...]:
    return (
        Cell(arm.name),
        Cell(str(arm.counted), f"{arm.counted_failed} failed" if arm.counted_failed else ""),
        _with_interval(arm.middle, decimals),
        _with_interval(arm.mean, decimals),
        _with_interval(arm.gain, decimals, signed=True),
        *((_with_interval(arm.hypervolume, 3),) if arm.hypervolume is not None else ()),
        Cell(number(arm.evaluations, 0), f"{arm.failed_share:.0%} failed" if arm.failed_share > 0 else ""),
        Cell(duration(arm.gpu_seconds) if math.isfinite(arm.gpu_seconds) else UNKNOWN),
        Cell(money(arm.usd if math.isfinite(arm.usd) else None) if arm.counted else UNKNOWN),
    )


def _comparisons(findings: Findings) -> Table:
    unit, paired = findings.results.objective.unit, findings.results.paired
    columns = (
        Column(f"Beside {findings.results.arms[0]}", numeric=False),
        Column("Pairs" if paired else "Runs"),
        Column("Gain", f"{unit}, 95% interval".removeprefix(", ")),
        Column("Better", "share of repeats, 95% interval" if paired else "probability, 95% interval"),
        Column("Would be found", f"{unit}, in {POWER:.0%} of experiments".removeprefix(", ")),
        Column("p"),
        Column("Holm p"),
        Column("Verdict", numeric=False),
    )
    return Table(
        columns,
        tuple(_comparison_row(contrast) for contrast in findings.contrasts),
        "Positive gains are better, whichever the direction of the outcome. Holm p is adjusted for "
        f"{counts(len(findings.contrasts), 'comparison')}; a difference is claimed where it is at most {ALPHA:.2f}. "
        "What would be found holds for the observed standard deviation; where runs failed, that says little.",
        tuple(_TONES[contrast.comparison.verdict] for contrast in findings.contrasts),
    )


def _comparison_row(contrast: Contrast) -> tuple[Cell, ...]:
    comparison = contrast.comparison
    runs = str(contrast.runs) if comparison.paired else f"{len(comparison.ours)} and {len(comparison.theirs)}"
    return (
        Cell(comparison.arm),
        Cell(runs),
        _with_interval(contrast.difference, decimals_for(contrast.spread, contrast.runs), signed=True),
        _with_interval(contrast.superiority, 2),
        Cell(detectable(contrast)),
        Cell(p_value(comparison.p) if contrast.runs else UNKNOWN),
        Cell(p_value(comparison.holm_p) if contrast.runs else UNKNOWN),
        Cell(comparison.verdict.value),
    )


def _runtimes(findings: Findings) -> Table | None:
    table = expected_runtimes(findings.results)
    if table.empty:
        return None
    decimals = _outcome_decimals(findings)
    arms = findings.results.arms
    rows = []
    for share, rows_of_target in table.groupby("share"):
        target = float(rows_of_target["target"].iloc[0])
        columns = (rows_of_target[name].tolist() for name in ("evaluations", "reached", "runs"))
        cells = [_runtime(*cell) for cell in zip(*columns, strict=True)]
        rows.append((Cell(f"{number(target, decimals)}", f"{share:.0%} of the way"), *cells))
    return Table(
        (Column("Target", findings.results.objective.unit, numeric=False), *(Column(arm) for arm in arms)),
        tuple(rows),
        "Evaluations that an arm is expected to spend until its best so far reaches the target, if it starts anew "
        "after a run in vain: all that its runs spent, over the number that reached it; beside it how many did. "
        "Targets lie between where runs begin and the best that any run saw. targets.csv has device time and dollars "
        "too.",
    )


def _runtime(expected: float, reached: int, runs: int) -> Cell:
    return Cell(number(expected, 0) if math.isfinite(expected) else "∞", f"{reached} of {runs}")


def _with_interval(estimate: Estimate, decimals: int, *, signed: bool = False) -> Cell:
    bounds = "" if estimate.low is None else interval(estimate, decimals, signed=signed)
    return Cell(number(estimate.value, decimals, signed=signed), bounds)


def _outcome_decimals(findings: Findings) -> int:
    """Return the decimals that suit the outcomes of the steadiest arm."""
    table = counted(findings.results)
    spreads = [float(np.std(table[arm].dropna(), ddof=1)) for arm in table.columns if table[arm].count() > 1]
    return max((decimals_for(spread, len(table)) for spread in spreads if spread > 0), default=4)
