"""Where probes are put, and what moves a verdict."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluation import Split
from trainer.scoring.probes import Answer, Examination, Probe, Tolerance, draw_probes, probe_count

LENGTH, BATCH, VOCAB_SIZE = 16, 8, 50
TOKEN_BYTES = np.r_[np.full(VOCAB_SIZE - 1, 3), 0]
TOLERANCE = Tolerance(move_nats=0.1, drift_nats=0.08)


def blocks(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(VOCAB_SIZE, size=(rows, LENGTH + 1))


def draw(count: int, seed: int = 0) -> tuple[dict[Split, np.ndarray], list[Probe]]:
    splits = {Split.SELECTION: blocks(64, 1), Split.HOLDOUT: blocks(64, 2)}
    other = np.random.default_rng(3).integers(VOCAB_SIZE, size=1000).astype(np.int32)
    return splits, draw_probes(splits, count, BATCH, TOKEN_BYTES, other, np.random.default_rng(seed))


def answers(probe: Probe, rise: float = 0.0, at: int | None = None) -> Answer:
    """Answers of a uniform model that is better by `rise` nats at one position, or at all."""
    nats = np.full(LENGTH, np.log(VOCAB_SIZE), np.float32)
    nats[slice(None) if at is None else at] -= rise
    end = np.full(VOCAB_SIZE, -np.log(VOCAB_SIZE), np.float32)
    end[probe.targets[probe.end]] = -nats[probe.end]
    return Answer(nats, end)


def examined(count: int, rises: dict[int, tuple[float, int | None]] | float = 0.0) -> Examination:
    _, probes = draw(count)
    examination = Examination(probes, TOLERANCE)
    for index, probe in enumerate(probes):
        rise = (rises, None) if isinstance(rises, float) else rises.get(index, (0.0, None))
        examination.note_scored(index, answers(probe, *rise))
        examination.note_probed(index, answers(probe))
    return examination


def test_a_probe_keeps_its_beginning_and_changes_the_very_next_token() -> None:
    splits, probes = draw(128)

    for probe in probes:
        block = splits[probe.split][probe.row]
        assert (probe.original == block[:-1]).all()
        assert (probe.targets == block[1:]).all()
        assert (probe.tokens[: probe.cut] == block[: probe.cut]).all()
        assert probe.cut == LENGTH or probe.tokens[probe.cut] != block[probe.cut]
        assert (probe.counted == (block[1:] != VOCAB_SIZE - 1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_no_block_is_probed_twice_and_every_place_has_its_share(seed: int) -> None:
    _, probes = draw(32, seed)

    assert len({(probe.split, probe.row) for probe in probes}) == 32
    assert np.bincount([probe.row % BATCH for probe in probes]).tolist() == [4] * BATCH
    assert np.bincount([probe.end for probe in probes]).tolist() == [2] * LENGTH
    assert [probe.row for probe in probes] != sorted(probe.row for probe in probes)


def test_other_seeds_probe_other_places() -> None:
    assert len({tuple((probe.row, probe.cut) for probe in draw(32, seed)[1]) for seed in range(5)}) == 5


@pytest.mark.parametrize(
    ("rows", "thorough", "count"), [(64, False, 16), (65, False, 24), (65, True, 65), (3, False, 3)]
)
def test_probes_come_in_whole_batches_and_never_twice(rows: int, thorough: bool, count: int) -> None:
    assert probe_count(rows, BATCH, thorough=thorough) == count


def test_a_text_of_one_token_is_probed_as_it_is() -> None:
    same = {Split.SELECTION: np.zeros((8, LENGTH + 1), np.int64)}

    probes = draw_probes(same, 8, BATCH, TOKEN_BYTES, np.zeros(9, np.int32), np.random.default_rng(0))

    assert all((probe.tokens == 0).all() for probe in probes)


def test_equal_answers_show_nothing() -> None:
    assert examined(32).finding() is None


@pytest.mark.parametrize("rise", [0.3, -0.3, float("nan")])
def test_one_end_that_moved_is_enough(rise: float) -> None:
    _, probes = draw(32)

    finding = examined(32, {7: (rise, probes[7].end)}).finding()

    assert finding is not None
    assert (finding.probe, finding.position) == (7, probes[7].end)
    assert "1 of 32 probes moved" in finding.text


def test_a_stray_position_before_the_end_is_forgiven_and_many_are_not() -> None:
    _, probes = draw(32)
    early = [index for index, probe in enumerate(probes) if probe.cut > 4 and probe.counted[:4].all()]

    assert examined(32, {early[0]: (0.3, 1)}).finding() is None
    finding = examined(32, dict.fromkeys(early, (0.3, 1))).finding()
    assert finding is not None
    assert finding.position == 1


def test_a_gain_within_the_tolerance_of_a_position_shows_in_the_mean() -> None:
    assert examined(32, 0.01).finding() is None
    assert examined(32, -0.05).finding() is None
    finding = examined(32, 0.05).finding()
    assert finding is not None
    assert "better by 0.05 nats a token on the mean of 32 probes" in finding.text


def test_impossible_tokens_and_hopeless_losses_compare_as_equal() -> None:
    examination = examined(32)
    probe = examination.probes[0]
    for note, nats in ((examination.note_scored, 40.0), (examination.note_probed, 90.0)):
        end = answers(probe).end.copy()
        end[0] = -np.inf
        note(0, Answer(np.full(LENGTH, nats, np.float32), end))

    assert examination.finding() is None
