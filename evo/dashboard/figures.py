"""The charts that the report does not have: slots, constants, several runs together. All others are the report's."""

from __future__ import annotations

import html
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from evo.report.data import RunReport
from evo.report.figures import FAILED, FRONT, PALE, SCORE_COLOURS, SERIES, Chart, axis_title, canvas, evaluations_axis
from evo.runs.lifecycle import Viewed
from evo.standings.differences import standard_error
from evo.store import SlotUse
from evo.text import duration, hover, visible
from operators.source.constants import find_constants
from operators.source.literals import is_number
from trainer.objectives import Objective, is_comparable, quantity

_MOST_SLOT_USES = 1500
_COMMON = 0.5
"""Share of the measured individuals that must have a constant for it to be compared."""
_FEWEST_INDIVIDUALS = 16
_BEST, _FEWEST_BEST = 0.1, 8
"""The share of the individuals that importance tells from the rest, and how many it takes at least."""
_MOST_CONSTANTS = 12
_FEWEST_CHANGED = 3
"""Individuals that must have another value than most, or importance tells of one individual, not of a constant."""
_MOST_LINES, _SHADES = 400, 8


def chart_json(chart: Chart) -> dict[str, Any]:
    """Return a chart as the page draws it."""
    return {"figure": chart.figure.to_plotly_json(), "note": chart.note}


def slots_chart(viewed: Viewed) -> Chart:
    """Return the timeline of every worker: training, scoring, lost; what lies between is idle."""
    uses = viewed.store.slot_uses()[-_MOST_SLOT_USES:]
    is_live = viewed.folder.driver() is not None
    last = viewed.store.period() or (0.0, 0.0)
    now = time.time() if is_live else last[1]
    names = sorted({one.device for one in uses})
    figure = canvas(max(220, 60 + 44 * len(names)), x_title="", y_title="")
    figure.update_layout(
        barmode="overlay",
        bargap=0.45,
        xaxis={"type": "date"},
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": names[::-1], "showgrid": False},
    )
    kinds = (("training", FRONT), ("scoring and start", PALE), ("failed", FAILED), ("lost", "#d99a00"))
    for kind, colour in (*kinds, ("running", "#1a9e77")):
        parts = ((use, part) for use in uses for part in _parts(use, now, is_live=is_live))
        bars = [(use, start, length) for use, (of, start, length) in parts if of == kind]
        if bars:
            figure.add_trace(_bars(kind, colour, bars))
    return Chart(figure, _busy(uses, names, now))


def _parts(use: SlotUse, now: float, *, is_live: bool) -> list[tuple[str, float, float]]:
    """Return kind, begin and length, in seconds, of the parts of a launch."""
    length = (use.ended_at if use.ended_at is not None else now) - use.launched_at
    if use.state == "running":
        return [("running" if is_live else "lost", use.launched_at, max(0.0, length))]
    if use.state == "released":
        return [("lost", use.launched_at, length)]
    if use.status != "ok":
        return [("failed", use.launched_at, length)]
    trained = min(length, use.train_wall_seconds or length)
    return [("training", use.launched_at, trained), ("scoring and start", use.launched_at + trained, length - trained)]


def _bars(kind: str, colour: str, bars: Sequence[tuple[SlotUse, float, float]]) -> go.Bar:
    return go.Bar(
        orientation="h",
        name=kind,
        y=[visible(use.device) for use, _, _ in bars],
        base=[1000 * start for _, start, _ in bars],
        x=[1000 * length for _, _, length in bars],
        marker={"color": colour},
        customdata=[use.individual for use, _, _ in bars],
        hovertext=[hover(f"#{use.individual}", use.purpose, kind, duration(length)) for use, _, length in bars],
        hoverinfo="text",
    )


