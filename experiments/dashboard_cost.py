"""What the dashboard takes: first paint of a large run, the way of a result to the page, what pages cost the driver.

A driver with a simulated evaluator makes a run of 2,000 individuals and goes on at a pace: first with one page open,
then in blocks of results by turns without a page and with ten. Server, store and pages (Chromium) are real. The cost is
CPU time of the driver's process: the processors that pages take from it on a small machine do not count, what they make
it do does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from evo.config.config import parse_config
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
    blocks: int = 8
    block: int = 60
    pace: float = 0.25

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


def measure(plan: Plan) -> str:
    """Return the measurements as Markdown."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder, sync_playwright() as playwright:
        driver = spawn.Process(target=_drive, args=(folder, plan, theirs), daemon=True)
        driver.start()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        assert ours.recv() == "waiting"
        (run,) = Path(folder).glob("*/run")
        load_before = os.getloadavg()[0]
        with _served(run) as url:
            page, cold_paint, cold_drawn = _opened(browser, url)
            page.context.close()
            page, paint, drawn = _opened(browser, url)
            page.evaluate(_WATCH)
            ours.send("go on")
            assert ours.recv() == "waiting"
            page.wait_for_timeout(3000)
            seen = page.evaluate("window.seen")
            page.context.close()
            for block in range(plan.blocks):
                pages = [_opened(browser, url)[0] for _ in range(plan.pages * (block % 2))]
                ours.send("go on")
                assert ours.recv() == "waiting"
                for one in pages:
                    one.context.close()
            ours.send("go on")
        noted = ours.recv()
        ours.send("done")
        driver.join()
        browser.close()
    return _table(plan, (cold_paint, cold_drawn, paint, drawn), seen, noted, load_before)


def _table(
    plan: Plan,
    first: tuple[float, float, float, float],
    seen: list[tuple[float, float]],
    noted: list[tuple[float, float]],
    load: float,
) -> str:
    cold_paint, cold_drawn, paint, drawn = first
    numbers = range(plan.individuals + 1, plan.individuals + plan.updates + 1)
    latencies = [
        min((at for spent, at in seen if spent >= number), default=float("nan")) - noted[number - 1][0]
        for number in numbers
    ]
    shares = []
    cpu: tuple[list[float], list[float]] = ([], [])
    for block in range(plan.blocks):
        start, end = plan.boundaries[1 + block], plan.boundaries[2 + block]
        # The first result of a block was under way while pages opened or closed.
        cpu[block % 2].append((noted[end - 1][1] - noted[start][1]) / (end - 1 - start))
    for without, with_pages in zip(*cpu, strict=True):
        shares.append(with_pages / without - 1)
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
        f"| CPU time of the driver a result, no page | {1000 * statistics.mean(cpu[0]):.2f} ms | |\n"
        f"| … {plan.pages} pages | {1000 * statistics.mean(cpu[1]):.2f} ms | |\n"
        f"| … more, mean of {len(shares)} pairs of blocks | {statistics.mean(shares):+.1%} ± {error:.1%} | ≤ 2% |\n"
        f"| the same as a share of a second | {100 * (statistics.mean(cpu[1]) - statistics.mean(cpu[0])):.3f}% | |\n"
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
