"""`evo compare` on a script that takes some milliseconds: stopped, killed, gone on with, and counted."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import evo, running, wait_until
from script_runs import write_files

FILES = {
    "run.py": """
        import os
        import time

        WIDTH = 2.0
        RATE = 0.5

        time.sleep(0.02)
        noise = int(os.environ["EVO_SEED"]) % 7
        print(f"score: {10 - abs(WIDTH - 5) - abs(RATE - 0.1) + 0.001 * noise:.6f}")
        """,
    "e.toml": """
        name = "small"
        repeats = 1
        first_seed = 3
        budget.evaluations = 12
        outcome.seeds = 2

        [base]
        search.pop = 4
        workers = { count = 2, devices = ["cpu"] }

        [base.task]
        kind = "script"
        genome = "run.py"
        command = "python run.py"
        objectives.score = { direction = "maximize", pattern = '^score: (\\S+)' }

        [[arms]]
        name = "random"
        method = "random_mutation"

        [[arms]]
        name = "constants"
        method = "random_constants"

        [[arms]]
        name = "broken"
        method = "random_search"
        """,
}


def results(folder: Path) -> int:
    """Return how many results the runs have together."""
    count = 0
    for store in folder.glob("block-*/*/evo.db"):
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'evaluations'").fetchone()[0]:
                count += database.execute("SELECT count(told) FROM evaluations").fetchone()[0]
    return count


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, str]:
    """Return a folder with an experiment that was killed, stopped, and gone on with; one of its runs was damaged."""
    project = write_files(tmp_path_factory.mktemp("compare"), FILES)
    folder = project / "out"
    arguments = ("compare", project / "e.toml", "--out", folder)
    with running(*arguments) as command:
        wait_until(lambda: results(folder) >= 2)
        command.finish(signal.SIGKILL)  # and gone on with before its runs have noticed
    killed = results(folder)
    with running(*arguments) as command:
        wait_until(lambda: results(folder) >= killed + 2)
        assert command.finish(signal.SIGINT) == 1
        said = "".join(command.err)
    assert "The same command resumes." in said
    assert "Traceback" not in said
    broken = folder / "block-01" / "broken"
    broken.mkdir(parents=True, exist_ok=True)
    for path in broken.glob("evo.db*"):
        path.unlink()
    (broken / "evo.db").write_bytes(b"no database" * 100)
    if not (broken / "config.toml").exists():
        other = next(one for one in ("random", "constants") if (broken.parent / one / "config.toml").exists())
        (broken / "config.toml").write_bytes((broken.parent / other / "config.toml").read_bytes())
    done = evo(*arguments, "--json")
    assert done.returncode == 1
    return folder, json.loads(done.stdout), done.stderr


def test_every_run_spends_its_budget_once_though_it_was_killed(experiment: tuple[Path, Any, str]) -> None:
    folder, report, _ = experiment
    runs = {one["arm"]: one for one in report["runs"]}
    for arm in ("random", "constants"):
        assert runs[arm]["state"] == "finished"
        assert runs[arm]["evaluations"] == 12
        assert runs[arm]["seed"] == 3
        assert evo("check", folder / "block-01" / arm).stdout.endswith("is in order\n")


def test_a_run_that_fails_is_counted_with_its_reason(experiment: tuple[Path, Any, str]) -> None:
    _, report, said = experiment
    (broken,) = [one for one in report["runs"] if one["arm"] == "broken"]
    assert broken["state"] == "failed"
    assert "evo.db" in broken["reason"]
    assert broken["outcome"] == broken["generation_zero"] == pytest.approx(6.6, abs=0.01)
    assert re.search(r"✗ block 1, broken: failed: ", said)
    assert not report["complete"]


def test_the_outcome_is_measured_with_seeds_that_no_search_used(experiment: tuple[Path, Any, str]) -> None:
    folder, report, _ = experiment
    block = folder / "block-01"
    judged = json.loads((block / "generation-zero.json").read_text())["measurements"]
    fresh = {one["seed"] for one in judged}
    assert len(fresh) == 2
    for arm in ("random", "constants"):
        with closing(sqlite3.connect(f"file:{block / arm / 'evo.db'}?mode=ro", uri=True)) as database:
            assert not fresh & {seed for (seed,) in database.execute("SELECT seed FROM evaluations")}
        (run,) = [one for one in report["runs"] if one["arm"] == arm]
        if run["chosen"]:
            own = json.loads((block / arm / "outcome-final.json").read_text())["measurements"]
            assert {one["seed"] for one in own} == fresh
            assert run["outcome"] == pytest.approx(sum(one["objectives"]["score"] for one in own) / 2)
        else:
            assert run["outcome"] == run["generation_zero"]


def test_the_tables_hold_what_was_used_up_to_each_result(experiment: tuple[Path, Any, str]) -> None:
    folder, report, _ = experiment
    progress = pd.read_csv(folder / "progress.csv")
    for run in report["runs"]:
        rows = progress[progress["arm"] == run["arm"]]
        assert [*rows["evaluations"]] == [*range(1, int(run["evaluations"]) + 1)]
        assert rows["gpu_seconds"].is_monotonic_increasing
        if len(rows):
            assert rows["gpu_seconds"].iloc[-1] == pytest.approx(run["gpu_seconds"])
            assert rows["usd"].iloc[-1] == pytest.approx(run["gpu_seconds"] / 3600 * 2.0)
    assert set(pd.read_csv(folder / "points.csv").columns) == {"arm", "repeat", "individual", "score", "run_seconds"}


def test_the_report_says_what_the_runs_say(experiment: tuple[Path, Any, str]) -> None:
    folder, report, _ = experiment
    page, markdown = (Path(report["report"]).read_text(), (folder / "report.md").read_text())
    assert report["headline"] == "Too few runs for a claim about constants and broken"
    for text in (report["headline"], "random: 1 of 1 run finished.", "12 evaluations", "seeds are fresh, the data are"):
        assert text in page
        assert text in markdown
    assert {*re.findall(r'data-figure="figure-(\w+)"', page)} >= {"outcomes", "anytime"}
    assert [*pd.read_csv(folder / "comparisons.csv")["verdict"]] == ["too few runs"] * 2


def test_another_experiment_is_not_mixed_in(experiment: tuple[Path, Any, str]) -> None:
    folder, _, _ = experiment
    changed = folder.parent / "changed.toml"
    changed.write_text((folder.parent / "e.toml").read_text().replace("evaluations = 12", "evaluations = 16"))
    refused = evo("compare", changed, "--out", folder)
    assert refused.returncode == 2
    assert "`budget.evaluations` was 12 and is 16" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_its_figures_can_be_drawn(experiment: tuple[Path, Any, str], tmp_path: Path) -> None:
    folder, report, _ = experiment
    done = evo("plot", "compare", folder.parent / "e.toml", "--folder", folder, "--out", tmp_path / "methods.svg")
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        f"methods{part}.{ending}" for part in ("", "-anytime", "-attainment") for ending in ("svg", "csv")
    }
    assert len(pd.read_csv(tmp_path / "methods.csv")) == len(report["runs"])
