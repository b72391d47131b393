"""Charts as images for papers: PDF, SVG and PNG, drawn by plotly in a headless Chromium (kaleido).

Loads plotly, and kaleido, which is an extra.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from evo.errors import ReportError

FORMATS = ("pdf", "svg", "png")
_WIDTH = 720
_PNG_SCALE = 3
_INK, _GRID = "#1f2328", "#e3e6ea"


def draw_images(figures: Sequence[go.Figure], format_: str) -> list[bytes]:
    """Return each figure as an image with a white background, 720 pixels wide; PNG has three times as many.

    Raises:
        ReportError: kaleido or a browser is missing, or the browser failed.
    """
    try:
        import kaleido  # noqa: F401 - an extra
    except ImportError as error:
        raise ReportError(
            f"An image needs the package kaleido ({error}). Install it: pip install 'evo-train[plot]'"
        ) from error
    from choreographer.errors import BrowserClosedError, BrowserFailedError, ChromeNotFoundError

    try:
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder, "plotly.js")  # ours: nothing comes from the internet
            library.write_text(get_plotlyjs(), encoding="utf-8")
            return asyncio.run(_drawn([_for_paper(figure) for figure in figures], format_, library.as_uri()))
    except ChromeNotFoundError as error:
        raise ReportError(
            "An image needs Chrome or Chromium, which draws it, but none was found. Install one, or name it in the "
            "variable BROWSER_PATH."
        ) from error
    except (BrowserClosedError, BrowserFailedError, TimeoutError) as error:
        raise ReportError(f"The browser that draws images failed: {type(error).__name__}. Try again.") from error


async def _drawn(figures: Sequence[go.Figure], format_: str, library: str) -> list[bytes]:
    from kaleido import Kaleido

    # What fails is raised. It also logs, among others, the browser's last word as a message that it cannot read.
    logging.getLogger("choreographer").addHandler(logging.NullHandler())
    async with Kaleido(plotlyjs=library, mathjax=False) as browser:  # no chart uses MathJax
        return [await browser.calc_fig(figure, _options(figure, format_)) for figure in figures]


def _options(figure: go.Figure, format_: str) -> dict[str, str | int]:
    scale = _PNG_SCALE if format_ == "png" else 1
    return {"format": format_, "width": _WIDTH, "height": figure.layout.height, "scale": scale}


def _for_paper(figure: go.Figure) -> go.Figure:
    """Return a copy with the colours that a page would choose, and with a margin."""
    copy = go.Figure(figure)
    copy.update_layout(paper_bgcolor="white", plot_bgcolor="white", font={"color": _INK, "family": "sans-serif"})
    copy.update_layout(margin={"l": 16, "r": 16, "t": 40, "b": 16})
    return copy.update_xaxes(gridcolor=_GRID, linecolor=_INK).update_yaxes(gridcolor=_GRID, linecolor=_INK)
