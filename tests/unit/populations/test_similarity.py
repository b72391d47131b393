"""How much code two sources share."""

from __future__ import annotations

import pytest
from operator_requests import SEED, SMALL

from populations.similarity import distance, similarity


def test_layout_and_comments_count_for_nothing() -> None:
    spaced = SMALL.replace("\nLR = 3e-4\n", "\n\n\nLR  =  3e-4   # a comment that was not there\n")
    assert spaced != SMALL
    assert similarity(SMALL, spaced) == 1.0


@pytest.mark.parametrize("source", [SMALL, SEED])
def test_one_constant_is_a_small_step(source: str) -> None:
    changed = source.replace("= 64", "= 65", 1)
    assert changed != source
    assert 0.95 < similarity(source, changed) < 1.0
    assert similarity(source, changed) == similarity(changed, source)


def test_more_changes_are_farther() -> None:
    once = SMALL.replace("WIDTH = 64", "WIDTH = 65")
    twice = once.replace("DEPTH = 2", "DEPTH = 3")
    assert 0 < distance(SMALL, once) < distance(SMALL, twice)


def test_unlike_programs_share_nothing() -> None:
    assert similarity("a = 1\n", "print(b)\n") == 0.0
    assert similarity("", "") == 1.0
    assert similarity("", "x\n") == 0.0


@pytest.mark.parametrize("number", ["3e-4", "1_000", "0.5", "1e6", "2"])
def test_a_number_is_one_token(number: str) -> None:
    # Three runs of three tokens around it, of which the ends have one more: a longer number changes no more of them.
    assert similarity(f"a = f(x, {number})\n", "a = f(x, 7)\n") == similarity("a = f(x, 8)\n", "a = f(x, 7)\n")
