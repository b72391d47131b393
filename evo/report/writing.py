"""Writing a run's report to its place."""

from __future__ import annotations

from pathlib import Path

from evo.errors import ReportError
from evo.files import replace_file
from evo.runs.lifecycle import Viewed


def write_report(viewed: Viewed, out: Path | None = None) -> Path:
    """Write the report of a run, live, killed or finished, to `out` or its own `report.html`, and return the path.

    Raises:
        ReportError: the file cannot be written.
    """
    from evo.report.loading import load_report
    from evo.report.render import render_report  # loads plotly and jinja2, which nothing else needs

    path = out or viewed.folder.report
    page = render_report(load_report(viewed))
    try:
        replace_file(path, page)
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {path}: {error.strerror}. "
            "Name a file in a folder that you can write with `evo report RUN --out FILE`."
        ) from error
    return path
