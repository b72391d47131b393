"""Where a run goes that names no folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from evo.config.options import RUNS, new_run_folder
from trainer.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_no_two_runs_get_the_same_folder_and_an_unused_one_goes() -> None:
    with ExitStack() as runs:
        folders = [runs.enter_context(new_run_folder(None)) for _ in range(20)]
        assert len(set(folders)) == 20
        (folders[3] / "evo.db").touch()
    assert list(RUNS.iterdir()) == [folders[3]]


def test_nothing_is_left_of_a_run_that_did_not_begin() -> None:
    with pytest.raises(UsageError), new_run_folder(None):
        raise UsageError
    assert not RUNS.exists()


def test_a_named_folder_is_left_alone() -> None:
    with new_run_folder("mine") as folder:
        assert folder == Path("mine")
    assert not folder.exists()


def test_a_place_where_no_folder_can_be_made_is_said() -> None:
    RUNS.write_text("a file")
    with pytest.raises(UsageError, match="could not be made"), new_run_folder(None):
        pass
