"""Executes the programs of docs/python.md, at a small size and on a project that trains in no time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from script_runs import script_task, write_files

import evo

PROGRAMS = re.findall(
    r"```python\n(.*?)```", (Path(__file__).parents[4] / "docs" / "python.md").read_text(), flags=re.DOTALL
)
PROJECT = {
    "evo.toml": script_task(
        objective="val_bpb", more="[search]\npop = 2\ngens = 3\n[operators.weights]\nconstants = 1\n"
    ),
    "train.py": """
        import os

        WIDTH = 2.0

        print(f"val_bpb: {abs(WIDTH - 3) + 0.001 * (int(os.environ['EVO_SEED']) % 7):.6f}")
        """,
}
SMALLER = [("budget=60, pop=8, gens=10, ", ""), ("gens=12", "gens=4"), ("pop=8, gens=20, ", ""), ("pop=16", "pop=4"),
           ("evaluations=64", "evaluations=12"), ('evo.run("train.py", ', "evo.run("), ("=100", "=4")]  # fmt: skip


def measure(source: str, seed: int) -> float:
    return abs(float(re.search(r"WIDTH = (\S+)", source)[1]) - 3) + 0.001 * (seed % 7)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_the_program_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_files(tmp_path / "project", PROJECT))
    program = PROGRAMS[number]
    for old, new in SMALLER:
        program = program.replace(old, new)
    names: dict[str, Any] = {"measure": measure}
    exec(compile(program, "docs/python.md", "exec"), names)
    made = [evo.open_run(path) for path in Path("runs").iterdir()]
    assert [run.status().state for run in made] == [["finished"], ["finished"], ["stopped"]][number]
