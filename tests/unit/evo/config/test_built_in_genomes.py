"""The built-in genomes of the language-model task are named like files, and are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from evo.config.options import new_run_config
from evo.config.reading import load_config
from evo.runs.generation_zero import read_genome
from trainer.errors import ConfigError, GenomeError
from trainer.genome import BUILT_IN, built_in


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_name_is_its_source(name: str) -> None:
    source = read_genome(name)
    assert source == built_in(name)
    assert "def build_model(task: Task)" in source


def test_a_name_in_a_file_is_not_taken_for_a_path(tmp_path: Path) -> None:
    file = tmp_path / "evo.toml"
    file.write_text('[task]\ngenome = "textbook"\n')
    (tmp_path / "textbook").mkdir()
    assert load_config(file).task.genome == "textbook"
    file.write_text('[task]\ngenome = "./textbook"\n')
    assert load_config(file).task.genome == str(tmp_path / "textbook")


def test_the_flag_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "evo.toml"
    file.write_text('[task]\ngenome = "train.py"\n')
    assert new_run_config("textbook", file, {}).task.genome == "textbook"
    assert new_run_config("", file, {}).task.genome == str(tmp_path / "train.py")


@pytest.mark.parametrize("name", ["texbook", "Textbook", "textbook.py"])
def test_a_misspelt_name_is_answered_with_the_names(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GenomeError, match=r"cannot be read: .*\. Built-in genomes are named textbook; without a name"):
        read_genome(name)


def test_the_task_of_a_project_has_its_own_genome(tmp_path: Path) -> None:
    file = tmp_path / "evo.toml"
    file.write_text(
        '[task]\nkind = "script"\ngenome = "train.py"\ncommand = "python train.py"\n'
        "[task.objectives.loss]\ndirection = \"minimize\"\npattern = 'loss: (.*)'\n"
    )
    with pytest.raises(ConfigError, match="textbook was named too"):
        new_run_config("textbook", file, {})