def _busy(uses: Sequence[SlotUse], names: Sequence[str], now: float) -> str:
    """Return the share of the time in which each worker was busy, in words."""
    if not uses:
        return "No worker has begun anything yet."
    begin = uses[0].launched_at
    span = max(1e-9, max(one.ended_at or now for one in uses) - begin)
    busy = Counter[str]()
    for one in uses:
        busy[one.device] += (one.ended_at or now) - one.launched_at  # type: ignore[assignment]  # seconds
    shares = ", ".join(f"{visible(name)} {min(1.0, busy[name] / span):.0%}" for name in names)
    return f"Busy since the first launch shown, pauses between drivers included: {shares}."


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants that most measured individuals share.

    Attributes:
        objective: the first one, whose means are below.
        values: by constant, one for each individual that has all of them.
        means: of these individuals.
        individuals: their numbers.
    """

    objective: Objective
    values: Mapping[str, Sequence[float]]
    means: Sequence[float]
    individuals: Sequence[int]


def constants_of(report: RunReport, known: Mapping[int, Mapping[str, float]]) -> Constants:
    """Return the constants that most measured individuals share.

    Only numbers that differ between individuals are compared.

    Args:
        report: of the run.
        known: the constants of its individuals (`numbers_of`); of one that is missing nothing is shown.
    """
    name = report.objective.name
    rows = [row for row in report.individuals if name in row.objectives and row.id in known]
    counts = Counter(constant for row in rows for constant in known[row.id])
    common = [one for one, count in counts.items() if count >= _COMMON * len(rows)]
    varied = [one for one in common if len({known[row.id].get(one) for row in rows} - {None}) > 1]
    varied.sort(key=lambda one: -len({known[row.id].get(one) for row in rows}))
    chosen = varied[:_MOST_CONSTANTS]
    complete = [row for row in rows if all(one in known[row.id] for one in chosen)]
    values = {one: [known[row.id][one] for row in complete] for one in chosen}
    values = {one: numbers for one, numbers in values.items() if len(set(numbers)) > 1}
    means = [row.objectives[name] for row in complete]
    return Constants(report.objective, values, means, [row.id for row in complete])


def numbers_of(source: str) -> dict[str, float]:
    """Return the constants of a program that are numbers."""
    constants = {name: one.value for name, one in find_constants(source).items()}
    return {name: float(value) for name, value in constants.items() if is_number(value) and is_comparable(value)}


def parallel_chart(constants: Constants) -> Chart:
    """Return parallel coordinates of the constants that most individuals share, coloured by the first objective.

    Lines, not plotly's own trace: that one compiles shaders and code at run time, which the page's policy forbids.
    """
    objective = constants.objective
    if not constants.values:
        return Chart(canvas(220, x_title="", y_title=""), "No constant differs between individuals that were measured.")
    best_first = sorted(range(len(constants.means)), key=lambda index: -objective.weight * constants.means[index])
    shown = best_first[:_MOST_LINES]
    axes = [*constants.values.items(), (objective.label, constants.means)]
    heights = [_heights([numbers[index] for index in shown]) for _, numbers in axes]
    figure = canvas(420, x_title="", y_title="")
    labels = [_axis_label(name, [numbers[index] for index in shown]) for name, numbers in axes]
    figure.update_layout(
        showlegend=False,
        xaxis={"tickvals": [*range(len(axes))], "ticktext": labels, "range": [-0.5, len(axes) - 0.5]},
        yaxis={"visible": False},
    )
    count = min(_SHADES, len(shown))
    shades = sample_colorscale([*map(list, SCORE_COLOURS)], [shade / max(1, count - 1) for shade in range(count)])
    for shade in reversed(range(count)):  # the best on top
        lines = range(shade * len(shown) // count, (shade + 1) * len(shown) // count)
        points = [(line, axis) for line in lines for axis in (*range(len(axes)), None)]
        figure.add_trace(
            go.Scatter(
                x=[axis for _, axis in points],
                y=[None if axis is None else heights[axis][line] for line, axis in points],
                mode="lines",
                line={"color": shades[shade], "width": 1.5},
                opacity=1 - 0.6 * shade / max(1, count - 1),
                customdata=[constants.individuals[shown[line]] for line, _ in points],
                hovertext=[
                    "" if axis is None else _point_hover(constants.individuals[shown[line]], axes[axis], shown[line])
                    for line, axis in points
                ],
                hoverinfo="text",
            )
        )
    left_out = len(constants.means) - len(shown)
    which = f"The best {len(shown)} of {len(constants.means)}" if left_out else "The"
    note = f"{which} individuals that share these constants; the stronger the blue, the better. Click one to see it."
    return Chart(figure, note)


def _heights(numbers: Sequence[float]) -> list[float]:
    """Return where numbers lie on an axis from 0 to 1, by their logarithms where they span two orders of magnitude."""
    if _spans_magnitudes(numbers):
        numbers = [math.log(number) for number in numbers]
    low, high = min(numbers), max(numbers)
    return [(number - low) / (high - low) if high > low else 0.5 for number in numbers]


def _spans_magnitudes(numbers: Sequence[float]) -> bool:
    return min(numbers) > 0 and max(numbers) >= 100 * min(numbers)


def _axis_label(name: str, numbers: Sequence[float]) -> str:
    return f"{html.escape(visible(name))}<br>{quantity(min(numbers))} … {quantity(max(numbers))}"


def _point_hover(individual: int, axis: tuple[str, Sequence[float]], index: int) -> str:
    name, numbers = axis
    return hover(f"#{individual}", f"{name} {quantity(numbers[index])}")


def importance_chart(constants: Constants) -> Chart:
    """Return how much each constant explains of the first objective: PED-ANOVA (Watanabe et al., 2023) by Optuna."""
    values = {name: numbers for name, numbers in constants.values.items() if _changed(numbers) >= _FEWEST_CHANGED}
    means = constants.means
    figure = canvas(max(200, 80 + 26 * len(values)), x_title="importance", y_title="")
    if len(means) < _FEWEST_INDIVIDUALS:
        return Chart(figure, f"It takes {_FEWEST_INDIVIDUALS} individuals that share constants; {len(means)} do.")
    if not values:
        return Chart(figure, f"No constant differs from its most frequent value in {_FEWEST_CHANGED} individuals.")
    best = max(_FEWEST_BEST, round(_BEST * len(means)))
    shares = _importances(replace(constants, values=values), best / len(means))
    ranked = sorted(shares.items(), key=lambda item: item[1])
    figure.update_layout(showlegend=False, yaxis={"showgrid": False, "automargin": True})
    figure.add_trace(
        go.Bar(
            orientation="h",
            x=[share for _, share in ranked],
            y=[html.escape(visible(name)) for name, _ in ranked],
            marker={"color": FRONT},
            hovertext=[hover(name, f"{share:.0%}") for name, share in ranked],
            hoverinfo="text",
        )
    )
    note = (
        f"PED-ANOVA over {len(means)} individuals: what tells the best {best} from the rest. The search chose them: "
        "this describes it, and does not say what a change would bring."
    )
    return Chart(figure, note)


def _changed(numbers: Sequence[float]) -> int:
    return len(numbers) - max(Counter(numbers).values())


def _importances(constants: Constants, best: float) -> dict[str, float]:
    """Return the share of each constant in what tells the best from the rest; `best` is their share of all."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    values = constants.values
    study = optuna.create_study(direction="minimize" if constants.objective.weight < 0 else "maximize")
    ranges: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.FloatDistribution(min(numbers), max(numbers), log=_spans_magnitudes(numbers))
        for name, numbers in values.items()
    }
    for index, mean in enumerate(constants.means):
        params = {name: numbers[index] for name, numbers in values.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=ranges, value=mean))
    found = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best), params=[*values]
    )
    return {name: float(share) for name, share in found.items()}


