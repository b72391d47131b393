"""The figures of a comparison as SVG and PNG: every run, the arms over time, what their fronts attain."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.compare.report.findings import Contrast, Findings
from evo.compare.statistics.attainment import LEVELS, attainment_surface
from evo.compare.statistics.curves import COSTS, Curve, anytime_curves
from evo.compare.statistics.rank_tests import counted_runs
from evo.compare.statistics.results import Results
from evo.text import visible
from trainer.objectives import Direction, Objective

if TYPE_CHECKING:  # matplotlib takes seconds to load, which commands without a report need not wait for
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

COST_TITLES = {"evaluations": "evaluations", "gpu_seconds": "device time, seconds", "usd": "dollars"}

_COLOURS = ("#3b82c4", "#e8590c", "#1a9e77", "#c65d9a", "#7a6fd0", "#d99a00", "#8c6d5a", "#5aa9c9")
_FAILED, _MUTED = "#b3263e", "#667080"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#98a2ae",
    "axes.labelcolor": "#1d2126",
    "axes.titlesize": 9,
    "axes.grid": True,
    "grid.color": "#e3e5e8",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "text.parse_math": False,  # names are shown as they are, dollars included
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "evo",  # the same results make the same file
}
_WIDTH = 9.0
_LABEL_WIDTH = 28
_DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Figure:
    """A figure in both formats.

    Attributes:
        name: of its files, without a suffix.
        caption: what it shows, how to read it, and what it leaves out.
    """

    name: str
    title: str
    caption: str
    svg: bytes
    png: bytes


def draw_figures(findings: Findings) -> list[Figure]:
    """Return the figures for which there are data."""
    import matplotlib as mpl

    if not any(arm.counted for arm in findings.arms):
        return []
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a name may have any character
        drawn = [_outcomes(findings), _anytime(findings.results), _attainment(findings.results)]
    return [figure for figure in drawn if figure is not None]


def _outcomes(findings: Findings) -> Figure:
    """Return every run's outcome beside the interquartile means, and its gain over the first arm where paired."""
    results = findings.results
    compared = [c for c in findings.contrasts if c.comparison.paired and c.runs]
    canvas = _canvas(1.0 + 0.42 * len(results.arms))
    left, *right = canvas.subplots(1, 2 if compared else 1, squeeze=False)[0]
    runs = counted_runs(results)
    for place, arm in enumerate(findings.arms):
        own = runs[runs["arm"] == arm.name]
        for state, marker in (("finished", "o"), ("failed", "x")):
            values = own.loc[own["state"] == state, "outcome"].to_numpy(dtype=float)
            colour = _FAILED if state == "failed" else _colour(place)
            left.scatter(values, place + _spread(len(values)), s=16, marker=marker, color=colour, alpha=0.75, lw=1)
        _bar(left, place, arm.middle)
    zero = runs["generation_zero"].to_numpy(dtype=float)
    if np.isfinite(zero).any():
        left.axvline(np.nanmean(zero), color=_MUTED, lw=1, ls=":", zorder=1)
    _name_rows(left, results.arms)
    left.set_xlabel(_axis_title(results.objective))
    for axes in right:
        _differences(axes, compared, results)
    caption = (
        "Every run is a dot, a failed one a red cross at the outcome of generation 0; bars are interquartile means "
        "with their 95% intervals, the dotted line is the mean of generation 0."
    )
    if compared:
        caption += (
            f" Right: gains over {results.arms[0]} within repeats, their mean and its interval; positive is better."
        )
    return _finished(canvas, "outcomes", "Outcome of every run", caption)


def _differences(axes: Axes, contrasts: Sequence[Contrast], results: Results) -> None:
    names = [contrast.comparison.arm for contrast in contrasts]
    for place, contrast in enumerate(contrasts):
        values = contrast.comparison.differences
        colour = _colour(results.arms.index(contrast.comparison.arm))
        axes.scatter(values, place + _spread(len(values)), s=16, color=colour, alpha=0.75, lw=1)
        _bar(axes, place, contrast.difference)
    axes.axvline(0.0, color=_MUTED, lw=1, zorder=1)
    _name_rows(axes, names)
    axes.set_xlabel(f"gain over {_label(results.arms[0])}{_in_unit(results.objective)}")


def _anytime(results: Results) -> Figure | None:
    """Return the arms' best so far over each cost that was spent."""
    drawn = {cost: curves for cost in COSTS if (curves := anytime_curves(results, cost))}
    if not drawn:
        return None
    canvas = _canvas(3.2)
    panels = canvas.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
    for axes, (cost, curves) in zip(panels, drawn.items(), strict=True):
        for curve in curves:
            _curve(axes, curve, results)
        axes.set_xlabel(COST_TITLES[cost])
    panels[0].set_ylabel(f"best so far\n{_named(results.objective)}")
    _legend(canvas, panels[0])
    unknown = sorted(COST_TITLES[cost] for cost, curves in drawn.items() if len(curves) < max(map(len, drawn.values())))
    caption = (
        "Interquartile mean and interquartile range over an arm's runs of what selection would have chosen at that "
        "time, by the values that selection saw. A run that has spent its budget keeps its last value."
    )
    if unknown:
        caption += f" An arm whose cost is unknown is not drawn over {' and '.join(unknown)}."
    return _finished(canvas, "anytime", "Best so far", caption)


