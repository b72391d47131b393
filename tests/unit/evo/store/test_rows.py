"""A row that no version has written is said to be damaged, whatever reads it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from evo.errors import StoreError
from evo.store import rows

OUTCOME = {
    "result_number": 1,
    "evaluation": 2,
    "individual": 3,
    "purpose": "search",
    "seed": 0,
    "attempt": 1,
    "device": "cpu",
    "status": "ok",
    "objectives": '{"loss": 1.5}',
    "split_bpb": "{}",
    "finished_at": 1.7e9,
    "budget_fraction": 1.0,
    "worker_seconds": 1.0,
    "device_class": None,
}
INDIVIDUAL = {"id": 5, "operator": "random", "idea": "", "genome_sha256": "", "created_at": 1.7e9, "parents": "3,4"}
EVENT = {"id": 1, "kind": "seen", "payload": "{}", "at": 1.7e9}


def row(values: dict[str, Any]) -> sqlite3.Row:
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        names = ", ".join(f"? AS {name}" for name in values)
        found: sqlite3.Row = database.execute(f"SELECT {names}", [*values.values()]).fetchone()
        return found


@pytest.mark.parametrize(
    ("convert", "values", "damage"),
    [
        (rows.outcome, OUTCOME, {"objectives": "{"}),
        (rows.outcome, OUTCOME, {"objectives": None}),
        (rows.outcome, OUTCOME, {"objectives": "[1]"}),
        (rows.outcome, OUTCOME, {"objectives": "{}"}),
        (rows.outcome, OUTCOME, {"objectives": '{"loss": "x"}'}),
        (rows.outcome, OUTCOME, {"objectives": '{"loss": 1e999}'}),
        (rows.outcome, OUTCOME, {"objectives": "[" * 100_000}),
        (rows.outcome, OUTCOME, {"status": "none"}),
        (rows.outcome, OUTCOME, {"purpose": "none"}),
        (rows.outcome, OUTCOME, {"finished_at": 1e300}),
        (rows.individual, INDIVIDUAL, {"parents": "3,5"}),
        (rows.individual, INDIVIDUAL, {"parents": "x"}),
        (rows.individual, INDIVIDUAL, {"created_at": -1e12}),
        (rows.event, EVENT, {"payload": "[]"}),
    ],
)
def test_a_damaged_row_is_told(
    convert: Callable[[sqlite3.Row], object], values: dict[str, Any], damage: dict[str, Any]
) -> None:
    convert(row(values))
    with pytest.raises(StoreError, match=r"The store is damaged: its .* cannot be read"):
        convert(row(values | damage))


def test_failed_evaluations_may_have_no_numbers() -> None:
    assert rows.outcome(row(OUTCOME | {"status": "crashed", "objectives": json.dumps({})})).objectives == {}
