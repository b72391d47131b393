"""Layouts as people have them: what is written about each, and the table of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_files import run_plainly
from project_layouts import LAYOUTS, Layout
from script_runs import write_files

from evo.config.reading import load_config
from evo.project.examine import examine
from evo.project.output import values_of
from evo.project.writing import config_text
from trainer.errors import ConfigError

DOCUMENT = Path(__file__).parents[4] / "docs" / "projects.md"


def row(layout: Layout) -> str:
    """Return the line of the documentation's table about a layout."""
    asked = layout.metric.startswith("asks ")
    metric = f"asks for the {layout.metric.removeprefix('asks ').removesuffix('s')}" if asked else f"`{layout.metric}`"
    genome = f"`{layout.genome}`" if layout.genome else ""
    command = f"`{layout.command}`" if layout.command and layout.genome else ""
    frozen = ", ".join(f"`{name}`" for name in layout.frozen)
    return f"| {layout.title} | {genome} | {command} | {metric} | {frozen} |"


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.title)
def test_what_is_found_and_written(layout: Layout, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "project", layout.files)
    found = examine(folder, home=tmp_path / "home", run=run_plainly)
    (folder / "evo.toml").write_text(config_text(found, folder, "program.md"), encoding="utf-8")
    assert found.genome[:1] == ((layout.genome,) if layout.genome else ())
    if layout.metric.startswith("asks "):
        assert found.question is not None
        assert found.question.key == layout.metric.removeprefix("asks ")
        with pytest.raises(ConfigError, match="is a draft"):
            load_config(folder / "evo.toml")
        return
    assert found.question is None, found.question
    task = load_config(folder / "evo.toml").script
    assert task is not None
    assert " ".join(task.command).removeprefix("python ").endswith(layout.command)
    name, direction = layout.metric.split()
    assert (found.objectives[0].name, found.objectives[0].direction[:3]) == (name, direction)
    assert {one.name for one in found.frozen} == set(layout.frozen)
    assert not {*layout.absent} & {*task.objectives}
    assert [one.required for one in task.objectives.values()] == [True, *[False] * (len(task.objectives) - 1)]
    if layout.value is not None:
        assert found.run is not None
        assert found.objectives[0].pattern is not None
        assert values_of(found.objectives[0], found.run.lines)[-1] == layout.value


def test_the_table_of_the_documentation_lists_every_layout() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [row(layout) for layout in LAYOUTS if row(layout) not in lines] == []
    assert len(LAYOUTS) >= 25
