"""The family tree as text."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from evo.commands.views.family import print_ancestors, print_tree
from evo.standings.individuals import Standing
from trainer.evaluation import Status
from trainer.objectives import Direction, Objective

FAMILY = {
    0: Standing(0, (), "seed", "Generation 0", Status.OK, {"loss": 2.0}, 1),
    1: Standing(1, (0,), "tuning", "tuning: WIDTH 1 → 2", Status.OK, {"loss": 1.0}, 1),
}
LOSS = Objective("loss", Direction.MINIMIZE, "")


def test_an_operator_is_named_once_beside_its_idea() -> None:
    printed = StringIO()
    console = Console(file=printed, width=200)
    print_tree(console, FAMILY, LOSS, best=1)
    print_ancestors(console, [FAMILY[1]], [LOSS])
    text = printed.getvalue()
    assert "best  tuning: WIDTH 1 → 2\n" in text
    assert "infeasible" not in text
    print_tree(console, FAMILY | {1: replace(FAMILY[1], broken=("memory < 5",))}, LOSS, best=1)
    assert "best infeasible  tuning" in printed.getvalue()
    assert text.count("tuning") == 2
