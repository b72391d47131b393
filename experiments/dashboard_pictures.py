"""Draw docs/dashboard-*.png and docs/report.png: the run in experiments/examples/llm_run, as a browser shows it."""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

RUN = Path(__file__).parent / "examples" / "llm_run"
DOCS = Path(__file__).parents[1] / "docs"
MOST_BYTES = 150_000
"""Of one picture."""

_EVO = Path(sys.executable).with_name("evo")
_WIDTH = 1280
_REPORT_HEIGHT, _REPORT_WIDTH = 1000, 1000
_ALL_DRAWN = "document.querySelectorAll('[data-drawn]').length === document.querySelectorAll('[data-figure]').length"
_COLOURS = 160
_SCROLLING_MILLISECONDS = 300


class Picture(NamedTuple):
    """One picture.

    Attributes:
        query: the state of the page, as its address holds it.
        height: pixels of the window.
        scheme: `light` or `dark`.
        top: text of the heading that is scrolled to; empty for none.
    """

    query: str
    height: int
    scheme: Literal["light", "dark"] = "light"
    top: str = ""


PICTURES = {
    "dashboard-overview": Picture("", 900),
    "dashboard-tree": Picture("view=individuals&id=41", 820, top="Family tree"),
    "dashboard-front": Picture("view=front", 720),
    "dashboard-dark": Picture("", 640, "dark"),
}


@contextmanager
def served(run: Path) -> Iterator[str]:
    """Serve a run, and yield the address with its token."""
    command = [str(_EVO), "dashboard", str(run), "--read-only"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)


def photograph(run: Path, folder: Path) -> list[Path]:
    """Write a picture of each view into a folder, and return their paths.

    Raises:
        RuntimeError: one has become larger than `MOST_BYTES`.
    """
    from playwright.sync_api import sync_playwright

    paths = []
    with served(run) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, picture in PICTURES.items():
            page = browser.new_page(
                viewport={"width": _WIDTH, "height": picture.height},
                color_scheme=picture.scheme,
                reduced_motion="reduce",
            )
            page.goto(f"{url}&{picture.query}")
            page.wait_for_selector("#content[data-version]")
            page.wait_for_selector(".chart:not([data-drawn])", state="detached")
            if picture.top:
                page.get_by_role("heading", name=picture.top).evaluate("(one) => scrollTo(0, one.offsetTop - 120)")
                page.wait_for_timeout(_SCROLLING_MILLISECONDS)
            paths.append(folder / f"{name}.png")
            _save(page.screenshot(), paths[-1])
            page.close()
        browser.close()
    if large := [path.name for path in paths if path.stat().st_size > MOST_BYTES]:
        raise RuntimeError(
            f"expected pictures of at most {MOST_BYTES:,} bytes, but these are larger: {', '.join(large)}"
        )
    return paths


def photograph_report(run: Path, target: Path) -> None:
    """Write a picture of the top of a run's report."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = Path(folder) / "report.html"
        subprocess.run([_EVO, "report", run, "--out", report], check=True, capture_output=True)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": _REPORT_WIDTH, "height": _REPORT_HEIGHT})
        page.goto(report.as_uri())
        page.wait_for_function(_ALL_DRAWN)
        _save(page.screenshot(), target)
        browser.close()


def _save(screenshot: bytes, path: Path) -> None:
    """Write a picture with a palette, which takes a third of the bytes."""
    from PIL import Image

    with Image.open(io.BytesIO(screenshot)) as image:
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DOCS, help="where they are written [default: docs]")
    folder = parser.parse_args().folder
    photograph(RUN, folder)
    photograph_report(RUN, folder / "report.png")


if __name__ == "__main__":
    main()
