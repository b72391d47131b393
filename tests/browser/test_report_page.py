"""The report in a real browser, opened from disk with the network cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsers import launched
from playwright.sync_api import Browser, Page
from report_samples import bare_run, sample_run

from evo.report.data import RunReport
from evo.report.render import render_report

_HOSTILE = "</script><script>window.owned = 1</script><img src=x onerror='window.owned = 1'><b>bold?</b>"
_PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
_ALL_DRAWN = "document.querySelectorAll('[data-drawn]').length === document.querySelectorAll('[data-figure]').length"

Open = Callable[..., "OpenedReport"]


class OpenedReport:
    """A page with everything that went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    contexts = []

    def open_(report: RunReport, **settings: Any) -> OpenedReport:
        path = tmp_path / "report.html"
        path.write_text(render_report(report), encoding="utf-8")
        context = browser.new_context(offline=True, **settings)
        contexts.append(context)
        opened = OpenedReport(context.new_page())
        opened.page.goto(path.as_uri())
        opened.page.wait_for_function(_ALL_DRAWN)
        return opened

    yield open_
    for context in contexts:
        context.close()


def test_a_large_run_is_drawn_without_a_network_or_a_complaint(open_report):
    report = sample_run(640)
    opened = open_report(report)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))] == []

    def count(chart: str, what: str) -> int:
        return opened.page.locator(f"[data-figure=figure-{chart}] .scatterlayer {what}").count()

    assert count("tree", ".point") == len(report.individuals)
    assert count("progress", ".point") == len(report.evaluations)
    assert count("front", ".js-line") == count("hypervolume", ".js-line") == 1


@pytest.mark.parametrize("report", [bare_run(), sample_run(0), sample_run(3, front_objectives=())])
def test_small_and_unfinished_runs_are_drawn_too(open_report, report):
    assert open_report(report).complaints == []


def test_hostile_text_is_shown_and_never_runs(open_report):
    report = sample_run(12)
    hostile = replace(
        report,
        name=_HOSTILE,
        individuals=tuple(replace(row, idea=_HOSTILE, operator=_HOSTILE) for row in report.individuals),
        best_line=tuple(replace(step, source=f"# {_HOSTILE} {step.individual}\n") for step in report.best_line),
    )
    opened = open_report(hostile)
    assert opened.complaints == []
    assert opened.page.evaluate("window.owned") is None
    assert opened.page.locator("img").count() == 0
    assert _HOSTILE in opened.page.locator("td.idea").first.inner_text()
    dot = opened.page.locator("[data-figure=figure-tree] .points path").first
    dot.hover(force=True)
    label = opened.page.locator("[data-figure=figure-tree] .hoverlayer .hovertext")
    label.wait_for()
    assert "<script>window.owned = 1</script>" in (label.first.text_content() or "").replace("\xa0", " ")
    assert opened.page.evaluate("window.owned") is None


def test_the_policy_stops_a_script_that_got_in_all_the_same(open_report):
    opened = open_report(bare_run())
    opened.page.evaluate(
        "const script = document.createElement('script');"
        "script.textContent = 'window.owned = 1'; document.body.append(script);"
    )
    assert opened.page.evaluate("window.owned") is None
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


def test_a_phone_has_no_horizontal_scroll_even_with_every_diff_unfolded(open_report):
    opened = open_report(sample_run(60), **_PHONE)
    opened.page.evaluate("document.querySelectorAll('details').forEach((step) => { step.open = true; })")
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    wide = opened.page.evaluate(
        "Array.from(document.querySelectorAll('section, header, .chart')).filter("
        "(part) => part.getBoundingClientRect().right > window.innerWidth + 1).length"
    )
    assert wide == 0


def test_colours_follow_the_reader_s_preference_at_once(open_report):
    opened = open_report(sample_run(12), color_scheme="light")

    def ink() -> str:
        text = opened.page.locator("[data-figure=figure-progress] .xtitle")
        return str(text.evaluate("(element) => getComputedStyle(element).fill"))

    def paper() -> str:
        return str(opened.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = (ink(), paper())
    opened.page.emulate_media(color_scheme="dark")
    opened.page.wait_for_function(
        "(light) => getComputedStyle(document.querySelector('[data-figure=figure-progress] .xtitle')).fill !== light",
        arg=light[0],
    )
    assert paper() != light[1]
    assert opened.complaints == []
