"""The worked examples: what `evo init` finds is what a person wrote into their evo.toml."""

import shutil
from pathlib import Path

import pytest

from evo.config.reading import load_config
from evo.project.examine import examine

EXAMPLES = Path(__file__).parents[4] / "evo" / "project" / "examples"
# That of the built-in task is no script, and that a file of flags evolves is known to its user alone.
NAMES = sorted({path.parent.name for path in EXAMPLES.glob("*/evo.toml")} - {"textbook", "flags"})


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_found_as_it_was_described(name: str, tmp_path: Path) -> None:
    described = load_config(EXAMPLES / name / "evo.toml")
    task = described.script
    assert task is not None
    project = tmp_path / name
    shutil.copytree(EXAMPLES / name, project)
    (project / "evo.toml").unlink()
    for made in ("train.npz", "test.npz", "labels.npz"):
        if made in (*task.frozen, *task.held_out):
            (project / made).touch()
    found = examine(project)
    assert (found.genome, found.command, found.score) == (task.genome, task.command, task.score)
    assert {one.name for one in found.frozen} == set(task.frozen)
    assert found.held_out == task.held_out
    assert found.fixed is None or found.fixed.seconds == task.fixed_seconds
    assert found.objectives[0].name == described.search.objectives[0]
    assert {one.name for one in (*found.objectives, *found.others)} >= set(task.objectives)
    for one in found.objectives:
        assert one.direction == task.objectives[one.name].direction
