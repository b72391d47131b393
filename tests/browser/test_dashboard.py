"""The dashboard in a real browser, over a run that goes on while pages look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import launched
from command_line import evo, running
from dashboard_server import dashboard
from playwright.sync_api import Browser, Page, expect
from script_runs import slow_project, write_files

from experiments.dashboard_pictures import RUN

HOSTILE = "<img src=x onerror='window.owned = 1'></script><script>window.owned = 1</script>"
_PHONE: dict[str, Any] = {"viewport": {"width": 400, "height": 860}, "is_mobile": True, "has_touch": True}
_SLOW = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


def opened(browser: Browser, url: str, complaints: list[str], **settings: Any) -> Page:
    page = browser.new_context(**settings).new_page()
    page.set_default_timeout(_SLOW)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(url)
    page.wait_for_selector("#content[data-version]")
    return page


def test_a_live_run_is_watched_and_steered_from_two_pages(browser: Browser, tmp_path: Path) -> None:
    project, path = write_files(tmp_path / "project", slow_project(1.5, f"{HOSTILE} loss: 0.5")), tmp_path / "run"
    size = ("--pop", "4", "--gens", "50", "--workers", "1", "--operators", "constants=1,structure=1")
    complaints: list[str] = []
    with running("run", "--config", project / "evo.toml", *size, "--out", path) as driver:
        driver.wait_for_results(3)
        with dashboard(path) as server:
            page = opened(browser, server.url, complaints)
            assert "token" not in page.url
            (project / "best.py").write_text((project / "run.py").read_text().replace("WIDTH = 2.0", "WIDTH = 99.0"))
            assert "taken up" in evo("inject", path, project / "best.py").stdout
            expect(page.locator("h1")).to_contain_text("98.6", timeout=_SLOW)

            curve = page.locator("svg.live").first
            expect(curve).to_have_attribute(
                "aria-label", re.compile(r"^loss 0\.5.* after .*, parent #\d+ 0\.5"), timeout=_SLOW
            )

            page.get_by_role("link", name="Slots").focus()
            before = page.evaluate("document.focused = document.activeElement, content.dataset.version")
            expect(page.locator("#content")).not_to_have_attribute("data-version", before, timeout=_SLOW)
            assert page.evaluate("document.focused === document.activeElement")

            other = opened(browser, server.url, complaints, **_PHONE)
            assert other.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            page.get_by_role("button", name="Pause").click()
            expect(page.locator("#said")).to_contain_text("taken up: pause", timeout=_SLOW)
            expect(other.locator("#bar .pill")).to_have_text("paused", timeout=_SLOW)
            assert "nothing new starts" in evo("status", path).stdout

            page.keyboard.press("2")
            page.get_by_role("link", name="#0", exact=True).first.click()
            assert re.search(r"view=individuals.*id=0", page.url)
            page.get_by_text("baseline", exact=True).first.wait_for(state="attached")
            page.locator(".detail summary").first.click()
            page.get_by_text(HOSTILE).first.wait_for()
            page.get_by_role("button", name="Pin").click()
            expect(page.locator(".detail")).to_contain_text("Unpin", timeout=_SLOW)
            link = page.url

            page.keyboard.press("7")
            source = page.get_by_label("Program")
            expect(source).to_have_value(re.compile("WIDTH"), timeout=_SLOW)
            source.fill("this is no program (")
            page.get_by_role("button", name="Inject").click()
            expect(page.locator("#said")).to_contain_text("The program is refused (unparsable)", timeout=_SLOW)
            page.get_by_label("Hint").fill(HOSTILE)
            page.get_by_role("button", name="Tell the model").click()
            expect(page.locator("main")).to_contain_text(HOSTILE, timeout=_SLOW)
            page.get_by_label("Generations in all").fill("51")
            page.get_by_role("button", name="Extend").click()
            expect(page.locator("#said")).to_contain_text("taken up: search for 51 generations in all", timeout=_SLOW)
            expect(page.locator("#bar")).to_contain_text("of 204", timeout=_SLOW)
            assert "52 generations" in evo("extend", path, "--gens", "52").stdout
            expect(page.get_by_label("Generations in all")).to_have_value("52", timeout=_SLOW)
            port = str(server.port)
        expect(other.locator("#bar")).to_contain_text("server gone", timeout=_SLOW)
        with dashboard(path, "--port", port) as server:
            again = opened(browser, server.url, complaints)
            again.goto(link)
            expect(again.locator(".detail")).to_contain_text("Unpin", timeout=_SLOW)
            assert again.evaluate("window.owned") is None
            again.get_by_role("button", name="Continue").click()
            expect(again.locator("#bar .pill")).to_have_text("running", timeout=_SLOW)
    # A refused program, a server that is gone and one with another token are answers that a page has to expect.
    assert [one for one in complaints if "Failed to load resource" not in one and "network" not in one.lower()] == []


def test_every_view_of_a_recorded_run_is_drawn_on_a_phone(browser: Browser) -> None:
    complaints: list[str] = []
    with dashboard(RUN, "--read-only") as server:
        page = opened(browser, server.url, complaints, timezone_id="Asia/Tokyo", **_PHONE)
        for name in ("overview", "individuals", "front", "constants", "slots", "comparison", "steering"):
            page.goto(f"{server.origin}/?view={name}")
            page.wait_for_selector("#content[data-version]")
            expect(page.locator("#bar [aria-current]")).to_be_in_viewport()
            assert page.locator("h1").count() == 1
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
            if name == "constants":
                lines = page.get_by_role("figure", name="Parallel coordinates").locator(".scatterlayer .trace path")
                assert lines.count() > 0
                assert page.get_by_text("WebGL").count() == 0
                # Each was changed once in this run, which says nothing of the constant.
                page.get_by_text("No constant differs from its most frequent value in 3 individuals.").wait_for()
            if name == "slots":  # of 14:51 to 15:36 UTC
                expect(page.get_by_role("figure", name="Slots")).to_contain_text("00:", timeout=_SLOW)
            if name == "front":
                figure = page.get_by_role("figure", name="Pareto front")
                expect(figure).to_have_attribute("data-drawn", "", timeout=_SLOW)
                figure.focus()
                page.keyboard.press("+")
                page.wait_for_url(re.compile("zoom="))
                page.keyboard.press("0")
                page.wait_for_url(re.compile("view=front$"))
        assert complaints == []
        page.goto(f"{server.origin}/?run=gone")
        expect(page.get_by_role("alert")).to_contain_text("no run called 'gone'", timeout=_SLOW)
        page.get_by_label("Run").select_option(RUN.name)
        expect(page.locator("h1")).to_contain_text("Individual", timeout=_SLOW)
        expect(page.get_by_role("alert")).to_have_count(0)
        (training,) = (one for one in server.get("figure", name="slots")["figure"]["data"] if one["name"] == "training")
    # The first training took 23.5 s, on the budget's clock 9.9 s: other work shared its processors.
    assert training["x"][0] == pytest.approx(23_538, abs=1)