def _curve(axes: Axes, curve: Curve, results: Results) -> None:
    colour = _colour(results.arms.index(curve.arm))
    values = np.stack([curve.low, curve.middle, curve.high])
    # A step where nothing changes would only make the file larger.
    drawn = np.concatenate([[True], (np.diff(values) != 0).any(axis=0)])
    drawn[-1] = True
    spent, (low, middle, high) = curve.spent[drawn], values[:, drawn]
    axes.fill_between(spent, low, high, color=colour, alpha=0.15, lw=0, step="post")
    axes.step(spent, middle, where="post", color=colour, lw=1.6, label=f"{_label(curve.arm)} ({curve.runs})")


def _attainment(results: Results) -> Figure | None:
    """Return what shares of each arm's runs attain in the first two objectives, the first arm's median behind all."""
    if len(results.objectives) < 2:
        return None
    pair = (results.objectives[0], results.objectives[1])
    surfaces = {arm: attainment_surface(results, arm, pair) for arm in results.arms}
    corners = [surface for levels in surfaces.values() for surface in levels.values() if len(surface)]
    if not corners:
        return None
    everything = np.vstack(corners)
    columns = min(5, len(surfaces))
    rows = math.ceil(len(surfaces) / columns)
    canvas = _canvas(0.5 + 2.1 * rows)
    panels = canvas.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    first = surfaces[results.arms[0]]
    for place, (axes, (arm, levels)) in enumerate(zip(panels.flat, surfaces.items(), strict=False)):
        if place:
            _staircase(axes, first[50], pair, everything, color=_MUTED, lw=1, ls=":")
        for level, (style, width) in zip(LEVELS, (("--", 1.0), ("-", 1.8), ("--", 1.0)), strict=True):
            _staircase(axes, levels[level], pair, everything, color=_colour(place), lw=width, ls=style)
        axes.set_title(_label(arm))
        axes.locator_params(axis="x", nbins=3)
    for axes in panels.flat[len(surfaces) :]:
        axes.set_visible(False)
    canvas.supxlabel(_axis_title(pair[0]), fontsize=9)
    canvas.supylabel(f"{_named(pair[1])}\n{pair[1].unit}".strip(), fontsize=9)
    caption = (
        f"What 25%, 50% (solid) and 75% of an arm's runs attain in {pair[0].name} and {pair[1].name} at once, by the "
        f"values that selection saw; dotted: the median surface of {results.arms[0]}. A level that fewer runs reach "
        "has no line."
    )
    return _finished(canvas, "attainment", "What fronts attain", caption)


def _staircase(
    axes: Axes, corners: np.ndarray, pair: tuple[Objective, Objective], everything: np.ndarray, **style: Any
) -> None:
    """Draw the boundary of what the corners dominate, on to the edge of all that is drawn."""
    if not len(corners):
        return
    worst = [
        column.max() if one.direction is Direction.MINIMIZE else column.min()
        for one, column in zip(pair, everything.T, strict=True)
    ]
    ends = corners[0], corners[-1]
    # The surface leaves its best value in one objective along the worse side of the other.
    starts_best = pair[0].direction is Direction.MINIMIZE
    before = [ends[0][0], worst[1]] if starts_best else [worst[0], ends[0][1]]
    after = [worst[0], ends[1][1]] if starts_best else [ends[1][0], worst[1]]
    line = np.vstack([before, corners, after])
    axes.step(line[:, 0], line[:, 1], where="post" if starts_best else "pre", **style)


def _bar(axes: Axes, place: int, estimate: Any) -> None:
    """Mark an estimate and its interval."""
    axes.plot([estimate.value] * 2, [place - 0.28, place + 0.28], color="#1d2126", lw=2.2, zorder=4)
    if estimate.low is not None:
        axes.plot([estimate.low, estimate.high], [place, place], color="#1d2126", lw=1.2, zorder=4)


def _name_rows(axes: Axes, names: Iterable[str]) -> None:
    labels = [_label(name) for name in names]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _legend(canvas: Canvas, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper left", ncols=min(5, len(labels)), handlelength=1.2)


def _label(name: str) -> str:
    """Return a name as it can stand beside an axis."""
    text = " ".join(visible(name).split())
    return text if len(text) <= _LABEL_WIDTH else f"{text[: _LABEL_WIDTH - 1]}…"


def _spread(count: int) -> np.ndarray:
    """Return offsets that keep runs of one value apart."""
    return np.linspace(-0.2, 0.2, count) if count > 1 else np.zeros(count)


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


def _axis_title(objective: Objective) -> str:
    return _named(objective, _in_unit(objective))


def _named(objective: Objective, unit: str = "") -> str:
    better = "lower" if objective.direction is Direction.MINIMIZE else "higher"
    return f"{_label(objective.name)}{unit} ({better} is better)"


def _in_unit(objective: Objective) -> str:
    return f", {_label(objective.unit)}" if objective.unit else ""


def _canvas(height: float) -> Canvas:
    from matplotlib.figure import Figure as NewCanvas

    return NewCanvas(figsize=(_WIDTH, height), layout="constrained", facecolor="white")


def _finished(canvas: Canvas, name: str, title: str, caption: str) -> Figure:
    svg, png = io.BytesIO(), io.BytesIO()
    canvas.savefig(svg, format="svg", metadata={"Date": None})
    canvas.savefig(png, format="png", dpi=_DOTS_PER_INCH)
    return Figure(name, title, caption, svg.getvalue(), png.getvalue())
