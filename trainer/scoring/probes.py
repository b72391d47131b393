"""Whether the answers that were scored depend on nothing but the tokens before them: probes, and the verdict on them.

A *probe* is a scored block of which everything after a random cut was replaced by text of the training split. A second
replica, a fresh process that shares nothing with the one that was scored, answers the probes in another order and among
other blocks. A model that is a pure and causal function gives both times the same log-probabilities before the cut.
Whatever else an answer came from moves it: later tokens, the other blocks of its batch, its place in the batch, blocks
seen before, chance, time, or the process that answers.

It does not help a genome to recognise a probe or the replica that answers them. That replica never saw what stood
after the cut, in this probe or in any other, so it cannot repeat an answer that came from there; and the replica that
was scored saw no probe at all. So it has to answer every block as if it were compared, and it cannot know where: rows
and cuts are drawn from the system's own randomness, stratified so that every place in a batch, every split and every
stretch of positions get their share.

What is compared
    the end   the last position before the cut, over the whole vocabulary: the only one that a leak of the very
              next token moves
    before    the log-probability of the target at all earlier positions, which leaks from afar and state move
    gain      the mean of what the scored answers were better by, which finds leaks too small to show at one position

The bound
    A leak at a share p of the positions goes unnoticed by n probes with probability (1 - p)^n at most: at 95%, p is
    below 3 / n. The gain is p times what a token costs there. With the defaults on a CPU there are 64 probes each time
    (p < 4.6%, worth 0.07 bits per byte of 1.5 if the leak makes tokens of ordinary cost free), and 512 when a second
    split is scored (p < 0.6%, worth 0.009), as it is after a score below the best so far on the first one.
    Finalists are scored so with several seeds, and every descendant of a cheat is probed again: k evaluations together
    bound p by 3 / (n k). A leak that stays within the tolerance everywhere is worth about `Tolerance.drift_nats /
    sqrt(n)` nats a token at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.evaluation import Split

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

SHARE = 0.25
"""Probes per scored block, for every individual. With a score on a second split every block of both is probed."""

_TRIES = 64  # starts that are tried until one has another token; by then all but the dullest text has

_STRAY_SHARE = 0.005
"""Of the positions before the end, how many may move: a choice between nearly equal experts can tip by rounding."""
_LEAST_LOG_PROBABILITY = -30.0
"""Below it differences mean nothing, and some models give -inf to what never comes."""


class Tolerance(NamedTuple):
    """What an honest model's answers may differ by.

    Attributes:
        move_nats: the log-probability of one token.
        drift_nats: the mean over n probes may be this divided by the square root of n.
    """

    move_nats: float
    drift_nats: float


@dataclass(frozen=True, slots=True)
class Probe:
    """One scored block with another end.

    Attributes:
        split: of the block.
        row: of the block, in the order of scoring.
        cut: tokens that were left as they were, 1 to T; T leaves the whole block.
        tokens: shape (T,), what is asked.
        original: shape (T,), the block's own tokens.
        targets: shape (T,), of the block.
        counted: shape (T,), which positions count in the score.
    """

    split: Split
    row: int
    cut: int
    tokens: Ints
    original: Ints
    targets: Ints
    counted: npt.NDArray[np.bool_]

    @property
    def end(self) -> int:
        """The last position that the cut left as it was."""
        return self.cut - 1


class Answer(NamedTuple):
    """What a replica gave for a block: nats of the targets, shape (T,), and the end's log-probabilities, shape (V,)."""

    nats: Floats
    end: Floats


def probe_count(rows: int, batch: int, *, thorough: bool) -> int:
    """Return how many probes a score over `rows` blocks gets, never more than one a block.

    Two probes of one block would tell the second replica more of it than the shorter one shows. A share is rounded up
    to whole batches, so that batches look alike.
    """
    return rows if thorough else min(rows, math.ceil(rows * SHARE / batch) * batch)


def draw_probes(
    blocks: Mapping[Split, Ints],
    count: int,
    batch: int,
    token_bytes: Ints,
    other: npt.NDArray[np.int32],
    choice: np.random.Generator,
) -> list[Probe]:
    """Draw probes of the blocks of some splits, in random order.

    Args:
        blocks: by split, in the order of scoring, each of shape (rows, T + 1).
        count: probes wanted, at most one a block.
        batch: blocks that are answered together.
        token_bytes: shape (vocab_size,); targets of 0 bytes are not scored.
        other: shape (n,), text that is no part of any block.
        choice: where rows, cuts and ends come from; a genome must not be able to foresee them.
    """
    length = next(iter(blocks.values())).shape[1] - 1
    places = [(split, row) for split, rows in blocks.items() for row in range(len(rows))]
    places.sort(key=lambda place: place[1] % batch)
    # One of each of as many equal stretches: every place in a batch has its share of probes, and so has every cut.
    chosen = [int(choice.choice(stretch)) for stretch in np.array_split(np.arange(len(places)), count)]
    cuts = choice.permutation(np.arange(count) + choice.random(count)) * (length / count)
    probes = []
    for (split, row), cut in zip((places[index] for index in chosen), cuts.astype(np.int64) + 1, strict=True):
        block = blocks[split][row]
        original, targets = block[:-1], block[1:]
        asked = _with_other_end(original, min(int(cut), length), other, choice)
        probes.append(Probe(split, row, min(int(cut), length), asked, original, targets, token_bytes[targets] > 0))
    return [probes[index] for index in choice.permutation(count)]


def _with_other_end(original: Ints, cut: int, other: npt.NDArray[np.int32], choice: np.random.Generator) -> Ints:
    """Return a block that goes on with other text from `cut`, with another token right there."""
    asked = original.copy()
    if cut < len(original):
        starts = choice.integers(len(other), size=_TRIES)
        start = starts[np.argmax(other[starts] != original[cut])]
        asked[cut:] = other.take(np.arange(start, start + len(original) - cut), mode="wrap")
    return asked


