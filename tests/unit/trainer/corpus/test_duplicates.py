from __future__ import annotations

import numpy as np
from corpus_texts import documents

from trainer.corpus.duplicates import digest, first_of_each, normalise, signature


def kept(texts: list[str]) -> list[int]:
    normalised = [normalise(text.encode()) for text in texts]
    marks = first_of_each([digest(text) for text in normalised], np.array([signature(text) for text in normalised]))
    return np.flatnonzero(marks).tolist()


def test_different_documents_are_all_kept() -> None:
    assert kept(documents(300, words=100)) == list(range(300))


def test_case_and_white_space_make_no_difference() -> None:
    text = documents(1)[0]

    assert kept([text, text.upper(), text.replace(" ", "\r\n  ")]) == [0]


def test_a_copy_with_small_edits_is_removed_and_the_first_kept() -> None:
    first, *others = documents(50)
    words = first.split(" ")
    words[100:100] = ["an", "added", "remark"]
    words[300] = "changed"

    assert kept([*others[:20], first, *others[20:], " ".join(words)]) == list(range(50))


def test_documents_that_share_a_third_are_different() -> None:
    common, left, right = (documents(1, words=500, seed=seed)[0] for seed in (1, 2, 3))

    assert kept([common + left + left[::-1], common + right + right[::-1]]) == [0, 1]


def test_exact_copies_of_short_texts_are_removed() -> None:
    short = [f"{number}" for number in range(200)]

    assert kept(short + short) == list(range(200))


def test_short_texts_have_signatures() -> None:
    assert kept(["a", "b", "a", "ab"]) == [0, 1, 3]


def test_signatures_estimate_the_jaccard_similarity() -> None:
    first, second = documents(2, words=2000)
    union = normalise((first + second).encode())  # half of its shingles are those of the first

    agreement = (signature(normalise(first.encode())) == signature(union)).mean()

    assert 0.3 < agreement < 0.7  # three standard deviations of 64 bins
