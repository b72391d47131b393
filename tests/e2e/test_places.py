"""A project of the user's, through the installed command: what is claimed of its noise, and what stands in its way."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from command_line import EVO, PATIENCE_SECONDS, environment, evo
from script_runs import write_files

ALIKE = """
    import random

    LR = 0.1
    # A training is chaotic in its constants; nothing here is better than anything else.
    luck = 3.0 if LR == 0.1 else random.Random(repr(LR)).gauss(0, 1)
    print(f"val_loss: {1.0 + 0.01 * luck:.6f}")
    """


def test_where_every_seed_gives_the_same_nothing_is_called_beyond_noise(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", {"train.py": ALIKE})
    assert evo("init", cwd=folder).returncode == 0
    checked = evo("init", "--check", cwd=folder)
    assert "two seeds gave the same" in checked.stdout
    assert "A run of 640 evaluations takes about" in checked.stdout
    done = evo("run", "--pop", "4", "--gens", "3", "--operators", "constants", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Every seed gives the same run") == 1
    page = (folder / "run" / "report.html").read_text()
    best, status = evo("best", "run", "--json", cwd=folder), evo("status", "run", cwd=folder)
    for printed in (done.stdout, status.stdout, page):
        assert "every seed gives the same" in printed
        assert "eyond noise" not in printed
    facts = json.loads(best.stdout)
    assert facts["is_unreplicated"]
    assert facts["gain"] is None
    assert facts["noise"].get("val_loss") is None


def test_a_deterministic_task_runs_nothing_twice_and_gains_are_exact(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", {"train.py": "WIDTH = 8\nprint(f'val_loss: {1 / WIDTH:.6f}')\n"})
    assert evo("init", cwd=folder).returncode == 0
    file = folder / "evo.toml"
    file.write_text(file.read_text().replace('# noise = "seeds"', 'noise = "none"'))
    done = evo("run", "--pop", "4", "--gens", "3", "--operators", "constants", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "(exact: every run gives the same; self-reported)" in done.stdout
    assert [word for word in ("replicate", "confirmation") if done.stderr.count(word) > (word == "replicate")] == []
    facts = json.loads(evo("best", "run", "--json", cwd=folder).stdout)
    assert facts["gain"]["is_exact"]
    assert facts["gain"]["value"] == facts["unconfirmed_gain"] > 0


def test_a_run_whose_log_is_read_no_more_stops_as_if_its_terminal_had_closed(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", {"train.py": ALIKE})
    assert evo("init", cwd=folder).returncode == 0
    command = [EVO, "run", "--pop", "2", "--gens", "500", "--operators", "constants", "--out", "run"]
    driver = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert driver.stderr is not None
    assert driver.stderr.readline()
    driver.stderr.close()
    assert driver.wait(PATIENCE_SECONDS) == 1
    assert evo("status", "run", cwd=folder).stdout.startswith("run: stopped: the run was interrupted")
    assert evo("check", "run", cwd=folder).stdout == "run is in order\n"


def test_a_project_without_a_task_does_not_run_the_built_in_one(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", {"src/model.py": "WIDTH = 8\n"})
    done = evo("run", "--pop", "2", "--gens", "2", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert [word for word in ("src/model.py", "evo init", "evo run --dataset sotu") if word not in done.stderr] == []
    assert {path.name for path in folder.iterdir()} == {"src"}


def test_a_failed_check_shows_all_that_was_printed(tmp_path: Path) -> None:
    text = "for n in range(30):\n    print('line', n)\nprint(f'val_loss: {n / 10:.2f}')\nraise SystemExit(3)\n"
    folder = write_files(tmp_path / "project", {"train.py": text})
    assert evo("init", cwd=folder).returncode == 0
    done = evo("init", "--check", cwd=folder)
    assert done.returncode == 1
    assert [n for n in range(30) if f"  | line {n}\n" not in done.stderr] == []
    assert "exited with code 3" in done.stderr.splitlines()[-1]
