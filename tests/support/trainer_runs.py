"""A tiny corpus, tiny genomes and quick settings, with which an evaluation takes about a second."""

from __future__ import annotations

import contextlib
import textwrap
from pathlib import Path

import psutil
import pytest
from corpus_texts import documents, write_texts

from trainer.corpus import Corpus, prepare
from trainer.evaluation import Budget, Clock
from trainer.settings import Limits, Settings

VOCAB_SIZE = 300

MODEL = """
def build_model(task):
    return torch.nn.Embedding(task.vocab_size, task.vocab_size)
"""

BIGRAM = """
def train(model, task):
    tokens = task.train_tokens().long()
    pairs = tokens[:-1] * task.vocab_size + tokens[1:]
    counts = torch.bincount(pairs, minlength=task.vocab_size**2).float().view_as(model.weight) + 0.01
    with torch.no_grad():
        model.weight.copy_((counts / counts.sum(1, keepdim=True)).log())
    task.log(step=1, loss=1.0)
"""

IMPORTS = "import ctypes, json, math, os, resource, signal, socket, subprocess, sys, threading, time\nimport torch\n"


def genome(train: str = BIGRAM, model: str = MODEL) -> str:
    """Return a genome; a `train` that is no function definition becomes the body of one."""
    train = textwrap.dedent(train)
    if "def train(" not in train:
        train = "def train(model, task):\n" + textwrap.indent(train.strip() or "pass", "    ") + "\n"
    return IMPORTS + textwrap.dedent(model) + train


def tiny_corpus(factory: pytest.TempPathFactory) -> Corpus:
    """Prepare a small corpus, once in a session."""
    folder = factory.getbasetemp() / "trainer-corpus"
    texts = folder / "texts"
    if not texts.exists():
        write_texts(texts, documents(70))
    return prepare(str(texts), vocab_size=VOCAB_SIZE, cache=folder / "cache")


def quick_settings(
    corpus: Corpus,
    scratch: Path,
    *,
    train_seconds: float = 0.5,
    clock: Clock = Clock.CPU,
    setup_seconds: float = 60.0,
    score_seconds: float = 60.0,
    limits: Limits | None = None,
) -> Settings:
    """Return settings for evaluations that take about a second, with an own folder for scratch folders."""
    scratch.mkdir(exist_ok=True)
    return Settings(
        corpus=corpus.folder,
        device="cpu",
        budget=Budget(train_seconds, clock, setup_seconds, score_seconds),
        sequence_length=32,
        score_tokens=2048,
        limits=limits or Limits(),
        scratch=scratch,
    )


def inhabitants(scratch: Path) -> list[psutil.Process]:
    """Return the living processes whose home is under `scratch`: candidates and whatever they started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            home = process.environ().get("HOME", "")
            if process.status() != psutil.STATUS_ZOMBIE and Path(home).is_relative_to(scratch):
                found.append(process)
    return found


def await_end(scratch: Path, seconds: float = 10.0) -> list[psutil.Process]:
    """Return the processes that still live under `scratch` after at most `seconds`."""
    return psutil.wait_procs(inhabitants(scratch), timeout=seconds)[1]


def open_descriptors(pid: int) -> list[str]:
    """Return what the open descriptors of a process point to."""
    return sorted(str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())
