"""Find what evolves in a project, what starts it, what it reports and what it needs, without running it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from evo.project.flags import fixed_time
from evo.project.found import FixedTime, Found, Given, Metric
from evo.project.frozen import frozen_of, missing_files, named_files, overlaps, without_parts
from evo.project.instructions import Instructions
from evo.project.interpreter import interpreter_of
from evo.project.modules import Module, Project
from evo.project.printed import line_pattern, metrics_of
from evo.project.protected import protected_code
from evo.project.seeds import Seeding, seeding_of
from evo.project.wording import Kind, Split, identifier, is_open
from operators.gate import SourceGate, clean_source, language_model_contract
from operators.proposal import Refused
from operators.source.constants import find_constants
from trainer.errors import ConfigError, GenomeError

_USUAL_NAMES = ("train.py", "main.py")
_NEVER_EVOLVE = ("prepare", "setup", "conftest", "test_", "download", "plot", "score", "evaluate", "make_data", "__")
_MOST_OBJECTIVES = 4
_MOST_PROGRAMS = 20  # that are searched for the only one that reports a metric
_MOST_NAMED = 6  # options in a message
_MAKERS = ("prepare", "download")  # programs that make data, by the beginnings of their names
_ARTIFACTS = "EVO_ARTIFACTS"


def examine(root: Path, genome: Sequence[str] = (), objective: str | None = None, home: Path | None = None) -> Found:
    """Examine a project.

    Args:
        root: its folder.
        genome: the files that evolve, if the user named them; relative to `root`.
        objective: the metric that decides, if the user named it.
        home: the user's home folder.

    Raises:
        ConfigError: `root` is not a folder, or something was not found or is ambiguous.
        GenomeError: `genome` is not a readable Python file in the project.
    """
    if not root.is_dir():
        raise ConfigError(f"Expected the folder of a project, but {root} is not a folder.")
    return _Examination(Project(root.resolve()), genome, objective, home or Path.home()).found()


class _Examination:
    def __init__(self, project: Project, genome: Sequence[str], objective: str | None, home: Path) -> None:
        self._project = project
        self._root = project.root
        self._wanted_genome = genome
        self._wanted_objective = objective
        self._home = home
        self._texts = Instructions(project.root)
        self._scripts = project.scripts()
        self._permissions = self._texts.permissions({one.name: one.docstring for one in self._scripts})
        self._interpreter = interpreter_of(project.root, os.environ, home)
        self._python = self._interpreter.word

    def found(self) -> Found:
        genomes = [self._named(name) for name in dict.fromkeys(self._wanted_genome)] or [self._genome()]
        genome, names = genomes[0], tuple(one.name for one in genomes)
        notes = [
            f"{name} is not tracked by git. Commit it, so that results can be applied to it."
            for name in names
            if _is_tracked(self._root, name) is False
        ]
        texts = self._texts
        if _is_language_model(genome):
            return Found(self._root, names[:1], is_language_model=True, program=texts.program, notes=tuple(notes))
        entry = self._entry(genome)
        score = self._score(names, entry)
        fixed = fixed_time([*(one for one in self._project.closure(entry, genome) if one is not genome), genome])
        metrics = self._metrics(score or entry)
        objectives = self._objectives(metrics, score or entry, fixed)
        frozen, held_out = self._given(entry, names, score, objectives)
        protect, shared = protected_code(self._project, genomes, () if score else objectives, texts.text)
        started = list(dict.fromkeys((entry, *genomes)))
        given = [*names, *(one.name for one in frozen)]
        seeding = seeding_of(self._root, started, self._project.closure(*started), given)
        return Found(
            root=self._root,
            genome=names,
            is_autoresearch=self._is_autoresearch(genome),
            command=self._command(entry, seeding, fixed),
            objectives=objectives,
            others=tuple(one for one in metrics if one not in objectives and (one.is_sure or not one.is_guessed)),
            frozen=frozen,
            score=(self._python, score.name) if score else (),
            held_out=held_out,
            fixed=fixed,
            seed=seeding.how or None,
            seeds=seeding.places,
            processes=next((one.processes for one in texts.starts if one.processes and one.starts(entry)), None),
            constants=tuple(name for one in genomes for name in find_constants(one.text)),
            protect=protect,
            shared=shared,
            program=texts.program,
            notes=(*notes, *self._notes(objectives[0], frozen, entry)),
        )

    def _genome(self) -> Module:
        """Return the file that evolves: by the project's documentation, by its name, or because it is the only one."""
        if not self._scripts:
            raise ConfigError(
                f"There is no Python file in {self._root}. Run evo init in the folder of a project, or name it with "
                "--from."
            )
        chosen = self._permitted() or self._usual() or self._only()
        if chosen is None:
            names = _listed(self._candidates() or self._scripts)
            raise ConfigError(f"Several files could evolve: {names}. Choose one: evo init --genome FILE")
        return chosen

    def _named(self, name: str) -> Module:
        path = Path(os.path.normpath(self._root / name))
        if not path.exists() and Path(name).exists():
            path = Path(name).resolve()  # relative to the current folder
        if not path.is_relative_to(self._root):
            raise GenomeError(f"--genome must be in the project {self._root}, but {name} is not.")
        if not path.is_file():
            raise GenomeError(f"--genome must name a Python file in {self._root}, but there is no file {name}.")
        module = self._project.module(path.relative_to(self._root).as_posix())
        if module is None or path.suffix != ".py":
            raise GenomeError(f"Expected a Python file to evolve, but {name} cannot be read as Python.")
        return module

    def _permitted(self) -> Module | None:
        """Return the file that may change according to the documentation, if it is a single one."""
        most = max(self._permissions[one.name] for one in self._scripts)
        clearest = [one for one in self._scripts if self._permissions[one.name] == most]
        return clearest[0] if most > 0 and len(clearest) == 1 else None

    def _usual(self) -> Module | None:
        """Return the file with a usual name, in the root or as the only one below it."""
        by_name = {one.name: one for one in self._scripts}
        for name in _USUAL_NAMES:
            if name in by_name or (self._root / name).is_file():
                return by_name.get(name) or self._named(name)
        for name in _USUAL_NAMES:
            if deeper := [one for one in self._scripts if PurePosixPath(one.name).name == name]:
                return deeper[0] if len(deeper) == 1 else None
        return None

    def _only(self) -> Module | None:
        """Return the only program that reports a metric, else the only program, else the only candidate."""
        candidates = self._candidates()
        programs = [one for one in candidates if one.is_program]
        for several in (
            [one for one in programs[:_MOST_PROGRAMS] if metrics_of(self._project, one)],
            programs,
            [one for one in candidates if _is_language_model(one)],
            candidates,
            self._scripts,
        ):
            if several:
                return several[0] if len(several) == 1 else None
        return None

    def _candidates(self) -> list[Module]:
        return [
            one
            for one in self._scripts
            if not PurePosixPath(one.name).name.startswith(_NEVER_EVOLVE)
            and "tests" not in one.folder.parts
            and self._permissions[one.name] >= 0
        ]

    def _entry(self, genome: Module) -> Module:
        """Return the file that is started: the genome, or the program that imports it."""
        if genome.is_program:
            return genome
        programs = [one for one in self._scripts if one.is_program and not one.name.startswith("test")]
        users = [one for one in programs if genome in self._project.closure(one)]
        users = users or [one for one in programs if one.texts & {genome.name, genome.dotted}]
        if not users:
            raise ConfigError(
                f"{genome.name} starts nothing, and no program of the project imports it. Start its work under "
                '`if __name__ == "__main__":`, or choose another file: evo init --genome FILE'
            )
        users = [one for one in users if any(start.starts(one) for start in self._texts.starts)] or users
        users = [one for one in users if metrics_of(self._project, one)] or users
        if len(users) > 1:
            raise ConfigError(
                f"Several programs run {genome.name}: {_listed(users)}. Write the command that measures it into "
                "program.md, such as `python bench.py`."
            )
        return users[0]

    def _score(self, genome: Sequence[str], entry: Module) -> Module | None:
        """Return the trusted program: the one that reads what the command wrote."""
        found = [one for one in self._scripts if _ARTIFACTS in one.text and one.is_program]
        found = [one for one in found if one.name not in (*genome, entry.name)]
        return found[0] if len(found) == 1 else None

    def _metrics(self, reporter: Module) -> list[Metric]:
        """Return what a program reports, with what the documentation says about it."""
        metrics = metrics_of(self._project, reporter)
        if any("sys.stdout" in one.text for one in self._project.closure(reporter)):
            metrics = [replace(one, is_logged=False) for one in metrics]
        if all(one.is_logged for one in metrics):
            metrics += [
                Metric(identifier(name), name, f"{self._texts.program}", "", line_pattern(name), "last", is_sure=False)
                for name in self._texts.wanted
            ]
        return [replace(one, told=self._texts.direction(one.label)) if is_open(one.label) else one for one in metrics]

    def _objectives(self, metrics: Sequence[Metric], reporter: Module, fixed: FixedTime | None) -> tuple[Metric, ...]:
        """Return the metric that decides, then those that are certainly reported with it."""
        first = self._first(metrics, reporter)
        others = [
            one
            for one in metrics
            if one is not first
            and one.is_sure
            and (one.scope, one.take, one.json_file, one.is_logged)
            == (first.scope, first.take, first.json_file, first.is_logged)
            and one.split is not Split.TRAINING
            and not one.is_guessed
            and not (fixed and one.kind is Kind.RESOURCE and one.name.endswith(("seconds", "time")))
        ]
        return (first, *others[: _MOST_OBJECTIVES - 1])

    def _first(self, metrics: Sequence[Metric], reporter: Module) -> Metric:
        wanted = self._wanted_objective
        if wanted is not None:
            for one in metrics:
                if wanted in (one.name, one.label):
                    return one
            raise ConfigError(
                f"--objective must name a number that {reporter.name} reports, but {wanted!r} is not among "
                f"{_listed(metrics)}. Print a line such as `{wanted}: 0.5`."
            )
        readable = [one for one in metrics if not one.is_logged]
        if not readable:
            raise ConfigError(_no_metric(metrics, reporter))
        best, *others = sorted(readable, key=self._rank)
        equal = [one for one in others if self._rank(one) == self._rank(best)]
        rivals = equal if best.is_guessed else [one for one in equal if one.scope != best.scope]
        # A value that may be text is an objective only if the documentation names it.
        if rivals or (best.is_guessed and not best.is_sure and best.label not in self._texts.wanted):
            raise ConfigError(
                f"The metric to optimize is ambiguous: {reporter.name} reports {_listed([best, *equal])}. "
                "Choose one: evo init --objective NAME"
            )
        return best

    def _rank(self, metric: Metric) -> tuple[int, ...]:
        """Sort metrics: those named by the documentation, then quality before speed, and validation before training."""
        wanted = self._texts.wanted
        named = min((wanted.index(name) for name in (metric.label, metric.name) if name in wanted), default=len(wanted))
        return (named, metric.kind, metric.split, not metric.is_sure, metric.take != "only")

    def _given(
        self, entry: Module, genome: Sequence[str], score: Module | None, objectives: Sequence[Metric]
    ) -> tuple[tuple[Given, ...], tuple[str, ...]]:
        """Return what every command can read, and what only the trusted one can read."""
        reported = [one.json_file for one in objectives if one.json_file]
        given = frozen_of(self._project, entry, genome, self._home)
        given += [Given(one.name, "scores") for one in self._project.closure(score)] if score else []
        frozen = without_parts([one for one in given if not any(overlaps(one.name, file) for file in reported)])
        seen = [*genome, *(one.name for one in frozen)]
        named = sorted(named_files(self._project, score)) if score else []
        return tuple(frozen), tuple(name for name in named if not any(overlaps(name, other) for other in seen))

    def _command(self, entry: Module, seeding: Seeding, fixed: FixedTime | None) -> tuple[str, ...]:
        is_module = any(start.is_module and start.starts(entry) for start in self._texts.starts)
        return (
            *(("env", f"{seeding.variable}={{seed}}") if seeding.variable else ()),
            self._python,
            *(("-m", entry.dotted) if is_module or entry.imports_relatively else (entry.name,)),
            *seeding.words,
            *((fixed.flag, "{seconds}") if fixed and fixed.flag else ()),
        )

    def _is_autoresearch(self, genome: Module) -> bool:
        """Return whether there is a program.md, and the genome imports a file that may not change."""
        others = [one.name for one in self._project.closure(genome) if one is not genome]
        fixed = any(name.startswith("prepare") or self._permissions[name] < 0 for name in others)
        return fixed and self._texts.program is not None

    def _notes(self, first: Metric, frozen: Sequence[Given], entry: Module) -> list[str]:
        notes = []
        if first.is_guessed:
            notes.append(f"Lower {first.name} is better: this is a guess. Correct `direction` if it is wrong.")
        if first.split is Split.TRAINING:
            notes.append(f"{first.name} is measured on the training data, so overfitting wins.")
        missing = [one for one in frozen if one.is_missing]
        notes += [f"{one.name} ({one.reason}) does not exist yet{self._maker(one.source)}." for one in missing]
        for name in missing_files(self._project, entry, entry):
            maker = self._maker(entry.name)
            notes.append(f"{entry.name} names {name}, which does not exist yet{maker}; add it to frozen.")
        arguments = next((one.arguments for one in self._texts.starts if one.arguments and one.starts(entry)), None)
        if arguments:
            notes.append(
                f"The documentation starts {entry.name} with `{arguments}`. Add to `command` what the task needs."
            )
        notes += filter(None, [self._interpreter.note])
        return notes

    def _maker(self, source: str) -> str:
        """Return how missing data can be made, as the end of a sentence."""
        makers = [one.name for one in self._scripts if one.is_program and one.name.split("/")[-1].startswith(_MAKERS)]
        makers = [source] if source in makers else makers
        return f": run {self._python} {makers[0]} first" if makers else ": make it before the first run"


def _no_metric(metrics: Sequence[Metric], reporter: Module) -> str:
    if metrics:
        return (
            f"{reporter.name} logs {metrics[0].name}, but `logging` writes to the standard error, and objectives are "
            f'read from the standard output. Print it: print(f"{metrics[0].name}: {{value}}")'
        )
    return (
        f"{reporter.name} prints no metric that could be found. Print a line such as `val_loss: 0.5` at the end: "
        'print(f"val_loss: {value}")'
    )


def _is_language_model(module: Module) -> bool:
    try:
        SourceGate(language_model_contract, known=lambda _: None).check(clean_source(module.text))
    except Refused:
        return False
    return True


def _is_tracked(root: Path, name: str) -> bool | None:
    """Return whether git tracks a file; None without a repository or without git."""
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", name]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - an argument list, no shell
    except OSError:
        return None
    return {0: True, 1: False}.get(done.returncode)


def _listed(named: Sequence[Module] | Sequence[Metric]) -> str:
    names = [one.name for one in named]
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "nothing"