class Finding(NamedTuple):
    """The clearest sign that answers depend on more than the tokens before them.

    Attributes:
        probe: index of the probe.
        position: in its block.
        text: what was seen, with its figures.
    """

    probe: int
    position: int
    text: str


class Examination:
    """Collects what both replicas answered to some probes, and judges."""

    def __init__(self, probes: list[Probe], tolerance: Tolerance) -> None:
        self.probes = probes
        self._tolerance = tolerance
        self._by_row: dict[tuple[Split, int], list[int]] = {}
        for index, probe in enumerate(probes):
            self._by_row.setdefault((probe.split, probe.row), []).append(index)
        self._scored: dict[int, Answer] = {}
        self._probed: dict[int, Answer] = {}

    def probes_of(self, split: Split, row: int) -> list[int]:
        """Return the probes that a scored block is compared with."""
        return self._by_row.get((split, row), [])

    def note_scored(self, index: int, answer: Answer) -> None:
        """Take what the scored replica answered to the block of a probe."""
        self._scored[index] = answer

    def note_probed(self, index: int, answer: Answer) -> None:
        """Take what the second replica answered to a probe."""
        self._probed[index] = answer

    def batches(self, batch: int) -> Iterator[list[int]]:
        """Yield the probes that are asked together."""
        for start in range(0, len(self.probes), batch):
            yield list(range(start, min(start + batch, len(self.probes))))

    def finding(self) -> Finding | None:
        """Return the clearest sign of a broken rule, None if there is none."""
        return self._moved_end() or self._moved_before() or self._gain()

    def probed(self, index: int) -> Answer:
        """Return what the second replica answered to a probe."""
        return self._probed[index]

    def explains(self, finding: Finding, before: Answer, after: Answer) -> bool:
        """Return whether two more answers to a probe differ by more than half of what was found."""
        scored, probed = self._scored[finding.probe], self._probed[finding.probe]
        if finding.position == self.probes[finding.probe].end:
            moved = _largest(_clamped(scored.end) - _clamped(probed.end))
            return _largest(_clamped(after.end) - _clamped(before.end)) > moved / 2
        moved = abs(float(scored.nats[finding.position] - probed.nats[finding.position]))
        return abs(float(after.nats[finding.position] - before.nats[finding.position])) > moved / 2

    def _moved_end(self) -> Finding | None:
        moves = [
            _largest(_clamped(self._scored[i].end) - _clamped(self._probed[i].end)) for i in range(len(self.probes))
        ]
        moved = [index for index, move in enumerate(moves) if not move <= self._tolerance.move_nats]
        if not moved:
            return None
        worst = max(moved, key=lambda index: abs(self._gains(index)[-1]))
        end = self.probes[worst].end
        target_nats = abs(float(self._gains(worst)[-1]))
        text = (
            f"at position {end} of a probe the log-probability of the target moved by {target_nats:.2g} nats, and that "
            f"of some token by {moves[worst]:.2g} (tolerance {self._tolerance.move_nats:.2g}; {len(moved)} of "
            f"{len(moves)} probes moved)"
        )
        return Finding(worst, end, text)

    def _moved_before(self) -> Finding | None:
        worst, moved, compared = (0, 0, 0.0), 0, 0
        for index, probe in enumerate(self.probes):
            moves = np.abs(self._gains(index)) * probe.counted[: probe.cut]
            moved += int((~(moves <= self._tolerance.move_nats)).sum())
            compared += int(probe.counted[: probe.cut].sum())
            position = int(np.nan_to_num(moves, nan=np.inf).argmax())
            worst = max(worst, (index, position, float(moves[position])), key=lambda one: one[2])
        if moved <= _STRAY_SHARE * compared:
            return None
        text = (
            f"at position {worst[1]} of a probe the log-probability of the target moved by {worst[2]:.2g} nats "
            f"(tolerance {self._tolerance.move_nats:.2g}; {moved} of {compared} positions moved)"
        )
        return Finding(worst[0], worst[1], text)

    def _gain(self) -> Finding | None:
        """Look at means: at the ends alone, which leaks of the next token move, and over all that was compared."""
        ends = [float(self._gains(i)[-1]) for i, probe in enumerate(self.probes) if probe.counted[probe.end]]
        everywhere = [self._gains(i)[probe.counted[: probe.cut]] for i, probe in enumerate(self.probes)]
        tolerance = self._tolerance.drift_nats / math.sqrt(len(self.probes))
        gain = max(float(np.mean(ends or [0.0])), float(np.concatenate(everywhere).mean(dtype=np.float64)))
        if gain <= tolerance:
            return None
        clearest = int(np.argmax([self._gains(i)[-1] for i in range(len(self.probes))]))
        text = (
            f"the scored answers were better by {gain:.2g} nats a token on the mean of {len(self.probes)} probes "
            f"(tolerance {tolerance:.2g})"
        )
        return Finding(clearest, self.probes[clearest].end, text)

    def _gains(self, index: int) -> Floats:
        """Return what the scored answers are better by, nats at each position before the cut: shape (cut,)."""
        cut, most = self.probes[index].cut, -_LEAST_LOG_PROBABILITY
        scored, probed = self._scored[index].nats[:cut], self._probed[index].nats[:cut]
        return np.minimum(probed, most) - np.minimum(scored, most)


def _clamped(log_probabilities: Floats) -> Floats:
    return np.maximum(log_probabilities, _LEAST_LOG_PROBABILITY)


def _largest(differences: Floats) -> float:
    return float(np.abs(differences).max())
