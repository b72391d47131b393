"""The trusted scorer: `python -m trainer.scorer DESCRIPTOR`.

It alone holds the held-out tokens. It never imports or unpickles candidate code: it sends inputs to a fresh candidate
process in serving mode, copies the logits out of shared memory before it reads them, and applies its own log-softmax
and its own byte counts. Bits per byte of a split = Σ -log2 p(target) / Σ bytes(target), over the targets that stand
for text.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812 - what everybody calls it

from trainer.candidate_protocol import failure_status
from trainer.channel import Channel, ChannelClosed, Message, ProtocolBroken
from trainer.corpus import Corpus, load
from trainer.errors import ConfigError, EvoError
from trainer.evaluation import Clock, Split, Status
from trainer.frames import Frames, FrameShape
from trainer.processes import usage
from trainer.settings import Settings

_LOGITS_LIMIT_BYTES = {"cpu": 2**25, "mps": 2**27, "cuda": 2**29}
_BATCH_LIMIT = 64


class Unscorable(Exception):  # noqa: N818 - a verdict on the candidate
    """The candidate's answers cannot be scored.

    Attributes:
        status: what the evaluation ends as.
    """

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gone(Exception):  # noqa: N818 - the supervisor finds out why
    """The candidate's line closed."""


@dataclass(frozen=True, slots=True)
class Score:
    """One split's score and the speed it was answered with."""

    bits_per_byte: float
    tokens_per_second: float


