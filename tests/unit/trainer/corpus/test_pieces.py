from __future__ import annotations

from itertools import pairwise

import pytest
from corpus_texts import documents

from trainer.corpus.pieces import boundary, cut, piece_bytes


def pieces(utf8: bytes, target_bytes: int) -> list[bytes]:
    return [utf8[start:end] for start, end in pairwise([0, *cut(utf8, target_bytes)])]


def test_pieces_of_a_long_document_join_to_it_and_end_at_paragraphs() -> None:
    utf8 = documents(1, words=20_000)[0].encode()

    parts = pieces(utf8, 2048)

    assert b"".join(parts) == utf8
    assert all(part.endswith(b"\n\n") for part in parts[:-1])
    assert all(1024 <= len(part) <= 3072 for part in parts)


def test_a_document_of_up_to_four_pieces_stays_whole() -> None:
    assert cut(b"x " * 4096, 2048) == [8192]


@pytest.mark.parametrize("character", ["é", "語", "🌍", "x"])
def test_no_character_is_cut_where_there_is_no_white_space(character: str) -> None:
    text = character * 30_001

    assert "".join(part.decode() for part in pieces(text.encode(), 4099)) == text


def test_boundary_prefers_paragraphs_to_lines_to_words() -> None:
    assert boundary(b"a\n\nb\nc d", 0, 8) == 3
    assert boundary(b"a\nb c d", 0, 7) == 2
    assert boundary(b"a b c", 0, 5) == 4


def test_small_corpora_are_cut_finer() -> None:
    assert piece_bytes(1, 300_000) == 3000
    assert piece_bytes(1, 1000) == 2048
    assert piece_bytes(1, 10**9) == piece_bytes(249, 12_000_000) == 65_536
