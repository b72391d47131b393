"""Taking changes apart: nothing is lost, and every part stands alone."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from property_cases import cases

from evo.studies.edits import split_change
from operators.gate import SourceGate, script_contract
from operators.proposal import Refused

FILES = ("train.py",)
HOLDOUT = SourceGate(script_contract(FILES), known=lambda _: None)

BASE = """import math

ALPHA = 1
BETA = 2.5
GAMMA = 3


def scale(x):
    if x > BETA:
        x = x - ALPHA
    return x


class Model:
    def __init__(self):
        self.size = GAMMA

    def value(self, x):
        return self.size * scale(x)


def train(steps):
    model = Model()
    for step in range(steps):
        print(model.value(step))
"""

INSERTED = (
    "# a comment\n",
    "\n",
    "DELTA = 4\n",
    "def helper(x):\n    return x\n\n\n",
    "    x = helper(x)\n",
    "        self.shift = DELTA\n",
    "        x = x + self.shift\n",
    "    if steps:\n",
    "        steps = steps + DELTA\n",
)
REPLACED = {"ALPHA = 1": "ALPHA = 7", "BETA = 2.5": "BETA = 1.5", "GAMMA = 3": "GAMMA = 9", "range(steps)": "range(9)"}


def passes(source: str) -> bool:
    try:
        HOLDOUT.read(source)
    except Refused:
        return False
    return True


def _mutated(source: str, numbers: random.Random, changes: int) -> str:
    """Return a program some lines of which are added, removed or changed; one that does not pass is not taken."""
    for _ in range(changes):
        lines = source.splitlines(keepends=True)
        place = numbers.randrange(len(lines) + 1)
        kind = numbers.randrange(3)
        if kind == 0:
            lines.insert(place, numbers.choice(INSERTED))
        elif kind == 1:
            del lines[place : place + 1]
        else:
            old = numbers.choice(sorted(REPLACED))
            lines = [line.replace(old, REPLACED[old]) for line in lines]
        draft = "".join(lines)
        source = draft if passes(draft) else source
    return source


@st.composite
def programs(draw: Any) -> str:
    numbers = random.Random(draw(st.integers(0, 2**32)))
    return _mutated(BASE, numbers, draw(st.integers(1, 14)))


@given(programs(), st.integers(1, 12))
@cases(150)
def test_edits_share_out_the_change_and_stand_alone(after: str, most_programs: int) -> None:
    change = split_change(BASE, after, FILES, HOLDOUT.read)
    for parts in (change, change.grouped(most_programs)):
        assert parts.made([]) == BASE
        shared_out = sorted(index for edit in parts.edits for index in edit.hunks)
        assert shared_out == (list(range(len(parts.hunks))) if parts.edits else [])
        if parts.edits:
            assert parts.made(parts.edits) == after
            assert sum(edit.added - edit.removed for edit in parts.edits) == after.count("\n") - BASE.count("\n")
    assert all(passes(change.alone(edit)) and passes(change.without(edit)) for edit in change.edits)
    assert len(change.grouped(most_programs).programs) <= max(most_programs, 2)


@given(st.sets(st.sampled_from(sorted(REPLACED)), min_size=1))
@cases(20)
def test_independent_edits_are_told_apart(changed: set[str]) -> None:
    after = BASE
    for old in changed:
        after = after.replace(old, REPLACED[old])
    change = split_change(BASE, after, FILES, HOLDOUT.read)
    alone = {BASE.replace(old, REPLACED[old]) for old in changed}
    assert {change.alone(edit) for edit in change.edits} == alone
