"""The chart of the Pareto front: what speed costs, or whatever two objectives the front trades off."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from evo.report.data import IndividualRow, RunReport
from evo.report.figures import (
    BEST,
    FRONT,
    GENERATION_ZERO,
    NEUTRAL,
    PALE,
    Chart,
    axis_title,
    canvas,
    focus,
    individual_hover,
)
from trainer.objectives import Direction, Objective


def front_chart(report: RunReport, pair: tuple[Objective, Objective]) -> Chart:
    """Return everyone's means over two objectives: the front as a line, the dominated pale, generation 0 marked."""
    rows = [row for row in report.individuals if all(objective.name in row.means for objective in pair)]
    on_front = set(report.front)
    front = [row for row in rows if row.id in on_front]
    dominated = [row for row in rows if row.id not in on_front]
    marked = [row for row in rows if row.id in (0, report.best)]
    figure = canvas(460, x_title=axis_title(pair[0]), y_title=axis_title(pair[1]))
    spans = [_span(rows, [*front, *marked], objective) for objective in pair]
    figure.update_layout(xaxis={"range": spans[0]}, yaxis={"range": spans[1]})
    best = [row for row in marked if row.id == report.best]
    zero = [row for row in marked if row.id == 0]
    figure.add_traces(
        [
            _points(report, dominated, pair, "dominated", {"color": PALE, "size": 7}),
            _staircase(report, front, pair),
            _points(report, zero, pair, GENERATION_ZERO, {"color": NEUTRAL, "size": 14, "symbol": "diamond"}),
            _points(report, best, pair, "best", {"color": BEST, "size": 16, "symbol": "star"}),
        ]
    )
    return Chart(figure, _note(rows, pair, spans))


def _span(
    rows: Sequence[IndividualRow], kept: Sequence[IndividualRow], objective: Objective
) -> tuple[float, float] | None:
    name = objective.name
    return focus((row.means[name] for row in rows), [row.means[name] for row in kept], objective)


def _points(
    report: RunReport,
    rows: Sequence[IndividualRow],
    pair: tuple[Objective, Objective],
    label: str,
    marker: dict[str, str | int],
) -> go.Scatter:
    x, y = ([row.means[objective.name] for row in rows] for objective in pair)
    texts = [individual_hover(report, row) for row in rows]
    return go.Scatter(x=x, y=y, mode="markers", name=label, marker=marker, hovertext=texts, hoverinfo="text")


def _staircase(report: RunReport, front: Sequence[IndividualRow], pair: tuple[Objective, Objective]) -> go.Scatter:
    """Return the front with the boundary of what it dominates."""
    along = sorted(front, key=lambda row: row.means[pair[0].name])
    trace = _points(report, along, pair, "front", {"color": FRONT, "size": 9})
    shape = "hv" if pair[0].direction is Direction.MINIMIZE else "vh"
    return trace.update(mode="lines+markers", line={"color": FRONT, "width": 2, "shape": shape})


def _note(
    rows: Sequence[IndividualRow],
    pair: tuple[Objective, Objective],
    spans: Sequence[tuple[float, float] | None],
) -> str:
    axes = [(objective.name, span) for objective, span in zip(pair, spans, strict=True) if span]
    outside = sum(any(not span[0] <= row.means[name] <= span[1] for name, span in axes) for row in rows)
    return (
        f"{outside} dominated individuals lie outside of the first view; a double click shows all." if outside else ""
    )
