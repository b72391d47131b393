"""What it would cost to score each individual on other text of split S: `python -m experiments.other_text`.

Trains generation 0 with several seeds at a CPU's defaults, takes the bits of every block of S, and draws as many blocks
as are scored. Prints how much a score varies with the seed and with the draw.
"""

from __future__ import annotations

import importlib
import time

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from trainer.corpus import Corpus, prepare
from trainer.evaluation import Split
from trainer.scoring.blocks import scored_blocks
from trainer.task import Task

_SECONDS, _VOCAB_SIZE, _LENGTH, _SCORED_BLOCKS = 10.0, 2048, 256, 128
_SEEDS = 4
_DRAWS = 4000

Floats = npt.NDArray[np.float64]


class _Host:
    """Gives generation 0 its data and its CPU time."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._end: float | None = None

    def seconds_left(self) -> float:
        return _SECONDS if self._end is None else self._end - time.process_time()

    def train_tokens(self) -> torch.Tensor:
        self._end = time.process_time() + _SECONDS
        return torch.from_numpy(np.fromfile(self._corpus.train_path, "<i4"))

    def log(self, step: int, loss: float, tokens: int | None) -> None:
        """Ignore."""


def main() -> None:
    """Print both."""
    torch.set_num_threads(1)
    corpus = prepare(vocab_size=_VOCAB_SIZE)
    blocks = scored_blocks(corpus, Split.SELECTION, _LENGTH, 10**9)
    token_bytes = corpus.token_bytes.astype(np.int64)
    sizes = token_bytes[blocks[:, 1:]].sum(1).astype(np.float64)
    bits = np.stack([_bits(corpus, blocks, token_bytes, seed) for seed in range(_SEEDS)])
    generator = np.random.default_rng(0)
    draws = [generator.choice(len(blocks), _SCORED_BLOCKS, replace=False) for _ in range(_DRAWS)]
    scores = np.stack([bits[:, drawn].sum(1) / sizes[drawn].sum() for drawn in draws])
    print(f"{_SCORED_BLOCKS} of {len(blocks)} blocks, {_SEEDS} seeds; bits per byte, standard deviations")
    print(f"of a score over seeds, on all blocks: {(bits.sum(1) / sizes.sum()).std(ddof=1):.4f}")
    print(f"of a score over draws: {scores.std(0).mean():.4f}")
    print(f"of a difference over draws, each its own: {2**0.5 * scores.std(0).mean():.4f}")
    print(f"of a difference over draws, both the same: {(scores[:, 0] - scores[:, 1]).std():.4f}")


def _bits(corpus: Corpus, blocks: npt.NDArray[np.int64], token_bytes: npt.NDArray[np.int64], seed: int) -> Floats:
    """Return the bits of each block after a training."""
    generation_zero = importlib.import_module("trainer.seed.train")
    task = Task(torch.device("cpu"), _VOCAB_SIZE, _LENGTH, seed, _SECONDS, _Host(corpus))
    torch.manual_seed(seed)
    model = generation_zero.build_model(task)
    generation_zero.train(model, task)
    model.eval()
    with torch.inference_mode():
        nats = [
            F.cross_entropy(model(torch.from_numpy(one[None, :-1]))[0], torch.from_numpy(one[1:]), reduction="none")
            for one in blocks
        ]
    counted = token_bytes[blocks[:, 1:]] > 0
    bits: Floats = (torch.stack(nats).double().numpy() * counted).sum(1) / np.log(2)
    return bits


if __name__ == "__main__":
    main()
