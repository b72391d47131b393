"""How a record is written: what was run, on which machine, with which versions, and what came out."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from trainer.machine.devices import cpu_device

RECORDS = Path(__file__).parent / "records"
_PACKAGES = ("torch", "deap", "optuna", "anthropic", "gitpython", "numpy", "pandas")


def write_record(name: str, body: str) -> Path:
    """Write `records/<date>-<name>.md` and return its path; `body` is Markdown."""
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / f"{date.today():%Y-%m-%d}-{name}.md"  # noqa: DTZ011 - a record bears the day of its author
    path.write_text(f"{heading(name)}\n\n{body.rstrip()}\n", encoding="utf-8")
    return path


def report(text: str, record: str | None) -> None:
    """Print what came out; with the name of a record, write it down."""
    print(text)
    if record:
        print(write_record(record, text))


def seeds_parser(description: str | None, seeds: int, record: str) -> argparse.ArgumentParser:
    """Return a parser of `--seeds`, `--processes` and `--record`; `seeds` and the name `record` are the defaults."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--processes", type=int, help="at a time; one a core without it")
    what = "write the table under experiments/records"
    parser.add_argument("--record", nargs="?", const=record, metavar="NAME", help=what)
    return parser


def storm_outcome(blows: Mapping[str, int], breaches: Iterable[str]) -> str:
    """Return what a storm struck how often, and what did not hold, as Markdown."""
    struck = "\n".join(f"| {name} | {count} |" for name, count in sorted(blows.items()))
    kept = "\n".join(f"- {one}" for one in dict.fromkeys(breaches)) or "None."
    return f"| struck | times |\n|---|---|\n{struck}\n\n## What did not hold\n\n{kept}\n"


def heading(name: str) -> str:
    """Return the head of a record: the command, the machine and the versions."""
    module = Path(sys.argv[0]).stem
    command = shlex.join(["python", "-m", f"experiments.{module}", *sys.argv[1:]])
    memory_gib = psutil.virtual_memory().total / 2**30
    versions = ", ".join(filter(None, map(_version, _PACKAGES)))
    return (
        f"# {name}\n\n"
        f"- command: `{command}`\n"
        f"- machine: {cpu_device().name}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()}\n"
        f"- versions: Python {platform.python_version()}, {versions}"
    )


def _version(package: str) -> str:
    """Return a package and its version; nothing where it is not installed, as on a worker."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""
