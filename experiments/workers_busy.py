"""How busy 16 devices are through a whole run, with the latencies and the failures of real ones, in simulated time.

Search, look-ahead, gate, store and family tree are the product's; simulated are the language model, the training and
the clock. Decisions take no time here: what they take is `driver_cost.py`'s question. Busy are the slot-seconds of
evaluations between the start of the first and the end of the last one. Every evaluation counts, crashed ones until they
crash, and so does everything in which slots wait: the beginning, when there are no offspring yet, and the end, where
the finalists can only be confirmed once the search is over.

Assumptions:

- An evaluation trains for 300 s and takes longer by imports, compilation and scoring: 28.8 s in the median, 40.7 s in
  the mean, lognormal, as in 11,417 public trials.
- 15% of the offspring crash: half of them before training (out of memory, imports), half anywhere in it.
- A language model replies after a lognormal time. One in ten replies needs a second one to repair it; one in twenty
  proposals comes to nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
from dataclasses import dataclass
from statistics import fmean

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.standings.standings import Standings
from evo.store import IndividualRecord, Outcome, Purpose
from experiments.recording import write_record
from experiments.simulated_time import SimulatedTimeLoop
from experiments.simulation import MarkMutation, SimulatedEvaluator, Stopwatch, large_genome, simulated_search
from operators.choice import OperatorChoice
from operators.proposal import NoOffspring, Proposal, Request
from trainer.evaluation import Job, Status

SLOTS = 16
TARGET = 0.96
_TRAIN_SECONDS = 300.0
_MEDIAN_OVERHEAD, _MEAN_OVERHEAD = 28.8, 40.7
_OVERHEAD_SPREAD = math.sqrt(2 * math.log(_MEAN_OVERHEAD / _MEDIAN_OVERHEAD))
_CRASHES = 0.15
_EARLY_CRASHES = 0.5
_REPLY_SPREAD = 0.5
_REPAIRS, _FRUITLESS = 0.1, 0.05


class Training(SimulatedEvaluator):
    """Trainings that take as long as real ones, and crash as often.

    Args:
        generation_zero: who never crashes.
        slots: at a time.
    """

    def __init__(self, generation_zero: str, slots: int = SLOTS) -> None:
        super().__init__(slots, _TRAIN_SECONDS)
        self._generation_zero = generation_zero

    def ending(self, job: Job, chance: random.Random) -> tuple[Status, float]:
        """Return how an evaluation ends, and after how many seconds; who crashes does so with every seed."""
        overhead = chance.lognormvariate(math.log(_MEDIAN_OVERHEAD), _OVERHEAD_SPREAD)
        if job.genome == self._generation_zero or random.Random(job.genome).random() >= _CRASHES:
            return Status.OK, overhead + _TRAIN_SECONDS
        return Status.CRASHED, overhead + (0.0 if chance.random() < _EARLY_CRASHES else chance.uniform(0, self.seconds))


class Model(MarkMutation):
    """A language model that takes its time.

    Args:
        reply_seconds: median of a reply; 0 for an operator that takes none and never fails.
    """

    name = "model"

    def __init__(self, reply_seconds: float) -> None:
        self._reply_seconds = reply_seconds

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with another number in it."""
        if self._reply_seconds:
            await self._reply(request.random)
            if request.random.random() < _REPAIRS:
                await self._reply(request.random)
            if request.random.random() < _FRUITLESS:
                raise NoOffspring("no edit that applies")
        return await super().propose(request)

    async def _reply(self, chance: random.Random) -> None:
        await asyncio.sleep(chance.lognormvariate(math.log(self._reply_seconds), _REPLY_SPREAD))


class SearchEnd(Stopwatch):
    """Notes when the last result of the search proper was accepted, in seconds of the event loop, and its number."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.searched = 0
        self.crashed = 0

    def finished(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Note the time."""
        super().finished(record, outcome, standings, reason)
        self.crashed += outcome.status is Status.CRASHED
        if outcome.purpose is not Purpose.CONFIRM:
            self.seconds = asyncio.get_running_loop().time()
            self.searched = len(self.finished_at)


@dataclass(frozen=True, slots=True)
class Night:
    """What one run came to.

    Attributes:
        busy: share of all slot-seconds.
        busy_searching: the same up to the last result of the search proper.
        hours: simulated.
        crashed: share of the evaluations.
    """

    busy: float
    busy_searching: float
    hours: float
    crashed: float


def run(evaluations: int, reply_seconds: float, schedule: str, seed: int) -> Night:
    """Simulate one run."""
    training, end = Training(large_genome()), SearchEnd()
    operators = OperatorChoice([(Model(reply_seconds), 1.0)])
    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        clock = runner.get_loop().time
        with simulated_search(_config(evaluations, schedule, seed), training, operators, end, clock=clock) as search:
            runner.run(search.run())
    last = max(ended for _, ended in training.busy)
    return Night(
        busy=busy_share(training.busy, last),
        busy_searching=busy_share(training.busy, end.seconds),
        hours=last / 3600,
        crashed=end.crashed / len(training.busy),
    )


def _config(evaluations: int, schedule: str, seed: int) -> ResolvedConfig:
    search = {"pop": 16, "gens": evaluations // 16, "schedule": schedule, "seed": seed}
    return resolve(parse_config({"search": search}, "benchmark"))


def busy_share(periods: list[tuple[float, float]], until: float, slots: int = SLOTS) -> float:
    """Return the share of the slot-seconds up to a time that evaluations fill; they begin at 0."""
    return sum(min(ended, until) - min(began, until) for began, ended in periods) / (slots * until)


def measure(evaluations: int = 640, seeds: int = 5) -> str:
    """Return the measurements as Markdown."""
    lines = [
        "| median reply | schedule | busy (least of the seeds) | until the confirmation | hours | crashed | target |",
        "|---|---|---|---|---|---|---|",
    ]
    for reply_seconds, schedule, target in (
        (60.0, "asynchronous", f"≥ {TARGET:.0%}"),
        (0.0, "asynchronous", ""),
        (300.0, "asynchronous", ""),
        (60.0, "generational", ""),
    ):
        nights = [run(evaluations, reply_seconds, schedule, seed) for seed in range(seeds)]
        busy, least = fmean(one.busy for one in nights), min(one.busy for one in nights)
        cells = (
            f"{reply_seconds:g} s" if reply_seconds else "no language model",
            schedule,
            f"{busy:.1%} ({least:.1%})",
            f"{fmean(one.busy_searching for one in nights):.1%}",
            f"{fmean(one.hours for one in nights):.2f}",
            f"{fmean(one.crashed for one in nights):.1%}",
            target,
        )
        lines.append(f"| {' | '.join(cells)} |")
    assumptions = f"{_TRAIN_SECONDS:g} s of training, {_MEAN_OVERHEAD:g} s around it, {_CRASHES:.0%} of offspring crash"
    return "\n".join(lines) + (
        f"\n\nMeans of {seeds} seeds: {evaluations} evaluations on {SLOTS} slots in simulated time; {assumptions}.\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=640)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="write the record")
    arguments = parser.parse_args()
    text = measure(arguments.evaluations, arguments.seeds)
    print(text)
    if arguments.record:
        print(write_record("workers-busy", text))
