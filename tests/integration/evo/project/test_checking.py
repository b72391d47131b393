"""What an evo.toml names is looked for before anything is run; every problem is one line that names it."""

import re
from pathlib import Path

import pytest
from script_runs import write_files

from evo.config.reading import load_config
from evo.config.resolution import resolve
from evo.project.checking import trial
from trainer.errors import UsageError

TASK = """
    [task]
    kind = "script"
    genome = ["train.py"]
    command = ["python", "train.py"]
    frozen = ["data.csv"]
    gpus = 0

    [task.objectives.loss]
    direction = "minimize"
    pattern = 'loss: (.*)'

    [llm]
    program = "program.md"
    """


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("(.*)", "(.*", ["pattern", "regular expression"]),
        ("(.*)", ".*", ["pattern", "one group"]),
        ('"python", "train.py"', '"no-such-program"', ["no-such-program"]),
        ('"python", "train.py"', '"./bin/none"', ["./bin/none"]),
        ('["train.py"]', '["../other.py"]', ["../other.py", "project"]),
        ('["train.py"]', '["none.py"]', ["none.py"]),
        ('["train.py"]', '["broken.py"]', ["broken.py", "line 1"]),
        ("data.csv", "none.csv", ["none.csv"]),
        ("data.csv", "~/none-of-this-name", ["none-of-this-name"]),
        ("gpus = 0", "gpus = 64", ["gpus", "64"]),
        ("gpus = 0", 'gpus = 0\nconstraints = ["speed < 3"]', ["constraints", "speed"]),
        ("program.md", "none.md", ["program", "none.md"]),
    ],
)
def test_what_is_missing_is_named(old: str, new: str, words: list[str], tmp_path: Path) -> None:
    files = {"train.py": "print('loss: 1')\n", "broken.py": "def (\n", "data.csv": "x\n", "program.md": "x\n"}
    folder = write_files(tmp_path / "project", files | {"../other.py": "x = 1\n", "evo.toml": TASK.replace(old, new)})
    assert old in TASK
    with pytest.raises(UsageError) as refused:
        trial(resolve(load_config(folder / "evo.toml"), environment={}))
    message = str(refused.value)
    assert "\n" not in message
    assert [word for word in words if not re.search(re.escape(word), message)] == [], message


def test_a_genome_outside_the_project_is_refused_also_behind_a_link(tmp_path: Path) -> None:
    files = {"data.csv": "x\n", "program.md": "x\n", "evo.toml": TASK, "../other.py": "print('loss: 1')\n"}
    folder = write_files(tmp_path / "project", files)
    (folder / "train.py").symlink_to(tmp_path / "other.py")
    with pytest.raises(UsageError, match=r"train\.py"):
        trial(resolve(load_config(folder / "evo.toml"), environment={}))
