"""What follows a run beside the terminal."""

from __future__ import annotations

import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Running, evo, running, wait_until, wait_until_gone
from dashboard_server import Dashboard
from script_runs import slow_project, write_files

SIZE = ("--pop", "2", "--gens", "2")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("project"), slow_project(0.01)) / "evo.toml"


def announced(driver: Running) -> Dashboard:
    """The dashboard that a run says it has."""
    driver.wait_for_results(1)
    (line,) = [line for line in driver.err if line.startswith("dashboard: ")]
    return Dashboard(line.removeprefix("dashboard: ").strip())


def test_a_dashboard_ends_with_its_run_however_that_ends(tmp_path: Path) -> None:
    config, path = write_files(tmp_path / "slow", slow_project(0.2)) / "evo.toml", tmp_path / "run"
    with running("run", "--config", config, "--pop", "2", "--gens", "90", "--out", path, "--dashboard") as driver:
        served = announced(driver)
        assert served.get("runs") == {"runs": ["run"], "read_only": False}
        assert served.ask("GET", "/api/runs", cookie="")[0] == 401
        status, answer = served.steer("pin", individual=0)
        assert (status, answer["is_taken"]) == (200, True)
        family = driver.family()
        assert any("evo.dashboard.beside" in process.cmdline() for process in family)
        assert not any(served.token in word for process in family for word in process.cmdline())
        driver.finish(signal.SIGKILL)
        wait_until_gone(family)
    resumed = ("resume", path, "--gens", "3", "--dashboard-port", str(served.port))
    with running(*resumed) as driver:
        assert announced(driver).port == served.port
        wait_until(lambda: driver.process.poll() is not None)
        assert driver.process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        served.get("runs")


def test_a_port_in_use_is_one_line_and_ends_nothing(config: Path, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        done = evo("run", "--config", config, *SIZE, "--out", tmp_path / "run", "--dashboard-port", port)
    assert done.returncode == 0, done.stderr
    said = f"The dashboard cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port."
    assert f"{said} The run goes on without it.\n" in done.stderr
    assert "4 of 4 evaluations" in done.stdout
