"""What the charts of a report share: an empty canvas, the range of an axis, colours and labels.

Neutral colours suit a light and a dark page; those of text and grid are set in the browser, which knows the page.
Everything that plotly would read as markup is escaped here.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import plotly.graph_objects as go

from evo.report.data import EvaluationRow, RunReport
from evo.standings.individuals import Standing
from evo.text import hover, visible
from trainer.objectives import Direction, Objective

NEUTRAL, PALE, FAINT = "#8a929c", "rgba(138,146,156,0.45)", "rgba(138,146,156,0.3)"
FAILED, BEST, FRONT = "#d1495b", "#e8590c", "#3b82c4"
SCORE_COLOURS = ((0.0, "#1c6fd1"), (0.5, "#6aa5dc"), (1.0, "#b9bec5"))
"""From the best to the worst."""
SERIES = ("#3b82c4", "#d99a00", "#1a9e77", "#c65d9a", "#7a6fd0", "#8c6d5a", "#5aa9c9", "#8f9a1f")
"""Of things of one kind beside each other: operators, arms, runs."""
GENERATION_ZERO = "generation 0"

_LEGEND_ON_TOP = {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}
_OUTLIER_SPREADS = 4.0
_FEW_EVALUATIONS = 12


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and its note.

    Attributes:
        note: what the first view leaves out; empty when it shows everything.
    """

    figure: go.Figure
    note: str = ""


def canvas(height: int, *, x_title: str, y_title: str) -> go.Figure:
    """Return an empty figure of `height` pixels with a transparent background and its legend on top."""
    axis = {"automargin": True, "zeroline": False}
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hovermode": "closest",
            "hoverlabel": {"align": "left"},
            "legend": {**_LEGEND_ON_TOP, "font": {"size": 11}},
            "xaxis": {**axis, "title": {"text": x_title, "standoff": 8}},
            "yaxis": {**axis, "title": {"text": y_title, "standoff": 8}},
        }
    )


def evaluations_axis(last: int) -> dict[str, object]:
    """Return the settings of an axis of evaluations up to `last`: whole numbers only."""
    margin = 0.5 + 0.015 * last
    return {"range": [1 - margin, last + margin], **({"dtick": 1} if last <= _FEW_EVALUATIONS else {})}


def axis_title(objective: Objective) -> str:
    """Return name, unit and direction."""
    unit = f", {objective.unit}" if objective.unit else ""
    return html.escape(visible(f"{objective.label}{unit} ({better_word(objective)} is better)"))


def better_word(objective: Objective) -> str:
    """Return `lower` or `higher`, whichever is better."""
    return "lower" if objective.direction is Direction.MINIMIZE else "higher"


def focus(values: Iterable[float], keep: Sequence[float], objective: Objective) -> tuple[float, float] | None:
    """Return the range of an axis that shows all of `keep` and of `values` all but outliers on the worse side.

    One broken offspring may be worse than all others by orders of magnitude, and would fill the whole chart. An outlier
    lies further beyond the median than four times the way from the best to the median. None without values.
    """
    costs = sorted(-objective.weight * value for value in values)
    if not costs:
        return None
    middle = median(costs)
    limit = middle + _OUTLIER_SPREADS * (middle - costs[0])
    shown = [*(-objective.weight * cost for cost in costs if cost <= limit), *keep]
    low, high = min(shown), max(shown)
    margin = (high - low) * 0.08 or abs(high) * 0.01 or 1.0
    return low - margin, high + margin


def operator_colours(report: RunReport) -> dict[str, str]:
    """Return a colour for every label of an operator, the same in every chart."""
    names = sorted({operator_label(row) for row in report.individuals if row.parents})
    return {name: SERIES[index % len(SERIES)] for index, name in enumerate(names)}


def operator_label(row: Standing) -> str:
    """Return what an individual counts as in a legend: its operator, whatever the style of the prompt."""
    return row.operator.partition(":")[0] if row.parents else GENERATION_ZERO


def individual_hover(report: RunReport, row: Standing) -> str:
    """Return the label of an individual: its means, operator, parents and idea."""
    measured = [
        f"{objective.name} {objective.format(row.objectives[objective.name])} {objective.unit}"
        for objective in report.objectives
        if objective.name in row.objectives
    ]
    if row.replicates > 1:
        measured.append(f"mean of {row.replicates} evaluations")
    status = (
        []
        if row.objectives or row.status is None
        else [row.status.value.replace("_", " "), report.reasons.get(row.id, "")]
    )
    family = [f"{row.operator} of {', '.join(f'#{parent}' for parent in row.parents)}"] if row.parents else []
    return hover(f"#{row.id}", *measured, *status, *family, idea=row.idea)


def evaluation_hover(report: RunReport, evaluation: EvaluationRow) -> str:
    """Return the label of one evaluation: its own value or its failure, and the individual's idea."""
    row = report.by_id[evaluation.individual]
    name, measured = report.objective.name, evaluation.objectives
    value = f"{name} {report.objective.format(measured[name])}" if name in measured else evaluation.reason
    status = evaluation.status.value.replace("_", " ")
    return hover(
        f"#{row.id} · evaluation {evaluation.number}", f"{status}: {value}", operator_label(row), idea=row.idea
    )
