"""evo.toml and program.md as `evo init` writes them."""

import tomllib
from pathlib import Path

import pytest
from project_files import AUTORESEARCH
from script_runs import write_files

from evo.config.reading import load_config
from evo.config.task import ObjectiveConfig, ScriptTask
from evo.project.examine import examine
from evo.project.found import Found
from evo.project.writing import config_text, program_text


def found_in(folder: Path, files: dict[str, str]) -> Found:
    return examine(write_files(folder, files), home=folder / "home")


def write(found: Found, folder: Path) -> str:
    text = config_text(found, folder, "program.md")
    (folder / "evo.toml").write_text(text, encoding="utf-8")
    return text


def test_what_is_written_is_a_configuration(tmp_path: Path) -> None:
    write(found_in(tmp_path, AUTORESEARCH), tmp_path)
    config = load_config(tmp_path / "evo.toml")
    task = config.script
    assert task is not None
    assert task.root == str(tmp_path.resolve())
    assert (task.genome, task.frozen) == (("train.py",), ("prepare.py", "~/.cache/autoresearch"))
    assert (task.fixed_seconds, task.wall_limit_seconds) == (300.0, 900.0)
    assert task.objectives["val_bpb"].pattern == r"^val_bpb:\s*(\S+)"
    assert task.objectives["peak_vram_mb"].unit == "MB"
    assert config.search.objectives == ("val_bpb",)
    assert config.search.front == ("val_bpb", "peak_memory_mib")
    assert [one.required for one in task.objectives.values()] == [True, False]
    assert config.llm.program == str(tmp_path.resolve() / "program.md")


def test_every_key_of_a_script_task_is_there_and_explained(tmp_path: Path) -> None:
    lines = write(found_in(tmp_path, AUTORESEARCH), tmp_path).splitlines()
    for key in set(ScriptTask.model_fields) - {"objectives"}:
        (place,) = [number for number, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = ")]
        assert lines[place - 1].startswith("# "), key


def test_keys_that_are_not_set_can_be(tmp_path: Path) -> None:
    text = write(found_in(tmp_path, {"train.py": 'print(f"val_loss: {0.5:.3f}")\n'}), tmp_path)
    keys = ("held_out", "score", "fixed_seconds", "wall_seconds", "environment", "gpus", "constraints", "max_cost_usd")
    set_now = "\n".join(
        line.removeprefix("# ") if line.startswith(tuple(f"# {key} = " for key in keys)) else line
        for line in text.splitlines()
    )
    assert set_now != text
    (tmp_path / "evo.toml").write_text(set_now, encoding="utf-8")
    task = load_config(tmp_path / "evo.toml").script
    assert task is not None
    assert (task.score, task.gpus, task.held_out) == (("python", "score.py"), 1, ("labels.npz",))


def test_an_objective_in_a_json_file(tmp_path: Path) -> None:
    source = 'import json\njson.dump({"dev": {"f1": float(1)}}, open("m.json", "w"))\nif True:\n    print("done")\n'
    write(found_in(tmp_path, {"train.py": source}), tmp_path)
    task = load_config(tmp_path / "evo.toml").script
    assert task is not None
    assert task.objectives == {"dev_f1": ObjectiveConfig(direction="maximize", json="m.json", key="dev.f1")}


def test_a_project_elsewhere_is_named_by_its_whole_path(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    write(found_in(tmp_path / "there", AUTORESEARCH), here)
    task = load_config(here / "evo.toml").script
    assert task is not None
    assert task.root == str((tmp_path / "there").resolve())


def test_a_project_below_is_named_relative(tmp_path: Path) -> None:
    text = write(found_in(tmp_path / "below", AUTORESEARCH), tmp_path)
    assert tomllib.loads(text)["task"]["root"] == "below"


def test_the_built_in_task(tmp_path: Path) -> None:
    write(found_in(tmp_path, {"mine.py": "def build_model(task): ...\ndef train(model, task): ...\n"}), tmp_path)
    config = load_config(tmp_path / "evo.toml")
    assert config.script is None
    assert config.task.genome == str(tmp_path.resolve() / "mine.py")


@pytest.mark.parametrize("name", ["a b.csv", "naïve.csv", 'quo"te.csv', "tab\\t.csv", "it's.csv"])
def test_any_file_name_is_written_as_it_is(name: str, tmp_path: Path) -> None:
    project = write_files(tmp_path, {name: "x", "train.py": f"open({name!r})\nprint(f'val_loss: {{1:.2f}}')\n"})
    write(examine(project), tmp_path)
    task = load_config(tmp_path / "evo.toml").script
    assert task is not None
    assert task.frozen == (name,)


def test_the_template_of_a_program_says_what_was_found(tmp_path: Path) -> None:
    text = program_text(found_in(tmp_path, AUTORESEARCH))
    for words in (
        "`train.py`",
        "`val_bpb`: lower is better",
        "DEPTH, MATRIX_LR",
        "`prepare.py`",
        "300 s",
        "no network",
    ):
        assert words in text
