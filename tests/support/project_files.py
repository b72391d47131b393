"""Small projects, written to disk for the tests of `evo init`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from evo.project.found import FirstRun, Found, Given
from evo.project.left import metrics_left
from evo.project.output import lines_of
from trainer.script.left import copy_left

PREPARE = """
    # Fixed constants, data and evaluation. Do not modify.
    import os

    TIME_BUDGET = 5 * 60  # seconds
    CACHE_DIR = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch")
    DATA_DIR = os.path.join(CACHE_DIR, "data")

    def evaluate_bpb(model):
        return 1.25

    if __name__ == "__main__":
        print(f"val_bpb: {evaluate_bpb(None)}")
    """

TRAIN = """
    import time
    from prepare import TIME_BUDGET, evaluate_bpb

    DEPTH = 8
    MATRIX_LR = 0.04

    start = time.time()
    for step in range(3):
        loss = 3.0 / (step + 1)
        print(f"\\rstep {step:05d} | loss: {loss:.6f} | dt: {1.0:.0f}ms", end="", flush=True)
    print()
    val_bpb = evaluate_bpb(None)
    print("---")
    print(f"val_bpb:          {val_bpb:.6f}")
    print(f"training_seconds: {time.time() - start:.1f}")
    print(f"peak_vram_mb:     {45060.2:.1f}")
    print(f"num_steps:        {step}")
    print(f"num_params_M:     {50.3:.1f}")
    print(f"depth:            {DEPTH}")
    """

PROGRAM = """
    # autoresearch

    - `prepare.py` — fixed constants, data and evaluation. Do not modify.
    - `train.py` — the file you modify.

    Each run has a **fixed time budget of 5 minutes**. Launch it as `uv run train.py`.
    **The goal is simple: get the lowest val_bpb.**

        grep "^val_bpb:" run.log
    """

AUTORESEARCH = {"prepare.py": PREPARE, "train.py": TRAIN, "program.md": PROGRAM}
"""The layout of karpathy/autoresearch: what each of its files promises to the others."""


def run_plainly(found: Found) -> tuple[FirstRun, tuple[Given, ...]]:
    """Run a program as it stands, which costs a fraction of a run in the sandbox."""
    if found.command[0] not in ("python", "sh") or not compilers_are_here(found.command):
        return FirstRun((), is_complete=False, seconds=0.0, problem="not run here"), ()
    first = sys.executable if found.command[0] == "python" else found.command[0]
    command = [first, *(word.replace("{seed}", "0") for word in found.command[1:])]
    done = subprocess.run(
        command,
        cwd=found.root,
        env={**os.environ, "EVO_SEED": "0", "EVO_ARTIFACTS": "."},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        copy_left(found.root, Path(folder), [*found.genome, *(one.name for one in found.frozen)])
        left = tuple(metrics_left(Path(folder)))
    return FirstRun(
        lines_of(done.stdout), done.returncode == 0, 1.0, "" if done.returncode == 0 else "failed", left
    ), ()


def compilers_are_here(command: tuple[str, ...]) -> bool:
    return command[:2] != ("sh", "-c") or command[-1].startswith("cc ")
