"""What the texts of a project say: which file may change, how it is started, which number counts."""

from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.instructions import Instructions, Start
from trainer.objectives import Direction


def read(folder: Path, program: str = "", **others: str) -> Instructions:
    return Instructions(write_files(folder, {"program.md": program} | {f"{k}.md": v for k, v in others.items()}))


@pytest.mark.parametrize(
    "line",
    [
        "- `train.py` — the file you modify. Model, optimizer, loop.",
        "- Modify `train.py` — this is the only file you edit.",
        "You may **ONLY** modify `train.py`",
        "train.py is the only file the agent may edit.",
        "Tune `train.py` with an idea by directly hacking the code.",
        "**What you CAN do:**\n- Modify `train.py`",
        "## What you are allowed to modify\n\n**Only `train.py`** (the model). You may:\n",
    ],
)
def test_a_file_that_may_change(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, line).permissions({})["train.py"] > 0


@pytest.mark.parametrize(
    "line",
    [
        "- `train.py` — fixed constants, data prep, evaluation. Do not modify.",
        "Do not modify `train.py`. It is read-only.",
        "`train.py` and the data folder are **FROZEN**.",
        "**What you CANNOT do:**\n- Modify `train.py`",
        "## What NOT to do\n\n- Change `train.py`",
    ],
)
def test_a_file_that_may_not_change(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, line).permissions({})["train.py"] < 0


def test_files_that_a_pattern_names(tmp_path: Path) -> None:
    text = "- edit settings only: do not change training scripts (`train_*.py`)\n\n**What you CAN modify:**\n"
    texts = read(tmp_path, f"{text}- `data/<name>/features.py`: your primary workspace\n")
    found = texts.permissions({"train_a.py": "", "data/x/features.py": "", "other.py": ""})
    assert (found["train_a.py"], found["data/x/features.py"], found["other.py"]) == (-1, 1, 0)


def test_other_texts_permit_nothing_that_the_program_forbids(tmp_path: Path) -> None:
    other = "For boxes, edit only `train_b.py`.\n" * 3
    texts = read(tmp_path, "Edit settings only: do not change training scripts (`train_*.py`).\n", README=other)
    assert texts.permissions({"train_a.py": "", "train_b.py": ""})["train_b.py"] < 0


@pytest.mark.parametrize(
    "line",
    ["You launch it as `uv run train.py`.", "It runs for a fixed time budget: `uv run train.py`.", "See train.py."],
)
def test_a_file_that_is_only_spoken_of(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, line).permissions({})["train.py"] == 0


@pytest.mark.parametrize(
    "line",
    [
        "Change whatever you like in `train.py`.",
        "Anything in train.py can be changed.",
        "Feel free to change train.py.",
        "Everything in `train.py` is fair game.",
    ],
)
def test_a_readme_that_leaves_a_file_free(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, README=line).permissions({})["train.py"] > 0


def test_a_readme_that_tells_of_settings_permits_nothing(tmp_path: Path) -> None:
    texts = read(tmp_path, README="Edit `config.py` to change the settings.\n")
    assert texts.permissions({})["config.py"] == 0


