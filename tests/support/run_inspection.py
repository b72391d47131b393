"""What must hold of a run, whatever happened to it."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

from evo.lineage import individual_ref
from evo.runs.folder import RunFolder
from evo.runs.integrity import Severity, check_run
from evo.runs.lifecycle import view
from evo.store import Store


def unguard(database: sqlite3.Connection) -> None:
    """Take away what keeps the rows of a store final, so that a test can damage them, or make them older."""
    for (guard,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {guard}")


def assert_no_error(path: Path) -> None:
    assert [found for found in check_run(path) if found.severity is Severity.ERROR] == []


def assert_complete(path: Path) -> None:
    """Assert that the budget was spent to the last evaluation and that everything agrees."""
    with view(path) as run:
        evaluations = list(run.store.results())
        assert [record.result_number for record in evaluations] == list(range(1, run.config.search.evaluations + 1))
        assert len({record.id for record in evaluations}) == len(evaluations)
        assert run.store.queued() == run.store.running() == run.store.open_proposals() == []
        assert [proposal.number for proposal in run.store.proposals()] == list(
            range((run.store.last_proposal_number() or 0) + 1)
        )
        best = run.standings.best()
        assert best is not None
        assert git(path, "rev-parse", "refs/heads/best") == git(path, "rev-parse", individual_ref(best.id))
    git(path, "fsck", "--strict")
    assert check_run(path) == []
    assert len(RunFolder(path).results.read_text().splitlines()) == len(evaluations) + 1


def git(path: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={RunFolder(path).lineage}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def decisions(path: Path) -> list[tuple[object, ...]]:
    """Return every decision about a proposal, and what came of it."""
    with Store.read(RunFolder(path).store) as store:
        return [
            (one.number, one.operator, one.parents, one.result_number, one.state, one.kind)
            + ((store.source(one.number),) if one.idea is not None else ())
            for one in store.proposals()
        ]


def results(path: Path) -> list[tuple[object, ...]]:
    """Return every accepted result in order."""
    with Store.read(RunFolder(path).store) as store:
        return [
            (one.result_number, one.individual, one.seed, one.purpose, one.status, one.objectives)
            for one in store.outcomes()
        ]
