"""Worker seconds that are neither training nor scoring, per evaluation of generation 0.

One worker on the device there is, real training; the first evaluation waits for the spare processes to warm up once and
is reported beside the others.
"""

from __future__ import annotations

import argparse
import statistics

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import worker_settings
from evo.runs.generation_zero import read_genome
from trainer.corpus import prepare
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess


def measure(evaluations: int = 8, budget_seconds: float = 10.0) -> str:
    """Return the measurements as Markdown."""
    config = resolve(parse_config({"budget": {"train_seconds": budget_seconds}}, "benchmark"))
    settings = worker_settings(config, prepare())[0]
    with SupervisorProcess(settings) as supervisor:
        results = [supervisor.evaluate(Job(read_genome(""), seed)) for seed in range(evaluations + 1)]
    failed = [result for result in results if result.status is not Status.OK]
    if failed:
        raise RuntimeError(f"expected every evaluation to end ok, but one ended {failed[0].status}: {failed[0].reason}")
    first, others = results[0], results[1:]
    return (
        f"| seconds per evaluation on {settings.device}, budget {budget_seconds:g} s | median | largest | target |\n"
        "|---|---|---|---|\n"
        f"| outside training and scoring | {_row([result.timings.outside_seconds for result in others])} | ≤ 0.5 |\n"
        f"| scoring | {_row([result.timings.score_seconds for result in others])} | |\n"
        f"| training, by the budget's clock | {_row([result.timings.train_seconds for result in others])} | |\n\n"
        f"The first evaluation also waited for the warm-up: {first.timings.outside_seconds:.2f} s outside. "
        f"{_scores(others)}\n"
    )


def _row(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} | {max(seconds):.2f}"


def _scores(results: list[Evaluation]) -> str:
    bpb = [result.objectives["val_bpb"] for result in results]
    return f"val_bpb {statistics.fmean(bpb):.4f} ± {statistics.stdev(bpb):.4f} over {len(bpb)} seeds."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=8)
    parser.add_argument("--budget", type=float, default=10.0, help="training seconds")
    arguments = parser.parse_args()
    print(measure(arguments.evaluations, arguments.budget))
