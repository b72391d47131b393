"""One comparison from its file to its record: `python -m experiments.comparison FILE --record`.

Runs what is missing by `evo compare` and copies what a reader wants to keep into `experiments/records`. For a rehearsal
it first makes the data of the task and starts a scripted server in the language model's place, and it kills the
experiment once, as soon as a first run is done, and goes on with it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from evo.compare.experiment import Experiment, load_experiment
from experiments.recording import RECORDS, heading
from experiments.scripted_model import scripted_model

_DIGITS = Path(__file__).parents[1] / "evo" / "project" / "examples" / "digits"
_KEPT = ("report.md", "runs.csv", "progress.csv", "arms.csv", "comparisons.csv", "targets.csv")


def compare(file: Path, folder: Path, experiment: Experiment) -> None:
    """Run what is missing of an experiment."""
    command = ("evo", "compare", str(file), "--out", str(folder))
    if not experiment.rehearsal:
        subprocess.run(command, check=True)
        return
    if not (_DIGITS / "labels.npz").exists():
        subprocess.run((sys.executable, "prepare.py"), cwd=_DIGITS, check=True)
    with _scripted_environment() as environment:
        if not folder.exists():
            _kill_after_a_run(command, environment)
        subprocess.run(command, env=environment, check=True)


@contextmanager
def _scripted_environment() -> Iterator[dict[str, str]]:
    with scripted_model() as url:
        without_key = {name: value for name, value in os.environ.items() if name != "ANTHROPIC_API_KEY"}
        yield {**without_key, "ANTHROPIC_BASE_URL": url}


def _kill_after_a_run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            print(line, end="", file=sys.stderr)
            if "✓" in line and "generation 0" not in line:
                process.kill()
    print("killed; going on", file=sys.stderr)


def record(file: Path, folder: Path, experiment: Experiment) -> Path:
    """Copy report and tables into a folder of the records, and return it."""
    kept = RECORDS / f"{date.today():%Y-%m-%d}-compare-{experiment.name}"  # noqa: DTZ011 - the day of its author
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for name in _KEPT:
        shutil.copyfile(folder / name, kept / name)
    head = heading(f"compare-{experiment.name}")
    lines = (head, f"- experiment: `{file}`", "", "The report is [report.md](report.md); its page is not kept.")
    (kept / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return kept


def main(file: Path, folder: Path | None, *, keep: bool) -> None:
    """Run an experiment and, with `keep`, record it."""
    experiment = load_experiment(file)
    folder = folder or Path("comparisons") / experiment.name
    compare(file, folder, experiment)
    if keep:
        print(record(file, folder, experiment))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="the experiment, a TOML file")
    parser.add_argument("--out", type=Path, help="the experiment's folder [default: comparisons/<its name>]")
    parser.add_argument("--record", action="store_true", help="keep the report under experiments/records")
    arguments = parser.parse_args()
    main(arguments.file, arguments.out, keep=arguments.record)
