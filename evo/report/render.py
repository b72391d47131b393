"""`render_report`: a run's report as one HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from evo import text
from evo.report.data import RunReport
from evo.report.diffs import Diff, diff_of, style_sheet
from evo.report.figures import better_word
from evo.report.front import front_chart, hypervolume_chart
from evo.report.operators import operators_chart
from evo.report.outcome import finding_of
from evo.report.progress import progress_chart
from evo.report.templates import environment
from evo.report.tree import tree_chart
from evo.standings.differences import Difference
from evo.standings.individuals import Standing
from trainer.errors import counted

_FOLDER = Path(__file__).parent
_TOP = 10
_OPEN_STEPS = 4
"""Up to as many steps of the best line are unfolded from the start."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the best line, ready to show; `gain` is over the step before, None where one of them has no score."""

    row: Standing
    diff: Diff
    gain: Difference | None


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """One chart of the page; `json` is plotly's figure, safe inside a script element."""

    json: Markup
    note: str


def render_report(data: RunReport) -> str:
    """Return the whole page. Every text of `data` may be hostile: it is shown, never interpreted."""
    page = _environment().get_template("report.html")
    scripts = page_scripts()
    return page.render(
        report=data,
        finding=finding_of(data),
        better=better_word(data.objective),
        charts=_charts(data),
        steps=_steps(data),
        top=data.ranking[:_TOP],
        open_steps=len(data.best_line) - 1 <= _OPEN_STEPS,
        style=_style(),
        scripts=scripts,
        script_hashes=" ".join(source_hash(script) for script in scripts),
    )


def page_scripts() -> list[Markup]:
    """Return what draws the charts of a page: plotly, and our own code."""
    return [Markup(get_plotlyjs()), Markup((_FOLDER / "charts.js").read_text("utf-8"))]  # noqa: S704 - our own code


def _environment() -> Environment:
    templates = environment(_FOLDER, text.visible)
    templates.filters.update(counted=counted, duration=text.duration, money=text.money, moment=_moment)
    templates.globals.update(price=text.price)
    return templates


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M %Z}"


def _charts(data: RunReport) -> dict[str, DrawnChart]:
    charts = {"progress": progress_chart(data), "tree": tree_chart(data)}
    if data.front_objectives:
        charts["front"] = front_chart(data)
    if data.operators:
        charts["operators"] = operators_chart(data)
    if data.front_objectives and data.summary.hypervolume:
        charts["hypervolume"] = hypervolume_chart(data)
    return {key: DrawnChart(script_safe(chart.figure.to_json()), chart.note) for key, chart in charts.items()}


def _steps(data: RunReport) -> list[Step]:
    return [
        Step(data.by_id[after.individual], diff_of(before.source, after.source), after.gain)
        for before, after in pairwise(data.best_line)
    ]


def script_safe(json: str) -> Markup:
    """Return JSON that no HTML parser takes for the end of a script element or the start of a comment."""
    for character in "<>&\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return Markup(json)  # noqa: S704 - nothing is left that HTML would interpret


def _style() -> Markup:
    rules: Sequence[str] = ((_FOLDER / "report.css").read_text("utf-8"), style_sheet(".diff"))
    return Markup("\n".join(rules))  # noqa: S704 - our own rules


def source_hash(script: str) -> str:
    """Return the hash by which the page's content security policy admits a script, and no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
