"""A live run, steered from the command line, killed and resumed."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from command_line import PATIENCE_SECONDS, evo, running, wait_until
from script_runs import slow_project, write_files


def asked(*arguments: str | Path, code: int = 0) -> Any:
    done = evo(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_live_run_is_steered_killed_and_resumed(tmp_path: Path) -> None:
    project, path = write_files(tmp_path / "project", slow_project(0.2)), tmp_path / "run"
    own = tmp_path / "own.py"
    own.write_text((project / "run.py").read_text().replace("WIDTH = 2.0", "WIDTH = 2.5"))
    operators = ("--operators", "constants=1,structure=1")
    size = ("--pop", "4", "--gens", "30", "--workers", "2")
    with running("run", "--config", project / "evo.toml", *size, *operators, "--out", path) as driver:
        driver.wait_for_results(5)
        paused = asked("pause", path)["steered"]
        assert 0 <= paused["taken_at"] - paused["action"]["at"] < PATIENCE_SECONDS
        wait_until(lambda: not asked("status", path)["running"])
        status = asked("status", path)
        assert status["steering"]["is_paused"]
        held = status["summary"]["told"]
        injected = asked("inject", path, own, "--parent", "0", "--idea", "wider")["steered"]["individual"]
        twice = evo("inject", own, "--run", path)
        assert (twice.returncode, twice.stderr.count("\n")) == (2, 1)
        assert f"The program is refused (duplicate): this is the same program as individual {injected}" in twice.stderr
        assert asked("pin", path, str(injected))["steered"]["refused"] == ""
        assert evo("extend", path).returncode == 2
        uneven = evo("extend", path, "--evaluations", "122")
        assert (uneven.returncode, uneven.stderr.count("\n")) == (2, 1)
        assert "whole generations of 4 evaluations" in uneven.stderr
        assert evo("extend", path, "--until", "soon").returncode == 2
        assert asked("extend", path, "--evaluations", "124")["steered"]["action"]["gens"] == 31
        status = asked("status", path)
        assert (status["generations"], status["summary"]["told"]) == (31, held)
        driver.finish(signal.SIGKILL)
    assert "it is taken up first when the run is resumed" in evo("continue", path).stdout
    assert evo("stop", path).returncode == 2
    for words in (["Larger.", "Smaller."], ["Larger.", "--run", path], ["--clear", "Larger."], [path], []):
        assert evo("hint", path, *words).returncode == 2
    unheard = evo("hint", path, "Larger.")
    assert unheard.returncode == evo("hint", "Smaller.", "--run", path).returncode == 0
    assert "no operator of this run is told hints: it has " in unheard.stdout
    assert "; waits until the run is resumed" in evo("status", path).stdout
    assert evo("ban", path, "0").returncode == 2
    gens = asked("status", path)["generation"] + 4
    resumed = evo("resume", path, "--gens", str(gens))
    assert resumed.returncode == 0, resumed.stderr
    status = asked("status", path)
    assert (status["state"], status["asked"], status["steering"]["pinned"]) == ("finished", [], [injected])
    assert asked("show", path, str(injected))["evaluations"]
    checked = evo("check", path, "--replay")
    assert checked.returncode == 0, checked.stdout
    assert "; 1 were injected by a user" in checked.stdout
