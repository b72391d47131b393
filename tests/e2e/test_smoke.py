"""The smoke command of a script: named with evo init, tried by --check, and kept to by a run."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import evo
from script_runs import write_files

TRAIN = """
    import os, sys
    STEPS = 20
    LIMIT = 24
    if STEPS > LIMIT:
        raise MemoryError(f"{STEPS} steps do not fit")
    if "--steps" not in sys.argv:
        print("val_loss:", 1 / STEPS + 1e-4 * (int(os.environ["EVO_SEED"]) % 7))
    """
SMOKE = "python train.py --steps 2"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose evo.toml names a smoke command."""
    folder = write_files(tmp_path / "project", {"train.py": TRAIN})
    done = evo("init", "--metric", "val_loss:min", "--smoke", SMOKE, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"smoke        {SMOKE}\n" in done.stdout
    return folder


def test_what_fails_its_smoke_run_costs_no_evaluation(project: Path) -> None:
    done = evo("init", "--check", cwd=project)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "smoke run: " in done.stdout
    done = evo("run", "--pop", "3", "--gens", "6", "--operators", "constants", "--out", "run", cwd=project)
    assert done.returncode == 0, done.stderr
    status = json.loads(evo("status", "run", "--json", cwd=project).stdout)
    assert status["failures"] == []
    assert status["refused"]["smoke"] == sum(status["smoke_runs"].values()) - status["smoke_runs"]["ok"] > 0
    shown = evo("status", "run", cwd=project).stdout
    assert f"{status['refused']['smoke']} smoke" in shown
    assert "programs tried before any evaluation" in shown
    with closing(sqlite3.connect(project / "run" / "evo.db")) as database:
        (number,) = database.execute("SELECT min(number) FROM proposals WHERE kind = 'smoke'").fetchone()
    shown = evo("show", "run", str(number), cwd=project).stdout
    assert f"#{number} by constants from #0: no individual\nsmoke " in shown
    assert "steps do not fit" in shown.partition("smoke run on ")[2]
    refused = json.loads(evo("show", "run", str(number), "--json", cwd=project).stdout)
    assert refused["smoke_runs"]
    assert refused["diff"].startswith(f"--- #0\n+++ #{number}\n")
    assert all(f"  {line}\n" in shown for line in refused["diff"].splitlines() if line.strip())
    report = (project / "run" / "report.html").read_text()
    assert f"{status['refused']['smoke']} smoke" in report.partition("Refused before any evaluation")[2][:200]
    done = evo("check", "run", "--replay", cwd=project)
    assert done.returncode == 0, done.stdout


def test_a_smoke_command_that_fails_is_told_before_anything_is_spent(project: Path) -> None:
    config = project / "evo.toml"
    config.write_text(config.read_text().replace('"--steps", "2"]', '"--steps", "2", "--nowhere"]'))
    train = project / "train.py"
    train.write_text(train.read_text() + 'if "--nowhere" in sys.argv: sys.exit("no such option")\n')
    done = evo("init", "--check", cwd=project)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "evo: generation 0 ended crashed in its smoke run: the smoke command exited with code 1"
    )
    done = evo("init", "--check", "--json", cwd=project)
    assert (done.returncode, json.loads(done.stdout)["smoke_run"]["status"]) == (1, "crashed")
    done = evo("run", "--operators", "random", "--out", "run", cwd=project)
    assert done.returncode == 2
    assert "search.smoke = false" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_commands_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", {"train.py": TRAIN})
    for smoke, said in (("", "--smoke must be"), ("'", "--smoke cannot be split")):
        done = evo("init", "--metric", "val_loss:min", "--smoke", smoke, cwd=folder)
        assert (done.returncode, done.stderr.splitlines()[-1][:4]) == (2, "evo:"), done.stderr
        assert said in done.stderr
        assert not (folder / "evo.toml").exists()
