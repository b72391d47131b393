from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from corpus_texts import documents, json_lines, write_texts
from pyarrow import parquet

from trainer.corpus.documents import Document
from trainer.corpus.hub import HubDataset
from trainer.corpus.sources import EmbeddedSpeeches, find_source
from trainer.corpus.text_files import TextFiles
from trainer.errors import DatasetError


def texts_of(path: Path) -> list[str]:
    return [document.utf8.decode() for document in find_source(str(path)).documents()]


def write_parquet(path: Path, columns: dict[str, list[str | None]]) -> None:
    parquet.write_table(pa.table(columns), path)


def test_names_are_embedded_paths_or_hub_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)

    assert isinstance(find_source("sotu"), EmbeddedSpeeches)
    assert find_source("folder") == TextFiles(tmp_path / "folder")
    assert find_source("acme/poems:french") == HubDataset("acme/poems:french")


@pytest.mark.parametrize(
    "dataset", ["", "no/such/folder", "./absent", "/absent", "absent.txt", "a b", "-x", "x" * 5000]
)
def test_what_is_neither_a_path_nor_a_name_is_refused(dataset: str) -> None:
    with pytest.raises(DatasetError, match="Expected"):
        find_source(dataset)


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.txt").write_text("hidden")
    (tmp_path / "b.md").write_text("two")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\n")
    (tmp_path / "c.csv").write_text("no,text")
    (tmp_path / "sub" / "d.jsonl").write_text('{"text": "three"}\n\n{"text": "four", "more": 1}\n')
    write_parquet(tmp_path / "sub" / "e.parquet", {"id": ["1", "2"], "text": ["five", None]})

    assert list(find_source(str(tmp_path)).documents()) == [
        Document("a.txt", b"one\r\n"),
        Document("b.md", b"two"),
        Document("sub/d.jsonl", b"three"),
        Document("sub/d.jsonl", b"four"),
        Document("sub/e.parquet", b"five"),
    ]


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "POEM.TXT").write_text("verse")

    assert texts_of(tmp_path / "POEM.TXT") == ["verse"]


def test_a_long_file_is_read_in_chunks_that_join_to_it(tmp_path: Path) -> None:
    text = documents(1, words=100)[0] * 30_000  # about 20 MB
    (tmp_path / "long.txt").write_text(text)

    chunks = texts_of(tmp_path)

    assert len(chunks) > 1
    assert "".join(chunks) == text


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("bad.txt", b"good \xff bad", r"bad\.txt is not, at byte 5"),
        ("bad.md", "é".encode("utf-16"), r"bad\.md is not"),
        ("bad.jsonl", b'{"text": "x"}\nnonsense\n', r"line 2 of .*bad\.jsonl"),
        ("bad.jsonl", b'{"text": "\xff"}\n', r"line 1 of .*bad\.jsonl"),
        ("bad.jsonl", b'{"content": "x"}\n', r'"text" in line 1 of .*bad\.jsonl.*content'),
        ("bad.jsonl", b'["text"]\n', r"line 1 of .*bad\.jsonl"),
        ("bad.jsonl", json.dumps({"text": "a\ud800"}).encode(), r"line 1 of bad\.jsonl, .* lone surrogate"),
        ("bad.parquet", b"not parquet", r"parquet file .*bad\.parquet"),
        ("bad.pdf", b"text", r"\.txt, \.md, \.jsonl, \.parquet at .*, but found none"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DatasetError, match=complaint):
        texts_of(tmp_path)


def test_a_parquet_file_without_text_names_its_columns(tmp_path: Path) -> None:
    write_parquet(tmp_path / "x.parquet", {"content": ["a"]})

    with pytest.raises(DatasetError, match=r"column `text` in .*x\.parquet, but its columns are content"):
        texts_of(tmp_path)


def test_an_empty_folder_a_dead_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found none"):
        texts_of(tmp_path)
    (tmp_path / "a.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"a\.txt"):
        texts_of(tmp_path)
    (tmp_path / "a.txt").unlink()
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(DatasetError, match=r"ordinary file, but .*a\.txt"):
        texts_of(tmp_path)


def test_the_fingerprint_changes_with_the_files(tmp_path: Path) -> None:
    source = find_source(str(write_texts(tmp_path, ["one", "two"])))
    before = source.fingerprint()
    assert source.fingerprint() == before

    (tmp_path / "0000.txt").write_text("other")

    assert source.fingerprint() != before


def test_a_missing_package_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")

    with pytest.raises(DatasetError, match=r"pip install evo-train\[hub\]"):
        list(HubDataset("acme/poems").documents())
    with pytest.raises(DatasetError, match=r"pip install evo-train\[parquet\]"):
        texts_of(tmp_path)


def test_hub_datasets_are_streamed_by_the_datasets_package(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(json_lines(["one", "two"]))

    assert list(HubDataset(str(tmp_path)).documents()) == [
        Document(str(tmp_path), b"one"),
        Document(str(tmp_path), b"two"),
    ]


def test_a_hub_dataset_may_have_another_column_if_only_one_holds_text(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"id": 1, "content": "one"}\n')
    assert [document.utf8 for document in HubDataset(str(tmp_path)).documents()] == [b"one"]

    (tmp_path / "train.jsonl").write_text('{"title": "x", "content": "one"}\n')
    with pytest.raises(DatasetError, match="its columns are title, content"):
        list(HubDataset(str(tmp_path)).documents())


def test_the_hub_refuses_an_unknown_configuration(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"text": "one"}\n')

    with pytest.raises(DatasetError, match="'nonesuch' not found"):
        list(HubDataset(f"{tmp_path}:nonesuch").documents())


def test_the_embedded_speeches_are_the_expected_text() -> None:
    speeches = list(EmbeddedSpeeches().documents())

    assert len(speeches) == 249
    assert speeches[0].source == "1790-Washington-1"
    assert sum(len(speech.utf8) for speech in speeches) == 12_186_247 - 2 * 248
    assert "sotu" not in sys.modules


def test_another_text_in_the_sotu_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_texts(tmp_path / "sotu" / "data" / "speeches", ["Fellow citizens"])
    (tmp_path / "sotu" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(DatasetError, match=r"sha256 5cb26a396719…, but .* sotu==0\.1\.2"):
        list(EmbeddedSpeeches().documents())
