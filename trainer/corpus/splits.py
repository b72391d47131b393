"""Chooses the held-out documents: by content alone, and spread over the whole corpus.

Language drifts along a corpus (with the years of the speeches), so no split may be one end of it. The documents, in
source order, are cut into consecutive blocks; of each block the three with the lowest digests are held out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainer.evaluation import Split

TRAIN = "train"
PARTS = (TRAIN, *(split.value for split in Split))
"""The parts of a corpus: the training split and the held-out ones."""

BLOCK_DOCUMENTS = 20
"""One document of 20 for each held-out split: 5% each."""

HELD_OUT_BYTES = 4_000_000
"""Approximate limit of a held-out split: enough to resolve 0.001 bits per byte, little enough to score often."""


def block_documents(documents: int, total_bytes: int) -> int:
    """Return the length of the blocks: 20, or as many documents as hold `HELD_OUT_BYTES` to a share of the corpus."""
    return max(BLOCK_DOCUMENTS, min(documents, total_bytes // HELD_OUT_BYTES))


def split(digests: Sequence[bytes], block: int) -> dict[str, npt.NDArray[np.intp]]:
    """Return the indices of the documents of each part (`PARTS`), in source order.

    Args:
        digests: one a document, in source order, all different; at least `block` of them.
        block: documents in a block; a last one of less than half its length belongs to the training split.
    """
    held_out: dict[str, list[int]] = {part: [] for part in PARTS[1:]}
    for start in range(0, len(digests) - block // 2 + 1, block):
        members = range(start, min(start + block, len(digests)))
        for part, member in zip(held_out, sorted(members, key=digests.__getitem__), strict=False):
            held_out[part].append(member)
    train = np.ones(len(digests), np.bool_)
    train[np.concatenate([np.array(members, np.intp) for members in held_out.values()])] = False
    return {TRAIN: np.flatnonzero(train)} | {part: np.array(members, np.intp) for part, members in held_out.items()}
