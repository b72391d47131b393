"""What messages are made of."""

from __future__ import annotations

import pytest

from trainer.errors import counted


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 results"), (1, "1 result"), (1.0, "1 result"), (0.25, "0.25 results"), (1_234_567, "1,234,567 results")],
)
def test_one_of_a_thing_is_told_in_the_singular(count: float, said: str) -> None:
    assert counted(count, "result") == said
