"""Signals end a driver in good order, a second one at once, and nothing of it stays behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from run_inspection import assert_complete, assert_no_error
from search_driver import Command, Driver, Drivers

from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.store import Store

CONFIG: dict[str, Any] = {"search": {"pop": 4, "gens": 5}, "operators": {"weights": {"random": 1.0}}}


@pytest.fixture
def drivers(tmp_path: Path) -> Iterator[Drivers]:
    with Drivers(tmp_path / "stderr", development=True) as drivers:
        yield drivers


def command(path: Path, seconds: float, **more: Any) -> Command:
    return Command(str(path), CONFIG, evaluator={"slots": 2, "seconds": seconds}, **more)


def wait_for_training(driver: Driver, path: Path, candidates: int = 2) -> None:
    """Wait until so many candidates train."""
    while not driver.ended_within(0.02):
        if (path / "config.toml").exists():
            with Store.read(path / "evo.db") as store:
                if len(store.running()) >= candidates:
                    return
    raise AssertionError("the driver ended before candidates trained")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_it_in_good_order(drivers: Drivers, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "run"
    driver = drivers.begin(command(path, seconds=600))
    wait_for_training(driver, path)
    driver.signal(number)
    assert driver.wait() == 1
    # With Python's development mode and warnings as errors: no pending task, no open file, no unjoined thread.
    assert drivers.said() == "the run was interrupted\n"
    assert check_run(path) == []
    assert drivers.run(command(path, seconds=0)) == 0
    assert_complete(path)


def test_a_second_signal_ends_it_at_once(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    driver = drivers.begin(Command(str(path), CONFIG, evaluator={"slots": 2, "seconds": 600, "stubborn": True}))
    wait_for_training(driver, path)
    driver.signal(signal.SIGINT)
    assert not driver.ended_within(0.3)
    driver.signal(signal.SIGINT)
    while not driver.ended_within(0.3):  # the kernel makes one of two signals that a busy process has not yet seen
        driver.signal(signal.SIGINT)
    assert driver.wait() == -signal.SIGINT
    assert drivers.said() == ""
    assert_no_error(path)
    assert drivers.run(command(path, seconds=0)) == 0
    assert_complete(path)


def test_a_driver_started_with_nohup_outlives_its_terminal(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    driver = drivers.begin(command(path, seconds=0.05, ignored=[signal.SIGHUP]))
    wait_for_training(driver, path, candidates=1)
    driver.signal(signal.SIGHUP)
    assert driver.wait() == 0
    assert_complete(path)


def test_a_smaller_budget_than_what_is_spent_is_refused(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert drivers.run(command(path, seconds=0)) == 0
    sealed = RunFolder(path).config.read_text()
    assert drivers.run(command(path, seconds=0, changes={"search": {"gens": 3}})) == 2
    assert "--gens" in drivers.said()
    assert "has spent 20" in drivers.said()
    assert "--gens 5 or more" in drivers.said()
    assert RunFolder(path).config.read_text() == sealed
    assert_complete(path)
    assert drivers.run(command(path, seconds=0)) == 0
