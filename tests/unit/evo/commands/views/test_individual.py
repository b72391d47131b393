"""What `evo show` says of an individual."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from evo.commands.views.individual import Portrait, print_portrait
from evo.standings.individuals import Standing
from evo.store import IndividualRecord
from trainer.evaluation import Status
from trainer.objectives import Direction, Objective

LONG = Objective("seconds_of_the_kernel", Direction.MINIMIZE, "s", self_reported=True)


def test_facts_stand_below_one_another_however_long_a_name_is() -> None:
    record = IndividualRecord(1, "tuning", (0,), "tuning: ROWS 1 → 2", "", 0.0)
    standing = Standing(1, (0,), "tuning", record.idea, Status.OK, {LONG.name: 1.5}, 1)
    portrait = Portrait(record, standing, (), (), (7,), (), None, None, (LONG,), is_driven=False)
    printed = StringIO()
    print_portrait(Console(file=printed, width=200), portrait, prompts=False)
    facts = printed.getvalue().splitlines()[1:5]
    starts = {line.index(fact) for line, fact in zip(facts, ("ROWS", "#7", "1 ev", "1."), strict=True)}
    assert starts == {len(LONG.label) + 1}
