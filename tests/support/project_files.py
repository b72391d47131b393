"""Small projects, written to disk for the tests of `evo init`."""

from __future__ import annotations

import textwrap
from pathlib import Path

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


def write_project(folder: Path, files: dict[str, str]) -> Path:
    """Write files by their relative paths, without the margin that they share; return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    folder.mkdir(exist_ok=True)
    return folder
