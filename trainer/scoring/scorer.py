"""The trusted scorer: `python -m trainer.scoring DESCRIPTOR`.

It alone holds the held-out tokens. It never imports or unpickles candidate code: it sends inputs to a fresh candidate
process in serving mode, copies the logits out of shared memory before it reads them, and applies its own log-softmax
and its own byte counts. Bits per byte of a split = Σ -log2 p(target) / Σ bytes(target), over the targets that stand
for text.

Two orders make a score: `score` questions one replica of the candidate, `verify` asks another one the probes that were
drawn with it (`probes`). The first has ended when the second gets its genome. A candidate whose score is below that of
the best so far is scored on the holdout split in the same go, so that it is trained only once. A third one, `try`, is
that of a smoke run and asks nothing but what every order begins with.

All orders begin alike. The candidate builds its model and answers blocks of training text before it has any weights:
that pays for compilation and lazy initialisation, and tells what a forward pass of this model costs. Only then do the
weights come, if they hold nothing but what that model has room for, and from there on the process has the time of a few
forward passes (`serving`). When the first held-out token is asked, nothing that the process writes is shown any more.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812 - its usual name

from trainer.corpus import Corpus, load
from trainer.errors import EvoError
from trainer.evaluation import Clock, Split, Status
from trainer.ipc.candidate_protocol import failure_status, slow_reason
from trainer.ipc.channel import Channel, ChannelClosed, Message, ProtocolBroken
from trainer.ipc.frames import Frames, FrameShape
from trainer.machine.control_group import cpu_seconds_of
from trainer.machine.cpu_meter import CpuMeter
from trainer.scoring.blocks import scored_blocks
from trainer.scoring.probes import Answer, Examination, Finding, Ints, Tolerance, draw_probes, probe_count
from trainer.scoring.serving import Allowance, State, excess, measure_serving
from trainer.scoring.tolerance import measure_tolerance
from trainer.settings import Settings

_LOGITS_LIMIT_BYTES = {"cpu": 2**25, "mps": 2**27, "cuda": 2**29}
_BATCH_LIMIT = 64
_EXPLANATIONS = 2  # answers that tell which rule was broken
_LEAST_BATCHES = 4  # of a split, so that probes come in whole batches and still cost a quarter
_CALIBRATION_TOKENS = 1024
_ANSWERED = ("built", "loaded")
"""After these the supervisor does its part, and says so."""
_WARM_UP_BLOCKS = 3  # the first pays for lazy initialisation


class Unscorable(Exception):  # noqa: N818 - a verdict on the candidate
    """The candidate's answers cannot be scored."""

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


