"""What models expected of their ideas, beside what was measured, over a whole run."""

from __future__ import annotations

import io
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from paced_evaluator import PacedEvaluator
from rich.console import Console
from searches import GENOME, searched

from evo.commands.views.status import print_status
from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.report.loading import load_report
from evo.runs.assemble import build_operators
from evo.runs.lifecycle import view
from evo.runs.status import read_status
from operators.llm.rehearsal import MessagesServer, model, scripted_model


def hopeful(body: Any) -> str:
    return scripted_model(body).replace(" should lower the loss.", " lowers the loss (expected val_bpb −0.01).")


def test_expectations_stand_beside_measurements_by_style_and_model(tmp_path: Path) -> None:
    with MessagesServer(fallback=model(hopeful)) as server:
        data = {
            "search": {"pop": 3, "gens": 4},
            "operators": {"weights": {"llm_mutation": 1.0}},
            "llm": {"base_url": server.url, "styles": ["structure"], "lessons_every": 0},
        }
        config = resolve(parse_config(data, "test"), {})
        searched(tmp_path / "run", config, PacedEvaluator(GENOME), build_operators(config))
    console = Console(file=io.StringIO(), width=200)
    with view(tmp_path / "run") as viewed:
        standings = viewed.standings
        made = [record for record in viewed.store.individuals() if record.id in standings.measured and record.parents]
        found = [standings.effects.of(one.id, one.parents, standings.noise()["val_bpb"], 10**9) for one in made]
        gains = [effect[1] for effect in found if effect is not None]
        (one,) = load_report(viewed).summary.calibration
        print_status(console, read_status(viewed))
    assert (one.style, one.model, one.ideas) == ("structure", "claude-sonnet-5-5", len(made))
    assert one.expected == pytest.approx(0.01)
    assert one.measured == pytest.approx(fmean(gain.value for gain in gains))
    assert one.off == pytest.approx(fmean(abs(0.01 - gain.value) for gain in gains))
    assert one.right == sum(gain.value > 0 and not gain.is_tie for gain in gains)
    assert one.standard_error is not None
    assert "structure by claude-sonnet-5-5: a gain of +0.0100, measured" in console.file.getvalue()  # type: ignore[attr-defined]
