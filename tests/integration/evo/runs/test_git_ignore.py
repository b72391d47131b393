"""Runs are kept out of the repository that they lie in, without a change of the repository itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from evo.runs.repository import ignore


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize("inner", [".", "some project"])
def test_a_folder_of_runs_is_ignored_once(inner: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    exclude = tmp_path / ".git/info/exclude"
    exclude.write_text("# mine")
    project = tmp_path / inner
    (project / "runs").mkdir(parents=True)
    (project / "runs" / "x").touch()
    for _ in range(2):
        ignore(project / "runs")
    assert exclude.read_text() == f"# mine\n/{'' if inner == '.' else inner + '/'}runs/\n"
    assert git(tmp_path, "status", "--short") == ""


def test_what_is_ignored_already_or_lies_in_no_repository_is_left_alone(tmp_path: Path) -> None:
    ignore(tmp_path / "runs")
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("runs/\n")
    before = (tmp_path / ".git/info/exclude").read_text()
    ignore(tmp_path / "runs")
    assert (tmp_path / ".git/info/exclude").read_text() == before
