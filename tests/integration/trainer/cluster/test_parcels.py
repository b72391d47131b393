"""Data on their way to a node: the same files, once, under the digest of their content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from trainer_runs import tiny_corpus

from trainer.cluster.parcels import CORPUS, FROZEN, Content, pack, unpack
from trainer.errors import MachineError
from trainer.script import freeze


def sent(path: Path) -> list[Callable[[], bytes]]:
    return [lambda chunk=chunk: chunk for chunk in pack(path, lambda data: data)]  # type: ignore[misc]


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what arrives in a folder of the test's."""
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "node"))
    return tmp_path / "node"


def test_a_folder_arrives_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/run.sh").write_text("#!/bin/sh\n")
    (folder / "inner/run.sh").chmod(0o755)
    (tmp_path / "elsewhere.txt").write_text("linked")
    (folder / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    (folder / "loop").symlink_to(folder)
    (frozen,) = freeze(["data"], tmp_path)
    content = Content(FROZEN, frozen.sha256, "data")
    assert not content.is_sound()
    unpack(content, sent(folder))
    assert content.is_sound()
    assert (content.place / "inner/run.sh").stat().st_mode & 0o111
    assert (content.place / "link.txt").read_text() == "linked"


def test_what_is_there_is_not_written_again_but_mended_where_it_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1 2 3")
    (frozen,) = freeze(["data.txt"], tmp_path)
    content = Content(FROZEN, frozen.sha256, "data.txt")
    unpack(content, sent(tmp_path / "data.txt"))
    before = content.place.stat()
    unpack(content, [])
    assert content.place.stat() == before
    content.place.write_text("1 2 4")
    assert not content.is_sound()
    unpack(content, sent(tmp_path / "data.txt"))
    assert content.place.read_text() == "1 2 3"


def test_what_arrives_otherwise_than_it_was_sent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1 2 3")
    (frozen,) = freeze(["data.txt"], tmp_path)
    (tmp_path / "data.txt").write_text("1 2 4")
    content = Content(FROZEN, frozen.sha256, "data.txt")
    with pytest.raises(MachineError, match=r"data\.txt arrived in .* with another content"):
        unpack(content, sent(tmp_path / "data.txt"))
    assert not content.is_sound()
    with pytest.raises(MachineError, match=r"data\.txt could not be kept"):
        unpack(content, [lambda: b"no archive"])


def test_a_corpus_arrives_with_its_checksums(tmp_path_factory: pytest.TempPathFactory) -> None:
    corpus = tiny_corpus(tmp_path_factory)
    content = Content(CORPUS, corpus.digest, corpus.folder.name)
    unpack(content, sent(corpus.folder))
    assert content.is_sound()
    damaged = content.place / "train.i32"
    damaged.write_bytes(damaged.read_bytes()[::-1])
    assert not content.is_sound()
