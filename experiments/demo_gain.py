"""What `make demo` finds, seed by seed: its command with each seed of the search, as a user runs it.

Counts the runs whose confirmed gain lies beyond noise, and shows the gain with its 95% interval, the members of the
front and the wall time of each. The time is that of this machine with whatever else it does.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from experiments.recording import write_record

_MAKEFILE = Path(__file__).parents[1] / "Makefile"
_EVO = Path(sys.executable).with_name("evo")


class Result(NamedTuple):
    """What one run came to; a gain in bits per byte, None where none was confirmed."""

    seed: int
    gain: float | None
    margin: float
    generation_zero: float
    best: float
    front: int
    failures: int
    seconds: float

    @property
    def is_real(self) -> bool:
        """Whether the 95% interval of the gain lies above zero."""
        return self.gain is not None and self.gain > self.margin

    @property
    def row(self) -> str:
        """Return the run as a row of a Markdown table."""
        gain, interval = "none", ""
        if self.gain is not None:
            gain = f"{self.gain:.4f}"
            interval = f"{self.gain - self.margin:.4f} to {self.gain + self.margin:.4f}"
        cells = (
            *(str(self.seed), gain, interval, "yes" if self.is_real else "no"),
            *(f"{self.generation_zero:.4f}", f"{self.best:.4f}"),
            *(str(self.front), str(self.failures), f"{self.seconds:.0f}"),
        )
        return f"| {' | '.join(cells)} |"


def demo_arguments() -> list[str]:
    """Return what `make demo` gives to `evo run`."""
    (line,) = re.findall(r"^DEMO := (.*)$", _MAKEFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return shlex.split(line)


def run(arguments: list[str], seed: int, folder: Path) -> Result:
    """Run the demo with one seed of the search, and read what it found as a script would."""
    started = time.monotonic()
    out = folder / f"seed-{seed}"
    _evo("run", *arguments, "--seed", str(seed), "--out", str(out))
    return read(out, seed, time.monotonic() - started)


def read(out: Path, seed: int, seconds: float) -> Result:
    """Return what a finished run found."""
    best, status = _json("best", str(out)), _json("status", str(out))
    gain = best["gain"]
    return Result(
        seed=seed,
        gain=gain["value"] if gain else None,
        margin=gain["margin"] if gain else 0.0,
        generation_zero=best["generation_zero"]["objectives"]["val_bpb"],
        best=best["best"]["objectives"]["val_bpb"],
        front=len(_json("pareto", str(out))["front"]),
        failures=sum(count for name, count in status["summary"]["statuses"].items() if name != "ok"),
        seconds=seconds,
    )


def table(results: list[Result]) -> str:
    """Return the results as Markdown: a sentence and a table."""
    real = sum(one.is_real for one in results)
    fronts = [one.front for one in results]
    head = (
        f"{real} of {len(results)} runs confirm a gain whose 95% interval excludes zero. "
        f"Members of the front: {min(fronts)} to {max(fronts)}. "
        f"Wall time: {fmean(one.seconds for one in results):.0f} s on average, "
        f"at most {max(one.seconds for one in results):.0f} s."
    )
    columns = (
        *("seed", "gain, bpb", "95% interval", "beyond noise", "generation 0", "best"),
        *("front", "failures", "wall s"),
    )
    return "\n".join(
        (head, "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *(one.row for one in results))
    )


def _evo(*arguments: str) -> str:
    done = subprocess.run([_EVO, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"evo {shlex.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _json(*arguments: str) -> Any:
    return json.loads(_evo(*arguments, "--json"))


def main() -> None:
    """Run every seed, print each result as it comes, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="runs, each with another seed of the search")
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    given = parser.parse_args()
    arguments = demo_arguments()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.first, given.first + given.seeds):
            results.append(run(arguments, seed, Path(folder)))
            print(results[-1].row, flush=True)
    body = f"Each run: `evo run {shlex.join(arguments)} --seed SEED`.\n\n{table(results)}"
    print(body)
    print(write_record("demo-gain", body))


if __name__ == "__main__":
    main()
