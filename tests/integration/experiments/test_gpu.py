"""The program for a GPU works where there is none, at a small size; so do the scoring benchmark's own parts in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["training", "scoring"], ["| 0.5 | ", "| probes / scoring | "]),
        pytest.param(
            ["sandbox", "memory", "population", "slots", "cheats", "honest"],
            [
                "| bubblewrap | ok, ",
                "takes all: out_of_memory",
                "MUON_LR 0.0130: ok",
                "beside the other: ok",
                "2 of 2 tried",
            ],
            marks=pytest.mark.full,
        ),
    ],
)
def test_its_parts_run_on_a_cpu(parts: list[str], expected: list[str]) -> None:
    command = [sys.executable, "-m", "experiments.gpu", "--quick", "--part", *parts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [words for words in expected if words not in done.stdout] == []
