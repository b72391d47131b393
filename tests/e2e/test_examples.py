"""The worked examples through the installed command: small, but whole runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_line import environment, evo

import evo as package

FOLDER = Path(package.__file__).parent / "project" / "examples"


class Example(NamedTuple):
    """An example: what is expected of it, and how it is made small.

    Attributes:
        front: the objectives of its front; the first is that of selection.
        smaller: replacements in its files.
    """

    front: tuple[str, str]
    self_reported: bool
    generations: int
    smaller: dict[str, dict[str, str]]


EXAMPLES = {
    "digits": Example(("accuracy", "run_seconds"), False, 3, {}),
    "kernel": Example(
        ("seconds", "run_seconds"), True, 3, {"bench.py": {"NODES = 240": "NODES = 60", "CALLS = 7": "CALLS = 2"}}
    ),
    "packing": Example(("sum_of_radii", "run_seconds"), False, 3, {"pack.py": {"STEPS = 120": "STEPS = 20"}}),
    "instructions": Example(("accuracy", "prompt_characters"), True, 3, {}),
    "matmul": Example(("seconds", "run_seconds"), True, 3, {"bench.c": {"SIZE 240": "SIZE 60", "CALLS 5": "CALLS 2"}}),
    "flags": Example(("seconds", "run_seconds"), True, 3, {"bench.c": {"SIZE 256": "SIZE 64", "CALLS 7": "CALLS 2"}}),
    "cartpole": Example(("reward", "run_seconds"), False, 3, {"cartpole.py": {"LONGEST = 500 ": "LONGEST = 50 "}}),
    "settings": Example(("val_loss", "run_seconds"), True, 3, {"train.py": {"STEPS = 600": "STEPS = 60"}}),
    "autoresearch": Example(
        ("val_bpb", "peak_memory_mib"),
        True,
        2,
        {
            "prepare.py": {"TIME_BUDGET = 20 ": "TIME_BUDGET = 0.5 ", "= 64 * 1024 ": "= 4 * 1024 "},
            "evo.toml": {"fixed_seconds = 20.0": "fixed_seconds = 0.5"},
        },
    ),
}


class Finished(NamedTuple):
    """A finished run: its folder, and what the command said."""

    path: Path
    stdout: str


def finish(name: str, folder: Path) -> Finished:
    """Copy an example, make it small and run it as a user does, with `folder` as home."""
    example, project = EXAMPLES[name], folder / name
    shutil.copytree(FOLDER / name, project, ignore=shutil.ignore_patterns("*.np[yz]", "runs"))
    for file, changes in example.smaller.items():
        text = (project / file).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (project / file).write_text(text, encoding="utf-8")
    env = environment(HOME=str(folder))
    if (project / "prepare.py").exists():
        subprocess.run([sys.executable, "prepare.py"], cwd=project, env=env, capture_output=True, check=True)
    size = ("--pop", "2", "--gens", str(example.generations))
    done = evo("run", "--config", "evo.toml", *size, "--out", "runs/small", cwd=project, env=env)
    assert done.returncode == 0, done.stderr
    return Finished(project / "runs" / "small", done.stdout)


def read(*arguments: str | Path) -> Any:
    done = evo(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full) if name == "autoresearch" else name for name in EXAMPLES]
)
def test_an_example_runs_to_its_end_and_says_what_its_numbers_are(name: str, tmp_path: Path) -> None:
    finished = finish(name, tmp_path)
    example = EXAMPLES[name]
    count = 2 * example.generations
    assert f"{count} of {count} evaluations" in finished.stdout
    assert (finished.path / "results.tsv").read_text().startswith(f"commit\t{example.front[0]}\tmemory_gb\tstatus\t")

    generation_zero = read("show", finished.path, "0")
    assert {one["result"]["status"] for one in generation_zero["evaluations"]} == {"ok"}
    assert set(generation_zero["objectives"]) >= {*example.front, "run_seconds", "peak_memory_mib", "code_lines"}
    assert generation_zero["broken"] == []

    first, second = example.front
    second = f"{second} (self-reported)" if second in reported_names(example) else second
    reported = f"{first} (self-reported)" if example.self_reported else first
    front = finished.stdout.partition(f"Pareto front: {reported} against {second}\n")[2]
    assert re.match(rf" *id +{re.escape(reported)} +{re.escape(second)} +idea\n( *#\d+ +\d.*\n)+", front)

    for text in (finished.stdout, evo("best", finished.path).stdout):
        assert re.search(rf"^generation 0 +{re.escape(reported)} \d", text, flags=re.MULTILINE)
        assert set(re.findall(r"(\w+) \(self-reported\)", text)) <= reported_names(example)


def reported_names(example: Example) -> set[str]:
    """Return which names may be called self-reported: never what the supervisor or `score` measures."""
    return {example.front[0], "max_error", "prompt_characters"} if example.self_reported else set()
