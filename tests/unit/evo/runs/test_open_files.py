"""A driver has the open files that it needs, or does not begin."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from evo.runs.open_files import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
allow_open_files(int(sys.argv[3]))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "workers", "then"),
    [(20, 500, 1, "32"), (20, 500, 8, "88"), (400, 500, 8, "400"), (32, 32, 1, "32"), (20, 31, 1, ""), (64, 64, 8, "")],
)
def test_the_limit_is_raised_as_far_as_needed_or_named(soft: int, hard: int, workers: int, then: str) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    command = [sys.executable, "-c", PROGRAM, *map(str, (soft, hard, workers))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == then
    assert bool(then) or f"`ulimit -n` allows {hard}" in done.stderr
