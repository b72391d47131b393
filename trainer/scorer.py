"""The trusted scorer: `python -m trainer.scorer DESCRIPTOR`.

It alone holds the held-out tokens. It never imports or unpickles candidate code: it sends inputs to a fresh candidate
process in serving mode, copies the logits out of shared memory before it reads them, and applies its own log-softmax
and its own byte counts. Bits per byte of a split = Σ -log2 p(target) / Σ bytes(target), over the targets that stand
for text.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from trainer.candidate_protocol import failure_status
from trainer.channel import Channel, ChannelClosed, Message, ProtocolBroken
from trainer.corpus import Corpus, load
from trainer.evaluation import Clock, Split, Status
from trainer.frames import Frames, FrameShape
from trainer.processes import tree_cpu_seconds
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
        self._frames = Frames.create(self._frame_shape())
        self._blocks: dict[Split, npt.NDArray[np.int64]] = {}

    def score(self, order: Message, candidate: Channel) -> Iterator[Message]:
        """Yield one `score` message a split; raise Unscorable when the candidate fails."""
        self._start(order, candidate)
        for name in order["splits"]:
            score = self._score_split(candidate, self._split_blocks(Split(name)), order["pid"])
            yield {
                "event": "score",
                "split": name,
                "bits_per_byte": score.bits_per_byte,
                "tokens_per_second": score.tokens_per_second,
            }

    def _start(self, order: Message, candidate: Channel) -> None:
        _expect(candidate, "ready")
        shape = self._frames.shape
        start = {
            "event": "serve",
            "seed": order["seed"],
            "budget_seconds": self._settings.budget.train_seconds,
            "batch": shape.batch,
            "sequence_length": shape.length,
            "vocab_size": shape.vocab_size,
        }
        candidate.send(start, (self._frames.descriptor,))
        _expect(candidate, "serving")

    def _score_split(self, candidate: Channel, blocks: npt.NDArray[np.int64], pid: int) -> Score:
        nats, counted_bytes = 0.0, 0
        seconds: list[float] = []
        for start in range(0, len(blocks), self._frames.shape.batch):
            rows = blocks[start : start + self._frames.shape.batch]
            logits, took = self._answer(candidate, rows[:, :-1], pid)
            seconds.append(took / rows[:, :-1].size)
            targets = torch.from_numpy(rows[:, 1:]).to(self._device)
            block_nats, block_bytes = self._measure(logits, targets)
            nats += block_nats
            counted_bytes += block_bytes
        # The first answer pays for lazy initialisation; the median ignores a hiccup of the machine.
        steady = seconds[1:] or seconds
        return Score(nats / math.log(2) / counted_bytes, 1.0 / max(statistics.median(steady), 1e-12))

    def _answer(self, candidate: Channel, inputs: npt.NDArray[np.int64], pid: int) -> tuple[torch.Tensor, float]:
        rows = len(inputs)
        self._frames.tokens[:rows] = inputs
        before = self._clock(pid)
        candidate.send({"event": "block", "rows": rows})
        _expect(candidate, "answered")
        seconds = self._clock(pid) - before
        # A copy, because the candidate can still write to the shared pages.
        return torch.from_numpy(self._frames.logits[:rows].copy()).to(self._device), seconds

    def _measure(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[float, int]:
        if not bool(torch.isfinite(logits).all()):
            raise Unscorable(Status.DIVERGED, "the model answered with logits that are not finite numbers")
        chosen = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        nats = logits.logsumexp(-1) - chosen
        token_bytes = self._token_bytes[targets]
        return float(nats[token_bytes > 0].double().sum()), int(token_bytes.sum())

    def _clock(self, pid: int) -> float:
        on_cpu = self._settings.budget.clock is Clock.CPU
        return tree_cpu_seconds(pid) if on_cpu else time.monotonic()

    def _frame_shape(self) -> FrameShape:
        length, vocab_size = self._settings.sequence_length, self._corpus.vocab_size
        room = _LOGITS_LIMIT_BYTES[self._settings.device] // (length * vocab_size * 4)
        return FrameShape(max(1, min(room, _BATCH_LIMIT)), length, vocab_size)

    def _split_blocks(self, split: Split) -> npt.NDArray[np.int64]:
        """Return blocks spread evenly over a split: shape (n, sequence_length + 1), int64."""
        if split not in self._blocks:
            tokens = self._corpus.held_out(split)
            length = self._settings.sequence_length
            count = max(1, min(self._settings.score_tokens, len(tokens) - 1) // length)
            starts = np.linspace(0, len(tokens) - length - 1, count).astype(np.int64)
            self._blocks[split] = tokens[starts[:, None] + np.arange(length + 1)].astype(np.int64)
        return self._blocks[split]


def _expect(candidate: Channel, event: str) -> None:
    try:
        message = candidate.receive()
    except ChannelClosed as error:
        raise Unscorable(Status.CRASHED, "the serving process ended before it had answered") from error
    except ProtocolBroken as error:
        raise Unscorable(Status.REJECTED, f"the serving process broke the protocol: {error}") from error
    if message["event"] == "error":
        raise Unscorable(failure_status(message), f"while being scored: {message.get('reason')}")
    if message["event"] != event:
        raise Unscorable(Status.REJECTED, f"the serving process said {message['event']!r} where {event!r} was due")


def main() -> None:
    """Serve the supervisor until it closes the line."""
    supervisor = Channel.from_descriptor(int(sys.argv[1]))
    settings = Settings.from_json(supervisor.receive()["settings"])
    torch.set_num_threads(settings.threads)
    scorer = Scorer(settings, load(settings.corpus))
    supervisor.send({"event": "ready"})
    while True:
        try:
            order = supervisor.receive()
        except ChannelClosed:
            return
        candidate = Channel.from_descriptor(supervisor.take_descriptor())
        try:
            for score in scorer.score(order, candidate):
                supervisor.send(score)
            supervisor.send({"event": "scored"})
        except (Unscorable, ChannelClosed) as failure:
            status = failure.status if isinstance(failure, Unscorable) else Status.CRASHED
            supervisor.send({"event": "unscorable", "status": status, "reason": str(failure)})
        finally:
            candidate.close()


if __name__ == "__main__":
    main()
