"""What was found out about a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evo.project.flags import FixedTime
from evo.project.frozen import Given
from evo.project.printed import Metric


@dataclass(frozen=True, slots=True)
class Found:
    """A project, as `evo init` sees it.

    Attributes:
        root: its folder.
        genome: files that evolve.
        is_language_model: whether the genome is one of the built-in task, which needs nothing else below but `notes`.
        is_autoresearch: whether it has autoresearch's layout: a program.md, a file that evolves, and one that is fixed.
        command: what runs it.
        objectives: the first decides.
        others: further numbers that it reports.
        frozen: what it needs and may not change.
        score: the trusted command, empty where there is none.
        held_out: what only `score` reads.
        fixed: the time that it gives itself.
        seed: how it takes a seed: a flag, `EVO_SEED`, or None.
        processes: of a launcher over several devices that its texts name.
        constants: upper-case constants of the genome.
        program: its program.md.
        notes: what a person should know, one sentence each.
    """

    root: Path
    genome: tuple[str, ...]
    is_language_model: bool = False
    is_autoresearch: bool = False
    command: tuple[str, ...] = ()
    objectives: tuple[Metric, ...] = ()
    others: tuple[Metric, ...] = ()
    frozen: tuple[Given, ...] = ()
    score: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    fixed: FixedTime | None = None
    seed: str | None = None
    processes: int | None = None
    constants: tuple[str, ...] = ()
    program: str | None = None
    notes: tuple[str, ...] = ()
