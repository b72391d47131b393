"""Runs in folders that can only be read: finished ones show everything, killed ones say what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from searches import GENOME, configuration, searched
from stand_in_evaluator import StandInEvaluator

from evo.config.resolution import resolve
from evo.errors import ReportError, StoreError
from evo.report.writing import write_report
from evo.runs import lifecycle as runs
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.status import State, read_status
from evo.store import Store


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Make a folder one that nobody can write, root included."""
    if os.geteuid():
        path.chmod(0o555)
        yield
        path.chmod(0o755)
        return
    mounted = subprocess.run(["mount", "--bind", path, path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_finished_run_can_be_looked_at(tmp_path: Path) -> None:
    path, page = tmp_path / "run", tmp_path / "page.html"
    searched(path, resolve(configuration(2, 3)), StandInEvaluator(GENOME))
    with read_only(path):
        with runs.view(path) as viewed:
            status = read_status(viewed)
            assert (status.state, status.summary.result_number) == (State.FINISHED, 6)
            assert write_report(viewed, page) == page
            with pytest.raises(ReportError, match=r"Read-only file system|Permission denied") as refused:
                write_report(viewed)
        assert check_run(path) == []
        assert sorted(one.name for one in path.iterdir() if one.name.startswith("evo.db")) == ["evo.db"]
    assert "--out" in str(refused.value)
    assert page.stat().st_size


def test_a_killed_run_is_refused_until_it_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "run"
    searched(path, configuration(2, 3), StandInEvaluator(GENOME))
    killed = tmp_path / "killed"
    with Store.open(RunFolder(path).store) as store:
        store.set_meta("newest", "row")
        shutil.copytree(path, killed, ignore=shutil.ignore_patterns("evo.db-shm"))  # what a kill and a copy leave
    with (
        read_only(killed),
        pytest.raises(StoreError, match=r"its newest rows are in evo\.db-wal.* copy it whole"),
        runs.view(killed),
    ):
        pass
    with runs.view(killed) as viewed:
        assert viewed.store.meta("newest") == "row"
