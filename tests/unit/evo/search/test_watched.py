"""A file that a user edits is read when it has another text that can be used, and not while it is written."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from evo.search.observer import Deferred, Observer
from evo.search.watched import WatchedFile


class Notes(Observer):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def watched(path: Path, notes: Notes, settle_seconds: float = 3600.0) -> WatchedFile:
    return WatchedFile(path, Deferred(notes), settle_seconds)


def write(path: Path, data: str | bytes, age_seconds: float = 7200.0) -> None:
    """Write a file as if so long ago; a second more or less tells one edit from another."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    then = time.time() - age_seconds
    os.utime(path, (then, then))


def said(file: WatchedFile, notes: Notes) -> list[str]:
    file._news.report()
    return notes.said


def test_each_text_is_told_once(tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "program.md"
    file = watched(path, notes)
    assert file.changed() is None
    write(path, "one")
    assert [file.changed(), file.changed()] == ["one", None]
    write(path, "two", 7100.0)
    assert [file.changed(), file.changed()] == ["two", None]
    write(path, "three", 7000.0)
    file.skip()
    assert file.changed() is None
    assert said(file, notes) == []


def test_an_edit_is_read_once_it_has_settled_and_a_first_text_at_once(tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "program.md"
    write(path, "whole", age_seconds=0.0)
    file = watched(path, notes)
    assert file.changed() == "whole"
    write(path, "hal", age_seconds=-60.0)  # written just now, by a clock that is ahead
    assert [file.changed(), file.changed()] == [None, None]
    write(path, "", age_seconds=0.0)  # an editor has emptied it to write it again
    assert file.changed() is None
    write(path, "half and half", age_seconds=7000.0)
    assert file.changed() == "half and half"


def test_without_a_pause_an_edit_is_read_at_once(tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "lessons.md"
    file = watched(path, notes, settle_seconds=0.0)
    for number, text in enumerate(("one", "two")):
        write(path, text, age_seconds=-number)
        assert file.changed() == text


@pytest.mark.parametrize("data", [b"\xff\xfe\xff", b"x" * 100_001])
def test_what_cannot_be_used_is_said_once(data: bytes, tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "program.md"
    file = watched(path, notes)
    write(path, data)
    assert [file.changed(), file.changed()] == [None, None]
    assert len(said(file, notes)) == 1
    write(path, "mended", 7100.0)
    assert file.changed() == "mended"


@pytest.mark.parametrize("device", [None, "/dev/zero"])
def test_a_pipe_and_a_device_are_not_waited_for(device: str | None, tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "program.md"
    path.symlink_to(device) if device else os.mkfifo(path)
    file = watched(path, notes)
    assert [file.changed(), file.changed()] == [None, None]
    assert "a pipe or a device" in "".join(said(file, notes))


def test_a_file_that_is_gone_is_said_once_and_may_come_back(tmp_path: Path, notes: Notes) -> None:
    path = tmp_path / "program.md"
    write(path, "one")
    file = watched(path, notes)
    assert file.changed() == "one"
    path.unlink()
    assert [file.changed(), file.changed()] == [None, None]
    assert said(file, notes) == [f"{path} is gone; prompts keep its last text."]
    write(path, "ba", age_seconds=0.0)  # not all of it is there yet
    assert file.changed() is None
    write(path, "back", 7100.0)
    assert file.changed() == "back"
