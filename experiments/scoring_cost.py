"""What scoring and its probes cost, against a plain forward pass of generation 0 over the same tokens.

Real processes: a scorer in this one, and two fresh candidates in their sandboxes, as an evaluation has them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import safetensors.torch
import torch

from trainer.corpus import Corpus, prepare
from trainer.evaluation import Split
from trainer.genome import built_in
from trainer.ipc.candidate_protocol import WEIGHTS_FILE, Role
from trainer.ipc.channel import Channel, Message
from trainer.scoring.scorer import Scorer, carry_out
from trainer.scoring.tolerance import build_generation_zero
from trainer.settings import Settings
from trainer.supervisor.crew import Crew

GPU_VOCAB_SIZE = 8192


@dataclass(frozen=True, slots=True)
class _Seconds:
    """One evaluation's scoring; starts are from the order until the weights are loaded and warm."""

    forward: float
    start: float
    score: float
    second_start: float
    probes: float


def measure(repeats: int = 5, score_tokens: int | None = None) -> str:
    """Return the measurements of this machine's first device as Markdown, with the sizes that a run has there."""
    from evo.config.reading import parse_config
    from evo.config.resolution import resolve
    from evo.runs.assemble import worker_settings

    config = resolve(parse_config({}, "benchmark"))
    corpus = prepare(vocab_size=GPU_VOCAB_SIZE) if config.device_kind == "cuda" else prepare()
    settings = worker_settings(config, corpus)[0]
    assert isinstance(settings, Settings)
    if score_tokens is not None:
        settings = replace(settings, score_tokens=score_tokens)
    return measure_with(settings, corpus, repeats)


def measure_with(settings: Settings, corpus: Corpus, repeats: int) -> str:
    """Return the measurements with the settings of a worker as Markdown; nothing but the trainer is needed."""
    of = f"{settings.device}, {corpus.vocab_size} ids, blocks of {settings.sequence_length}"
    lines = [f"| median seconds on {of} | every individual (S) | possible incumbents (S and G) |", "|---|---|---|"]
    with contextlib.closing(_Bench(settings, corpus)) as bench:
        columns = [
            [bench.run(splits) for _ in range(repeats)]
            for splits in ((Split.SELECTION,), (Split.SELECTION, Split.HOLDOUT))
        ]
    rows: dict[str, Callable[[_Seconds], float]] = {
        "plain forward pass": lambda one: one.forward,
        "scoring: forward pass, transfer, log-softmax": lambda one: one.score,
        "probes": lambda one: one.probes,
        "start of the first replica": lambda one: one.start,
        "start of the second replica": lambda one: one.second_start,
    }
    for name, value in rows.items():
        cells = [f"{statistics.median(map(value, column)):.3f}" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    shares = [statistics.median(one.probes / one.score for one in column) for column in columns]
    lines.append(f"| probes / scoring | {' | '.join(f'{share:.0%}' for share in shares)} |")
    return "\n".join([*lines, "", bench.describe()])


class _Bench:
    """A scorer in this process, and candidates as a supervisor starts them."""

    def __init__(self, settings: Settings, corpus: Corpus) -> None:
        torch.set_num_threads(settings.threads)
        self._scorer = Scorer(settings, corpus)
        self._model = build_generation_zero(settings, corpus.vocab_size, torch.device(settings.device))
        self._crew = Crew(settings)
        # What still warms up would take time from what is measured.
        self._crew.scorer.await_ready()
        self._crew.next_spare().channel.receive()

    def close(self) -> None:
        self._crew.close()

    def describe(self) -> str:
        tolerance = self._scorer.tolerance
        return (
            f"Tolerance of this device: {tolerance.move_nats:.2f} nats at one position, "
            f"{tolerance.drift_nats:.2f} / √probes nats on the mean.\n"
        )

    def run(self, splits: tuple[Split, ...]) -> _Seconds:
        start, score = self._question({"event": "score", "splits": list(splits)})
        second_start, probes = self._question({"event": "verify"})
        return _Seconds(self._forward(splits), start, score, second_start, probes)

    def _question(self, order: Message) -> tuple[float, float]:
        """Return the seconds until the weights are loaded and warm, and from there to the end."""
        candidate = self._crew.take(Role.SERVE)
        try:
            candidate.channel.receive()
            candidate.give_genome(built_in(""))
            weights = candidate.scratch / WEIGHTS_FILE
            safetensors.torch.save_model(self._model, str(weights))
            order |= {"seed": 0, "pid": candidate.pid, "group": None, "weights_bytes": weights.stat().st_size}
            line = Channel.from_descriptor(os.dup(candidate.channel.fileno()))
            with contextlib.closing(line):
                began = loaded = time.perf_counter()
                for message in carry_out(self._scorer, order, line):
                    if message["event"] == "loaded":
                        loaded = time.perf_counter()
                    elif message["event"] not in ("built", "score", "scored"):
                        raise RuntimeError(f"expected generation 0 to be scored, but got {message}")
                return loaded - began, time.perf_counter() - loaded
        finally:
            candidate.close()

    def _forward(self, splits: tuple[Split, ...]) -> float:
        """Return the seconds of a forward pass of this process over all blocks, in the same batches."""
        device = next(self._model.parameters()).device
        batches = [batch for split in splits for _, batch in self._scorer.batches(split)]
        with torch.inference_mode():
            self._model(torch.from_numpy(batches[0]).to(device))
            began = time.perf_counter()
            for batch in batches:
                logits = self._model(torch.from_numpy(batch).to(device))
            float(logits[0, 0, 0])  # waits for the device
            return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--score-tokens", type=int, default=None, help="of each split; the device's default if not given"
    )
    arguments = parser.parse_args()
    print(measure(arguments.repeats, arguments.score_tokens))
