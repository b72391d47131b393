"""Nothing that a killed driver had acknowledged may be lost, and nothing may count twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import store_writer
from run_samples import exchange, make_run, verdict

from evo.lineage import Lineage
from evo.runs.folder import RunFolder
from evo.runs.integrity import Severity, check_run
from evo.store import ProposalState, Store, StoreView

KILLS = 12
MOST_ACKNOWLEDGEMENTS = 60
LONGEST_DELAY_SECONDS = 0.004


def acknowledged_until_killed(path: Path, chance: random.Random) -> Iterator[list[str]]:
    """Kill a driver a moment after one of its acknowledgements; yield all that it acknowledged."""
    environment = {**os.environ, "PYTHONPATH": str(Path(store_writer.__file__).parent)}
    command = [sys.executable, store_writer.__file__, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as driver:
        assert driver.stdout is not None
        for _ in range(chance.randint(1, MOST_ACKNOWLEDGEMENTS)):
            yield driver.stdout.readline().split()
        try:
            # The moment within a write is left to chance: up to a few milliseconds later.
            driver.wait(timeout=chance.uniform(0, LONGEST_DELAY_SECONDS))
        except subprocess.TimeoutExpired:
            driver.kill()
        yield from (line.split() for line in driver.stdout if line.endswith("\n"))


def assert_holds(store: StoreView, fact: list[str]) -> None:
    kind, numbers = fact[0], [int(word) for word in fact[1:]]
    match kind:
        case "began":
            assert store.proposal(numbers[0]).operator
        case "answered":
            assert store.exchanges(numbers[0]) == [exchange()]
        case "admitted":
            assert store.proposal(numbers[0]).state is ProposalState.ADMITTED
            assert f"WIDTH = {numbers[0]}\n" in store.source(numbers[0])
        case "launched":
            assert len(store.attempts_of(numbers[0])) >= numbers[1]
        case "told":
            record = store.evaluation(numbers[0])
            assert (record.result_number, record.result) == (numbers[1], verdict(1 + numbers[0] / 1000))


def test_kills_at_any_moment_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    folder = make_run(tmp_path / "run")
    facts: list[list[str]] = []
    for _ in range(KILLS):
        facts += acknowledged_until_killed(folder.path, chance)
        # A reader may come first, and has to cope with what the kill left behind.
        assert [found for found in check_run(folder.path) if found.severity is Severity.ERROR] == []
        with Store.read(folder.store) as store:
            for fact in facts:
                assert_holds(store, fact)
    assert sum(fact[0] == "told" for fact in facts) > KILLS
    _resume(folder)
    assert check_run(folder.path) == []
    subprocess.run(["git", f"--git-dir={folder.lineage}", "fsck", "--strict"], check=True, capture_output=True)


_DIE_IN_A_COMMIT = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")  # changed pages reach the file long before the commit
database.execute("BEGIN IMMEDIATE")
database.execute("DROP TRIGGER evaluations_update")
database.execute("UPDATE evaluations SET told = told + 100, device = 'changed'")
database.execute("UPDATE genomes SET source = 'changed' || source")
database.execute("UPDATE individuals SET idea = 'changed'")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_ignores_what_a_kill_within_a_commit_left(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", individuals=40)
    with Store.read(folder.store) as watching:
        before = list(watching.results())
        log = folder.store.with_name(f"{folder.store.name}-wal")
        subprocess.run([sys.executable, "-c", _DIE_IN_A_COMMIT, str(folder.store)], check=False)
        assert log.stat().st_size > 0
        assert list(watching.results()) == before
    with Store.read(folder.store) as view:
        assert list(view.results()) == before
    assert check_run(folder.path) == []


def _resume(folder: RunFolder) -> None:
    with folder.lock(), Store.open(folder.store) as store:
        store.release_all_running("the driver was killed")
        Lineage.open(folder.lineage).project_missing(store)
