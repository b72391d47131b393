"""Run folders of an older version: everything that it printed is printed today, and its killed run goes on.

`tests/data/old_runs/README.md` says how they were made.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from command_line import evo
from run_inspection import assert_complete, results

from evo.store import Store

DATA = Path(__file__).parents[1] / "data" / "old_runs"
EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))


def unpack(folder: Path) -> Path:
    for archive in DATA.glob("*.tar.gz"):
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the old runs, which no test may write to."""
    return unpack(tmp_path_factory.mktemp("old"))


def without_sentences(printed: Any) -> Any:
    """Return printed JSON without what is worded for people and not stored, and without the last digits of sums."""
    if isinstance(printed, float):
        return float(f"{printed:.12g}")
    if isinstance(printed, dict):
        worded = {"message"} | ({"reason"} if printed.get("state") == "killed" else set())
        return {name: bool(value) if name in worded else without_sentences(value) for name, value in printed.items()}
    return [without_sentences(value) for value in printed] if isinstance(printed, list) else printed


def with_keys_of(older: Any, printed: Any) -> Any:
    """Return printed JSON without the keys that have come since."""
    match older, printed:
        case dict(), dict():
            return {name: with_keys_of(older.get(name), value) for name, value in printed.items() if name in older}
        case list(), list() if len(older) == len(printed):
            return [with_keys_of(*pair) for pair in zip(older, printed, strict=True)]
    return printed


@pytest.mark.parametrize("command", EXPECTED)
def test_commands_print_what_the_older_version_printed(folder: Path, command: str) -> None:
    done = evo(*command.split()[1:], cwd=folder)
    assert done.returncode == 0, done.stderr
    printed = with_keys_of(EXPECTED[command], json.loads(done.stdout))
    assert without_sentences(printed) == without_sentences(EXPECTED[command])


def test_the_report_is_written(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = evo("report", "language-model", "--out", page, cwd=folder)
    assert done.returncode == 0, done.stderr
    best = EXPECTED["evo best language-model --json"]["best"]
    written = page.read_text(encoding="utf-8")
    assert f"{best['objectives']['val_bpb']:.4f}" in written
    assert best["idea"] in written


def test_nothing_runs_of_a_run_whose_driver_was_killed(folder: Path) -> None:
    with Store.read(folder / "killed-script" / "evo.db") as store:
        cut_off = store.running()[0].individual
    shown = evo("show", "killed-script", str(cut_off), "--json", cwd=folder)
    (evaluation,) = json.loads(shown.stdout)["evaluations"]
    assert (evaluation["state"], evaluation["attempts"][-1]["state"]) == ("interrupted", "interrupted")
    printed = evo("show", "killed-script", str(cut_off), cwd=folder).stdout
    assert " interrupted " in printed
    assert "running" not in printed


def test_a_killed_run_goes_on_to_its_end(tmp_path: Path) -> None:
    unpack(tmp_path)
    run = tmp_path / "killed-script"
    config = run / "config.toml"
    before = results(run)
    assert len(before) == 11
    # The project lies elsewhere than when the run was begun.
    config.write_text(config.read_text().replace("/tmp/evo-example/script", str(tmp_path / "script")))
    refused = evo("resume", run)
    assert refused.returncode == 2
    assert "--accept-changes" in refused.stderr
    done = evo("resume", run, "--accept-changes")
    assert done.returncode == 0, done.stderr
    assert "24 of 24 evaluations" in done.stdout
    assert_complete(run)
    assert results(run)[:11] == before
    replayed = json.loads(evo("check", run, "--replay", "--json").stdout)
    assert (replayed["violations"], replayed["replay"]["difference"]) == ([], None)


def test_a_killed_run_goes_on_though_its_configuration_was_emptied(tmp_path: Path) -> None:
    unpack(tmp_path)
    run = tmp_path / "killed-script"
    (run / "config.toml").write_text("")
    for command in ("status", "best", "report"):
        done = evo(command, run)
        assert done.returncode == 0, done.stderr
    assert "config.toml is empty; `evo resume` writes it again" in evo("check", run).stdout
    # The project of this run lies elsewhere, which is found after the file is there again.
    assert "was written again from the store" in evo("resume", run).stderr
    assert "[task]" in (run / "config.toml").read_text()