class Spending:
    """Holds what a serving process uses from its weights on against what it is allowed, after every answer."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float]) -> None:
        self._allowance = allowance
        self._clock = clock
        self._began = clock()
        self._answers = 0

    def note_answer(self) -> None:
        """Raise Unscorable when the process took more than forward passes take."""
        self._answers += 1
        allowed = self._allowance.until(self._answers)
        used = self._clock() - self._began
        if used > allowed:
            stage = "loading its weights" if self._answers == 1 else "answering"
            raise Unscorable(Status.TIMED_OUT, slow_reason(allowed, self._allowance.budget.clock, stage))


class Scorer:
    """Scores serving candidates on the splits of one corpus."""

    def __init__(self, settings: Settings, corpus: Corpus) -> None:
        self._settings = settings
        self._corpus = corpus
        self._device = torch.device(settings.device)
        self._token_bytes = corpus.token_bytes.astype(np.int64)
        length, score_tokens = settings.sequence_length, settings.score_tokens
        self._blocks = {split: scored_blocks(corpus, split, length, score_tokens) for split in Split}
        self._training_text = np.memmap(corpus.train_path, "<i4", mode="r")
        self._shape = self._frame_shape()
        pinned = self._device.type == "cuda"  # copies to the GPU then need no staging
        self._copy = torch.empty(self._shape.length, self._shape.vocab_size, pin_memory=pinned)
        self.tolerance = self._measure_tolerance()
        self._reference = measure_serving(settings, corpus.vocab_size, self._warm_up_tokens())
        self._has_asked = False
        self._examination = Examination([], self.tolerance)
        self._noting = [self._examination]
        self._spending: Spending | None = None
        # Pays for lazy initialisation before the first candidate comes.
        self._read(np.zeros(self._copy.shape, np.float32), np.zeros(self._shape.length, np.int64), [0])

    def score(self, order: Message, candidate: Channel) -> Iterator[Message]:
        """Yield one `score` message a split; raise Unscorable or Gone when the candidate fails.

        A score below `holdout_below` on the selection split leads to a score on the holdout split and a thorough
        examination. An answer can be noted only while it is there, so until that is known both examinations note.
        """
        splits = [Split(name) for name in order["splits"]]
        may_lead = order.get("holdout_below") is not None and Split.HOLDOUT not in splits
        self._examination = self._draw_examination(splits)
        thorough = self._draw_examination([*splits, Split.HOLDOUT]) if may_lead else None
        self._noting = [self._examination] if thorough is None else [self._examination, thorough]
        scored = [*splits, Split.HOLDOUT] if may_lead else splits
        clock = self._clock(order)
        with self._frames() as frames:
            yield from self._serve(order, candidate, frames, clock, sum(len(self.batches(split)) for split in scored))
            for split in splits:
                score = self._score_split(candidate, frames, split, clock)
                yield _score_message(split, score)
                if thorough and split is Split.SELECTION and score.bits_per_byte < order["holdout_below"]:
                    self._examination = thorough
            self._noting = [self._examination]
            if self._examination is thorough:
                score = self._score_split(candidate, frames, Split.HOLDOUT, clock)
                yield _score_message(Split.HOLDOUT, score)

    def batches(self, split: Split) -> list[tuple[Ints, Ints]]:
        """Return the rows of a split that are asked together, and their inputs of shape (rows, sequence_length).

        Their order is drawn anew each time, by the system's own randomness: which question comes when tells nothing to
        another evaluation.
        """
        order = np.random.default_rng(secrets.randbits(128)).permutation(len(self._blocks[split]))
        together = [order[start : start + self._shape.batch] for start in range(0, len(order), self._shape.batch)]
        return [(rows, self._blocks[split][rows, :-1]) for rows in together]

    def verify(self, order: Message, candidate: Channel) -> Iterator[Message]:
        """Ask another replica of the candidate scored last; raise Unscorable when their answers show a broken rule."""
        examination = self._examination
        asked_batches = list(examination.batches(self._shape.batch))
        with self._frames() as frames:
            yield from self._serve(order, candidate, frames, self._clock(order), len(asked_batches) + _EXPLANATIONS)
            for indices in asked_batches:
                asked = np.stack([examination.probes[index].tokens for index in indices])
                self._ask(candidate, frames, asked)
                for place, index in enumerate(indices):
                    examination.note_probed(index, self._answer_to(index, frames.logits[place]))
            finding = examination.finding()
            if finding is not None:
                raise Unscorable(Status.REJECTED, self._explain(finding, candidate, frames))

    def try_out(self, order: Message, candidate: Channel) -> Iterator[Message]:
        """Have a candidate answer for training text before and after it loads its weights; nothing is scored."""
        with self._frames() as frames:
            yield from self._serve(order, candidate, frames, self._clock(order), 1)

    def _explain(self, finding: Finding, candidate: Channel, frames: Frames) -> str:
        """Return which rule was broken, after two more answers to the probe, one with the end that the block has."""
        examination = self._examination
        probe = examination.probes[finding.probe]
        indices = next(batch for batch in examination.batches(self._shape.batch) if finding.probe in batch)
        place = indices.index(finding.probe)
        asked = np.stack([examination.probes[index].tokens for index in indices])
        answers = [examination.probed(finding.probe)]
        for tokens in (probe.tokens, probe.original):
            asked[place] = tokens
            self._ask(candidate, frames, asked)
            answers.append(self._answer_to(finding.probe, frames.logits[place]))
        first, repeated, restored = answers
        if not examination.explains(finding, first, repeated) and examination.explains(finding, repeated, restored):
            return f"causality: {finding.text} when only later tokens changed"
        return f"purity: {finding.text} when a fresh process was asked, in another order and among other blocks"

    def _answer_to(self, index: int, shared: npt.NDArray[np.float32]) -> Answer:
        probe = self._examination.probes[index]
        nats, (end,) = self._read(shared, probe.targets, [probe.end])
        return Answer(nats, end)

    @contextlib.contextmanager
    def _frames(self) -> Iterator[Frames]:
        """Yield memory to share with a candidate; fresh, because what an earlier one left in it could help this one."""
        frames = Frames.create(self._shape)
        try:
            yield frames
        finally:
            frames.close()

    def _serve(
        self, order: Message, candidate: Channel, frames: Frames, clock: Callable[[], float], batches: int
    ) -> Iterator[Message]:
        """Have a candidate build its model, answer without weights, load them, and answer once with them.

        Yields `built` and `loaded`, each with the seconds that the process may take until the next stage ends; what the
        supervisor has to do meanwhile is done when this goes on.
        """
        self._has_asked, self._spending = False, None
        start = {
            "event": "serve",
            "is_smoke": order["event"] == "try",
            "seed": order["seed"],
            "budget_seconds": self._settings.budget.train_seconds,
            "batch": self._shape.batch,
            "sequence_length": self._shape.length,
            "vocab_size": self._shape.vocab_size,
        }
        self._tell(candidate, start, (frames.descriptor,))
        self._expect(candidate, "built")
        passes = []
        for _ in range(_WARM_UP_BLOCKS):
            before = clock()
            self._ask(candidate, frames, self._warm_up_tokens())
            passes.append(clock() - before)
        self._refuse_weights(candidate, order["weights_bytes"])
        allowance = Allowance(self._settings.budget, self._reference, min(passes[1:]), batches + 1)
        yield {"event": "built", "seconds": allowance.until(1)}
        self._spending = Spending(allowance, clock)
        self._tell(candidate, {"event": "load"})
        self._expect(candidate, "loaded")
        self._ask(candidate, frames, self._warm_up_tokens())
        yield {"event": "loaded", "seconds": allowance.until(batches + 1)}
        self._has_asked = True

    def _refuse_weights(self, candidate: Channel, weights_bytes: int) -> None:
        """Raise Unscorable where a weights file holds more than the model that was built has room for, or far too much.

        The process may say anything of its model. What it has to gain by that is bounded by generation 0's size.
        """
        self._tell(candidate, {"event": "state"})
        said = self._expect(candidate, "state")
        counts = [
            one for name in ("numbers", "tensors", "name_bytes") if type(one := said.get(name)) is int and one >= 0
        ]
        if len(counts) < 3:
            raise Unscorable(Status.REJECTED, "the serving process did not say what its model has room for")
        if too_large := excess(weights_bytes, State(*counts), self._reference):
            raise Unscorable(Status.REJECTED, f"handed over weights {too_large}")

    def _tell(self, candidate: Channel, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        try:
            candidate.send(message, descriptors)
        except ChannelClosed as error:
            raise Gone from error

    def _warm_up_tokens(self) -> Ints:
        """Return training text in the shape of a batch: shape (batch, T)."""
        count = self._shape.batch * self._shape.length
        start = secrets.randbelow(len(self._training_text))
        tokens = self._training_text.take(np.arange(start, start + count), mode="wrap")
        return tokens.astype(np.int64).reshape(self._shape.batch, self._shape.length)

    def _score_split(self, candidate: Channel, frames: Frames, split: Split, clock: Callable[[], float]) -> Score:
        targets = self._blocks[split][:, 1:]
        row_nats, seconds = np.zeros(len(targets)), 0.0
        on_cpu = self._settings.budget.clock is Clock.CPU
        for rows, inputs in self.batches(split):
            before = clock()
            self._ask(candidate, frames, inputs)
            answered = clock()
            for place, row in enumerate(rows.tolist()):
                row_nats[row] = self._score_row(split, row, frames.logits[place], targets[row])
            # It could compute the last rows while the first are read; on the wall clock reading would count, too.
            seconds += (clock() if on_cpu else answered) - before
        nats = float(row_nats.sum())  # in the order of the rows, so that no sum depends on that of the questions
        if not math.isfinite(nats):
            raise Unscorable(Status.DIVERGED, "the model answered with logits that are not finite numbers")
        counted_bytes = int(self._token_bytes[targets].sum())
        # Of all answers that are scored, none left out: a model could be quick on half the blocks.
        return Score(nats / math.log(2) / counted_bytes, targets.size / max(seconds, 1e-9))

    def _ask(self, candidate: Channel, frames: Frames, inputs: Ints) -> None:
        """Let the candidate write its logits for some blocks into the frames."""
        rows = len(inputs)
        # Unknown before, so that no answer can be sent ahead of its question.
        number = secrets.randbits(48)
        frames.tokens[:rows] = inputs
        self._tell(candidate, {"event": "block", "rows": rows, "number": number})
        answer = self._expect(candidate, "answered")
        if answer.get("number") != number:
            raise Unscorable(Status.REJECTED, "the serving process answered a question that it was not asked")
        if self._spending is not None:
            self._spending.note_answer()

    def _score_row(self, split: Split, row: int, shared: npt.NDArray[np.float32], targets: Ints) -> float:
        """Return the nats of one block's counted targets, and note what its probes will be compared with."""
        noting = [(examination, index) for examination in self._noting for index in examination.probes_of(split, row)]
        nats, ends = self._read(shared, targets, [examination.probes[index].end for examination, index in noting])
        for (examination, index), end in zip(noting, ends, strict=True):
            examination.note_scored(index, Answer(nats, end))
        return float(nats[self._token_bytes[targets] > 0].sum(dtype=np.float64))

    def _read(
        self, shared: npt.NDArray[np.float32], targets: Ints, positions: Sequence[int]
    ) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """Return the nats of a block's targets, shape (T,), and all log-probabilities at some positions, each (V,).

        `shared` are the logits, shape (T, V), to which the candidate can still write.
        """
        # Copied before it is read; one block at a time stays in the processor's cache.
        self._copy.copy_(torch.from_numpy(shared))
        target = torch.from_numpy(targets).to(self._device)
        nats = F.cross_entropy(self._copy.to(self._device), target, reduction="none").cpu().numpy()
        return nats, [self._copy[position].log_softmax(-1).numpy() for position in positions]

    def _clock(self, order: Message) -> Callable[[], float]:
        """Return the clock of the candidate that an order is about: wall time, or CPU time of all its processes."""
        if self._settings.budget.clock is not Clock.CPU:
            return time.monotonic
        if order["group"] is not None:
            group = Path(order["group"])
            return lambda: cpu_seconds_of(group)
        meter = CpuMeter()
        return lambda: meter.seconds([order["pid"]])

    def _expect(self, candidate: Channel, event: str) -> Message:
        """Return the next message; raise Unscorable unless it is the one that is due.

        Of a process that knows held-out tokens only the class of an error is told.
        """
        try:
            message = candidate.receive()
        except ProtocolBroken as error:
            what = "" if self._has_asked else f": {error}"
            raise Unscorable(Status.REJECTED, f"the serving process broke the protocol{what}") from error
        except ChannelClosed as error:
            raise Gone from error
        if message["event"] == "error":
            what = _class_of_error(message) if self._has_asked else str(message.get("reason"))
            raise Unscorable(failure_status(message), f"while being scored: {what}")
        if message["event"] != event:
            what = "something else" if self._has_asked else repr(message["event"])
            raise Unscorable(Status.REJECTED, f"the serving process said {what} where {event!r} was due")
        return message

    def _frame_shape(self) -> FrameShape:
        length, vocab_size = self._settings.sequence_length, self._corpus.vocab_size
        room = _LOGITS_LIMIT_BYTES[self._settings.device] // (length * vocab_size * 4)
        fewest_rows = min(map(len, self._blocks.values()))
        return FrameShape(max(1, min(room, _BATCH_LIMIT, fewest_rows // _LEAST_BATCHES)), length, vocab_size)

    def _draw_examination(self, splits: Sequence[Split]) -> Examination:
        blocks = {split: self._blocks[split] for split in splits}
        batch = self._shape.batch
        count = probe_count(sum(map(len, blocks.values())), batch, thorough=len(splits) > 1)
        # The system's randomness: nothing that a candidate knows tells where it is probed.
        choice = np.random.default_rng(secrets.randbits(128))
        probes = draw_probes(blocks, count, batch, self._token_bytes, self._training_text, choice)
        return Examination(probes, self.tolerance)

    def _measure_tolerance(self) -> Tolerance:
        blocks = self._blocks[Split.SELECTION]
        rows = math.ceil(_CALIBRATION_TOKENS / self._shape.length)
        return measure_tolerance(self._settings, self._corpus.vocab_size, torch.from_numpy(blocks[:rows, :-1]))


def _score_message(split: Split, score: Score) -> Message:
    return {"event": "score", "split": split, **asdict(score)}


def _class_of_error(message: Message) -> str:
    """Return the class that an error says to be of, if it is one of Python's own: other names could say anything."""
    name = str(message.get("name"))
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, Exception) else "an error of a class of its own"


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
                for message in carry_out(scorer, order, candidate):
                    supervisor.send(message)
                    if message["event"] in _ANSWERED:
                        supervisor.receive()
            finally:
                candidate.close()


def carry_out(scorer: Scorer, order: Message, candidate: Channel) -> Iterator[Message]:
    """Yield the scores, if any, and one last message that says how it ended."""
    try:
        questions = {"score": scorer.score, "verify": scorer.verify, "try": scorer.try_out}[order["event"]]
        yield from questions(order, candidate)
        yield {"event": "scored"}
    except Unscorable as failure:
        yield {"event": "unscorable", "status": failure.status, "reason": str(failure)[:1000]}
    except Gone:
        yield {"event": "gone"}
