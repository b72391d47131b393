"""What each start of a run found, and what is said when a later one finds something else."""

from __future__ import annotations

import io
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from paced_evaluator import PacedEvaluator
from rich.console import Console
from run_inspection import unguard
from searches import GENOME, Notes

from evo.commands.views.status import print_status
from evo.config.config import Config
from evo.config.reading import overlaid, parse_config
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.report.loading import load_report
from evo.runs import lifecycle as runs
from evo.runs import provenance as starts
from evo.runs.generation_zero import Programs
from evo.runs.status import read_status
from trainer.machine.devices import Device

Drive = Callable[..., list[str]]
DATA = {
    "search": {"pop": 2, "gens": 2},
    "operators": {"weights": {"random": 1.0}},
    "workers": {"devices": ["cpu"]},
}


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """Start the run, or resume it for more generations; return what was noted."""
    monkeypatch.setattr(runs, "read_programs", lambda config: Programs(GENOME))
    monkeypatch.setattr(runs, "prepare_materials", lambda *_, **__: SimpleNamespace(vocab_size=2048))
    monkeypatch.setattr(runs, "build_evaluator", lambda *_: PacedEvaluator(GENOME))
    path = tmp_path / "run"

    def drive(gens: int, devices: Sequence[Device] = ()) -> list[str]:
        def change(stored: Config) -> ResolvedConfig:
            config = resolve(overlaid(stored, {"search": {"gens": gens}}), {})
            return config.model_copy(update={"devices": devices}) if devices else config

        notes = Notes()
        if path.exists():
            runs.resume(path, notes, change)
        else:
            runs.start(change(parse_config(DATA)), path, notes)
        return notes.said

    return drive


def test_every_start_is_recorded_and_nothing_is_said_of_equal_ones(drive: Drive, tmp_path: Path) -> None:
    assert drive(2) == []
    assert drive(3) == []
    with runs.view(tmp_path / "run") as viewed:
        first, second = read_status(viewed).starts
        ((_, found),) = load_report(viewed).starts
        shown = io.StringIO()
        print_status(Console(file=shown, width=200), read_status(viewed))
    assert first.versions == second.versions
    assert first.versions["Python"] == platform.python_version()
    assert first.versions["torch"] == version("torch")
    assert first.devices[0].startswith("cpu (")
    assert f"torch {version('torch')}" in found
    assert "instead of" not in shown.getvalue()


def test_a_start_under_another_torch_and_on_another_device_is_warned_of(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(2)
    monkeypatch.setattr(starts, "version", lambda package: "9.9" if package == "torch" else version(package))
    (said,) = drive(3, [Device("cuda", "GPU-1", "H200")] * 2)
    assert f"torch 9.9 instead of {version('torch')}, cuda (H200) instead of cpu (" in said
    assert "\n" not in said
    with runs.view(tmp_path / "run") as viewed:
        status = read_status(viewed)
        shown = io.StringIO()
        print_status(Console(file=shown, width=500), status)
        found = [line for _, line in load_report(viewed).starts]
    assert said in shown.getvalue()
    assert [start["versions"]["torch"] for start in status.to_json()["starts"]] == [version("torch"), "9.9"]
    assert len(found) == 2
    assert found[1].startswith("cuda (H200) with Python ")


def test_a_run_from_before_starts_were_recorded_can_be_looked_at(drive: Drive, tmp_path: Path) -> None:
    drive(2)
    with runs.Store.open(tmp_path / "run" / "evo.db") as store:
        unguard(store._database)
        store._database.execute("DELETE FROM events WHERE kind = 'started'")
    with runs.view(tmp_path / "run") as viewed:
        assert read_status(viewed).starts == load_report(viewed).starts == ()
    assert drive(3) == []
