from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from corpus_texts import documents, json_lines, write_texts

from trainer.corpus import Corpus, default_cache, load, prepare
from trainer.corpus.manifest import WHOLE_FILE_BYTES, Manifest, record
from trainer.corpus.vocabulary import Vocabulary
from trainer.errors import DatasetError, MachineError
from trainer.evaluation import Split

TEXTS = documents(70)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("some texts"), TEXTS)


@pytest.fixture
def corpus(folder: Path, tmp_path: Path) -> Corpus:
    return prepare(str(folder), vocab_size=300, cache=tmp_path)


def decode(corpus: Corpus, tokens: np.ndarray) -> list[str]:
    """Return the documents that token ids stand for, each preceded by the separator."""
    words = Vocabulary.load(corpus.folder / "vocabulary.json").tokens
    assert tokens[0] == corpus.separator
    starts = np.flatnonzero(tokens == corpus.separator)
    pieces = np.split(tokens, starts[1:])
    return [b"".join(words[token] for token in piece[1:]).decode() for piece in pieces]


def all_parts(corpus: Corpus) -> dict[str, list[str]]:
    train = np.fromfile(corpus.train_path, "<i4")
    held_out = {split.value: decode(corpus, corpus.held_out(split)) for split in Split}
    return {"train": decode(corpus, train)} | held_out


def test_every_document_is_in_exactly_one_part_and_unchanged(corpus: Corpus) -> None:
    parts = all_parts(corpus)

    assert sorted(text for texts in parts.values() for text in texts) == sorted(TEXTS)
    assert [len(parts[part]) for part in ("train", "S", "G", "F")] == [58, 4, 4, 4]


def test_the_corpus_describes_its_files(corpus: Corpus, folder: Path) -> None:
    tokens = np.fromfile(corpus.train_path, "<i4")

    assert corpus.name == folder.name
    assert (corpus.vocab_size, corpus.separator, corpus.token_bytes.shape) == (300, 299, (300,))
    assert corpus.train_tokens == len(tokens)
    assert corpus.held_out(Split.FINAL).dtype == np.int32
    for split in Split:
        tokens = corpus.held_out(split)
        assert corpus.parts[split.value].tokens == len(tokens)
        assert corpus.parts[split.value].bytes == corpus.token_bytes[tokens].sum()


def test_nothing_but_the_files_of_the_manifest_is_left(corpus: Corpus) -> None:
    manifest = json.loads((corpus.folder / "manifest.json").read_text())

    assert {path.name for path in corpus.folder.iterdir()} == {*manifest["files"], "manifest.json"}
    assert not list(corpus.folder.parent.glob(".*.partial"))


def test_preparing_again_does_no_work(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    stages: list[str] = []

    again = prepare(str(folder), vocab_size=300, cache=tmp_path, progress=lambda stage, *_: stages.append(stage))

    assert again == corpus
    assert stages == []


def test_loading_gives_an_equal_corpus_that_can_be_sent_to_processes(corpus: Corpus) -> None:
    loaded = pickle.loads(pickle.dumps(load(corpus.folder)))

    assert loaded == corpus
    assert (loaded.token_bytes == corpus.token_bytes).all()


def test_the_same_documents_give_the_same_digest_wherever_they_lie(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "same.jsonl").write_text(json_lines(TEXTS))

    same = prepare(str(tmp_path / "same.jsonl"), vocab_size=300, cache=tmp_path)
    other = prepare(str(tmp_path / "same.jsonl"), vocab_size=301, cache=tmp_path)

    assert same.digest == corpus.digest
    assert other.digest != corpus.digest


def test_changed_files_are_prepared_anew_and_the_old_corpus_stays(tmp_path: Path) -> None:
    folder = write_texts(tmp_path / "texts", TEXTS)
    before = prepare(str(folder), vocab_size=300, cache=tmp_path)
    (folder / "0000.txt").write_text("something else")

    after = prepare(str(folder), vocab_size=300, cache=tmp_path)

    assert after.digest != before.digest
    assert load(before.folder) == before


def test_near_duplicates_never_reach_a_corpus(tmp_path: Path, corpus: Corpus) -> None:
    copies = [text.replace(" ", "  ").upper() for text in TEXTS]
    edited = [text + " The end." for text in TEXTS]
    folder = write_texts(tmp_path / "texts", [*TEXTS, *copies, *edited])

    assert prepare(str(folder), vocab_size=300, cache=tmp_path).digest == corpus.digest


def test_one_long_text_is_cut_into_documents(tmp_path: Path) -> None:
    text = "\n\n".join(documents(100))
    (tmp_path / "book.txt").write_text(text)

    parts = all_parts(prepare(str(tmp_path / "book.txt"), vocab_size=300, cache=tmp_path))

    pieces = [piece for texts in parts.values() for piece in texts]
    assert len(pieces) > 60
    assert sum(map(len, pieces)) == len(text)
    assert all(piece in text for piece in pieces)
    assert all(0.02 < len("".join(parts[part])) / len(text) < 0.1 for part in ("S", "G", "F"))


def test_text_that_names_special_tokens_is_ordinary_text(tmp_path: Path) -> None:
    texts = [f"<|endoftext|> <|bos|> {text}" for text in TEXTS]

    corpus = prepare(str(write_texts(tmp_path / "texts", texts)), vocab_size=300, cache=tmp_path)

    assert sorted(text for part in all_parts(corpus).values() for text in part) == sorted(texts)


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ([" \n", "\t"], "holds none"),
        (["a few words"], "at least 20 different documents"),
        (TEXTS[:1] * 100, r"has 1 \(99 near-duplicates were removed\)"),
        ([f"line {number}" for number in range(50)], "at least 1024 tokens"),
    ],
)
def test_too_little_text_is_refused_and_leaves_nothing(tmp_path: Path, texts: list[str], complaint: str) -> None:
    folder = write_texts(tmp_path / "texts", texts)

    with pytest.raises(DatasetError, match=complaint):
        prepare(str(folder), vocab_size=257, cache=tmp_path / "cache")

    assert not [path for path in (tmp_path / "cache" / "corpora").iterdir() if path.is_dir()]


