"""`evo ladder` through the installed command: two scales of a real script, kills, Ctrl-C, and what cannot start."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import evo, running, wait_until_gone
from script_runs import script_task, write_files

import evo as package

PROJECT = {
    "evo.toml": script_task(
        "run.py",
        "score",
        "maximize",
        more="""
[search]
pop = 4

[operators.weights]
tuning = 1.0

[ladder]
name = "depth"
total_seconds = 190
rounds = 2
compare = 4
promote = 2

[[ladder.scale]]
name = "small"
evaluation_seconds = 1.0
DEPTH = 1

[[ladder.scale]]
name = "large"
evaluation_seconds = 5.0
""",
    ),
    "run.py": """
import os
import random

RATE = 0.5
WIDTH = 2.0
DEPTH = 3

random.seed(int(os.environ["EVO_SEED"]))
print("score:", DEPTH - abs(RATE - 0.1) - 0.1 * abs(WIDTH - 3.0) + random.gauss(0, 0.001))
""",
}

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_files(tmp_path, PROJECT)


def evaluations(run: Path) -> list[tuple[int, int, str]]:
    """Return individual, seed and purpose of every accepted evaluation."""
    query = "SELECT individual, seed, purpose FROM evaluations WHERE told IS NOT NULL"
    with closing(sqlite3.connect(f"file:{run / 'evo.db'}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def measured(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["measurements"]
    return found


def test_a_ladder_survives_kills_and_pays_for_nothing_twice(project: Path) -> None:
    folder = project / "ladder"
    command = ("ladder", project / "evo.toml", "--out", folder, "--json")
    # While generation 0 is tried, in a search, and among what follows it.
    for number, results in ((signal.SIGKILL, 1), (signal.SIGKILL, 8), (signal.SIGINT, 6)):
        with running(*command) as driver:
            driver.wait_for_results(results)
            family = driver.family()
            code = driver.finish(number)
            wait_until_gone(family)
            assert code == (1 if number == signal.SIGINT else -number)
    done = evo(*command)
    assert done.returncode == 0, done.stderr
    state = json.loads(done.stdout)
    small, large = state["scales"]
    assert state["seconds"] <= state["total_seconds"]
    assert state["outcome"]["gain"]["mean"] > 0
    assert state["outcome"]["gain"]["seeds"] == 3
    assert "At large, the largest scale, #" in state["headline"]
    assert "95% interval" in state["headline"]
    assert small["next"]["pairs"] >= 4
    assert small["raised"] + large["raised"] > 0
    for scale in (small, large):
        counts = Counter((individual, seed) for individual, seed, _ in evaluations(Path(scale["run"])))
        assert max(counts.values()) == 1
        assert evo("check", scale["run"]).returncode == 0
    for file in ("measured-1-small.json", "measured-2-large.json"):
        found = Counter((one["program"], one["seed"]) for one in measured(folder / file))
        assert max(found.values()) == 1
    again = evo(*command)
    assert again.returncode == 0
    assert again.stderr == ""
    assert json.loads(again.stdout) == state


def test_what_stands_at_each_scale_is_shown_and_the_largest_run_is_that_of_other_commands(project: Path) -> None:
    folder, file = project / "ladders/depth", project / "evo.toml"
    file.write_text(PROJECT["evo.toml"].replace("190", "120"), encoding="utf-8")
    climbed = package.ladder(file, out=folder)
    assert climbed.headline.startswith("At large, the largest scale, #")
    assert (folder / "ladder.md").read_text(encoding="utf-8").startswith("# depth\n\nAt large, the largest scale, #")
    shown = evo("status", folder)
    assert shown.stdout.splitlines()[3].split()[0] == "small"
    state = json.loads(evo("status", folder, "--json").stdout)
    assert state == json.loads((folder / "ladder.json").read_text(encoding="utf-8"))
    best = evo("best", folder)
    assert "At large, the largest scale, #" in best.stdout
    assert "generation 0" in best.stdout
    code = evo("best", folder, "--source").stdout
    assert "DEPTH = 3" in code
    small = evo("best", folder / "1-small", "--source").stdout
    assert "DEPTH = 1" in small
    refused = evo("resume", folder)
    assert refused.returncode == 2
    assert "is a ladder" in refused.stderr
    file.write_text(file.read_text(encoding="utf-8").replace("DEPTH = 1", "DEPTH = 2"), encoding="utf-8")
    changed = evo("ladder", file, "--out", folder)
    assert changed.returncode == 2
    assert "began with another definition" in changed.stderr


def test_generation_zero_is_tried_at_the_largest_scale_before_anything_is_paid_for(project: Path) -> None:
    file, script = project / "evo.toml", project / "run.py"
    script.write_text(PROJECT["run.py"].replace("random.seed", "assert DEPTH < 3\nrandom.seed"), encoding="utf-8")
    failed = evo("ladder", file, "--out", project / "ladder")
    assert failed.returncode == 2
    assert "at large it ended crashed" in failed.stderr.splitlines()[-1]
    assert "generation 0 at small" not in failed.stderr
    assert not (project / "ladder/1-small").exists()
    script.write_text(PROJECT["run.py"], encoding="utf-8")
    file.write_text(PROJECT["evo.toml"].replace("190", "60"), encoding="utf-8")
    little = evo("ladder", file, "--out", project / "ladder")
    assert little.returncode == 2
    assert "`ladder.total_seconds` is 60, but a generation at each of 2 scales" in little.stderr.splitlines()[-1]
