"""`evo init --example`: what is copied, and what never is replaced."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from evo.config.reading import load_config
from evo.config.task import LanguageModelTask
from evo.project.example import copy_example, example_names, next_commands
from evo.runs.generation_zero import read_generation_zero
from trainer.errors import UsageError
from trainer.genome import built_in

ROOT = Path(__file__).parents[4]


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_the_promised_examples_are_there() -> None:
    assert {"digits", "kernel", "prompt", "textbook"} <= set(example_names())


@pytest.mark.parametrize("name", example_names())
def test_a_copy_is_a_whole_task(name: str, tmp_path: Path) -> None:
    files = copy_example(name, tmp_path)
    assert sorted(contents(tmp_path)) == sorted(files)
    config = load_config(tmp_path / "evo.toml")
    assert read_generation_zero(config)
    made = (tmp_path / "prepare.py").read_text() if "prepare.py" in files else ""
    if config.script is not None:
        for file in (*config.script.frozen, *config.script.held_out):
            assert file in files or Path(file).name in made
    expected = "python prepare.py, then evo run" if made else "evo run"
    assert next_commands(tmp_path, files).removeprefix("pip install triton, then ") == expected


def test_what_an_example_lacks_is_installed_first(tmp_path: Path) -> None:
    (tmp_path / "prepare.py").write_text("import nowhere_to_be_found.part\nfrom data import x\nimport json\n")
    said = next_commands(tmp_path, ("evo.toml", "prepare.py"))
    assert said == "pip install data nowhere_to_be_found, python prepare.py, then evo run"
    (tmp_path / "data.py").write_text("x = 1\n")
    said = next_commands(tmp_path, ("data.py", "prepare.py"))
    assert said == "pip install nowhere_to_be_found, python prepare.py, then evo run"


@pytest.mark.parametrize("name", example_names())
def test_every_file_of_an_example_is_copied_and_packaged(name: str, tmp_path: Path) -> None:
    folder = f"evo/project/examples/{name}"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tracked = {Path(line).name for line in listed.stdout.splitlines()}
    shared = {"train.py"} if name == "textbook" else set()
    assert set(copy_example(name, tmp_path)) == tracked | shared
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["evo"]
    packaged = {path for pattern in patterns for path in (ROOT / "evo").glob(pattern)}
    assert {ROOT / folder / file for file in tracked} <= packaged


def test_the_textbook_example_is_the_genome_of_that_name(tmp_path: Path) -> None:
    copy_example("textbook", tmp_path)
    assert (tmp_path / "train.py").read_text() == built_in("textbook")
    config = load_config(tmp_path / "evo.toml")
    assert isinstance(config.task, LanguageModelTask)
    assert config.task.genome == str(tmp_path / "train.py")


@pytest.mark.parametrize("present", ["evo.toml", "kernel.py", "program.md"])
def test_nothing_is_replaced_and_nothing_else_is_written(present: str, tmp_path: Path) -> None:
    (tmp_path / present).write_text("mine")
    with pytest.raises(UsageError, match=rf"{present}.* nothing was written"):
        copy_example("kernel", tmp_path)
    assert contents(tmp_path) == {present: b"mine"}


def test_a_dangling_link_is_a_file_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "bench.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(UsageError, match=r"bench\.py"):
        copy_example("kernel", tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["bench.py"]


@pytest.mark.parametrize("name", ["kernl", "", "..", "../examples/kernel", "/", "kernel/"])
def test_what_is_no_example_is_refused_with_the_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kernel"):
        copy_example(name, tmp_path)
    assert contents(tmp_path) == {}
