"""The figures of a comparison: every run, the arms over time, what their fronts attain."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.colors import hex_to_rgb
from plotly.subplots import make_subplots

from evo.compare.report.findings import Contrast, Findings
from evo.compare.statistics.attainment import LEVELS, attainment_surface
from evo.compare.statistics.curves import COSTS, Curve, anytime_curves
from evo.compare.statistics.effect_sizes import Estimate
from evo.compare.statistics.rank_tests import counted_runs
from evo.compare.statistics.results import Results
from evo.report.figures import FAILED, NEUTRAL, SERIES, axis_title, canvas
from evo.report.render import script_safe
from evo.text import hover, visible
from trainer.objectives import Direction, Objective, quantity

COST_TITLES = {"evaluations": "evaluations", "gpu_seconds": "device time, seconds", "usd": "dollars"}

_LABEL_WIDTH = 28
_LEVEL_LINES: dict[int, dict[str, Any]] = {
    25: {"dash": "dash", "width": 1},
    50: {"width": 2},
    75: {"dash": "dash", "width": 1},
}
_PANELS_A_ROW = 4


@dataclass(frozen=True)
class Figure:
    """A figure; the templates say how to read it.

    Attributes:
        unknown: costs over which an arm is not drawn, since its cost is unknown.
    """

    name: str
    drawn: go.Figure
    unknown: tuple[str, ...] = ()

    @property
    def json(self) -> Markup:
        """Plotly's figure, safe inside a script element."""
        return script_safe(self.drawn.to_json())


def draw_figures(findings: Findings) -> list[Figure]:
    """Return the figures for which there are data."""
    if not findings.has_outcomes:
        return []
    drawn = [_outcomes(findings), _anytime(findings.results), _attainment(findings.results)]
    return [figure for figure in drawn if figure is not None]


def _outcomes(findings: Findings) -> Figure:
    """Return every run's outcome with the interquartile means, and its gain over the first arm where paired."""
    results = findings.results
    compared = findings.pairs
    figure = _panels(1, 2 if compared else 1, 110 + 44 * len(results.arms), horizontal_spacing=0.16)
    runs = counted_runs(results)
    for place, arm in enumerate(findings.arms):
        own = runs[runs["arm"] == arm.name]
        for state, style in (("finished", {"color": _colour(place)}), ("failed", {"color": FAILED, "symbol": "x"})):
            rows = own[own["state"] == state]
            labels = [f"{arm.name}, repeat {repeat + 1}, {state}" for repeat in rows["repeat"]]
            _dots(figure, 1, place, rows["outcome"].to_numpy(dtype=float), labels, style)
        _mark(figure, 1, place, _colour(place), arm.middle, f"{arm.name}, interquartile mean")
    zero = runs["generation_zero"].to_numpy(dtype=float)
    if np.isfinite(zero).any():
        figure.add_vline(float(np.nanmean(zero)), line={"color": NEUTRAL, "width": 1, "dash": "dot"}, row=1, col=1)
    _name_rows(figure, 1, results.arms)
    figure.update_xaxes(title_text=axis_title(results.objective), row=1, col=1)
    if compared:
        _differences(figure, compared, results)
    return Figure("outcomes", figure.update_layout(showlegend=False))


def _differences(figure: go.Figure, contrasts: Sequence[Contrast], results: Results) -> None:
    names = [contrast.comparison.arm for contrast in contrasts]
    for place, (name, contrast) in enumerate(zip(names, contrasts, strict=True)):
        colour, values = _colour(results.arms.index(name)), contrast.comparison.differences
        _dots(figure, 2, place, values, [name] * len(values), {"color": colour})
        _mark(figure, 2, place, colour, contrast.difference, f"{name}, mean")
    figure.add_vline(0.0, line={"color": NEUTRAL, "width": 1}, row=1, col=2)
    _name_rows(figure, 2, names)
    unit = f", {_label(results.objective.unit)}" if results.objective.unit else ""
    figure.update_xaxes(title_text=f"gain over {_label(results.arms[0])}{unit}", row=1, col=2)


