"""Script tasks over tiny projects, with which an evaluation takes some tens of milliseconds."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.evaluation import Evaluation, Job
from trainer.local import SupervisorProcess
from trainer.script import Reading, ScriptSettings, freeze

LOSS = Reading("loss", r"^loss:\s*(\S+)")


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files by their relative paths, without the margin that they share; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def script_task(
    genome: str = "train.py", objective: str = "loss", direction: str = "minimize", task: str = "", more: str = ""
) -> str:
    """Return an evo.toml for a program that prints its metric, as `loss: 0.5`.

    Args:
        task: more keys of `[task]`.
        more: what follows the task.
    """
    return f"""[task]
kind = "script"
genome = "{genome}"
command = "python {genome}"
{task}
[task.objectives.{objective}]
direction = "{direction}"
pattern = '^{objective}: (\\S+)'
{textwrap.dedent(more)}"""


def slow_project(seconds: float, says: str = "") -> dict[str, str]:
    """Return the files of a project whose program takes some time, so that its runs can be looked at and steered.

    Args:
        seconds: that the program sleeps.
        says: what it prints before that.
    """
    return {
        "evo.toml": script_task("run.py", "score", "maximize"),
        "run.py": f"""
            import os
            import time

            RATE = 0.5
            WIDTH = 2.0

            print({says!r}, flush=True)
            time.sleep({seconds})
            print("score:", WIDTH - abs(RATE - 0.1) + 0.001 * (int(os.environ["EVO_SEED"]) % 7))
            """,
    }


def script_settings(
    root: Path,
    *,
    frozen: Sequence[str] = (),
    held_out: Sequence[str] = (),
    genome: Sequence[str] = ("train.py",),
    command: Sequence[str] = ("python", "train.py"),
    readings: Sequence[Reading] = (LOSS,),
    wall_seconds: float = 600.0,
    **others: Any,
) -> ScriptSettings:
    """Return settings for a project, with a folder beside it for scratch folders."""
    scratch = root.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return ScriptSettings(
        root=root,
        genome=tuple(genome),
        frozen=freeze(frozen, root),
        held_out=freeze(held_out, root, "held_out"),
        command=tuple(command),
        readings=tuple(readings),
        wall_seconds=wall_seconds,
        device="cpu",
        scratch=scratch,
        **others,
    )


def evaluate(supervisor: SupervisorProcess, source: str, seed: int = 0) -> Evaluation:
    """Evaluate a genome that is written with a margin."""
    return supervisor.evaluate(Job(textwrap.dedent(source), seed))


def evaluate_once(settings: ScriptSettings, source: str) -> Evaluation:
    """Evaluate a genome under a supervisor of its own."""
    with SupervisorProcess(settings) as supervisor:
        return evaluate(supervisor, source)
