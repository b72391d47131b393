"""Disks that are full, limited or read-only: one clear message, nothing acknowledged lost, and a run that goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from run_inspection import assert_complete, assert_no_error, results
from search_driver import Command, Drivers

CONFIG: dict[str, Any] = {"search": {"pop": 4, "gens": 6}, "operators": {"weights": {"random": 1.0}}}
EVALUATOR = {"slots": 2, "seconds": 0.001}
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and become somebody else")


@pytest.fixture
def drivers(tmp_path: Path) -> Iterator[Drivers]:
    with Drivers(tmp_path / "stderr") as drivers:
        yield drivers


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_store_that_cannot_grow(drivers: Drivers, tmp_path: Path) -> None:
    path = tmp_path / "run"
    limited = Command(str(path), CONFIG, evaluator=EVALUATOR, largest_file_bytes=600_000)
    assert drivers.run(limited) == 1
    assert "The store" in drivers.said()
    assert "Traceback" not in drivers.said()
    assert drivers.said().count("\n") == 1
    assert_no_error(path)
    before = results(path)
    assert before
    assert drivers.run(limited) == 1
    assert results(path)[: len(before)] == before
    assert drivers.run(Command(str(path), evaluator=EVALUATOR)) == 0
    assert results(path)[: len(before)] == before
    assert_complete(path)


@needs_root
def test_a_full_disk(drivers: Drivers, small_disk: Path, tmp_path: Path) -> None:
    path = small_disk / "run"
    assert drivers.run(Command(str(path), CONFIG, evaluator=EVALUATOR)) == 1
    assert "Traceback" not in drivers.said()
    assert drivers.said().count("\n") == 1
    assert "`evo resume`" in drivers.said()
    elsewhere = tmp_path / "copy"
    shutil.copytree(path, elsewhere)
    before = results(elsewhere)
    assert drivers.run(Command(str(elsewhere), evaluator=EVALUATOR)) == 0, drivers.said()
    assert results(elsewhere)[: len(before)] == before
    assert_complete(elsewhere)


@needs_root
@pytest.mark.parametrize("part", ["", "lineage.git", "lineage.git/refs", "lineage.git/objects"])
def test_a_folder_that_may_not_be_written(drivers: Drivers, tmp_path: Path, part: str) -> None:
    path = tmp_path / "run"
    assert drivers.run(Command(str(path), {**CONFIG, "search": {"pop": 2, "gens": 2}}, evaluator=EVALUATOR)) == 0
    for one in (path, *path.rglob("*")):
        os.chown(one, NOBODY, NOBODY)
    # The way there and Python's own files must be readable for everybody.
    for one in tmp_path.parents:
        one.chmod(one.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    for one in (path / part, *(path / part).rglob("*")):
        os.chown(one, 0, 0)
    more = {"search": {"gens": 4}}
    code = drivers.run(Command(str(path), changes=more, evaluator=EVALUATOR, user=NOBODY))
    assert code in (1, 2), drivers.said()
    assert "Traceback" not in drivers.said()
    assert drivers.said().count("\n") == 1
    assert_no_error(path)
    assert drivers.run(Command(str(path), changes=more, evaluator=EVALUATOR)) == 0
    assert_complete(path)
