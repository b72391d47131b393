"""What the commands that look at a run show of what went wrong on the way."""

from __future__ import annotations

import io
import re
from pathlib import Path

from paced_evaluator import PacedEvaluator
from rich.console import Console
from searches import GENOME, configuration, searched
from stand_in_evaluator import StandInEvaluator

from evo.commands.views.individual import Portrait, print_portrait, read_portrait
from evo.runs import lifecycle as runs
from operators.mutation.constants import ConstantMutation
from trainer.evaluation import Job


def test_a_lost_attempt_is_shown_with_the_individual(tmp_path: Path) -> None:
    searched(tmp_path / "run", configuration(2, 3), StandInEvaluator(GENOME))
    with runs.view(tmp_path / "run") as viewed:
        portrait = read_portrait(viewed, viewed.store.individual(0))
    first, *others = portrait.to_json(prompts=False)["evaluations"]
    assert [attempt["state"] for attempt in first["attempts"]] == ["released", "accepted"]
    assert all([attempt["state"] for attempt in one["attempts"]] == ["accepted"] for one in others)
    assert "attempt 1 on stand-in/0 gave no result: the worker was gone\n" in shown_of(portrait)


def test_an_individual_tells_that_it_did_not_hold_on_the_holdout_split(tmp_path: Path) -> None:
    class Unlucky(PacedEvaluator):
        def _holdout_noise(self, job: Job) -> float:
            return 0.0 if job.genome == GENOME else 9.0

    config = configuration(4, 5, noise={"confirm_fraction": 0.0})
    searched(tmp_path / "run", config, Unlucky(GENOME), ConstantMutation())
    with runs.view(tmp_path / "run") as viewed:
        leader = viewed.standings.archive.hall[0].id
        leading, first = (read_portrait(viewed, viewed.store.individual(one)) for one in (leader, 0))
    assert leading.setback
    assert leading.to_json(prompts=False)["setback"]["champion"] == 0
    shown = " ".join(shown_of(leading).split())
    assert re.search(
        r"led on split S, but did not hold on split G: 1\d\.\d{4} bits per byte against 1\.\d{4} of #0", shown
    )
    assert re.search(r"result purpose seed status S G .* search 0 ok 1\.\d{4} 1\d\.\d{4} ", shown)
    assert first.setback is None
    assert "did not hold" not in shown_of(first)


def shown_of(portrait: Portrait) -> str:
    shown = io.StringIO()
    print_portrait(Console(file=shown, width=200), portrait, prompts=False)
    return shown.getvalue()
