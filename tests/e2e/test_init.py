"""`evo init`: a project becomes a task, and what is wrong with the task is said in one line."""

import json
from pathlib import Path

import pytest
from command_line import evo
from project_files import AUTORESEARCH, write_project

from evo.api.reading import open_run
from evo.config.config import load_config

TRAIN = """
    import os
    RATE = 0.25
    for step in range(3):
        print(f"step {step} loss: {1 / (step + 1):.3f}")
    print(f"val_loss: {RATE + 0 * int(os.environ['EVO_SEED']):.4f}")
    print("rating: good")
    """


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project for which `evo init` has written its files."""
    folder = write_project(tmp_path / "project", {"train.py": TRAIN})
    done = evo("init", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "evo.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_files_are_written_and_tried(project: Path) -> None:
    assert names(project) == {"train.py", "evo.toml", "program.md"}
    edit(project, '# constraints = ["peak_memory_mib < 70000"]', 'constraints = ["val_loss < 0.1"]')
    done = evo("init", "--check", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "val_loss (self-reported): 0.25\n" in done.stdout
    assert "run_seconds: " in done.stdout
    assert "val_loss < 0.1 is violated" in done.stdout
    assert "Next: evo run\n" in done.stdout


def test_nothing_is_overwritten_unless_it_is_asked_for(project: Path) -> None:
    (project / "evo.toml").write_text("# mine\n")
    (project / "program.md").write_text("# mine too\n")
    done = evo("init", cwd=project)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--force" in done.stderr
    assert (project / "evo.toml").read_text() == "# mine\n"
    done = evo("init", "--force", cwd=project)
    assert done.returncode == 0, done.stderr
    assert load_config(project / "evo.toml").script is not None
    assert (project / "program.md").read_text() == "# mine too\n"


def test_a_project_elsewhere_stays_untouched(tmp_path: Path) -> None:
    there, here = write_project(tmp_path / "there", AUTORESEARCH), tmp_path / "here"
    here.mkdir()
    before = names(there)
    done = evo("init", "--from", "../there", "--json", cwd=here)
    assert done.returncode == 0, done.stderr
    assert names(there) == before
    assert names(here) == {"evo.toml"}
    config = load_config(here / "evo.toml")
    assert config.llm.program == str(there / "program.md")
    assert config.script is not None
    assert config.script.root == str(there)
    found = json.loads(done.stdout)
    assert found["is_autoresearch"]
    assert [one["name"] for one in found["objectives"]] == ["val_bpb", "peak_vram_mb"]
    assert found["written"] == ["evo.toml"]


@pytest.mark.parametrize(
    ("files", "arguments", "words"),
    [
        ({}, [], ["no Python file"]),
        ({}, ["--from", "nowhere"], ["nowhere"]),
        ({"train.py": "main()\n"}, [], ["train.py", "val_loss"]),
        ({"a.py": TRAIN, "b.py": TRAIN}, [], ["a.py, b.py", "--genome"]),
        ({"train.py": TRAIN}, ["--genome", "../x.py"], ["../x.py"]),
        ({"train.py": TRAIN}, ["--check"], ["evo.toml", "evo init"]),
        ({"train.py": TRAIN}, ["--check", "--force"], ["--force", "--check"]),
    ],
)
def test_what_is_not_clear_is_said_and_nothing_is_written(
    files: dict[str, str], arguments: list[str], words: list[str], tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "project", files)
    done = evo("init", *arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert names(folder) == set(files)


def test_a_command_that_does_not_exist_is_found_before_anything_runs(project: Path) -> None:
    edit(project, 'command = ["python", "train.py"]', 'command = ["no-such-program", "train.py"]')
    done = evo("init", "--check", cwd=project)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "no-such-program" in done.stderr


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"^val_los:\s*(\S+)", ["no line that matches", "val_los:"]),
        (r"loss:\s*(\S+)", ["several values", "'1.000'", "last"]),
        (r"^rating:\s*(\S+)", ["'good'", "not a number"]),
    ],
)
def test_a_metric_that_cannot_be_read(pattern: str, words: list[str], project: Path) -> None:
    edit(project, r"'^val_loss:\s*(\S+)'", f"'{pattern}'")
    done = evo("init", "--check", cwd=project)
    assert done.returncode == 1
    assert done.stdout == ""
    error = done.stderr.splitlines()[-1]
    assert error.startswith("evo: generation 0 ended crashed: ")
    assert [word for word in words if word not in error] == [], error


GAMED = """
    import math

    STEPS = 40  # must NOT change
    RATE = 0.25
    MOMENTUM = 0.5

    position = 3.0
    for step in range(STEPS):
        position = position - RATE * 0.1 * position * (1.0 - MOMENTUM * step / STEPS)
    print(f"val_loss: {1.0 + math.log(1.0 + abs(position)):.6f}")
    """


def test_a_run_changes_only_what_is_not_protected(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", {"train.py": GAMED})
    found = json.loads(evo("init", "--json", cwd=folder).stdout)
    assert {one["name"] for one in found["protect"]} >= {"STEPS", "print val_loss"}

    done = evo("run", "--pop", "4", "--gens", "4", "--operators", "random,uniform", "--out", "run", cwd=folder)

    assert done.returncode == 0, done.stderr
    assert "self-reported, by code of the command that no individual may change" in done.stdout + done.stderr
    run = open_run(folder / "run")
    sources = [run.individual(int(one)).source for one in run.individuals.index]
    assert len(set(sources)) > 5
    for source in sources:
        assert "STEPS = 40 " in source
        assert 'print(f"val_loss: {1.0 + math.log(1.0 + abs(position)):.6f}")' in source


def test_a_score_command_is_drafted(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", {"train.py": TRAIN})
    done = evo("init", "--score", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "complete the TODOs in score.py" in done.stdout
    task = load_config(folder / "evo.toml").script
    assert task is not None
    assert task.score == ("python", "score.py")
    assert "score.py" in task.frozen
    assert not task.self_reported

    (folder / "answers.json").write_text("[1, 2]")
    (folder / "train.py").write_text(
        'import json\njson.dump([1.5, 2.5], open("predictions.json", "w"))\nif 1:\n    print()\n'
    )
    edit(folder, '# held_out = ["labels.npz"]', 'held_out = ["answers.json"]')
    tried = evo("init", "--check", cwd=folder)
    assert "val_loss: 0.5" in tried.stdout, tried.stderr
