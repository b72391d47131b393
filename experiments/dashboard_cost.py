"""What the dashboard takes: first paint of a large run, the way of a result to the page, what pages cost the driver.

Two drivers with simulated evaluators make runs of 2,000 individuals each and go on side by side at a pace: first with
one page open, then in blocks of results with ten pages open on the one and on the other by turns. Server, store and
pages (Chromium) are real. The cost is CPU time of a driver's process while pages look at it, against that of the other
driver at the same time: what pages take from both, such as processors and their caches, does not count; what they make
a driver do does.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.lifecycle import rare_collections
from evo.search.observer import Observer
from experiments.recording import write_record
from experiments.simulation import MarkMutation, SimulatedEvaluator, simulated_search
from operators.choice import OperatorChoice
from trainer.evaluation import Evaluation, Job

_EVO = Path(sys.executable).with_name("evo")
_WATCH = """() => {
  window.seen = [];
  const look = () => {
    const spent = /([\\d,]+) of \\d/.exec(document.getElementById("bar").textContent);
    if (spent) window.seen.push([Number(spent[1].replaceAll(",", "")), Date.now() / 1000]);
  };
  new MutationObserver(look).observe(document.getElementById("bar"), { childList: true, subtree: true });
}"""
_DRAWN = "#content[data-version] .js-plotly-plot"


@dataclass(frozen=True)
class Plan:
    """Sizes of the measurement; `pace` is seconds an evaluation while pages look."""

    individuals: int = 2000
    pages: int = 10
    updates: int = 30
    blocks: int = 6
    block: int = 200
    pace: float = 0.1

    @property
    def boundaries(self) -> list[int]:
        """Return the numbers of results before which the driver waits for a word."""
        first = self.individuals + self.updates
        return [self.individuals, *(first + number * self.block for number in range(self.blocks + 1))]


class _Paced(SimulatedEvaluator):
    """Answers at once up to a size, then at a pace; before a boundary it says so and waits."""

    def __init__(self, plan: Plan, words: Connection) -> None:
        super().__init__()
        self._plan, self._words, self._done = plan, words, 0

    async def evaluate(self, slot: Any, job: Job) -> Evaluation:
        if self._done in self._plan.boundaries:
            self._words.send("waiting")
            await asyncio.get_running_loop().run_in_executor(None, self._words.recv)
        self.seconds = self._plan.pace if self._done >= self._plan.individuals else 0.0
        self._done += 1
        return await super().evaluate(slot, job)


class _Commits(Observer):
    """Notes when each result was in the store, and the CPU time of this process by then."""

    def __init__(self) -> None:
        self.noted: list[tuple[float, float]] = []

    def finished(self, *_: Any) -> None:
        self.noted.append((time.time(), time.process_time()))


def _drive(folder: str, plan: Plan, words: Connection) -> None:
    """Drive a run in `folder`; what was noted is sent at the end."""
    total = plan.boundaries[-1] + 1
    data = {"search": {"pop": 10, "gens": -(-total // 10)}, "noise": {"confirm_fraction": 0.0}}
    config, commits = resolve(parse_config(data, "benchmark"), {}), _Commits()
    operators = OperatorChoice([(MarkMutation(), 1.0)])
    with rare_collections(), simulated_search(config, _Paced(plan, words), operators, commits, Path(folder)) as search:
        asyncio.run(search.run())
        words.send(commits.noted)
        words.recv()  # the folder is gone afterwards


@dataclass(frozen=True)
class _Driver:
    """A driver in a process of its own, and the connection over which it is told to go on."""

    folder: Path
    words: Connection

    @property
    def run(self) -> Path:
        (run,) = self.folder.glob("*/run")
        return run


@contextmanager
def _driving(folder: Path, plan: Plan) -> Iterator[_Driver]:
    folder.mkdir()
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_drive, args=(str(folder), plan, theirs), daemon=True)
    process.start()
    yield _Driver(folder, ours)
    ours.send("done")
    process.join()


def _go_on(drivers: Sequence[_Driver]) -> None:
    """Let drivers go on to their next boundary, and wait until they are there."""
    for one in drivers:
        one.words.send("go on")
    for one in drivers:
        assert one.words.recv() == "waiting"


@contextmanager
def _served(run: Path) -> Iterator[str]:
    process = subprocess.Popen([_EVO, "dashboard", run, "--read-only"], stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _opened(browser: Browser, url: str) -> tuple[Page, float, float]:
    """Return a page in a profile of its own, and seconds until its first paint and until its chart is drawn."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(_DRAWN)
    drawn = time.perf_counter() - began
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return page, paint / 1000, drawn


