"""What `evo init` finds in a project, as plain data, and what it leaves to the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evo.project.shown import TrainedLoss
from evo.project.wording import Kind, Split, direction_of, is_undirected, split_of
from trainer.objectives import Direction


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a program reports.

    Attributes:
        label: as the program writes it.
        where: file and line.
        scope: the function that reports it; metrics of one scope are reported together.
        pattern: regular expression that reads it from the standard output; None if it is in a JSON file.
        take: `only` if one line holds it, `last` if several may.
        json_file: the file that holds it.
        key: dotted path in that file.
        unit: that the program printed beside the number, where it may choose another one for a larger number.
        is_sure: whether it is certainly a number.
        is_logged: whether it is written by `logging`.
        told: the direction that the user or the documentation names.
        told_split: the data that it is measured on, if the words around it say so.
        trained: the loss of training batches that it shows; None if it shows none.
        has_test_data: whether the program computes it from what it calls its test data.
        is_best: whether it is the best of what a loop measured.
    """

    name: str
    label: str
    where: str
    scope: str
    pattern: str | None = None
    take: str = "only"
    json_file: str | None = None
    key: str | None = None
    unit: str = ""
    is_sure: bool = True
    is_logged: bool = False
    told: Direction | None = None
    told_split: Split | None = None
    trained: TrainedLoss | None = None
    has_test_data: bool = False
    is_best: bool = False

    @property
    def direction(self) -> Direction:
        """Which direction is better."""
        return self.told or direction_of(self.label)[0]

    @property
    def is_guessed(self) -> bool:
        """Whether the direction is a guess."""
        return self.told is None and (self.kind is Kind.UNKNOWN or is_undirected(self.label))

    @property
    def kind(self) -> Kind:
        """What it measures."""
        return direction_of(self.label)[1]

    @property
    def split(self) -> Split:
        """The data that it is measured on."""
        return split_of(self.label) if self.told_split is None else self.told_split


@dataclass(frozen=True, slots=True)
class Given:
    """A file or folder that a program reads.

    Attributes:
        name: as in `frozen` of evo.toml.
        reason: why it is frozen.
        is_missing: whether it does not exist yet.
        source: the module that names it; empty for a module.
    """

    name: str
    reason: str
    is_missing: bool = False
    source: str = ""

    @property
    def is_outside(self) -> bool:
        """Whether it lies outside the project."""
        return self.name.startswith(("~/", "/", ".."))


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the program did when it ran once in the sandbox.

    Attributes:
        lines: the end of what it printed.
        is_complete: whether it ended well; otherwise it was stopped by the time limit, or failed.
        problem: why it failed; empty if it did not.
        left: the metrics in the files that it left.
    """

    lines: tuple[str, ...]
    is_complete: bool
    seconds: float
    problem: str = ""
    left: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What only the user can decide.

    Attributes:
        key: of evo.toml that is open: `genome`, `command` or `objectives`.
        text: one line, which ends with how to answer.
        options: possible answers, each with what speaks for it.
    """

    key: str
    text: str
    options: tuple[tuple[str, str], ...] = ()


class Unclear(Exception):  # noqa: N818 - a question, no failure
    """Something is left to the user; `choices` are the metrics that could decide."""

    def __init__(self, question: Question, choices: Sequence[Metric] = ()) -> None:
        super().__init__(question.text)
        self.question = question
        self.choices = tuple(choices)


@dataclass(frozen=True, slots=True)
class ProtectedCode:
    """Code of the genome that no individual may change.

    Attributes:
        name: as in `protect` of evo.toml.
        reason: why it is protected.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class FixedTime:
    """The run time that a program limits itself to.

    Attributes:
        where: the constant or flag that holds it.
        flag: the flag that sets it; None for a constant.
    """

    seconds: float
    where: str
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A project.

    Attributes:
        is_language_model: whether the genome fits the built-in task; then only `notes` is set below.
        is_autoresearch: whether it has autoresearch's layout: a program.md, a file that evolves, and a fixed one.
        objectives: the first one decides.
        others: further numbers that it reports.
        frozen: what it reads and may not change.
        suggested: what it names outside the project, for the user to add.
        score: the trusted command; empty if there is none.
        held_out: what only `score` reads.
        smoke: what the user named to show in a moment that the program runs; empty for nothing.
        fixed: the run time that it limits itself to.
        seed: how it takes a seed: a flag, a variable, `EVO_SEED`, literals, or None.
        seeds: where these literals stand, as in `seed` of evo.toml.
        processes: number of a multi-device launcher in the documentation.
        constants: names of the genome's constants.
        protect: code of the genome that computes, reports or limits what is measured.
        shared: its functions that training and evaluation both use, or whose results are reported as they are.
        notes: what the user should know, one sentence each.
        question: what is open; the configuration is a draft then.
        choices: the metrics that could decide, if that is the question.
        run: what the program did when it ran once; None if it did not run.
    """

    root: Path
    genome: tuple[str, ...] = ()
    is_language_model: bool = False
    is_autoresearch: bool = False
    command: tuple[str, ...] = ()
    objectives: tuple[Metric, ...] = ()
    others: tuple[Metric, ...] = ()
    frozen: tuple[Given, ...] = ()
    suggested: tuple[Given, ...] = ()
    score: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    smoke: tuple[str, ...] = ()
    fixed: FixedTime | None = None
    seed: str | None = None
    seeds: tuple[str, ...] = ()
    processes: int | None = None
    constants: tuple[str, ...] = ()
    protect: tuple[ProtectedCode, ...] = ()
    shared: tuple[str, ...] = ()
    program: str | None = None
    notes: tuple[str, ...] = ()
    question: Question | None = None
    choices: tuple[Metric, ...] = ()
    run: FirstRun | None = None
