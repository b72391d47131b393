"""Whether a run of 10,000 candidates on 64 workers stays as quick, small and busy as a short one.

Search, store, lineage, gate and look-ahead are the product's, on a real disk; training, language model and clock are
simulated as in `workers_busy.py`, so that a night passes in minutes. What the driver does between two results is real:
its cost a candidate. At the end `evo status`, `evo check` and `evo report` look at the run, each in its process. All of
it is CPU time, so that it does not matter what else the machine does; waiting for the disk is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.runs.lifecycle import rare_collections
from experiments.recording import write_record
from experiments.simulated_time import SimulatedTimeLoop
from experiments.simulation import large_genome, simulated_search
from experiments.workers_busy import Model, SearchEnd, Training, busy_share
from operators.choice import OperatorChoice

_BLOCK = 1000
"""Results of several workers are taken in together, so that single ones tell little."""
_MIB = 2**20


def measure(candidates: int = 10_000, slots: int = 64, reply_seconds: float = 60.0) -> str:
    """Return the measurements as Markdown."""
    search = {"pop": 16, "gens": candidates // 16, "seed": 0}
    config = resolve(parse_config({"search": search, "workers": {"count": slots}}, "benchmark"), {})
    training, end = Training(large_genome(), slots), SearchEnd()
    operators = OperatorChoice([(Model(reply_seconds), 1.0)])
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner,
        rare_collections(),
        simulated_search(config, training, operators, end, Path(folder), runner.get_loop().time) as searching,
    ):
        runner.run(searching.run())
        memory_mib = psutil.Process().memory_info().rss / _MIB
        (run,) = Path(folder).glob("*/run")
        looks = [_look(command, run) for command in ("status", "check", "report")]
        sizes = [_size(run / name) for name in ("evo.db", "lineage.git", "report.html")]
    at, searched = end.cpu_seconds, end.searched
    block = min(_BLOCK, searched // 2)
    first, last = _mean_ms(at[:block]), _mean_ms(at[searched - block : searched])
    rows = [
        (f"driver, CPU time, mean a candidate of the first {block:,}", f"{first:.1f} ms", ""),
        (f"the same of the last {block:,} before the confirmation", f"{last:.1f} ms", f"≤ {1.2 * first:.1f} ms"),
        ("the same in the confirmation", f"{_mean_ms(at[searched:]):.1f} ms", ""),
        ("driver memory at the end", f"{memory_mib:.0f} MiB", "≤ 500 MiB"),
        ("slots busy until the confirmation", f"{busy_share(training.busy, end.seconds, slots):.1%}", "≥ 97%"),
        ("simulated", f"{end.seconds / 3600:.1f} h", ""),
        *looks,
        *sizes,
    ]
    lines = ["| quantity | measured | target |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    head = f"{len(end.finished_at):,} evaluations on {slots} workers, replies of {reply_seconds:g} s in the median."
    return f"{head}\n\n" + "\n".join(lines) + "\n"


def _mean_ms(at: Sequence[float]) -> float:
    return 1000 * (at[-1] - at[0]) / (len(at) - 1)


def _look(command: str, run: Path) -> tuple[str, str, str]:
    """Return the CPU time that a command of evo takes over a run."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "evo", command, str(run)], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return f"`evo {command}`, CPU time", f"{seconds:.1f} s", "≤ 10 s"


def _size(path: Path) -> tuple[str, str, str]:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    target = "≤ 20 MiB" if path.suffix == ".html" else ""
    return path.name, f"{sum(one.stat().st_size for one in files) / _MIB:.1f} MiB", target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--reply-seconds", type=float, default=60.0)
    parser.add_argument("--record", action="store_true", help="write the record")
    arguments = parser.parse_args()
    text = measure(arguments.candidates, arguments.workers, arguments.reply_seconds)
    print(text)
    if arguments.record:
        print(write_record("scale", text))
