"""How full the evaluation slots are, and how much of what is known a proposal knows, when a language model is slow.

Replies take 20 s and evaluations 10 s, each of them a half more or less, in 4 slots; other latencies beside them. All
of it in simulated time: store, gate, selection and look-ahead are the product's. *Known* is the share of the results
that an offspring could have been made from, had it been made when its evaluation began; *behind* is how many it misses.
A folder in memory (`--folder /dev/shm`) saves the time of a real disk.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.search.observer import Observer
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, IndividualRecord, Outcome, Purpose
from experiments.simulated_time import SimulatedTimeLoop
from experiments.simulation import MarkMutation, SimulatedEvaluator, simulated_search
from operators.choice import OperatorChoice
from operators.proposal import Proposal, Request
from trainer.evaluation import Job, Status

SLOTS = 4


class SlowModel(MarkMutation):
    """Takes as long as a language model does, and counts its calls (`operators.proposal.Connected`)."""

    name = "slow_model"
    is_away = False
    most_calls = math.inf

    def __init__(self, seconds: float, watch: _Watch) -> None:
        self.seconds = seconds
        self.watch = watch
        self.known: dict[int, int] = {}
        self.in_flight = self.most_in_flight = 0

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with another number in it, after a while."""
        self.known[request.number] = self.watch.results
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.seconds * random.Random(f"latency {request.number}").uniform(0.5, 1.5))
        self.in_flight -= 1
        return await super().propose(request)

    async def close(self) -> None:
        """Nothing to close."""


class _Varied(SimulatedEvaluator):
    def ending(self, job: Job, chance: random.Random) -> tuple[Status, float]:  # noqa: ARG002 - all end well
        return Status.OK, self.seconds * chance.uniform(0.5, 1.5)


@dataclass
class _Watch(Observer):
    """Notes how many results there were when each evaluation of an offspring began."""

    results: int = 0
    known_at_start: dict[int, int] = field(default_factory=dict)

    def started(self, evaluation: EvaluationRecord, worker: str, running: int) -> None:  # noqa: ARG002
        if evaluation.purpose is Purpose.SEARCH:
            self.known_at_start.setdefault(evaluation.individual, self.results)

    def finished(self, individual: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:  # noqa: ARG002
        self.results += 1


@dataclass(frozen=True)
class Measured:
    """What one search showed.

    Attributes:
        busy: share of the slots' time between the first offspring's start and the end of the last evaluation.
        known: share of the results at an evaluation's start that its offspring was made from, on average.
        behind: how many results it missed, on average.
        in_flight: calls at a time, at most.
    """

    busy: float
    known: float
    behind: float
    in_flight: int


def measure(
    reply_seconds: float,
    evaluation_seconds: float,
    evaluations: int = 400,
    parallel: int | None = None,
    folder: Path | None = None,
) -> Measured:
    """Return what a search with a slow model shows."""
    llm = {} if parallel is None else {"parallel": parallel}
    data = {
        "search": {"pop": 16, "gens": evaluations // 16},
        "noise": {"confirm_fraction": 0.0, "sentinel_every": 0, "leaders": 0},
        "workers": {"devices": ["cpu"]},
        "llm": llm,
    }
    config = resolve(parse_config(data, "benchmark"), {})
    evaluator, watch = _Varied(SLOTS, evaluation_seconds), _Watch()
    model = SlowModel(reply_seconds, watch)
    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        clock = runner.get_loop().time
        with simulated_search(config, evaluator, OperatorChoice([(model, 1.0)]), watch, folder, clock) as search:
            runner.run(search.run())
    pairs = [(model.known[number], at_start) for number, at_start in watch.known_at_start.items()]
    behind = [at_start - known for known, at_start in pairs]
    share = [known / max(1, at_start) for known, at_start in pairs]
    return Measured(_busy(evaluator.busy), statistics.mean(share), statistics.mean(behind), model.most_in_flight)


def _busy(intervals: Sequence[tuple[float, float]]) -> float:
    """Return the share of the slots' time that is filled, from the second round of evaluations on."""
    began = sorted(start for start, _ in intervals)[2 * SLOTS]
    ended = sorted(end for _, end in intervals)[-SLOTS]
    filled = sum(min(end, ended) - max(start, began) for start, end in intervals if end > began and start < ended)
    return filled / (SLOTS * (ended - began))


def table(evaluations: int = 400, folder: Path | None = None) -> str:
    """Return the measurements as Markdown."""
    rows = [
        "| replies | evaluations | `llm.parallel` | busy | known | behind | calls in flight |",
        "|---|---|---|---|---|---|---|",
    ]
    for reply, evaluation, parallel in ((20, 10, None), (20, 10, 4), (2, 10, None), (12, 0.5, None), (60, 300, None)):
        found = measure(reply, evaluation, evaluations, parallel, folder)
        rows.append(
            f"| {reply:g} s | {evaluation:g} s | {parallel or 'measured'} | {found.busy:.1%} | {found.known:.1%} | "
            f"{found.behind:.1f} | {found.in_flight} |"
        )
    return "\n".join(rows) + f"\n\n{evaluations} evaluations, {SLOTS} slots, simulated time.\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=400)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    print(table(arguments.evaluations, arguments.folder))
