"""What of a file is compared with a clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from script_runs import write_files

from evo.project.examine import examine
from evo.project.found import FixedTime
from evo.project.protection.clock import time_limits
from operators.protection.units import units_of

START = "import time\nt0 = time.monotonic()\n"


@pytest.mark.parametrize(
    ("source", "names", "head"),
    [
        (START + "wall = 3\nwhile time.monotonic() - t0 < wall:\n    pass\n", {"wall"}, "while"),
        (
            START + "for i in f():\n    now = time.monotonic()\n    if now - t0 >= a.wall:\n        break\n",
            {"wall"},
            "if",
        ),
        (START + "while True:\n    if time.monotonic() - t0 > 9.5:\n        break\n", set(), "if"),
        (
            START + "def left():\n    return CAP - (time.monotonic() - t0)\nwhile left() > 0:\n    pass\n",
            {"CAP"},
            "while",
        ),
        ("from time import time\nEND = time() + 4\nwhile time() < END:\n    pass\n", {"END"}, "while"),
        (
            START + "def fit(m, until):\n    while time.monotonic() < until:\n        m()\nfit(m, t0 + CAP)\n",
            {"CAP"},
            "while",
        ),
        ("import time\ndef solve(points, until):\n    while time.time() < until:\n        pass\n", set(), ""),
        (START + "EVERY = 3\nif time.monotonic() - t0 > EVERY:\n    print(1)\n", set(), ""),
    ],
)
def test_what_ends_by_the_clock(source: str, names: set[str], head: str) -> None:
    units = units_of(ast.parse(source))
    found = time_limits(units)
    assert found.names == names
    assert [units[place].code.partition(" ")[0] for place in found.heads] == ([head] if head else [])


@pytest.mark.parametrize(
    ("genome", "other", "expected"),
    [
        (START + "cap = 1.5\nwhile time.monotonic() - t0 < cap:\n    pass\n", "", FixedTime(1.5, "cap in train.py")),
        (START + "cap_minutes = 2\nwhile time.monotonic() - t0 < 60 * cap_minutes:\n    pass\n", "", None),
        ("import measure\nK = 1\n", "TIME_LIMIT = 20\nif measured > TIME_LIMIT:\n    raise SystemExit\n", None),
        ("from measure import TIME_LIMIT\nK = 1\n", "TIME_LIMIT = 20\n", FixedTime(20.0, "TIME_LIMIT in measure.py")),
    ],
)
def test_the_fixed_time_is_that_of_the_training(
    genome: str, other: str, expected: FixedTime | None, tmp_path: Path
) -> None:
    write_files(tmp_path, {"train.py": genome + "print('val_loss: 0.5')\n", "measure.py": other})
    assert examine(tmp_path).fixed == expected
