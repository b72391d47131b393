"""How much of the evaluation slots' time is filled when a language model is slow.

Real proposals through the `anthropic` client to a local server that speaks the Messages API and answers after 2 s;
evaluations of 2 s in 4 slots. Idle are slot-seconds between the start of the first and the end of the last evaluation.
The same with classical operators, and the textbook generational loop for comparison.
"""

from __future__ import annotations

import argparse
import asyncio

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.runs.assemble import build_operators
from experiments.scripted_model import scripted_model
from experiments.simulation import SimulatedEvaluator, Stopwatch, simulated_search

_SLOTS = 4


def measure(evaluations: int = 200, latency_seconds: float = 2.0, evaluation_seconds: float = 2.0) -> str:
    """Return the measurements as Markdown."""
    rows = ["| operators | schedule | busy | target |", "|---|---|---|---|"]
    with scripted_model(latency_seconds) as url:
        for schedule, target in (("asynchronous", "≥ 97%"), ("generational", "")):
            config = _config(evaluations, schedule, {"llm_mutation": 1.0}, url)
            busy = _busy_share(config, evaluation_seconds)
            rows.append(f"| language model, {latency_seconds:g} s a reply | {schedule} | {busy:.1%} | {target} |")
    return "\n".join(rows) + f"\n\n{evaluations} evaluations of {evaluation_seconds:g} s, {_SLOTS} slots.\n"


def _config(evaluations: int, schedule: str, weights: dict[str, float], url: str) -> ResolvedConfig:
    data = {
        "search": {"pop": 8, "gens": evaluations // 8, "schedule": schedule},
        "noise": {"confirm_fraction": 0.0},
        "operators": {"weights": weights},
        "llm": {"base_url": url},
    }
    return resolve(parse_config(data, "benchmark"))


def _busy_share(config: ResolvedConfig, evaluation_seconds: float) -> float:
    evaluator = SimulatedEvaluator(_SLOTS, evaluation_seconds)
    operators = build_operators(config)
    with simulated_search(config, evaluator, operators, Stopwatch()) as search:
        asyncio.run(search.run())
    first = min(start for start, _ in evaluator.busy)
    last = max(end for _, end in evaluator.busy)
    return sum(end - start for start, end in evaluator.busy) / (_SLOTS * (last - first))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=200)
    print(measure(parser.parse_args().evaluations))
