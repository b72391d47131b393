"""What the last lines of a run say of the change that was found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evo.commands.views.conclusion import change_text, price_text, program

BEFORE = """\
WIDTH = 64
RATE = 3e-4  # range: 1e-5 to 1e-1, log
SHAPE = (1, 2)


def step(x):
    y = x + 1
    return y
"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"RATE = 3e-4": "RATE = 0.002"}, "RATE 3e-4 → 0.002"),
        ({"WIDTH = 64": "WIDTH = 128", "(1, 2)": "(1, 4)"}, "WIDTH 64 → 128, SHAPE (1, 2) → (1, 4)"),
        ({"x + 1": "x - 1"}, "1 line of code"),
        ({"x + 1": "x - 1", "WIDTH = 64": "WIDTH = 32"}, "WIDTH 64 → 32, 1 other line of code"),
        ({"    y = x + 1\n    return y\n": "    return x + 1\n"}, "2 lines of code"),
        ({"    return y\n": "    y = 2 * y\n    y = y - 1\n    return y\n"}, "2 lines of code"),
        ({"WIDTH = 64\n": ""}, "1 line of code"),
        ({"WIDTH = 64\n": "WIDTH = 65\nDEPTH = 2\n"}, "WIDTH 64 → 65, 1 other line of code"),
    ],
)
def test_a_change_is_told_by_its_constants_and_the_size_of_the_rest(changes: dict[str, str], expected: str) -> None:
    after = BEFORE
    for old, new in changes.items():
        assert after.count(old) == 1
        after = after.replace(old, new)
    assert change_text(BEFORE, after) == expected


def test_many_constants_are_counted() -> None:
    before = "".join(f"SIZE_{letter} = 1\n" for letter in "ABCDEFGHIJ")
    assert change_text(before, before.replace("= 1", "= 2")).endswith("SIZE_H 1 → 2, 2 more constants")


def test_a_long_value_is_cut() -> None:
    before = f'PROMPT = "{"word " * 50}"\n'
    assert change_text(before, 'PROMPT = "short"\n') == 'PROMPT "word word word word wo… → "short"'


def test_a_command_is_named_so_that_this_installation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = tmp_path / "ours" / "evo", tmp_path / "other" / "evo"
    for script in (ours, other):
        script.parent.mkdir()
        script.write_text("#!/bin/sh\n")
        script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(ours), "run"])
    monkeypatch.setenv("PATH", str(ours.parent))
    assert program() == "evo"
    monkeypatch.setenv("PATH", str(other.parent))  # another program of this name comes first
    assert program() == str(ours)
    monkeypatch.setenv("PATH", "")
    assert program() == str(ours)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((0.4, 2.44), "it takes 6.1 × the time of generation 0 (0.4 s → 2.4 s)"),
        ((0.4, 0.5), ""),
        ((0.4, None), ""),
        ((0.4,), ""),
    ],
)
def test_a_gain_that_takes_longer_has_its_price(seconds: tuple[float | None, ...], expected: str) -> None:
    assert price_text(*seconds) == expected
