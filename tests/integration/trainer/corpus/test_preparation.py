"""Preparations that meet: started together, killed in the middle, served over HTTP; and the embedded corpus itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from corpus_texts import documents, json_lines, write_texts
from hub_server import HubServer

from trainer.corpus import Corpus, load, prepare
from trainer.evaluation import Split

PREPARE = """
import sys
from pathlib import Path
from trainer.corpus import prepare

dataset, cache, stop_at = sys.argv[1:]
stages = []

def progress(stage, done, total):
    if stage not in stages:
        stages.append(stage)
        print(stage, flush=True)
        if stage == stop_at:
            sys.stdin.readline()

corpus = prepare(dataset, vocab_size=300, cache=Path(cache), progress=progress)
assert "torch" not in sys.modules
print("digest", corpus.digest, flush=True)
"""
"""Prints each stage as it begins, and waits at `stop_at` for a line on its standard input."""


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return write_texts(tmp_path / "texts", documents(70))


@contextmanager
def preparation(
    dataset: str | Path, cache: Path, stop_at: str = "", environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PREPARE, str(dataset), str(cache), stop_at]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=os.environ | (environment or {})
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], stage: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if line.strip() == stage:
            return
    assert process.stderr
    pytest.fail(f"{stage!r} never came: {process.stderr.read()}")


def partial_folders(cache: Path) -> list[Path]:
    return list((cache / "corpora").glob(".*.partial"))


@pytest.mark.parametrize("stage", ["read", "compare", "vocabulary", "encode"])
def test_a_killed_preparation_leaves_only_what_the_next_one_removes(texts: Path, tmp_path: Path, stage: str) -> None:
    with preparation(texts, tmp_path, stop_at=stage) as process:
        wait_for(process, stage)
        process.kill()
        process.wait()
    assert len(partial_folders(tmp_path)) == 1
    assert not [path for path in (tmp_path / "corpora").iterdir() if not path.name.startswith(".")]

    corpus = prepare(str(texts), vocab_size=300, cache=tmp_path)

    assert load(corpus.folder) == corpus
    assert partial_folders(tmp_path) == []


def test_of_two_preparations_at_once_one_works_and_both_succeed(texts: Path, tmp_path: Path) -> None:
    with preparation(texts, tmp_path, stop_at="encode") as first:
        wait_for(first, "encode")  # it holds the lock before the second starts
        with preparation(texts, tmp_path) as second:
            wait_for(second, "wait for another preparation")
            first_output, _ = first.communicate("go on\n")
            second_output, _ = second.communicate()

    corpus = prepare(str(texts), vocab_size=300, cache=tmp_path)
    assert first_output.splitlines()[-1] == f"digest {corpus.digest}"
    assert second_output.splitlines() == [f"digest {corpus.digest}"]


def test_a_waiting_preparation_takes_over_from_a_killed_one(texts: Path, tmp_path: Path) -> None:
    with preparation(texts, tmp_path, stop_at="encode") as first:
        wait_for(first, "encode")  # it holds the lock before the second starts
        with preparation(texts, tmp_path) as second:
            wait_for(second, "wait for another preparation")
            first.kill()
            output, _ = second.communicate()

    assert output.splitlines()[:-1] == ["read", "compare", "vocabulary", "encode"]
    assert second.returncode == 0
    assert partial_folders(tmp_path) == []


def test_many_preparations_started_together_agree(texts: Path, tmp_path: Path) -> None:
    with (
        preparation(texts, tmp_path) as one,
        preparation(texts, tmp_path) as two,
        preparation(texts, tmp_path) as three,
    ):
        outputs = [process.communicate()[0] for process in (one, two, three)]

    assert len({output.splitlines()[-1] for output in outputs}) == 1
    assert sum("encode" in output.splitlines() for output in outputs) == 1


def test_a_partial_folder_in_use_is_left_alone(texts: Path, tmp_path: Path) -> None:
    other = write_texts(tmp_path / "other", documents(70, seed=1))
    with preparation(texts, tmp_path, stop_at="encode") as process:
        wait_for(process, "encode")
        prepare(str(other), vocab_size=300, cache=tmp_path)
        assert len(partial_folders(tmp_path)) == 1
        output, _ = process.communicate("go on\n")

    assert output.splitlines()[-1].startswith("digest ")


def test_what_a_killed_preparation_of_another_dataset_left_is_removed(texts: Path, tmp_path: Path) -> None:
    other = write_texts(tmp_path / "other", documents(70, seed=1))
    with preparation(other, tmp_path, stop_at="encode") as process:
        wait_for(process, "encode")
        process.kill()

    prepare(str(texts), vocab_size=300, cache=tmp_path)

    assert partial_folders(tmp_path) == []


def test_a_hub_dataset_is_streamed_once_and_then_found_without_the_hub(texts: Path, tmp_path: Path) -> None:
    files = {"train.jsonl": json_lines(documents(70)).encode()}
    with HubServer("acme/poems", files) as server:
        environment = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "hf")}
        with preparation("acme/poems", tmp_path, environment=environment) as process:
            output, errors = process.communicate()
            assert process.returncode == 0, errors
        with preparation("acme/prose", tmp_path, environment=environment) as process:
            _, errors = process.communicate()
    with preparation("acme/poems", tmp_path, environment=environment) as process:
        again, _ = process.communicate()

    local = prepare(str(texts), vocab_size=300, cache=tmp_path)
    assert output.splitlines() == ["read", "compare", "vocabulary", "encode", f"digest {local.digest}"]
    assert again.splitlines() == [f"digest {local.digest}"]
    assert "DatasetError: Expected a dataset that the Hugging Face hub can stream, but 'acme/prose' failed" in errors


@pytest.fixture(scope="session")
def speeches(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return prepare(cache=tmp_path_factory.mktemp("cache"))


def test_the_embedded_corpus_is_split_over_the_years(speeches: Corpus) -> None:
    held_out = json.loads((speeches.folder / "manifest.json").read_text())["held_out"]

    assert (speeches.name, speeches.vocab_size) == ("sotu", 2048)
    assert sum(part.documents for part in speeches.parts.values()) == 249
    assert len({document for split in Split for document in held_out[split]}) == 36
    for split in Split:
        years = [int(document[:4]) for document in held_out[split]]
        assert years[0] < 1810
        assert years[-1] > 1985
        assert max(later - earlier for earlier, later in pairwise(years)) < 50


def test_the_embedded_corpus_is_the_same_everywhere(speeches: Corpus) -> None:
    assert speeches.digest == "2295381cee2ef374110c5511516a02254b5635daf19a1ac795f5dd0a3832f1fd"
    assert 3.5 < speeches.parts["train"].bytes / speeches.train_tokens < 3.8
