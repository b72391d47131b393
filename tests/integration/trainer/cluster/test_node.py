"""What a node needs, and what it evaluates with."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from script_runs import script_settings, write_files
from trainer_runs import genome, quick_settings, tiny_corpus

import trainer
from trainer.cluster.node import SlotWorker, missing
from trainer.cluster.parcels import CORPUS, FROZEN, Content, pack, unpack
from trainer.evaluation import Job

_HOUSES = "import sys, trainer.cluster.node; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def test_a_node_imports_the_trainer_alone() -> None:
    command = [sys.executable, "-c", _HOUSES]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert "trainer" in loaded
    assert not {"evo", "operators", "populations", "deap", "anthropic", "git", "torch", "ray"} & set(loaded)


def test_what_a_node_installs_is_what_the_trainer_imports() -> None:
    command = [sys.executable, "-m", "trainer.cluster"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = {re.split(r"[^\w.-]", one)[0] for one in printed}
    assert [one for one in printed if one.startswith("ray[client]") and "extra" not in one]
    folder, distributions = Path(trainer.__file__).parent, packages_distributions()
    own = [path for path in folder.rglob("*.py") if not {"seed", "audit"} & set(path.relative_to(folder).parts)]
    imported = {name for path in own for name in _imports(path)} - {"trainer", *sys.stdlib_module_names}
    optional = {"datasets", "pyarrow"}
    assert {distributions[name][0] for name in imported} - optional == names


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (name.partition(".")[0] for name in names)


def test_a_slot_works_with_what_has_arrived_and_not_with_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_files(
        tmp_path / "project",
        {
            "train.py": "import lib.base\nprint('loss:', lib.base.LOSS + float(open('data.txt').read()))\n",
            "lib/__init__.py": "",
            "lib/base.py": "LOSS = 1.0\n",
            "data.txt": "0.5\n",
        },
    )
    settings = script_settings(project, frozen=["lib", "data.txt"])
    contents = {Content(FROZEN, one.sha256, one.path.name): one.path for one in settings.frozen}
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "node"))
    assert missing([asdict(one) for one in contents]) == [one.digest for one in contents]
    for content, path in contents.items():
        content.place.parent.mkdir(parents=True)
        path.rename(content.place)
    assert missing([asdict(one) for one in contents]) == []
    source = (project / "train.py").read_text()
    (project / "train.py").unlink()
    worker = SlotWorker(settings.to_json(), "cpu", None)
    try:
        said = worker.evaluate(1, Job(source, seed=0).to_json())
    finally:
        worker.end(1)
    assert said["evaluation"]["objectives"]["loss"] == 1.5


def test_a_job_that_was_ended_before_it_came_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "node"))
    settings = script_settings(write_files(tmp_path / "project", {"train.py": ""}))
    worker = SlotWorker(settings.to_json(), "cpu", None)
    worker.end(3)
    assert worker.evaluate(3, Job("while True: pass\n", seed=0).to_json())["evaluation"]["status"] == "lost"
    try:
        assert worker.evaluate(4, Job("print('loss: 2.0')\n", seed=0).to_json())["evaluation"]["status"] == "ok"
    finally:
        worker.end(4)


@pytest.mark.full
def test_a_language_model_trains_on_the_corpus_of_the_node(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tiny_corpus(tmp_path_factory)
    settings = quick_settings(corpus, tmp_path / "scratch")
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "node"))
    content = Content(CORPUS, corpus.digest, corpus.folder.name)
    chunks = pack(corpus.folder, lambda data: data)
    content.place.parent.mkdir(parents=True)
    unpack(content, [lambda chunk=chunk: chunk for chunk in chunks])  # type: ignore[misc]
    data = settings.to_json() | {"corpus": "/of/the/driver"}
    worker = SlotWorker(data, "cpu", asdict(content))
    try:
        said = worker.evaluate(1, Job(genome(), seed=0).to_json())
    finally:
        worker.end(1)
    assert said["evaluation"]["status"] == "ok"
