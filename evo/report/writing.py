"""Writing a run's report to its place."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from evo.errors import ReportError
from evo.runs.lifecycle import Viewed


def write_report(viewed: Viewed, out: Path | None = None) -> Path:
    """Write the report of a run, replacing an older one atomically, and return its path.

    Args:
        viewed: the run, be it live, killed or finished.
        out: the file; the run's own `report.html` by default.

    Raises:
        ReportError: the file cannot be written.
    """
    from evo.report.loading import load_report
    from evo.report.render import render_report  # loads plotly and jinja2, which nothing else needs

    path = out or viewed.folder.report
    page = render_report(load_report(viewed))
    # Two writers, such as a driver at its end and `evo report`, never share a draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise ReportError(
            f"The report was to be written to {path}, but that failed: {error.strerror}. "
            "Name a file in a folder that you can write with `evo report RUN --out FILE`."
        ) from error
    return path
