"""Which blocks of a held-out split are scored, and in which order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.corpus import Corpus
from trainer.errors import ConfigError
from trainer.evaluation import Split

_ORDER_SEED = 20_261_121


def scored_blocks(corpus: Corpus, split: Split, length: int, score_tokens: int) -> npt.NDArray[np.int64]:
    """Return blocks spread evenly over a split: shape (n, length + 1).

    At most `score_tokens` are scored. No token is in two blocks, not even as a target: what one block asks for, no
    other shows. They are shuffled, always in the same way; the scorer asks them in another order each time.

    Raises:
        ConfigError: the split is too short for one block.
    """
    tokens = corpus.held_out(split).astype(np.int64)
    if len(tokens) <= length:
        raise ConfigError(
            f"sequence_length must be below the {len(tokens)} tokens of held-out split {split}, but it was "
            f"{length}. Choose a shorter one or a larger corpus."
        )
    count = max(1, min(score_tokens // length, len(tokens) // (length + 1)))
    starts = np.linspace(0, len(tokens) - length - 1, count).astype(np.int64)
    np.random.default_rng(_ORDER_SEED).shuffle(starts)
    blocks: npt.NDArray[np.int64] = tokens[starts[:, None] + np.arange(length + 1)]
    return blocks
