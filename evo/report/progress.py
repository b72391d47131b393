"""The chart of best-so-far: every evaluation of the run in the order in which results arrived."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Sequence

import plotly.graph_objects as go

from evo.report.data import EvaluationRow, RunReport
from evo.report.figures import (
    BEST,
    FAILED,
    FAINT,
    GENERATION_ZERO,
    NEUTRAL,
    Chart,
    axis_title,
    canvas,
    evaluation_hover,
    evaluations_axis,
    focus,
    operator_colours,
    operator_label,
)
from evo.text import visible
from populations.dominance import TIE_ERRORS
from trainer.evaluation import Status
from trainer.objectives import Direction

_EDGE_AXIS = "y2"
_FAILURE_HEIGHT, _OUTLIER_HEIGHT = 0.03, 0.08
"""Distance from the worse edge of the chart, as a fraction of its height."""


def progress_chart(report: RunReport) -> Chart:
    """Return best-so-far over the evaluations, all of them as dots, failures and outliers along the worse edge."""
    name = report.objective.name
    curve = [(lead.result_number, lead.value) for lead in report.leads]
    scored = [row for row in report.evaluations if name in row.objectives]
    span = focus((row.objectives[name] for row in scored), [value for _, value in curve], report.objective)
    figure = canvas(440, x_title="evaluation", y_title=axis_title(report.objective))
    figure.update_layout(yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True})
    last = len(report.evaluations)
    figure.update_layout(xaxis=evaluations_axis(last))
    failed = [row for row in report.evaluations if row.status is not Status.OK]
    crosses = _along_the_edge(report, failed, "failed", FAILED, "x-thin-open", _FAILURE_HEIGHT)
    if span is None:
        return Chart(figure.add_traces(crosses))
    figure.update_layout(yaxis={"range": _with_room_for_edge(span, report)})
    inside = [row for row in scored if span[0] <= row.objectives[name] <= span[1]]
    outliers = [row for row in scored if not span[0] <= row.objectives[name] <= span[1]]
    _draw_generation_zero(figure, report)
    pointing = "triangle-up-open" if report.objective.direction is Direction.MINIMIZE else "triangle-down-open"
    triangles = _along_the_edge(report, outliers, "far worse", NEUTRAL, pointing, _OUTLIER_HEIGHT)
    figure.add_traces([*_dots(report, inside), *triangles, *crosses])
    if curve:
        figure.add_trace(_best_so_far([*curve, (last, curve[-1][1])]))
    return Chart(figure, _note(len(outliers)))


def _with_room_for_edge(span: tuple[float, float], report: RunReport) -> tuple[float, float]:
    room = 0.12 * (span[1] - span[0])
    low, high = span
    return (low, high + room) if report.objective.direction is Direction.MINIMIZE else (low - room, high)


def _dots(report: RunReport, rows: Sequence[EvaluationRow]) -> list[go.Scatter]:
    """Return one trace for each operator."""
    colours = operator_colours(report) | {GENERATION_ZERO: NEUTRAL}
    by_operator: defaultdict[str, list[EvaluationRow]] = defaultdict(list)
    for row in rows:
        by_operator[operator_label(report.by_id[row.individual])].append(row)
    name = report.objective.name
    return [
        _markers(report, by_operator[label], label, colour, [row.objectives[name] for row in by_operator[label]])
        for label, colour in colours.items()
        if by_operator[label]
    ]


def _along_the_edge(
    report: RunReport, rows: Sequence[EvaluationRow], label: str, colour: str, symbol: str, distance: float
) -> list[go.Scatter]:
    """Return markers near the worse edge, if there are any; `distance` is a fraction of the chart's height."""
    if not rows:
        return []
    height = 1 - distance if report.objective.direction is Direction.MINIMIZE else distance
    trace = _markers(report, rows, label, colour, [height] * len(rows))
    return [trace.update(yaxis=_EDGE_AXIS, marker={"symbol": symbol, "size": 8})]


def _markers(
    report: RunReport, rows: Sequence[EvaluationRow], label: str, colour: str, y: Sequence[float]
) -> go.Scatter:
    return go.Scatter(
        x=[row.number for row in rows],
        y=list(y),
        mode="markers",
        name=html.escape(visible(label)),
        marker={"color": colour, "size": 7, "opacity": 0.8},
        hovertext=[evaluation_hover(report, row) for row in rows],
        hoverinfo="text",
    )


def _best_so_far(curve: Sequence[tuple[int, float]]) -> go.Scatter:
    return go.Scatter(
        x=[number for number, _ in curve],
        y=[value for _, value in curve],
        mode="lines",
        name="best mean so far",
        line={"color": BEST, "width": 2.5, "shape": "hv"},
        hoverinfo="skip",
    )


def _draw_generation_zero(figure: go.Figure, report: RunReport) -> None:
    """Draw generation 0's mean with the band in which a single evaluation would be a tie with it."""
    zero = report.generation_zero
    if zero is None:
        return
    mean = zero.objectives[report.objective.name]
    band = TIE_ERRORS * report.summary.noise.get(report.objective.name, 0.0)
    if band:
        figure.add_hrect(y0=mean - band, y1=mean + band, fillcolor=FAINT, line_width=0, layer="below")
    figure.add_hline(y=mean, line={"color": NEUTRAL, "width": 1, "dash": "dot"})


def _note(outliers: int) -> str:
    return f"Triangles along the edge are far worse than the chart shows ({outliers})." if outliers else ""
