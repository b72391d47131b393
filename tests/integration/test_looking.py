"""What the commands that look at a run show of what went wrong on the way."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from searches import GENOME, configuration, searched
from stand_in_evaluator import StandInEvaluator

from evo import runs
from evo.commands.individual_view import print_portrait, read_portrait


def test_a_lost_attempt_is_shown_with_the_individual(tmp_path: Path) -> None:
    searched(tmp_path / "run", configuration(2, 3), StandInEvaluator(GENOME))
    with runs.view(tmp_path / "run") as viewed:
        portrait = read_portrait(viewed, viewed.store.individual(0))
    first, *others = portrait.to_json(prompts=False)["evaluations"]
    assert [attempt["state"] for attempt in first["attempts"]] == ["released", "accepted"]
    assert all([attempt["state"] for attempt in one["attempts"]] == ["accepted"] for one in others)
    shown = io.StringIO()
    print_portrait(Console(file=shown, width=200), portrait, prompts=False)
    assert "attempt 1 on stand-in/0 gave no result: the worker was gone\n" in shown.getvalue()
