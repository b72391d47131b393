"""What the driver itself costs: seconds a candidate and memory, over a run of 2,000.

Propose with an operator without latency, gate, commit, record, evaluate in no time, tell, select; a genome of 26 kB, of
which each offspring changes one statement; every step durable as in a real run. The first hundred candidates against
the last hundred show whether the cost grows. On ext4 without a journal, creating files is slow for some minutes after
thousands were deleted, as after another run of this program.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics

import psutil

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.lifecycle import rare_collections
from experiments.simulation import MarkMutation, SimulatedEvaluator, Stopwatch, simulated_search
from operators.choice import OperatorChoice

_HUNDRED = 100


def measure(candidates: int = 2000) -> str:
    """Return the measurements as Markdown."""
    data = {"search": {"pop": 16, "gens": candidates // 16}, "noise": {"confirm_fraction": 0.0}}
    config = resolve(parse_config(data, "benchmark"), {})
    stopwatch = Stopwatch()
    operators = OperatorChoice([(MarkMutation(), 1.0)])
    with rare_collections(), simulated_search(config, SimulatedEvaluator(), operators, stopwatch) as search:
        asyncio.run(search.run())
    memory_mib = psutil.Process().memory_info().rss / 2**20
    times = [later - earlier for earlier, later in itertools.pairwise(stopwatch.finished_at)]
    milliseconds = [1000 * seconds for seconds in times]
    first, last = (statistics.median(part) for part in (milliseconds[:_HUNDRED], milliseconds[-_HUNDRED:]))
    return (
        "| quantity | measured | target |\n|---|---|---|\n"
        f"| driver, median per candidate | {statistics.median(milliseconds):.1f} ms | ≤ 12 ms |\n"
        f"| first {_HUNDRED}, median | {first:.1f} ms | |\n"
        f"| last {_HUNDRED} of {len(stopwatch.finished_at):,}, median | {last:.1f} ms | ≤ {1.2 * first:.1f} ms |\n"
        f"| 95th percentile | {statistics.quantiles(milliseconds, n=20)[-1]:.1f} ms | |\n"
        f"| driver memory at the end | {memory_mib:.0f} MiB | ≤ 250 MiB |\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000)
    print(measure(parser.parse_args().candidates))
