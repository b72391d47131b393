"""What the last lines of a run, `evo status` and `evo best` say of the gain."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from report_samples import sample_run
from rich.console import Console

from evo.commands.views.summary import print_best


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (1000, "the finalists have not been re-evaluated"),
        (60, "the budget of 60 left no evaluations for the finalists"),
    ],
)
def test_a_gain_without_confirmation_is_told_with_its_reason(budget: int, words: str) -> None:
    summary = replace(sample_run().summary, gain=None, is_unreplicated=False, spent=60.0, budget=budget)
    printed = StringIO()
    print_best(Console(file=printed, width=200), summary)
    assert f"not confirmed: {words}\n" in printed.getvalue()
