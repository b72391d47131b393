"""Generation 0 against plain AdamW GPTs: the same evaluator, machine, corpus and seeds, at several budgets.

Every evaluation is the one that a run makes, on one CPU thread and the clock of the process, scored on all of the
selection split; genomes take turns within a seed, so that a slow spell of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from pathlib import Path

from evo.runs.generation_zero import read_genome
from experiments.recording import write_record
from operators.source.constants import Value, replace_constants
from trainer.corpus import prepare
from trainer.evaluation import Budget, Clock, Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.settings import Settings

_PLAIN_GPT = Path(__file__).with_name("baselines") / "plain_gpt.py"
_PLAIN_SIZES: dict[str, dict[str, Value]] = {
    "plain GPT 2×64": {},
    "plain GPT 2×128": {"WIDTH": 128, "HEADS": 4, "PEAK_LR": 0.005},
    "plain GPT 4×128": {"DEPTH": 4, "WIDTH": 128, "HEADS": 4, "PEAK_LR": 0.005},
}


def _genomes() -> dict[str, str]:
    plain = _PLAIN_GPT.read_text(encoding="utf-8")
    return {"generation 0": read_genome("")} | {
        name: replace_constants(plain, size) for name, size in _PLAIN_SIZES.items()
    }


def compare(budgets_seconds: list[float], seeds: int, sequence_length: int) -> str:
    """Return the comparison as a Markdown table; prints every evaluation as it ends."""
    sources = _genomes()
    corpus = prepare()
    results: dict[tuple[str, float], list[Evaluation]] = defaultdict(list)
    for budget in budgets_seconds:
        settings = Settings(
            corpus=corpus.folder,
            device="cpu",
            budget=Budget(budget, Clock.CPU),
            sequence_length=sequence_length,
            score_tokens=2**31,
        )
        with SupervisorProcess(settings) as supervisor:
            for seed in range(seeds):
                for name, source in sources.items():
                    result = _evaluated(supervisor, source, seed)
                    print(f"{budget:g} s, seed {seed}, {name}: {result.objectives['val_bpb']:.4f}", flush=True)
                    results[name, budget].append(result)
    return _table(results, budgets_seconds)


def _evaluated(supervisor: SupervisorProcess, source: str, seed: int) -> Evaluation:
    result = supervisor.evaluate(Job(source, seed))
    if result.status is not Status.OK:
        raise RuntimeError(f"expected an evaluation that ends ok, but it ended {result.status}: {result.reason}")
    return result


def _table(results: dict[tuple[str, float], list[Evaluation]], budgets_seconds: list[float]) -> str:
    rows = [
        "| genome | " + " | ".join(f"{budget:g} s: val_bpb, parameters, steps" for budget in budgets_seconds) + " |",
        "|---" * (len(budgets_seconds) + 1) + "|",
    ]
    rows += [
        f"| {name} | " + " | ".join(_cell(results[name, budget]) for budget in budgets_seconds) + " |"
        for name in ("generation 0", *_PLAIN_SIZES)
    ]
    return "\n".join(rows)


def _cell(results: list[Evaluation]) -> str:
    bpb = [result.objectives["val_bpb"] for result in results]
    spread = f" ± {statistics.stdev(bpb):.4f}" if len(bpb) > 1 else ""
    parameters = results[0].objectives["parameters"] / 1e6
    steps = statistics.fmean(result.curve[-1].step for result in results)
    return f"{statistics.fmean(bpb):.4f}{spread}, {parameters:.2f} M, {steps:.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=float, nargs="+", default=[10.0, 30.0, 60.0], help="training seconds")
    parser.add_argument("--seeds", type=int, default=3, help="evaluations of each genome at each budget")
    parser.add_argument("--sequence-length", type=int, default=128, help="tokens of a scored block")
    arguments = parser.parse_args()
    table = compare(arguments.budgets, arguments.seeds, arguments.sequence_length)
    print(table)
    note = f"Mean ± standard deviation over {arguments.seeds} seeds; steps are counted to the last logged point."
    print(write_record("seed-against-baselines", f"{table}\n\n{note}"))