def _dots(
    figure: go.Figure, column: int, place: int, values: np.ndarray, labels: Sequence[str], style: dict[str, Any]
) -> None:
    """Draw values in a row, beside each other where they are equal."""
    if not len(values):
        return
    offsets = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(1)
    texts = [hover(label, quantity(value)) for label, value in zip(labels, values, strict=True)]
    marker = {"size": 7, "opacity": 0.7, **style}
    trace = go.Scatter(x=[*values], y=[*(place + offsets)], mode="markers", marker=marker, hovertext=texts)
    figure.add_trace(trace.update(hoverinfo="text"), row=1, col=column)


def _mark(figure: go.Figure, column: int, place: int, colour: str, estimate: Estimate, label: str) -> None:
    """Draw an estimate as a bar with its interval."""
    if not math.isfinite(estimate.value):
        return
    interval = None
    facts = [quantity(estimate.value)]
    if estimate.low is not None and estimate.high is not None:
        above, below = estimate.high - estimate.value, estimate.value - estimate.low
        interval = {"type": "data", "symmetric": False, "array": [above], "arrayminus": [below], "thickness": 1.5}
        facts.append(f"95% interval {quantity(estimate.low)} to {quantity(estimate.high)}")
    marker = {"symbol": "line-ns", "size": 24, "line": {"color": colour, "width": 3}, "color": colour}
    trace = go.Scatter(x=[estimate.value], y=[place], mode="markers", marker=marker, error_x=interval)
    figure.add_trace(trace.update(hovertext=hover(label, *facts), hoverinfo="text"), row=1, col=column)


def _name_rows(figure: go.Figure, column: int, names: Sequence[str]) -> None:
    ticks = {"tickvals": [*range(len(names))], "ticktext": [_label(name) for name in names]}
    figure.update_yaxes(**ticks, range=[len(names) - 0.5, -0.5], showgrid=False, row=1, col=column)


def _anytime(results: Results) -> Figure | None:
    """Return the arms' best so far over each cost that was spent."""
    drawn = {cost: curves for cost in COSTS if (curves := anytime_curves(results, cost))}
    if not drawn:
        return None
    figure = _panels(1, len(drawn), 380, shared_yaxes=True, horizontal_spacing=0.03)
    for column, (cost, curves) in enumerate(drawn.items(), start=1):
        for curve in curves:
            figure.add_traces(_curve(curve, results, in_legend=column == 1), rows=1, cols=column)
        figure.update_xaxes(title_text=COST_TITLES[cost], row=1, col=column)
    figure.update_yaxes(title_text=axis_title(results.objective), row=1, col=1)
    most = max(map(len, drawn.values()))
    unknown = sorted(COST_TITLES[cost] for cost, curves in drawn.items() if len(curves) < most)
    return Figure("anytime", figure, tuple(unknown))


def _curve(curve: Curve, results: Results, *, in_legend: bool) -> list[go.Scatter]:
    """Return the edges of the range and the middle of a curve."""
    colour = _colour(results.arms.index(curve.arm))
    values = np.stack([curve.low, curve.high, curve.middle])
    # A step where nothing changes would only make the page larger.
    drawn = np.concatenate([[True], (np.diff(values) != 0).any(axis=0)])
    drawn[-1] = True
    band = "rgba({},{},{},0.15)".format(*hex_to_rgb(colour))
    styles: list[dict[str, Any]] = [
        {"line": {"width": 0, "shape": "hv"}},
        {"line": {"width": 0, "shape": "hv"}, "fill": "tonexty", "fillcolor": band},
        {"line": {"color": colour, "width": 2, "shape": "hv"}, "hoverinfo": "name+y", "showlegend": in_legend},
    ]
    common = {"mode": "lines", "name": f"{_label(curve.arm)} ({curve.runs})", "legendgroup": curve.arm}
    hidden = {"hoverinfo": "skip", "showlegend": False}
    return [
        go.Scatter(x=curve.spent[drawn].tolist(), y=row[drawn].tolist(), **{**common, **hidden, **style})
        for row, style in zip(values, styles, strict=True)
    ]


