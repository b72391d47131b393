"""The charts of the Pareto front: what speed costs, or whatever the front trades off, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from evo.report.data import RunReport
from evo.report.figures import (
    BEST,
    FRONT,
    GENERATION_ZERO,
    NEUTRAL,
    PALE,
    Chart,
    axis_title,
    canvas,
    evaluations_axis,
    focus,
    individual_hover,
)
from evo.standings.differences import standard_error
from evo.standings.individuals import Standing
from trainer.objectives import Objective


def front_chart(report: RunReport, axes: Sequence[Objective] = ()) -> Chart:
    """Return all means over two objectives, by default the front's first two: the dominated pale, generation 0 marked.

    A line goes through the members of the front that are not dominated in these two. Crosses are one standard error.
    """
    pair = tuple(axes) or report.front_objectives[:2]
    rows = [row for row in report.individuals if all(objective.name in row.objectives for objective in pair)]
    if not rows:
        return Chart(canvas(220, x_title="", y_title=""), "No individual was scored.")
    on_front = set(report.front)
    front = [row for row in rows if row.id in on_front]
    dominated = [row for row in rows if row.id not in on_front]
    marked = [row for row in rows if row.id in (0, report.best)]
    figure = canvas(460, x_title=axis_title(pair[0]), y_title=axis_title(pair[1]))
    spans = [_span(rows, [*front, *marked], objective) for objective in pair]
    figure.update_layout(xaxis={"range": spans[0]}, yaxis={"range": spans[1]})
    best = [row for row in marked if row.id == report.best]
    zero = [row for row in marked if row.id == 0]
    knee = [row for row in front if row.id == report.summary.knee]
    again = {one.individual for one in report.summary.confirmed_front}
    confirmed = [row for row in rows if row.id in again]
    figure.add_traces(
        [
            _points(report, dominated, pair, "dominated", {"color": PALE, "size": 7}),
            _points(report, front, pair, "front", {"color": FRONT, "size": 9}).update(_crosses(report, front, pair)),
            _staircase(front, pair),
            _points(report, confirmed, pair, "confirmed", {"color": FRONT, "size": 15, "symbol": "square-open"}),
            _points(report, knee, pair, "knee", {"color": FRONT, "size": 16, "symbol": "circle-open"}),
            _points(report, zero, pair, GENERATION_ZERO, {"color": NEUTRAL, "size": 14, "symbol": "diamond"}),
            _points(report, best, pair, "best", {"color": BEST, "size": 16, "symbol": "star"}),
        ]
    )
    return Chart(figure, _note(rows, pair, spans))


def _span(rows: Sequence[Standing], kept: Sequence[Standing], objective: Objective) -> tuple[float, float] | None:
    name = objective.name
    return focus((row.objectives[name] for row in rows), [row.objectives[name] for row in kept], objective)


def _points(
    report: RunReport,
    rows: Sequence[Standing],
    pair: Sequence[Objective],
    label: str,
    marker: dict[str, str | int],
) -> go.Scatter:
    x, y = ([row.objectives[objective.name] for row in rows] for objective in pair)
    texts = [individual_hover(report, row) for row in rows]
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=label,
        marker=marker,
        hovertext=texts,
        hoverinfo="text",
        customdata=[row.id for row in rows],
    )


def _crosses(report: RunReport, rows: Sequence[Standing], pair: Sequence[Objective]) -> dict[str, Any]:
    """Return the standard errors of means as a chart draws them; of an objective whose noise is unknown, none."""
    found = {}
    for axis, objective in zip(("error_x", "error_y"), pair, strict=True):
        if sigma := report.summary.noise.get(objective.name):
            errors = [standard_error(sigma, row.replicates) for row in rows]
            found[axis] = {"type": "data", "array": errors, "color": FRONT, "thickness": 1, "width": 0}
    return found


def _staircase(front: Sequence[Standing], pair: Sequence[Objective]) -> go.Scatter:
    """Return the boundary of what the front dominates in two objectives."""
    first, second = pair
    corners: list[Standing] = []
    for row in sorted(front, key=lambda row: [-one.weight * row.objectives[one.name] for one in pair]):
        if not corners or second.weight * (row.objectives[second.name] - corners[-1].objectives[second.name]) > 0:
            corners.append(row)
    return go.Scatter(
        x=[row.objectives[first.name] for row in corners],
        y=[row.objectives[second.name] for row in corners],
        mode="lines",
        name="boundary",
        showlegend=False,
        line={"color": FRONT, "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )


def _note(
    rows: Sequence[Standing],
    pair: Sequence[Objective],
    spans: Sequence[tuple[float, float] | None],
) -> str:
    axes = [(objective.name, span) for objective, span in zip(pair, spans, strict=True) if span]
    outside = sum(any(not span[0] <= row.objectives[name] <= span[1] for name, span in axes) for row in rows)
    return f"Dominated individuals outside of the first view: {outside}; a double click shows all." if outside else ""


def hypervolume_chart(report: RunReport) -> Chart:
    """Return how the hypervolume of the front has grown, result by result."""
    figure = canvas(260, x_title="evaluation", y_title="hypervolume (higher is better)")
    figure.update_layout(yaxis={"range": [0, 1.02], "tickformat": ".0%"}, showlegend=False)
    figure.update_layout(xaxis=evaluations_axis(len(report.evaluations)))
    result_number = [*(number for number, _ in report.summary.hypervolume), len(report.evaluations)]
    shares = [share for _, share in report.summary.hypervolume]
    line = {"color": FRONT, "width": 2.5, "shape": "hv"}
    mode = "lines" if len(shares) > 1 else "markers"
    return Chart(figure.add_trace(go.Scatter(x=result_number, y=[*shares, shares[-1]], mode=mode, line=line)))
