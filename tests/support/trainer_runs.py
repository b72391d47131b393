"""A tiny corpus, tiny genomes and quick settings, with which an evaluation takes about a second."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from corpus_texts import documents, write_texts

from trainer.corpus import Corpus, prepare
from trainer.evaluation import Budget, Clock, Job
from trainer.local import WorkerSettings
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
    sandbox: str = "auto",
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
        sandbox=sandbox,
    )


_DRIVER = """
import pickle, sys
from trainer.local import SupervisorProcess

settings, job = pickle.load(sys.stdin.buffer)
SupervisorProcess(settings).evaluate(job)
"""


def evaluating_driver(settings: WorkerSettings, genome: str) -> subprocess.Popen[bytes]:
    """Start a process that evaluates a genome, as a driver does."""
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER], stdin=subprocess.PIPE)
    assert driver.stdin is not None
    with driver.stdin as line:
        pickle.dump((settings, Job(genome, 0)), line)
    return driver


def role(process: psutil.Process) -> str:
    """Return what a process of the trainer works as: the name of its module, also for the sandbox around it."""
    return next((word for word in process.cmdline() if word.startswith("trainer.")), "")


def trainee(scratch: Path) -> psutil.Process:
    """Return the candidate that wrote its own process id to `started` in its working folder, waiting for it to."""
    while not (written := list(scratch.glob("evo-scratch-*/candidate-*/started"))):
        time.sleep(0.01)
    (file,) = written
    own = file.read_text()
    # Its id in its own namespace; the folder tells it from others that have the same.
    (found,) = [process for process in psutil.process_iter() if _lives_in(process, file.parent, own)]
    return found


def _lives_in(process: psutil.Process, folder: Path, inner_pid: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        ids = next(line for line in status.splitlines() if line.startswith("NSpid:"))
        return ids.split()[-1] == inner_pid and Path(f"/proc/{process.pid}/cwd").samefile(folder)
    return False


def inhabitants(scratch: Path) -> list[psutil.Process]:
    """Return the living processes whose home is under `scratch`: candidates and whatever they started.

    In namespaces it is those that everything else in them dies with.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            home = process.environ().get("HOME", "")
            if process.status() != psutil.STATUS_ZOMBIE and Path(home).is_relative_to(scratch):
                found.append(process)
    return found


def await_end(scratch: Path, seconds: float = 60.0) -> list[psutil.Process]:
    """Return the processes that still live under `scratch` after at most `seconds`."""
    return psutil.wait_procs(inhabitants(scratch), timeout=seconds)[1]


def open_descriptors(pid: int) -> list[str]:
    """Return what the open descriptors of a process point to."""
    return sorted(str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())