def _attainment(results: Results) -> Figure | None:
    """Return what shares of each arm's runs attain in the first two objectives, the first arm's median behind all."""
    if len(results.objectives) < 2:
        return None
    pair = (results.objectives[0], results.objectives[1])
    surfaces = {arm: attainment_surface(results, arm, pair) for arm in results.arms}
    corners = [surface for levels in surfaces.values() for surface in levels.values() if len(surface)]
    if not corners:
        return None
    worst = [
        column.max() if one.direction is Direction.MINIMIZE else column.min()
        for one, column in zip(pair, np.vstack(corners).T, strict=True)
    ]
    columns = min(_PANELS_A_ROW, len(surfaces))
    rows = math.ceil(len(surfaces) / columns)
    titles = [_label(arm) for arm in surfaces]
    figure = _panels(
        rows, columns, 90 + 240 * rows, subplot_titles=titles, shared_xaxes="all", shared_yaxes="all",
        horizontal_spacing=0.03, vertical_spacing=0.3 / rows,
    )  # fmt: skip
    for place, levels in enumerate(surfaces.values()):
        where = {"row": place // columns + 1, "col": place % columns + 1}
        if place:
            first = surfaces[results.arms[0]][50]
            figure.add_traces(_staircase(first, pair, worst, color=NEUTRAL, width=1, dash="dot"), **_many(where))
        for level in LEVELS:
            style = {"color": _colour(place), **_LEVEL_LINES[level]}
            figure.add_traces(_staircase(levels[level], pair, worst, **style), **_many(where))
        figure.update_xaxes(title_text=axis_title(pair[0]), nticks=4, showticklabels=True, **where)
        if where["col"] == 1:
            figure.update_yaxes(title_text=axis_title(pair[1]), **where)
    return Figure("attainment", figure.update_layout(showlegend=False))


def _many(where: dict[str, int]) -> dict[str, int]:
    return {"rows": where["row"], "cols": where["col"]}


def _staircase(
    corners: np.ndarray, pair: tuple[Objective, Objective], worst: Sequence[float], **line: Any
) -> list[go.Scatter]:
    """Return the boundary of what the corners dominate, on to the edge of all that is drawn."""
    if not len(corners):
        return []
    # The surface leaves its best value in one objective along the worse side of the other.
    starts_best = pair[0].direction is Direction.MINIMIZE
    before = [corners[0][0], worst[1]] if starts_best else [worst[0], corners[0][1]]
    after = [worst[0], corners[-1][1]] if starts_best else [corners[-1][0], worst[1]]
    x, y = np.vstack([before, corners, after]).T.tolist()
    shape = "hv" if starts_best else "vh"
    return [go.Scatter(x=x, y=y, mode="lines", line={**line, "shape": shape}, hoverinfo="x+y")]


def _panels(rows: int, columns: int, height: int, **arrangement: Any) -> go.Figure:
    """Return an empty figure of several panels in the style of all reports."""
    layout = canvas(height, x_title="", y_title="").layout.to_plotly_json()
    axes = {"automargin": True, "zeroline": False}
    figure = make_subplots(rows, columns, **arrangement).update_layout(
        {key: value for key, value in layout.items() if key not in ("xaxis", "yaxis")}
    )
    if "subplot_titles" in arrangement:
        figure.update_layout(margin={"t": 28})
    return figure.update_xaxes(**axes, title_standoff=8).update_yaxes(**axes, title_standoff=8)


def _label(name: str) -> str:
    """Return a name as it can stand beside an axis, where plotly would read markup."""
    text = " ".join(visible(name).split())
    return html.escape(text if len(text) <= _LABEL_WIDTH else f"{text[: _LABEL_WIDTH - 1]}…")


def _colour(place: int) -> str:
    return SERIES[place % len(SERIES)]
