"""The run in the repository: it opens for everybody, and its README says what the commands say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from command_line import evo

RUN = Path(__file__).parents[2] / "experiments" / "examples" / "llm_run"


def test_it_opens_and_its_readme_says_what_it_found(tmp_path: Path) -> None:
    run = tmp_path / "llm_run"
    shutil.copytree(RUN, run)
    readme = (run / "README.md").read_text()
    status = json.loads(evo("status", run, "--json").stdout)
    assert (status["state"], status["summary"]["spent"]) == ("finished", 48)
    checked = evo("check", run, "--replay")
    assert checked.returncode == 0, checked.stdout
    assert "41 proposals replayed, 41 individuals came out the same" in checked.stdout
    said = evo("best", run).stdout
    assert "+0.2602 bpb, 95% interval +0.2384 to +0.2821" in said
    assert "+0.260 bits per byte (95% interval 0.238 to 0.282)" in readme
    assert evo("report", run).returncode == 0
    assert "0.2602 ± 0.0051" in (run / "report.html").read_text()


def test_it_opens_and_leaves_nothing_behind() -> None:
    before = sorted(RUN.iterdir())
    assert evo("status", RUN).returncode == 0
    assert sorted(RUN.iterdir()) == before
