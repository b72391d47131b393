"""What several commands read of their arguments: the end of a search, individuals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from evo.commands.options import end_by, run_and_ids
from trainer.errors import UsageError

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("never", 0.0),
        ("13:00", datetime(2026, 3, 4, 13, 0, tzinfo=UTC).timestamp()),
        ("12:30", datetime(2026, 3, 5, 12, 30, tzinfo=UTC).timestamp()),
        ("2026-12-24T18:00+01:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC).timestamp()),
    ],
)
def test_a_time_of_day_is_the_next_one(text: str | None, expected: float | None) -> None:
    assert end_by(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "25:00", "7:00", "\u0661\u0662:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--until expects a time"):
        end_by(text, NOW)


def test_a_number_that_no_store_can_hold_is_no_individual() -> None:
    with pytest.raises(UsageError, match="Expected the number of an individual"):
        run_and_ids(["run", "9" * 5000])