@pytest.mark.parametrize(
    ("docstring", "permission"),
    [
        ("Shortest paths. This file evolves.", 1),
        ("XGBoost classifier. THIS IS THE ONLY FILE THE AGENT EDITS.", 1),
        ("Constants and data. Do not modify this file.", -1),
        ("Tune the learning rate on a grid.", 0),
        ("Only one graph as yet: feel free to add others.\n\nWords are changed to numbers.", 0),
        ("Modify: a.tensor becomes an array.\nIf you want to know where it comes from, this file says it.", 0),
        ("This is the file you modify.\n\nDo not modify b.py or what it measures.", 1),
    ],
)
def test_a_file_speaks_for_itself(docstring: str, permission: int, tmp_path: Path) -> None:
    found = read(tmp_path).permissions({"a.py": docstring, "b.py": ""})["a.py"]
    assert (found > 0) - (found < 0) == permission


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("`uv run train.py > run.log 2>&1`", Start("train.py", False, None)),
        ("$ python app.py train --lr 1", Start("app.py", False, None, "--lr 1", subcommand="train")),
        ("python setup.py install", Start("setup.py", False, None, subcommand="install")),
        ("Run python train.py before that one", Start("train.py", False, None)),
        ("$ python3 ./run.py --fast", Start("run.py", False, None, "--fast")),
        ("`python run.py --remove-h > run.log 2>&1`", Start("run.py", False, None, "--remove-h")),
        ("python -u -m app.train", Start("app.train", True, None)),
        ("Run `py -3 -m app.train --fast`", Start("app.train", True, None, "--fast")),
        ("uv run python train.py", Start("train.py", False, None)),
        ("torchrun --standalone --nproc_per_node=8 train.py config/x.py", Start("train.py", False, 8, "config/x.py")),
        ("accelerate launch --num_processes=2 train.py", Start("train.py", False, 2)),
    ],
)
def test_a_command_in_a_text(line: str, start: Start, tmp_path: Path) -> None:
    assert read(tmp_path, line).starts == [start]


@pytest.mark.parametrize("end", ["\\\n", "\\   # which data\n", "\\\t# which data\n", "\\ \n", "`\n", "^\n"])
def test_a_command_goes_on_in_the_next_line(end: str, tmp_path: Path) -> None:
    text = f"python train.py --data small {end}  --epochs 3 {end}  --seed 1  # the end\n"
    (start,) = read(tmp_path, text).starts
    assert start.arguments.split() == ["--data", "small", "--epochs", "3", "--seed", "1"]


def test_the_numbers_that_a_text_looks_for(tmp_path: Path) -> None:
    text = 'grep "^peak_vram_mb:\\|^val_bpb:" run.log\n`grep "^val_bpb:" run.log`\ngrep \'^Eval AUC:\' run.log\n'
    assert read(tmp_path, text).wanted == ["val_bpb", "peak_vram_mb", "Eval AUC"]


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("The script prints `score`.\n\nHigher is better.\n", Direction.MAXIMIZE),
        ("It prints `score`\n\n- the smaller the better\n", Direction.MINIMIZE),
        ("Metric: score (↓)", Direction.MINIMIZE),
        ("- score\n- lag: lower is better\n", None),
        ("The score.\n\nIt is 1.\n\nNot 2.\n\nHigher is better.\n", None),
        ("Get the lowest score.", Direction.MINIMIZE),
        ("If score improved (higher), keep it.", Direction.MAXIMIZE),
        ("**Minimize `score`**", Direction.MINIMIZE),
        ("The score is printed.", None),
        ("A lower score is better.\nA higher score is worse.", Direction.MINIMIZE),
        ("A lower score is better.\nA higher score is better.", None),
        ("Lower scoreboard", None),
        ("**DISCARD** if `score` stayed the same or decreased, even if others improved.", Direction.MAXIMIZE),
        ("If score improved (lower), keep it, otherwise discard it.", Direction.MINIMIZE),
        ("Revert if the score increases. Keep what has a lower score.", Direction.MINIMIZE),
    ],
)
def test_the_direction_that_a_text_asks_for(text: str, direction: Direction | None, tmp_path: Path) -> None:
    assert read(tmp_path, text).direction("score") is direction


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Maximize:\n\n```text\nexact_answers\n```\n", "exact_answers"),
        ("The goal: get the highest average score over 50 games.", "avg_score"),
        ("We minimize the mean delay.", "average delay"),
        ("- Primary: **mean Sharpe across all 7 windows**", "MEAN SHARPE"),
    ],
)
def test_the_aim_that_a_text_names(text: str, label: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).importance(label) >= 2
    assert not read(tmp_path, "The primary metric is theirs.").importance("metric")
