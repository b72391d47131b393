"""What follows a run, through the installed command: export, apply, ablate, promote; over a script of two files."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command_line import environment, evo, running, wait_until_gone

TOML = """
[task]
kind = "script"
genome = ["train.py", "net/model.py"]
frozen = ["limit.txt"]
command = ["python", "train.py"]
environment = ["PACE"]
constraints = ["code_lines < 100"]

[task.objectives.score]
direction = "maximize"
unit = "points"
pattern = '^score: (\\S+)$'
"""

TRAIN = """import os
import random
import time

from net.model import value

STEPS = 10
RATE = 0.1

time.sleep(float(os.environ.get("PACE", "0")))
with open("limit.txt") as file:
    assert STEPS < int(file.read()), f"{STEPS} steps are too many"
random.seed(int(os.environ["EVO_SEED"]))
total = sum(value(step * RATE) for step in range(STEPS))
print(f"score: {total + random.gauss(0, 0.01)}")
"""

MODEL = """GAIN = 1.0
BIAS = 0.5


def value(x):
    return GAIN * x + BIAS
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script in a repository with a finished run; no test may change but the branch, notebooks and what it writes."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "net").mkdir()
    files = {"evo.toml": TOML, "train.py": TRAIN, "net/model.py": MODEL, ".gitignore": "runs\n", "limit.txt": "1000\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "begin")
    size = ("--pop", "3", "--gens", "6", "--operators", "constants=3,merge=1")
    done = evo("run", *size, "--out", "runs/first", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def read(project: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    done = evo(*arguments, "--json", cwd=project, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def best(project: Path) -> Any:
    found = read(project, "best")
    assert found["gain"]["value"] > 1
    return found["best"]


def texts(source: str) -> dict[str, str]:
    """Return the files in a genome's text."""
    parts = source.split("# ===== evo file: ")[1:]
    return {name: text for name, _, text in (part.partition(" =====\n") for part in parts)}


def test_export_writes_several_files_into_a_folder(project: Path, best: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = evo("export", project / "runs/first", "--out", out)
    assert (done.returncode, done.stdout) == (0, f"{out}\n")
    files = {str(path.relative_to(out)): path.read_text() for path in out.rglob("*.py")}
    assert files == texts(read(project, "best")["source"])
    again = evo("export", project / "runs/first", "0", "--out", out)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert evo("export", project / "runs/first", "0", "--out", out, "--force").returncode == 0
    assert (out / "net/model.py").read_text() == MODEL
    assert evo("export", project / "runs/first", "0", cwd=tmp_path).stdout == "individual-0\n"
    assert (tmp_path / "individual-0/train.py").read_text() == TRAIN


def test_apply_commits_beside_the_work_tree(project: Path, best: Any) -> None:
    before = git(project, "status", "--porcelain", "--branch"), git(project, "rev-parse", "HEAD")
    done = evo("apply", "runs/first", cwd=project)
    assert done.returncode == 0, done.stderr
    first, *commands = done.stdout.splitlines()
    commit = git(project, "rev-parse", "evo/first")
    assert first == f"#{best['id']} is commit {commit[:10]} on branch evo/first"
    assert (git(project, "status", "--porcelain", "--branch"), git(project, "rev-parse", "HEAD")) == before
    assert [line.partition("git -C ")[2] for line in commands] == [
        f"{project} diff HEAD...evo/first",
        f"{project} switch evo/first",
    ]
    source = texts(read(project, "best")["source"])
    assert {name: git(project, "show", f"evo/first:{name}") for name in source} == {
        name: text.strip() for name, text in source.items()
    }
    assert "score (self-reported)" in git(project, "log", "-1", "--format=%b", "evo/first")
    assert read(project, "apply")["new"] is False


def test_ablate_tells_what_carries_the_gain_and_pays_once(project: Path, best: Any) -> None:
    store = (project / "runs/first/evo.db").read_bytes()
    found = read(project, "ablate")
    assert (found["id"], found["complete"], found["self_reported"]) == (best["id"], True, True)
    assert found["seeds"] == [700, 701]
    assert found["gain"]["mean"] > 1
    assert "carries the gain" in {edit["verdict"] for edit in found["edits"]}
    assert all(" → " in edit["edit"] for edit in found["edits"])
    shown = evo("ablate", str(best["id"]), cwd=project)
    assert shown.returncode == 0
    assert "measured before" in shown.stderr
    assert "score (self-reported)" in shown.stdout
    assert "carries the gain" in shown.stdout
    results = [line for line in shown.stderr.splitlines() if line.split()[0].isdecimal()]
    assert results == []
    assert (project / "runs/first/evo.db").read_bytes() == store


def test_an_interrupted_ablation_goes_on(project: Path, best: Any, tmp_path: Path) -> None:
    kept = project / "runs/first" / f"ablation-{best['id']}.json"
    kept.unlink(missing_ok=True)
    command = ("ablate", str(project / "runs/first"), str(best["id"]), "--seeds", "4")
    with running(*command, env=environment(PACE="0.4")) as ablation:
        ablation.wait_for_results(3)
        family = ablation.family()
        assert family
        assert ablation.finish(signal.SIGINT) == 1
        assert ablation.err[-1] == "evo: interrupted. The measurements are kept: the same command resumes.\n"
        assert "Traceback" not in "".join(ablation.err)
        wait_until_gone(family)
    measured = len(json.loads(kept.read_text())["measurements"])
    assert measured >= 3
    done = evo(*command)
    assert done.returncode == 0, done.stderr
    assert f"{measured} of them measured before" in done.stderr
    after = json.loads(kept.read_text())["measurements"]
    assert len(after) > measured
    assert len({(one["program"], one["seed"]) for one in after}) == len(after)


def test_promote_tells_whether_a_gain_transfers(project: Path, best: Any) -> None:
    found = read(project, "promote", "best", "--scale", "STEPS=100", "--seeds", "2")
    assert found["scale"] == {"STEPS": 100}
    (one,) = found["individuals"]
    assert (one["id"], one["verdict"], one["confirmed_in_run"]) == (best["id"], "transfers", True)
    assert one["value"] - found["generation_zero"] == pytest.approx(one["gain"]["mean"])
    shown = evo("promote", "--scale", "STEPS=100", "--seeds", "2", cwd=project)
    assert shown.returncode == 0
    assert "4 of them measured before" in shown.stderr
    assert "transfers" in shown.stdout
    failing = read(project, "promote", str(best["id"]), "--scale", "STEPS=5000", "--scale", "task.wall_seconds=9")
    assert failing["generation_zero"] is None
    assert failing["individuals"][0]["verdict"] == "fails at these settings"
    assert "5000 steps are too many" in failing["individuals"][0]["reason"]


def test_other_frozen_files_are_a_larger_setting_and_no_ablation(project: Path, best: Any) -> None:
    limit = project / "limit.txt"
    limit.write_text("9000\n")
    refused = evo("ablate", "runs/first", cwd=project)
    done = evo("promote", "runs/first", "--scale", "STEPS=5000", "--seeds", "1", cwd=project)
    limit.write_text("1000\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "limit.txt changed since this run began" in refused.stderr
    assert done.returncode == 0
    assert "limit.txt changed since the run began: they count as part of the larger settings." in done.stderr
    assert "cannot be told with these seeds" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ablate", "0"], "no edits to ablate"),
        (["ablate", "--evaluations", "1"], "--evaluations is 1"),
        (["ablate", "--objective", "skore"], "'skore'"),
        (["promote"], "--scale KEY=VALUE"),
        (["promote", "--scale", "STEP=3"], "generation 0 has no such constant, but STEPS"),
        (["promote", "--scale", "task.wall_second=3"], "did you mean 'wall_seconds'?"),
        (["promote", "0", "--scale", "STEPS=3"], "Generation 0"),
    ],
)
def test_wrong_input(arguments: list[str], words: str, project: Path) -> None:
    command, *rest = arguments
    before = sorted(project.rglob("*.json"))
    done = evo(command, "runs/first", *rest, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("evo: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr
    assert sorted(project.rglob("*.json")) == before


def test_a_live_run_is_not_disturbed(project: Path) -> None:
    out = project / "runs/live"
    command = ("run", "--config", str(project / "evo.toml"), "--pop", "2", "--gens", "20", "--out", str(out))
    with running(*command, env=environment(PACE="0.4")) as driver:
        driver.wait_for_results(2)
        refused = evo("ablate", str(out), "1")
        assert refused.returncode == 2
        assert "is live, and a study on its devices would disturb it" in refused.stderr
        assert driver.finish(signal.SIGINT) == 1
