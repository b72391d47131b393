from __future__ import annotations

from pathlib import Path

import pytest
from corpus_texts import documents

from trainer.corpus.vocabulary import LARGEST_SIZE, Vocabulary, require_size, train
from trainer.errors import DatasetError

TEXTS = [*documents(20), "numbers 1234567890 and 語 🌍 <|endoftext|>"]


def test_the_separator_is_the_last_id_and_the_rest_are_bytes() -> None:
    words = train(TEXTS, 400)

    assert words.size == 400
    assert words.separator == 399
    assert words.token_bytes().shape == (400,)
    assert words.token_bytes()[399] == 0
    assert (words.token_bytes()[:399] > 0).all()


def test_encoding_keeps_every_byte_and_never_gives_the_separator() -> None:
    words = train(TEXTS, 400)

    for text in [*TEXTS, "unseen: ß\x00\r\n" + "a" * 100_000]:
        tokens = words.encoder().encode_to_numpy(text, disallowed_special=())
        assert words.token_bytes()[tokens].sum() == len(text.encode())
        assert b"".join(words.tokens[token] for token in tokens).decode() == text


def test_training_again_gives_the_same_vocabulary() -> None:
    assert train(TEXTS, 600) == train(iter(TEXTS), 600)


def test_saving_and_loading(tmp_path: Path) -> None:
    words = train(TEXTS, 300)
    words.save(tmp_path / "vocabulary.json")

    assert Vocabulary.load(tmp_path / "vocabulary.json") == words


def test_the_smallest_vocabulary_is_bytes_and_the_separator() -> None:
    assert train(TEXTS, 257).token_bytes().tolist() == [1] * 256 + [0]


def test_too_little_text_says_which_size_would_do() -> None:
    with pytest.raises(DatasetError, match=r"vocabulary of 1000, but it yields only 2\d\d tokens.*--vocab-size 2\d\d"):
        train(["the cat sat on the mat"], 1000)


@pytest.mark.parametrize("vocab_size", [-1, 0, 256, LARGEST_SIZE + 1])
def test_sizes_out_of_range_are_refused(vocab_size: int) -> None:
    with pytest.raises(DatasetError, match=f"between 257 .* and 65536, but it was {vocab_size}"):
        require_size(vocab_size)