def comparison_chart(reports: Mapping[str, RunReport]) -> Chart:
    """Return best-so-far of the runs that share their first objective with the first one, each over its budget."""
    first = next(iter(reports.values()))
    shown = {name: one for name, one in reports.items() if one.objective.name == first.objective.name}
    figure = canvas(440, x_title="evaluation", y_title=axis_title(first.objective))
    figure.update_layout(xaxis=evaluations_axis(max(len(report.evaluations) for report in shown.values())))
    for index, (name, report) in enumerate(shown.items()):
        points = [(lead.result_number, lead.value) for lead in report.leads]
        if not points:
            continue
        points.append((len(report.evaluations), points[-1][1]))
        colour = SERIES[index % len(SERIES)]
        figure.add_trace(
            go.Scatter(
                x=[number for number, _ in points],
                y=[value for _, value in points],
                name=html.escape(visible(name)),
                mode="lines",
                line={"color": colour, "width": 2.5, "shape": "hv"},
                hovertext=[hover(name, report.objective.format(value)) for _, value in points],
                hoverinfo="text",
            )
        )
        figure.add_trace(_last_point(report, name, colour))
    other = len(reports) - len(shown)
    note = f"Runs with another first objective: {other}." if other else ""
    return Chart(figure, f"At the end of each curve: the best mean with its 95% interval. {note}".strip())


def _last_point(report: RunReport, name: str, colour: str) -> go.Scatter:
    last = report.leads[-1]
    sigma, runs = report.summary.noise.get(report.objective.name), max(1, report.by_id[last.individual].replicates)
    margin = 1.96 * (standard_error(sigma, runs) or 0.0)
    return go.Scatter(
        x=[len(report.evaluations)],
        y=[last.value],
        error_y={"type": "data", "array": [margin], "color": colour, "thickness": 1.5, "width": 4},
        mode="markers",
        marker={"color": colour, "size": 8},
        showlegend=False,
        hovertext=[hover(name, f"#{last.individual}", report.objective.format(last.value, margin or None))],
        hoverinfo="text",
    )
