"""Rows are final once they are acknowledged, whatever program writes to the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from run_samples import exchange, make_run

from evo.errors import NewerStore, StoreError
from evo.store import SmokeRun, Store
from trainer.evaluation import Status

TABLES = {
    "migrations": "name",
    "proposals": "operator",
    "proposal_parents": "parent",
    "exchanges": "reply",
    "genomes": "source",
    "individuals": "idea",
    "evaluations": "objectives",
    "results": "body",
    "attempts": "reason",
    "events": "payload",
    "smoke_runs": "output",
    "refused_programs": "genome",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = make_run(tmp_path / "run", individuals=3)
    with Store.open(folder.store) as store:
        store.record_event("started", {"pid": 1})
        store.begin_proposal(3, "llm_mutation", (2,), result_number=3)
        store.journal(3).record_request(0, {})
        store.journal(3).record_exchange(0, exchange())
        store.record_smoke_run(3, "LR = 1", SmokeRun(Status.CRASHED, "as always", "", "cpu/0", 1.0))
        store.refuse(3, "duplicate", "the same", "LR = 1")
    return folder.store


@pytest.mark.parametrize(("table", "column"), TABLES.items(), ids=TABLES)
def test_no_acknowledged_row_can_be_changed_or_deleted(path: Path, table: str, column: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone() > (0,)
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match=f"rows of {table} are final"):
                database.execute(statement)


def test_a_store_without_guards_gets_them_from_its_next_writer(path: Path) -> None:
    count = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"
    with closing(sqlite3.connect(path)) as database, database:
        (guards,) = database.execute(count).fetchone()
        for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
    with Store.read(path) as reader:
        assert reader.last_result_number() == 3
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(count).fetchone() == (guards,) == (2 * len(TABLES),)


def test_a_store_of_a_newer_version_is_refused_as_wrong_input(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA user_version = 99")
    for use in (Store.open, Store.read, lambda path: Store.newest_event(path, "started")):
        with pytest.raises(NewerStore, match="its schema is 99") as raised:
            use(path)
        assert raised.value.exit_code == 2
        assert not isinstance(raised.value, StoreError)
