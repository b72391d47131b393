"""Signals, kills and resumed runs, with real training."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from command_line import SMALL, Running, environment, evo, running, wait_until, wait_until_gone

BUDGET = 2
SIZE = ("--pop", "2", "--gens", "1")

pytestmark = pytest.mark.slow


@contextmanager
def under_way(path: Path, config: Path, results: int) -> Iterator[Running]:
    """Start a run, and wait until so many results are in and the next candidate trains."""
    with running("run", "--config", config, *SIZE, "--out", path) as driver:
        driver.wait_for_results(results)
        yield driver


def table(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path / 'evo.db'}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def proposals(path: Path) -> dict[object, tuple[object, ...]]:
    query = """
        SELECT p.number, p.operator, p.told, p.state, i.genome, i.idea FROM proposals AS p
        LEFT JOIN individuals AS i ON i.id = p.number
    """
    return {row[0]: row for row in table(path, query)}


def accepted(path: Path) -> list[tuple[object, ...]]:
    query = "SELECT told, individual, seed, status, objectives FROM evaluations WHERE told IS NOT NULL ORDER BY told"
    return table(path, query)


def complete(path: Path, *arguments: str, budget: int = BUDGET) -> None:
    """Resume a run and see that it spends its budget and leaves everything in order."""
    done = evo("resume", path, *arguments)
    assert done.returncode == 0, done.stderr
    assert f"{budget} of {budget} evaluations" in done.stdout
    assert [row[0] for row in accepted(path)] == list(range(1, budget + 1))
    checked = evo("check", path)
    assert checked.returncode == 0
    assert checked.stdout == f"{path} is in order\n"


def edit(config: Path) -> str:
    """Change the size of tournaments in a stored configuration; return what it was before."""
    original = config.read_text(encoding="utf-8")
    assert "tournament_size = 2" in original
    config.write_text(original.replace("tournament_size = 2", "tournament_size = 3"), encoding="utf-8")
    return original


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "one_replicate.toml"
    path.write_text(f"{SMALL}\n[noise]\nbaseline_replicates = 1\n")
    return path


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory, config: Path) -> Path:
    """A run that was interrupted after its first result; tests of what comes after go on from it, in order."""
    path = tmp_path_factory.mktemp("interrupted") / "run"
    with under_way(path, config, results=1) as driver:
        family = driver.family()
        assert family
        assert driver.finish(signal.SIGINT) == 1
        assert f"evo: stopped early: the run was interrupted. Continue with: evo resume {path}" in "".join(driver.err)
        assert "Traceback" not in "".join(driver.err)
        assert not any(process.is_running() for process in family)
    return path


def test_an_interrupted_run_is_in_order_and_says_so(interrupted: Path) -> None:
    assert evo("check", interrupted).stdout == f"{interrupted} is in order\n"
    status = evo("status", interrupted).stdout
    assert "stopped: the run was interrupted" in status
    assert "more when resumed" in status


def test_an_edited_configuration_is_refused(interrupted: Path) -> None:
    stored = interrupted / "config.toml"
    original = edit(stored)
    refused = evo("resume", interrupted)
    assert refused.returncode == 2
    assert "--accept-changes" in refused.stderr
    assert refused.stderr.count("\n") == 1
    stored.write_text(original, encoding="utf-8")


def test_the_interrupted_run_completes_and_gens_is_the_total(interrupted: Path) -> None:
    before = accepted(interrupted)
    complete(interrupted)
    assert accepted(interrupted)[: len(before)] == before
    nothing_left = evo("resume", interrupted)
    assert nothing_left.returncode == 0
    edit(interrupted / "config.toml")
    assert evo("resume", interrupted, "--gens", "2").returncode == 2
    complete(interrupted, "--gens", "2", "--accept-changes", budget=4)
    configurations = table(interrupted, "SELECT payload FROM events WHERE kind = 'configured' ORDER BY id")
    assert "tournament_size = 3" in str(configurations[-1])


@pytest.mark.full
def test_a_killed_run_leaves_no_process_and_completes_as_it_would_have(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with under_way(path, config, results=1) as driver:
        wait_until(lambda: table(path, "SELECT 1 FROM evaluations WHERE state = 'running'"))
        second = evo("resume", path)
        assert second.returncode == 2
        assert f"driven by process {driver.process.pid}" in second.stderr
        assert second.stderr.count("\n") == 1
        live = evo("status", path).stdout
        assert f"running (process {driver.process.pid}" in live
        family = driver.family()
        assert family
        driver.finish(signal.SIGKILL)
        wait_until_gone(family)
    before, results = proposals(path), accepted(path)
    assert "killed" in evo("status", path).stdout
    assert evo("check", path).returncode == 0
    complete(path)
    after = proposals(path)
    closed = {number: row for number, row in before.items() if row[3] != "open"}
    assert {number: after[number] for number in closed} == closed
    # What was still open is asked again with the same parents and chance, and so becomes the same.
    assert {number: after[number][:3] for number in before} == {number: row[:3] for number, row in before.items()}
    assert accepted(path)[: len(results)] == results


def test_two_interrupts_end_it_at_once(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with under_way(path, config, results=1) as driver:
        family = driver.family()
        driver.process.send_signal(signal.SIGINT)
        # Where both arrive as one, it stops after saving; else the second one ends it.
        assert driver.finish(signal.SIGINT) in (1, -signal.SIGINT)
        wait_until_gone(family)
        assert "Traceback" not in "".join(driver.err)
    assert evo("check", path).returncode == 0


def test_an_interrupt_while_the_data_is_prepared_writes_nothing(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    env = environment(EVO_CACHE=str(tmp_path / "cache"))
    with running("run", "--config", config, *SIZE, "--out", path, env=env) as driver:
        wait_until(lambda: any(line.startswith("data: ") for line in driver.err))
        assert driver.finish(signal.SIGINT) == 1
        assert driver.err[-1].startswith("evo: interrupted.")
        assert "Traceback" not in "".join(driver.err)
    assert not path.exists()
    assert not psutil.pid_exists(driver.process.pid)
