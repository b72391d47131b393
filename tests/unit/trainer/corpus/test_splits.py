from __future__ import annotations

import hashlib

import pytest

from trainer.corpus.splits import BLOCK_DOCUMENTS, HELD_OUT_BYTES, PARTS, TRAIN, block_documents, split


def digests(count: int) -> list[bytes]:
    return [hashlib.sha256(str(number).encode()).digest() for number in range(count)]


@pytest.mark.parametrize("count", [20, 21, 29, 30, 39, 40, 249, 1000])
def test_every_document_is_in_exactly_one_part(count: int) -> None:
    parts = split(digests(count), BLOCK_DOCUMENTS)

    assert set(parts) == set(PARTS)
    assert sorted(number for members in parts.values() for number in members) == list(range(count))


def test_each_block_gives_its_lowest_digests_to_the_held_out_splits() -> None:
    order = digests(40)

    parts = split(order, 20)

    for block, start in enumerate((0, 20)):
        lowest = sorted(range(start, start + 20), key=lambda number: order[number])[:3]
        assert [int(parts[part][block]) for part in ("S", "G", "F")] == lowest


@pytest.mark.parametrize(("count", "held_out"), [(29, 1), (30, 2), (39, 2), (40, 2)])
def test_a_last_block_counts_from_half_its_length(count: int, held_out: int) -> None:
    parts = split(digests(count), 20)

    assert [len(parts[part]) for part in PARTS if part != TRAIN] == [held_out] * 3


def test_held_out_splits_of_large_corpora_stay_near_their_limit() -> None:
    documents, each_bytes = 400_000, 10_000

    block = block_documents(documents, documents * each_bytes)

    assert documents / block * each_bytes == pytest.approx(HELD_OUT_BYTES, rel=0.01)
    assert block_documents(249, 12_000_000) == BLOCK_DOCUMENTS
