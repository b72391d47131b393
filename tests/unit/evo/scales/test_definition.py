from pathlib import Path

import pytest
from script_runs import script_task, write_files

from evo.config.reading import load_config
from evo.scales.definition import define
from trainer.errors import ConfigError

TASK = script_task("run.py", "score", "maximize", more="[search]\npop = 4\ngens = 9\nmax_hours = 2.0\n")
SCRIPT = "RATE = 0.5\nDEPTH = 6\nWIDTH = 8\n\nprint('score:', RATE * DEPTH * WIDTH)\n"
TWO = """
[ladder]
total_seconds = 60

[[ladder.scale]]
name = "small"
DEPTH = 2
workers.count = 2

[[ladder.scale]]
name = "large"
WIDTH = 16
"""


def project(folder: Path, ladder: str) -> Path:
    return write_files(folder, {"run.py": SCRIPT, "evo.toml": TASK + ladder}) / "evo.toml"


def test_each_scale_has_what_it_sets_and_the_rest_of_the_project(tmp_path: Path) -> None:
    definition = define(project(tmp_path, TWO))
    small, large = definition.scales
    assert small.generation_zero.splitlines()[:3] == ["RATE = 0.5", "DEPTH = 2", "WIDTH = 8"]
    assert large.generation_zero.splitlines()[:3] == ["RATE = 0.5", "DEPTH = 6", "WIDTH = 16"]
    assert small.config.workers.count == 2
    assert large.config.workers.count == 1
    assert [one.config.search.fixed_constants for one in definition.scales] == [("DEPTH", "WIDTH")] * 2
    assert [one.config.search.max_hours for one in definition.scales] == [None, None]
    assert definition.ladder.name == tmp_path.name


def test_an_individual_takes_the_constants_of_the_scale_that_it_goes_to(tmp_path: Path) -> None:
    small, large = define(project(tmp_path, TWO)).scales
    changed = small.generation_zero.replace("RATE = 0.5", "RATE = 0.25")
    promoted = large.settings.genome(changed, ("run.py",), "#1")
    assert promoted == large.generation_zero.replace("RATE = 0.5", "RATE = 0.25")


def test_a_run_of_the_same_file_ignores_the_ladder(tmp_path: Path) -> None:
    assert load_config(project(tmp_path, TWO)).search.gens == 9


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (TWO, "", "has no table"),
        (TWO, "[ladder]\ntotal_seconds = 60\n", "two scales or more, each a [[ladder.scale]], but here it has 0"),
        ("[[ladder.scale]]\nname = \"large\"\nWIDTH = 16\n", "", "but here it has 1"),
        ("total_seconds", "total_second", "did you mean 'total_seconds'?"),
        ("total_seconds = 60", "", "`ladder.total_seconds` is missing"),
        ("workers.count", "worker.count", "did you mean 'workers'?"),
        ("workers.count", "workers.cuont", "did you mean 'count'?"),
        ("workers.count = 2", "workers = 2", "must be a table"),
        ("DEPTH = 2", "DEPT = 2", "scale small: `DEPT`: generation 0 has no such constant, but DEPTH"),
        ("DEPTH = 2", 'DEPTH = "two"', "expects a value like 6"),
        ("DEPTH = 2", "DEPTH = 8", "must be larger than small, the one before, but DEPTH falls from 8 to 6"),
        ('DEPTH = 2\nworkers.count = 2\n\n[[ladder.scale]]\nname = "large"\nWIDTH = 16', '[[ladder.scale]]\nname = "b"',
         "no number of it is larger"),
        ("workers.count", "search.gens", "`search.gens` is the ladder's to set"),
        ("workers.count = 2", 'task.genome = "other.py"', "`task.genome` must be the same at all scales"),
        ("workers.count = 2", "search.seed = 2", "`search.seed` must be the same at all scales"),
        ('name = "large"', 'name = "small"', "'small' is there twice"),
        ('name = "large"', 'name = "la/rge"', "to name folders"),
    ],
)  # fmt: skip
def test_bad_definitions_are_refused_in_a_line(tmp_path: Path, before: str, after: str, message: str) -> None:
    file = project(tmp_path, TWO.replace(before, after))
    with pytest.raises(ConfigError) as refused:
        define(file)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_scale_is_larger_where_its_user_says_so(tmp_path: Path) -> None:
    larger = TWO.replace("DEPTH = 2", "DEPTH = 8").replace("WIDTH = 16", "larger = true")
    assert len(define(project(tmp_path, larger)).scales) == 2
