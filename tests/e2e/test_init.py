"""`evo init`: a project becomes a task, and what is wrong with the task is said in one line."""

import json
import textwrap
from pathlib import Path

import pytest
from command_line import environment, evo
from project_files import AUTORESEARCH
from script_runs import write_files

from evo.api.reading import open_run
from evo.config.reading import load_config

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
    folder = write_files(tmp_path / "project", {"train.py": TRAIN})
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
    there, here = write_files(tmp_path / "there", AUTORESEARCH), tmp_path / "here"
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
    assert [one["required"] for one in found["objectives"]] == [True, False]
    assert found["written"] == ["evo.toml"]


@pytest.mark.parametrize(
    ("files", "arguments", "words"),
    [
        ({}, ["--from", "nowhere"], ["nowhere"]),
        ({"train.py": TRAIN}, ["--metric", "loss=loss:"], ["one group"]),
        ({"train.py": TRAIN}, ["--command", "python 'train.py"], ["--command"]),
        ({"train.py": TRAIN}, ["--genome", "../x.py"], ["../x.py"]),
        ({"train.py": TRAIN}, ["--check"], ["evo.toml", "evo init"]),
        ({"train.py": TRAIN}, ["--command", "python a.py", "--command", "python b.py"], ["--command takes one value"]),
        ({"train.py": TRAIN}, ["--run", "--no-run"], ["--run/--no-run takes one value"]),
        ({"train.py": TRAIN}, ["--check", "--force"], ["--force", "--check"]),
        ({}, ["--example", "digits", "--command", "python train.py"], ["--command", "--example"]),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    files: dict[str, str], arguments: list[str], words: list[str], tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "project", files)
    done = evo("init", *arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert names(folder) == set(files)


@pytest.mark.parametrize(
    ("files", "answer", "words"),
    [
        ({}, None, ["no Python file"]),
        ({"train.py": "main = print\nmain()\n"}, ["--metric", "val_loss:min"], ["train.py", "val_loss"]),
        ({"a.py": TRAIN, "b.py": TRAIN}, ["--genome", "b.py"], ["a.py (prints", "--genome a.py"]),
        ({"train.py": "def f(): ...\n"}, ["--command", "python train.py", "--metric", "f1"], ["starts nothing"]),
    ],
)
def test_what_is_not_clear_is_asked_with_a_draft(
    files: dict[str, str], answer: list[str] | None, words: list[str], tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "project", files)
    done = evo("init", cwd=folder)
    assert done.returncode == 1
    assert done.stdout == ""
    asked = done.stderr.splitlines()[-1]
    assert [word for word in words if word not in asked] == [], asked
    assert names(folder) == {*files, "evo.toml"}
    if answer is None:
        for command in (["run"], ["init", "--check"]):
            refused = evo(*command, cwd=folder)
            assert refused.returncode == 2
            assert "is a draft of evo init: `task." in refused.stderr
    else:
        done = evo("init", "--no-run", *answer, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert load_config(folder / "evo.toml").script is not None


def test_what_the_first_run_prints_is_read(tmp_path: Path) -> None:
    train = """
        import json, os, sys
        RATE = 0.25
        rows = json.load(open(os.path.join("data", sys.argv[1] if sys.argv[1:] else "rows.json")))
        for name, value in {"loss": 0.5, "f1": RATE}.items():
            print(f"val_{name} = [{value}]", file=sys.stderr)
        """
    folder = write_files(tmp_path / "project", {"train.py": train, "data/rows.json": "[1]\n"})
    done = evo("init", "--metric", "f1:max", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "running python train.py once in the sandbox" in done.stderr
    task = load_config(folder / "evo.toml").script
    assert task is not None
    assert (list(task.objectives), task.frozen) == (["val_f1", "val_loss"], ("data",))
    done = evo("init", "--check", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "val_f1 (self-reported): 0.25\n" in done.stdout


def test_data_beside_the_project_are_named_and_not_given(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,2\n", encoding="utf-8")
    write_files(
        tmp_path / "project", {"train.py": "text = open('../rows.csv').read()\nprint('val_loss:', len(text))\n"}
    )
    done = evo("init", cwd=tmp_path / "project")
    assert "Candidates get it only if you add ../rows.csv to frozen" in " ".join(done.stdout.split())
    assert "frozen = []" in (tmp_path / "project" / "evo.toml").read_text(encoding="utf-8")


def test_a_run_that_does_not_end_is_stopped_and_read(tmp_path: Path) -> None:
    train = "import time\nprint('val_loss: 0.5', flush=True)\ntime.sleep(600)\n"
    folder = write_files(tmp_path / "project", {"train.py": train})
    done = evo("init", "--run-seconds", "3", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "it printed val_loss" in done.stdout


def test_no_secret_is_given_or_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (".aws/credentials", ".kaggle/kaggle.json", ".config/mine/api_key", "notes/data.csv"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("SECRET\n")
    data = """
        from pathlib import Path
        AWS = Path.home() / ".aws" / "credentials"
        KEYS = [Path("~/.config/mine/api_key").expanduser(), Path.home() / ".kaggle" / "kaggle.json"]
        NOTES = Path.home() / "notes" / "data.csv"
        FOLDER = "data"
        """
    files = {"train.py": f"import data\n{textwrap.dedent(TRAIN)}", "data.py": data, "data/a.csv": "x\n"}
    folder = write_files(tmp_path / "project", files | {"data/.env": "KEY=SECRET\n"})
    done = evo("init", cwd=folder, env=environment(HOME=str(home)))
    assert done.returncode == 0, done.stderr
    text = (folder / "evo.toml").read_text()
    task = load_config(folder / "evo.toml").script
    assert task is not None
    assert task.frozen == ("data.py", "data/a.csv")
    assert '    # "~/notes/data.csv",  # outside the project' in text
    for name in ("~/.aws/credentials", "~/.kaggle/kaggle.json", "~/.config/mine/api_key", "data/.env"):
        assert f"{name} looks like" in done.stdout
        assert f'"{name}' not in text
    edit(folder, "frozen = [", 'frozen = ["~/.aws/credentials",')
    refused = evo("init", "--check", cwd=folder, env=environment(HOME=str(home)))
    assert refused.returncode == 2
    assert "must not hand a secret to candidate code" in refused.stderr


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
    folder = write_files(tmp_path / "project", {"train.py": GAMED})
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
    folder = write_files(tmp_path / "project", {"train.py": TRAIN})
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
