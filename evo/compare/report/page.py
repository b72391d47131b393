"""`write_report`: what an experiment found, as one HTML page that needs no network, Markdown and CSV."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

import evo.report
from evo.compare.report.figures import Figure, draw_figures
from evo.compare.report.findings import Findings
from evo.compare.report.wording import TEMPLATES, add_words, say
from evo.compare.statistics.curves import expected_runtimes
from evo.compare.statistics.effect_sizes import Estimate
from evo.errors import ReportError
from evo.files import replace_file
from evo.report.render import page_scripts, source_hash
from evo.report.templates import environment
from evo.text import visible

_SHARED_STYLE = Path(evo.report.__file__).parent / "report.css"
_MARKDOWN = re.compile(r"([\\`*_\[\]<>&|#~$])")


def write_report(findings: Findings, folder: Path) -> Path:
    """Write the report of an experiment, complete, partial or empty, and return the path of its page.

    The folder gets `report.html` and its figures, `report.md` with the tables, and as CSV `runs`, `progress`,
    `points`, `arms`, `comparisons` and `targets`. Older ones are replaced, the page last and at once.

    Raises:
        ReportError: the folder cannot be written.
    """
    page, markdown = render_html(findings), render_markdown(findings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in (findings.results.tables | _tables(findings)).items():
            replace_file(folder / f"{name}.csv", table.to_csv(index=False))
        replace_file(folder / "report.md", markdown)
        replace_file(folder / "report.html", page)
    except OSError as error:
        raise ReportError(
            f"The report of the experiment could not be written into {folder}: {error.strerror}. "
            "Name a folder that you can write."
        ) from error
    return folder / "report.html"


def render_html(findings: Findings) -> str:
    """Return the page. Every text of the findings may be hostile: it is shown, never interpreted."""
    scripts, templates = page_scripts(), environment(TEMPLATES, visible)
    rules = [path.read_text("utf-8") for path in (_SHARED_STYLE, TEMPLATES / "report.css")]
    return templates.get_template("report.html").render(
        title=f"{findings.results.name}: {say('headline', findings)}",
        style=Markup("\n".join(rules)),  # noqa: S704 - our own rules
        content=Markup(_content(findings, templates, "html.jinja", draw_figures(findings))),  # noqa: S704 - its texts are escaped
        scripts=scripts,
        script_hashes=" ".join(map(source_hash, scripts)),
    )


def render_markdown(findings: Findings) -> str:
    """Return the same as Markdown, without the figures."""
    text = _content(findings, environment(TEMPLATES, _as_markdown), "markdown.jinja", ())
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _content(findings: Findings, templates: Environment, format_: str, figures: Sequence[Figure]) -> str:
    page = add_words(templates).get_template("report.jinja")
    return page.render(findings=findings, figures=figures, format=format_)


def _as_markdown(text: str) -> Markup:
    r"""Return text in which nothing is Markdown or HTML, in one line."""
    escaped = _MARKDOWN.sub(r"\\\1", " ".join(visible(text).split()))
    return Markup(escaped)  # noqa: S704 - what HTML would interpret is escaped as Markdown escapes it


def _tables(findings: Findings) -> dict[str, pd.DataFrame]:
    contrasts = [
        {
            "arm": one.comparison.arm,
            "reference": one.comparison.reference,
            "runs": one.runs,
            "difference": one.difference,
            "superiority": one.superiority,
            "spread": one.spread,
            "p": one.comparison.p,
            "p_source": one.comparison.source.value,
            "holm_p": one.comparison.holm_p,
            "smallest_p": one.comparison.smallest_p,
            "verdict": one.comparison.verdict.value,
            "runs_needed": one.needed,
            "detectable_effect": one.detectable,
        }
        for one in findings.contrasts
    ]
    arms = [
        {field.name: getattr(arm, field.name) for field in fields(arm) if field.name != "reasons"}
        for arm in findings.arms
    ]
    return {
        "arms": _flat(arms),
        "comparisons": _flat(contrasts),
        "targets": expected_runtimes(findings.results),
    }


def _flat(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return a table in which an estimate takes three columns."""
    flat: list[dict[str, Any]] = []
    for row in rows:
        cells: dict[str, Any] = {}
        for name, value in row.items():
            if isinstance(value, Estimate):
                cells |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            else:
                cells[name] = value
        flat.append(cells)
    return pd.DataFrame(flat)