def _all_opened(browser: Browser, url: str, count: int) -> list[Page]:
    """Return pages in profiles of their own, once all have drawn."""
    pages = [browser.new_context(viewport={"width": 1280, "height": 900}).new_page() for _ in range(count)]
    for page in pages:
        page.set_default_timeout(120_000)
        page.goto(url, wait_until="commit")
    for page in pages:
        page.wait_for_selector(_DRAWN)
    return pages


def measure(plan: Plan) -> str:
    """Return the measurements as Markdown."""
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        sync_playwright() as playwright,
        _driving(Path(folder) / "one", plan) as one,
        _driving(Path(folder) / "two", plan) as two,
    ):
        drivers = (one, two)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        for driver in drivers:
            assert driver.words.recv() == "waiting"
        load_before = os.getloadavg()[0]
        with _served(one.run) as first, _served(two.run) as second:
            page, cold_paint, cold_drawn = _opened(browser, first)
            page.context.close()
            page, paint, drawn = _opened(browser, first)
            page.evaluate(_WATCH)
            _go_on(drivers)
            page.wait_for_timeout(3000)
            seen = page.evaluate("window.seen")
            page.context.close()
            for block in range(plan.blocks):
                pages = _all_opened(browser, (first, second)[block % 2], plan.pages)
                _go_on(drivers)
                for page in pages:
                    page.context.close()
        for driver in drivers:
            driver.words.send("go on")
        noted = [driver.words.recv() for driver in drivers]
        browser.close()
    return _table(plan, (cold_paint, cold_drawn, paint, drawn), seen, noted, load_before)


def _table(
    plan: Plan,
    first: tuple[float, float, float, float],
    seen: list[tuple[float, float]],
    noted: Sequence[Sequence[tuple[float, float]]],
    load: float,
) -> str:
    cold_paint, cold_drawn, paint, drawn = first
    numbers = range(plan.individuals + 1, plan.individuals + plan.updates + 1)
    latencies = [
        min((at for spent, at in seen if spent >= number), default=float("nan")) - noted[0][number - 1][0]
        for number in numbers
    ]
    watched, alone, ratios = [], [], []
    for block in range(plan.blocks):
        start, end = plan.boundaries[1 + block], plan.boundaries[2 + block]
        # The first result of a block was under way while pages opened.
        cpu = [(one[end - 1][1] - one[start][1]) / (end - 1 - start) for one in noted]
        watched.append(cpu[block % 2])
        alone.append(cpu[1 - block % 2])
        ratios.append(math.log(watched[-1] / alone[-1]))
    # Each pair of blocks looks at both drivers, so what makes one of them slower cancels.
    shares = [math.expm1(statistics.mean(ratios[pair : pair + 2])) for pair in range(0, plan.blocks, 2)]
    error = statistics.stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else float("nan")
    return (
        f"{plan.individuals:,} individuals; load of the machine when it began: {load:.1f}.\n\n"
        "| quantity | measured | target |\n|---|---|---|\n"
        f"| first paint, server just started | {cold_paint:.2f} s | |\n"
        f"| … until the chart is drawn | {cold_drawn:.2f} s | |\n"
        f"| first paint, server warm | {paint:.2f} s | < 1 s |\n"
        f"| … until the chart is drawn | {drawn:.2f} s | |\n"
        f"| from a commit to the page, median of {plan.updates} | {statistics.median(latencies):.2f} s | ≤ 1 s |\n"
        f"| … largest | {max(latencies):.2f} s | |\n"
        f"| CPU time of a driver a result, at which no page looks | {1000 * statistics.mean(alone):.2f} ms | |\n"
        f"| … {plan.pages} pages | {1000 * statistics.mean(watched):.2f} ms | |\n"
        f"| … more, mean of {len(shares)} pairs of blocks of {plan.block} results "
        f"| {statistics.mean(shares):+.1%} ± {error:.1%} | ≤ 2% |\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, no record")
    if parser.parse_args().quick:
        print(measure(Plan(individuals=60, pages=2, updates=4, blocks=2, block=4, pace=0.1)))
    else:
        body = measure(Plan())
        print(body)
        print(write_record("dashboard-cost", body))