class Scorer:
    """Scores serving candidates on the splits of one corpus."""

    def __init__(self, settings: Settings, corpus: Corpus) -> None:
        self._settings = settings
        self._corpus = corpus
        self._device = torch.device(settings.device)
        self._token_bytes = torch.from_numpy(corpus.token_bytes.astype(np.int64)).to(self._device)
        self._shape = self._frame_shape()
        pinned = self._device.type == "cuda"  # copies to the GPU then need no staging
        self._copy = torch.empty(self._shape.length, self._shape.vocab_size, pin_memory=pinned)
        self._blocks = {split: self._split_blocks(split) for split in Split}
        self._warm_up()

    def _warm_up(self) -> None:
        """Pay for lazy initialisation before the first candidate comes."""
        self._measure(np.zeros((1, *self._copy.shape), np.float32), np.zeros((1, self._shape.length), np.int64))

    def score(self, order: Message, candidate: Channel) -> Iterator[Message]:
        """Yield one `score` message a split; raise Unscorable or Gone when the candidate fails."""
        # Fresh memory, because what an earlier candidate left in it could help this one.
        frames = Frames.create(self._shape)
        try:
            self._start(order, candidate, frames)
            for name in order["splits"]:
                score = self._score_split(candidate, frames, self._blocks[Split(name)], order["pid"])
                yield {
                    "event": "score",
                    "split": name,
                    "bits_per_byte": score.bits_per_byte,
                    "tokens_per_second": score.tokens_per_second,
                }
        finally:
            frames.close()

    def _start(self, order: Message, candidate: Channel, frames: Frames) -> None:
        start = {
            "event": "serve",
            "seed": order["seed"],
            "budget_seconds": self._settings.budget.train_seconds,
            "batch": self._shape.batch,
            "sequence_length": self._shape.length,
            "vocab_size": self._shape.vocab_size,
        }
        try:
            candidate.send(start, (frames.descriptor,))
        except ChannelClosed as error:
            raise Gone from error
        _expect(candidate, "serving")

    def _score_split(self, candidate: Channel, frames: Frames, blocks: npt.NDArray[np.int64], pid: int) -> Score:
        nats, counted_bytes = 0.0, 0
        speeds: list[tuple[int, float]] = []
        for start in range(0, len(blocks), self._shape.batch):
            rows = blocks[start : start + self._shape.batch]
            took = self._ask(candidate, frames, rows[:, :-1], pid)
            speeds.append((rows[:, :-1].size, took))
            block_nats, block_bytes = self._measure(frames.logits[: len(rows)], rows[:, 1:])
            nats += block_nats
            counted_bytes += block_bytes
        # The first answer pays for lazy initialisation. Not the median: a model could be quick on half the blocks.
        steady = speeds[1:] or speeds
        seconds = sum(took for _, took in steady)
        return Score(nats / math.log(2) / counted_bytes, sum(size for size, _ in steady) / max(seconds, 1e-9))

    def _ask(self, candidate: Channel, frames: Frames, inputs: npt.NDArray[np.int64], pid: int) -> float:
        """Have a block answered in the frames' logits; return the seconds it took on the budget's clock."""
        rows = len(inputs)
        # Unknown before, so that no answer can be sent ahead of its question.
        number = secrets.randbits(48)
        frames.tokens[:rows] = inputs
        before = self._clock(pid)
        try:
            candidate.send({"event": "block", "rows": rows, "number": number})
        except ChannelClosed as error:
            raise Gone from error
        answer = _expect(candidate, "answered")
        seconds = self._clock(pid) - before
        if answer.get("number") != number:
            raise Unscorable(Status.REJECTED, "the serving process answered a question that it was not asked")
        return seconds

    def _measure(self, logits: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> tuple[float, int]:
        """Return the nats and the bytes of some sequences of targets, under logits in shared memory."""
        nats, counted_bytes = 0.0, 0
        for shared, sequence in zip(logits, targets, strict=True):
            # Copied before it is read, because the candidate can still write to the shared pages; one sequence at a
            # time stays in the processor's cache.
            self._copy.copy_(torch.from_numpy(shared))
            target = torch.from_numpy(sequence).to(self._device)
            token_bytes = self._token_bytes[target]
            sequence_nats = F.cross_entropy(self._copy.to(self._device), target, reduction="none")
            nats += float(sequence_nats[token_bytes > 0].double().sum())
            counted_bytes += int(token_bytes.sum())
        if not math.isfinite(nats):
            raise Unscorable(Status.DIVERGED, "the model answered with logits that are not finite numbers")
        return nats, counted_bytes

    def _clock(self, pid: int) -> float:
        on_cpu = self._settings.budget.clock is Clock.CPU
        return usage([pid]).cpu_seconds if on_cpu else time.monotonic()

    def _frame_shape(self) -> FrameShape:
        length, vocab_size = self._settings.sequence_length, self._corpus.vocab_size
        room = _LOGITS_LIMIT_BYTES[self._settings.device] // (length * vocab_size * 4)
        return FrameShape(max(1, min(room, _BATCH_LIMIT)), length, vocab_size)

    def _split_blocks(self, split: Split) -> npt.NDArray[np.int64]:
        """Return blocks spread evenly over a split: shape (n, sequence_length + 1), int64."""
        tokens = self._corpus.held_out(split)
        length = self._settings.sequence_length
        if len(tokens) <= length:
            raise ConfigError(
                f"sequence_length must be below the {len(tokens)} tokens of held-out split {split}, but it was "
                f"{length}. Choose a shorter one or a larger corpus."
            )
        count = max(1, min(self._settings.score_tokens, len(tokens) - 1) // length)
        starts = np.linspace(0, len(tokens) - length - 1, count).astype(np.int64)
        blocks: npt.NDArray[np.int64] = tokens[starts[:, None] + np.arange(length + 1)].astype(np.int64)
        return blocks


def _expect(candidate: Channel, event: str) -> Message:
    try:
        message = candidate.receive()
    except ProtocolBroken as error:
        raise Unscorable(Status.REJECTED, f"the serving process broke the protocol: {error}") from error
    except ChannelClosed as error:
        raise Gone from error
    if message["event"] == "error":
        raise Unscorable(failure_status(message), f"while being scored: {message.get('reason')}")
    if message["event"] != event:
        raise Unscorable(Status.REJECTED, f"the serving process said {message['event']!r} where {event!r} was due")
    return message


def main() -> None:
    """Serve the supervisor until it closes the line."""
    supervisor = Channel.from_descriptor(int(sys.argv[1]), takes_descriptors=True)
    settings = Settings.from_json(supervisor.receive()["settings"])
    torch.set_num_threads(settings.threads)
    with contextlib.suppress(ChannelClosed):
        try:
            scorer = Scorer(settings, load(settings.corpus))
        except EvoError as error:
            supervisor.send({"event": "failed", "reason": str(error)})
            return
        supervisor.send({"event": "ready"})
        while True:
            order = supervisor.receive()
            candidate = Channel.from_descriptor(supervisor.take_descriptor())
            try:
                for message in _carry_out(scorer, order, candidate):
                    supervisor.send(message)
            finally:
                candidate.close()


def _carry_out(scorer: Scorer, order: Message, candidate: Channel) -> Iterator[Message]:
    """Yield the scores and one last message that says how it ended."""
    try:
        yield from scorer.score(order, candidate)
        yield {"event": "scored"}
    except Unscorable as failure:
        yield {"event": "unscorable", "status": failure.status, "reason": str(failure)[:1000]}
    except Gone:
        yield {"event": "gone"}


if __name__ == "__main__":
    main()
