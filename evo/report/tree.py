"""The chart of the family tree: every individual below its parents, the line to the best highlighted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import plotly.graph_objects as go

from evo.report.data import RunReport
from evo.report.family import Seat, curve, seats
from evo.report.figures import (
    BEST,
    FAILED,
    FAINT,
    NEUTRAL,
    SCORE_COLOURS,
    Chart,
    axis_title,
    canvas,
    focus,
    individual_hover,
)
from evo.standings.individuals import Standing
from trainer.evaluation import Status
from trainer.objectives import Direction

_GENERATION_PIXELS, _MIN_PIXELS, _MAX_PIXELS = 30, 380, 1600
_MOST_LABELS = 15
_IN_LINE = "member of the line"
_CROWD = 200
"""With more individuals than this the dots are drawn smaller."""


def tree_chart(report: RunReport) -> Chart:
    """Return one dot for each individual, coloured by its score, with an edge to each parent."""
    line = [step.individual for step in report.best_line]
    parents = {row.id: row.parents for row in report.individuals}
    places = seats(parents, set(line), report.generation_size)
    last = max((seat.y for seat in places.values()), default=0.0)
    height = min(max(int(last * _GENERATION_PIXELS), _MIN_PIXELS), _MAX_PIXELS)
    figure = canvas(height, x_title="", y_title="generation of birth")
    figure.update_layout(
        xaxis={"visible": False},
        yaxis={
            "range": [last + 0.5, -0.5],
            "showgrid": False,
            # Whole generations only, each label once.
            "tickvals": list(range(0, int(last) + 1, max(1, round(last / _MOST_LABELS)))),
        },
    )
    edges = [(parent, child) for child in parents for parent in parents[child]]
    figure.add_trace(_edges(places, edges, "parent", {"color": FAINT, "width": 1}))
    figure.add_trace(_edges(places, pairwise(line), "line of the best", {"color": BEST, "width": 3}))
    figure.add_traces(_dots(report, places, set(line)))
    return Chart(figure)


def _edges(
    places: Mapping[int, Seat], edges: Iterable[tuple[int, int]], label: str, line: dict[str, str | int]
) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for parent, child in edges:
        xs, ys = curve(places[parent], places[child])
        x += [*(round(value, 3) for value in xs), None]
        y += [*(round(value, 3) for value in ys), None]
    return go.Scatter(x=x, y=y, mode="lines", name=label, line=line, hoverinfo="skip")


def _dots(report: RunReport, places: Mapping[int, Seat], line: set[int]) -> list[go.Scatter]:
    scored = report.ranking
    unscored = [row for row in report.individuals if report.objective.name not in row.objectives]
    size = 8 if len(report.individuals) > _CROWD else 11
    cross = {"color": FAILED, "size": size, "symbol": "x-thin-open"}
    ring = {"color": NEUTRAL, "size": size, "symbol": "circle-open"}
    groups: tuple[tuple[str, list[Standing], dict[str, object]], ...] = (
        ("scored", [row for row in scored if row.id not in line], {"size": size}),
        ("failed", [row for row in unscored if row.status not in (None, Status.OK)], cross),
        ("only tried", [row for row in unscored if row.status is Status.OK], ring | {"symbol": "circle-dot"}),
        ("waiting", [row for row in unscored if not row.status], ring),
        (_IN_LINE, [row for row in scored if row.id in line], {"size": size + 3, "line": {"color": BEST, "width": 2}}),
    )
    return [
        _markers(report, rows, label, places, marker if "color" in marker else {**_scores(report, rows), **marker})
        for label, rows, marker in groups
        if rows
    ]


def _scores(report: RunReport, rows: Sequence[Standing]) -> dict[str, object]:
    """Return plotly's settings of dots coloured by the first objective, the best strongest, on one scale for all."""
    name = report.objective.name
    values = [row.objectives[name] for row in report.ranking]
    low, high = focus(values, [], report.objective) or (0.0, 1.0)
    title = {"text": axis_title(report.objective), "side": "bottom"}
    place = {"orientation": "h", "x": 0.5, "y": 0, "yanchor": "top", "len": 0.6, "thickness": 8}
    return {
        "color": [row.objectives[name] for row in rows],
        "colorscale": [list(stop) for stop in SCORE_COLOURS],
        "reversescale": report.objective.direction is Direction.MAXIMIZE,
        "cmin": max(low, min(values)),
        "cmax": min(high, max(values)),
        "colorbar": {"title": title, "outlinewidth": 0, **place},
    }


def _markers(
    report: RunReport, rows: Sequence[Standing], label: str, places: Mapping[int, Seat], marker: dict[str, object]
) -> go.Scatter:
    return go.Scatter(
        x=[places[row.id].x for row in rows],
        y=[places[row.id].y for row in rows],
        mode="markers",
        name=label,
        showlegend=label != _IN_LINE,
        marker={**marker, "showscale": label == _IN_LINE and marker["cmin"] != marker["cmax"]},
        hovertext=[individual_hover(report, row) for row in rows],
        customdata=[row.id for row in rows],
        hoverinfo="text",
    )