def test_too_large_a_vocabulary_for_the_text_names_one_that_fits(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--vocab-size"):
        prepare(str(folder), vocab_size=60_000, cache=tmp_path)


def test_bad_arguments_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--vocab-size must be between"):
        prepare(vocab_size=256, cache=tmp_path / "cache")
    with pytest.raises(DatasetError, match="no file or folder"):
        prepare("./absent", cache=tmp_path / "cache")

    assert not (tmp_path / "cache").exists()


def test_files_that_change_while_they_are_read_are_refused(tmp_path: Path) -> None:
    folder = write_texts(tmp_path / "texts", TEXTS)

    def interfere(stage: str, done: int, _total: int) -> None:
        if stage == "read" and not done:
            (folder / "late.txt").write_text("too late")

    with pytest.raises(DatasetError, match="changed while they were read"):
        prepare(str(folder), vocab_size=300, cache=tmp_path, progress=interfere)


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_machine(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MachineError, match="EVO_CACHE"):
        prepare(str(folder), cache=tmp_path / "file")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
@pytest.mark.parametrize("name", ["train.i32", "S.i32", "G.i32", "F.i32", "vocabulary.json", "manifest.json"])
def test_damage_is_named_with_the_command_and_repaired(
    corpus: Corpus, folder: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(corpus.folder / name)

    with pytest.raises(DatasetError, match=rf"{name}.*evo prepare") as error:
        load(corpus.folder)
    if name != "manifest.json":  # it holds what the full command is made from
        assert f"evo prepare --dataset '{folder}' --vocab-size 300" in str(error.value)
    assert prepare(str(folder), vocab_size=300, cache=tmp_path) == corpus
    assert load(corpus.folder) == corpus


def test_a_changed_count_in_the_manifest_is_damage(corpus: Corpus) -> None:
    path = corpus.folder / "manifest.json"
    path.write_text(path.read_text().replace(f'"tokens": {corpus.train_tokens}', '"tokens": 1'))

    with pytest.raises(DatasetError, match=r"manifest\.json: its checksum differs"):
        load(corpus.folder)


def test_very_large_files_are_checked_by_size_and_edges(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "large.i32"
    path.touch()
    os.truncate(path, WHOLE_FILE_BYTES + 1)  # sparse: it takes no space
    manifest = replace(Manifest.load(corpus.folder), files={path.name: record(path)})
    manifest.verify(tmp_path)

    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")

    with pytest.raises(DatasetError, match=r"large\.i32: its beginning or end has another checksum"):
        manifest.verify(tmp_path)


def test_of_a_too_large_source_the_beginning_is_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("trainer.corpus.preparation.TEXT_LIMIT_BYTES", sum(len(text.encode()) for text in TEXTS[:50]))

    parts = all_parts(limited := prepare(str(folder), vocab_size=300, cache=tmp_path))

    assert sorted(text for texts in parts.values() for text in texts) == sorted(TEXTS[:50])
    assert not json.loads((limited.folder / "manifest.json").read_text())["complete"]
    assert "first 50 documents" in caplog.text


def test_a_folder_without_a_corpus_and_one_of_another_version(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"there is no .*evo prepare"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(DatasetError, match="another version"):
        load(tmp_path)


def test_the_cache_is_chosen_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVO_CACHE", str(tmp_path))
    assert default_cache() == tmp_path

    monkeypatch.setenv("EVO_CACHE", "")
    assert default_cache().name == "evo"
