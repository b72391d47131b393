"""The vocabulary: byte-pair encoding (Sennrich et al. 2016) on bytes, trained by rustbpe, applied by tiktoken."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rustbpe
import tiktoken

from trainer.errors import DatasetError

DEFAULT_SIZE = 2048
SMALLEST_SIZE = 257
"""Every byte and the separator: no merges at all."""
LARGEST_SIZE = 65_536

PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
"""GPT-4's way of cutting text into words before merging, with numbers cut to two digits to suit a small vocabulary."""


def require_size(vocab_size: int) -> None:
    """Raise DatasetError unless `vocab_size` is one that can be trained."""
    if not SMALLEST_SIZE <= vocab_size <= LARGEST_SIZE:
        raise DatasetError(
            f"--vocab-size must be between {SMALLEST_SIZE} (every byte and a separator) and {LARGEST_SIZE}, "
            f"but it was {vocab_size}."
        )


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token ids and the bytes they stand for.

    Attributes:
        tokens: the bytes of each token by its id, which is also its rank in merging; the separator is not among them.
    """

    tokens: tuple[bytes, ...]

    @property
    def separator(self) -> int:
        """The id of the special token that precedes every document: the last one."""
        return len(self.tokens)

    @property
    def size(self) -> int:
        """The number of token ids, the separator included."""
        return len(self.tokens) + 1

    def token_bytes(self) -> npt.NDArray[np.int32]:
        """Return how many bytes of UTF-8 each token stands for: shape (size,); 0 for the separator."""
        return np.array([*map(len, self.tokens), 0], np.int32)

    def encoder(self) -> tiktoken.Encoding:
        """Return the encoder of documents; no text in them stands for the separator."""
        ranks = {token: rank for rank, token in enumerate(self.tokens)}
        return tiktoken.Encoding("evo", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON that `load` reads."""
        tokens = [base64.b64encode(token).decode() for token in self.tokens]
        path.write_text(json.dumps({"pattern": PATTERN, "separator": self.separator, "tokens_base64": tokens}) + "\n")

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote; raise OSError, ValueError or KeyError otherwise."""
        return cls(tuple(base64.b64decode(token) for token in json.loads(path.read_text())["tokens_base64"]))


def train(texts: Iterable[str], vocab_size: int) -> Vocabulary:
    """Learn a vocabulary of `vocab_size` ids, the separator included; the same texts give the same vocabulary.

    Raises:
        DatasetError: the texts have too few different words for that many tokens.
    """
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(iter(texts), vocab_size - 1, pattern=PATTERN)
    ranks = sorted(tokenizer.get_mergeable_ranks(), key=lambda item: item[1])
    vocabulary = Vocabulary(tuple(bytes(token) for token, _ in ranks))
    if vocabulary.size != vocab_size:
        raise DatasetError(
            f"Expected text for a vocabulary of {vocab_size}, but it yields only {vocabulary.size} tokens. "
            f"Give more text or --vocab-size {vocabulary.size}."
        )
    return vocabulary
