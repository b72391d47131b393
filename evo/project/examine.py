"""Looking at a project: which file evolves, what runs it, what it reports, what it needs. Nothing of it is run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from evo.project.flags import FixedTime, fixed_time, reads_seed, seed_flag
from evo.project.found import Found
from evo.project.frozen import Given, frozen_of, missing_files, named_files, overlaps, without_parts
from evo.project.instructions import Instructions
from evo.project.modules import Module, Project
from evo.project.printed import Metric, line_pattern, metrics_of
from evo.project.wording import Kind, Split, identifier, is_open
from operators.gate import SourceGate, clean_source, language_model_contract
from operators.proposal import Refused
from operators.source.constants import find_constants
from trainer.errors import ConfigError, GenomeError

_USUAL_NAMES = ("train.py", "main.py")
_NEVER_EVOLVE = ("prepare", "setup", "conftest", "test_", "download", "plot", "score", "evaluate", "make_data")
_MOST_OBJECTIVES = 4
_MOST_PROGRAMS = 20  # that are looked through for the only one that reports something
_MOST_NAMED = 6  # of several candidates, in a message
_ARTIFACTS = "EVO_ARTIFACTS"
_OWN_PYTHON = (".venv/bin/python", "venv/bin/python")


def examine(root: Path, genome: Sequence[str] = (), objective: str | None = None, home: Path | None = None) -> Found:
    """Return what a project consists of.

    Args:
        root: its folder.
        genome: the files that evolve, where there is more than one candidate; relative to `root`.
        objective: the metric that decides, where there is more than one candidate.
        home: the user's home folder.

    Raises:
        ConfigError: it is no folder, or something was not found or found several times.
        GenomeError: `genome` is no readable Python file in the project.
    """
    if not root.is_dir():
        raise ConfigError(f"A project's folder was expected, but {root} is none.")
    return _Examination(Project(root.resolve()), genome, objective, home or Path.home()).found()


class _Examination:
    def __init__(self, project: Project, genome: Sequence[str], objective: str | None, home: Path) -> None:
        self._project = project
        self._wanted_genome = genome
        self._wanted_objective = objective
        self._home = home
        self._texts = Instructions(project.root)
        self._scripts = project.scripts()
        self._permissions = self._texts.permissions({one.name: one.docstring for one in self._scripts})
        self._notes: list[str] = []

    def found(self) -> Found:
        genomes = [self._named(name) for name in dict.fromkeys(self._wanted_genome)] or [self._genome()]
        genome, names = genomes[0], tuple(one.name for one in genomes)
        root, program = self._project.root, self._texts.program
        self._note_untracked(names)
        if _is_language_model(genome):
            return Found(root, (genome.name,), is_language_model=True, program=program, notes=tuple(self._notes))
        entry = self._entry(genome)
        score = self._score(names, entry)
        metrics = self._metrics(score or entry)
        fixed = self._fixed(entry, genome)
        objectives = self._objectives(metrics, score or entry, fixed)
        frozen, held_out = self._given(entry, names, score, objectives)
        modules = self._project.closure(entry)
        flag = seed_flag([entry, genome])
        self._note(objectives, frozen, entry, modules)
        return Found(
            root=root,
            genome=names,
            is_autoresearch=self._is_autoresearch(genome),
            command=self._command(entry, flag, fixed),
            objectives=objectives,
            others=tuple(one for one in metrics if one not in objectives and (one.is_sure or not one.is_guessed)),
            frozen=frozen,
            score=(self._python(), score.name) if score else (),
            held_out=held_out,
            fixed=fixed,
            seed=flag or ("EVO_SEED" if reads_seed(modules) else None),
            processes=self._processes(entry),
            constants=tuple(name for one in genomes for name in find_constants(one.text)),
            program=program,
            notes=tuple(self._notes),
        )

    def _genome(self) -> Module:
        """Return the file that evolves, found by what texts say, by its name, or by being the only one."""
        if not self._scripts:
            raise ConfigError(
                f"A Python program was expected in {self._project.root}, but there is no Python file. Go to a "
                "project's folder, or name one with --from."
            )
        chosen = self._permitted() or self._usual() or self._only()
        if chosen is None:
            names = _listed([one.name for one in self._candidates()] or [one.name for one in self._scripts])
            raise ConfigError(f"Which file evolves is not clear: there are {names}. Name it: evo init --genome FILE")
        return chosen

    def _named(self, name: str) -> Module:
        root = self._project.root
        path = Path(os.path.normpath(root / name))
        if not path.exists() and Path(name).exists():
            path = Path(name).resolve()  # named as seen from here
        if not path.is_relative_to(root):
            raise GenomeError(f"--genome must lie in the project {root}, but {name} does not.")
        if not path.is_file():
            raise GenomeError(f"--genome must name a Python file in {root}, but there is no file {name}.")
        module = self._project.module(path.relative_to(root).as_posix())
        if module is None or path.suffix != ".py":
            raise GenomeError(f"A Python file was expected to evolve, but {name} cannot be read as Python.")
        return module

    def _permitted(self) -> Module | None:
        """Return the file that the project's texts say may change, if it is one."""
        allowed = {one.name: self._permissions[one.name] for one in self._scripts if self._permissions[one.name] > 0}
        clearest = [name for name, clarity in allowed.items() if clarity == max(allowed.values())]
        return self._project.module(clearest[0]) if len(clearest) == 1 else None

    def _usual(self) -> Module | None:
        """Return the file with a usual name, those in the root first; None where it is not one."""
        by_name = {one.name: one for one in self._scripts}
        for name in _USUAL_NAMES:
            if name in by_name or (self._project.root / name).is_file():
                return by_name.get(name) or self._named(name)
        for name in _USUAL_NAMES:
            deeper = [one for one in self._scripts if PurePosixPath(one.name).name == name]
            if deeper:
                return deeper[0] if len(deeper) == 1 else None
        return None

    def _only(self) -> Module | None:
        """Return the only program, or else the only file that could be one; None where there are several."""
        candidates = self._candidates()
        programs = [one for one in candidates if one.is_program]
        for several in (
            [one for one in programs[:_MOST_PROGRAMS] if metrics_of(self._project, one)],
            programs,
            [one for one in candidates if _is_language_model(one)],
            candidates,
        ):
            if several:
                return several[0] if len(several) == 1 else None
        return self._scripts[0] if len(self._scripts) == 1 else None

    def _candidates(self) -> list[Module]:
        return [
            one
            for one in self._scripts
            if not PurePosixPath(one.name).name.startswith((*_NEVER_EVOLVE, "__"))
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
        started = [one for one in users if any(start.file in (one.name, one.dotted) for start in self._texts.starts)]
        reporting = [one for one in started or users if metrics_of(self._project, one)]
        several = reporting or started or users
        if len(several) == 1:
            return several[0]
        if not several:
            raise ConfigError(
                f"{genome.name} defines things but starts nothing, and no program of the project imports it. Let it do "
                'its work under `if __name__ == "__main__":`, or name another file: evo init --genome FILE'
            )
        raise ConfigError(
            f"{genome.name} is run by {_listed([one.name for one in several])}, and which of them measures it is not "
            "clear. Say in program.md how it is started, such as `python bench.py`."
        )

    def _score(self, genome: Sequence[str], entry: Module) -> Module | None:
        """Return the trusted program: the one that reads what another has left."""
        found = [
            one
            for one in self._scripts
            if _ARTIFACTS in one.text and one.is_program and one.name not in (*genome, entry.name)
        ]
        return found[0] if len(found) == 1 else None

    def _metrics(self, reporter: Module) -> list[Metric]:
        """Return what is reported on the standard output or in a file, with what the texts say of it."""
        metrics = metrics_of(self._project, reporter)
        if any("sys.stdout" in one.text for one in self._project.closure(reporter)):
            metrics = [replace(one, is_logged=False) for one in metrics]
        if not [one for one in metrics if not one.is_logged]:
            metrics += [
                Metric(identifier(name), name, f"{self._texts.program}", "", line_pattern(name), "last", is_sure=False)
                for name in self._texts.wanted
            ]
        return [replace(one, told=self._texts.direction(one.label)) if is_open(one.label) else one for one in metrics]

    def _objectives(self, metrics: Sequence[Metric], reporter: Module, fixed: FixedTime | None) -> tuple[Metric, ...]:
        """Return the metric that decides, then what is surely reported with it."""
        first = self._first(metrics, reporter)
        beside = [
            one
            for one in metrics
            if one.scope == first.scope
            and one is not first
            and one.is_sure
            and (one.take, one.json_file, one.is_logged) == (first.take, first.json_file, first.is_logged)
            and one.split is not Split.TRAINING
            and not one.is_guessed
            and not (fixed and one.kind is Kind.RESOURCE and one.name.endswith(("seconds", "time")))
        ]
        return (first, *beside[: _MOST_OBJECTIVES - 1])

    def _first(self, metrics: Sequence[Metric], reporter: Module) -> Metric:
        if self._wanted_objective is not None:
            for one in metrics:
                if self._wanted_objective in (one.name, one.label):
                    return one
            raise ConfigError(
                f"--objective must name a number that {reporter.name} reports, but {self._wanted_objective!r} is not "
                f"among {_listed([one.name for one in metrics])}. Let it print a line such as "
                f"`{self._wanted_objective}: 0.5`."
            )
        readable = [one for one in metrics if not one.is_logged]
        if not readable:
            raise ConfigError(_no_metric(metrics, reporter))
        best, *others = sorted(readable, key=self._rank)
        equal = [one for one in others if self._rank(one) == self._rank(best)]
        rivals = equal if best.is_guessed else [one for one in equal if one.scope != best.scope]
        # What may be a text is an objective only on somebody's word.
        if rivals or (best.is_guessed and not best.is_sure and best.label not in self._texts.wanted):
            raise ConfigError(
                f"Which metric decides is not clear: {reporter.name} reports "
                f"{_listed([best.name, *(one.name for one in equal)])}. Name it: evo init --objective NAME"
            )
        return best

    def _rank(self, metric: Metric) -> tuple[int, ...]:
        """Return a key that sorts metrics: what the texts look for, then quality before speed, validation first."""
        wanted = self._texts.wanted
        named = min((wanted.index(name) for name in (metric.label, metric.name) if name in wanted), default=len(wanted))
        return (named, metric.kind, metric.split, not metric.is_sure, metric.take != "only")

    def _fixed(self, entry: Module, genome: Module) -> FixedTime | None:
        fixed_modules = [one for one in self._project.closure(entry, genome) if one is not genome]
        return fixed_time([*fixed_modules, genome])

    def _given(
        self, entry: Module, genome: Sequence[str], score: Module | None, objectives: Sequence[Metric]
    ) -> tuple[tuple[Given, ...], tuple[str, ...]]:
        """Return what every command is given, and what the trusted one alone sees."""
        reported = [one.json_file for one in objectives if one.json_file]
        given = frozen_of(self._project, entry, genome, self._home)
        given += [Given(one.name, "scores") for one in self._project.closure(score)] if score else []
        frozen = without_parts([one for one in given if not any(overlaps(one.name, file) for file in reported)])
        seen = [*genome, *(one.name for one in frozen)]
        named = sorted(named_files(self._project, score)) if score else []
        return tuple(frozen), tuple(name for name in named if not any(overlaps(name, other) for other in seen))

    def _command(self, entry: Module, seed: str | None, fixed: FixedTime | None) -> tuple[str, ...]:
        as_module = entry.imports_relatively or any(
            start.is_module and start.file == entry.dotted for start in self._texts.starts
        )
        return (
            self._python(),
            *(("-m", entry.dotted) if as_module else (entry.name,)),
            *((seed, "{seed}") if seed else ()),
            *((fixed.flag, "{seconds}") if fixed and fixed.flag else ()),
        )

    def _python(self) -> str:
        return next((name for name in _OWN_PYTHON if (self._project.root / name).exists()), "python")

    def _processes(self, entry: Module) -> int | None:
        return next(
            (one.processes for one in self._texts.starts if one.processes and one.file in (entry.name, entry.dotted)),
            None,
        )

    def _is_autoresearch(self, genome: Module) -> bool:
        """Return whether a program.md leads the search, and the genome imports a file that may not change."""
        others = [one.name for one in self._project.closure(genome) if one is not genome]
        fixed = [name for name in others if name.startswith("prepare") or self._permissions[name] < 0]
        return self._texts.program is not None and bool(fixed)

    def _note(
        self, objectives: Sequence[Metric], frozen: Sequence[Given], entry: Module, modules: Sequence[Module]
    ) -> None:
        first = objectives[0]
        if first.is_guessed:
            self._notes.append(f"Whether less {first.name} is better was guessed: correct `direction` if it is not.")
        if first.split is Split.TRAINING:
            self._notes.append(f"{first.name} is measured on the training data: what learns it by heart wins.")
        self._note_missing(frozen, entry)
        for start in self._texts.starts:
            if start.arguments and start.file in (entry.name, entry.dotted):
                self._notes.append(
                    f"Its texts start {entry.name} with `{start.arguments}`: add to `command` what matters."
                )
                break
        if any("wandb" in one.text for one in modules):
            self._notes.append(
                'There is no network in the sandbox: export WANDB_MODE=offline and set environment = ["WANDB_MODE"].'
            )
        if self._python() == "python" and (self._project.root / "pyproject.toml").exists():
            self._notes.append("The project has no .venv: `python` is the one that evo runs with, with its packages.")

    def _note_missing(self, frozen: Sequence[Given], entry: Module) -> None:
        for one in frozen:
            if one.is_missing:
                self._notes.append(f"{one.name} ({one.reason}) does not exist yet{self._maker(one.source)}.")
        for name in missing_files(self._project, entry, entry):
            self._notes.append(
                f"{entry.name} names {name}, which does not exist yet{self._maker(entry.name)}; add it to frozen."
            )

    def _maker(self, source: str) -> str:
        """Return how data that a file names is made, as the end of a sentence."""
        usual = ("prepare", "download")
        makers = [
            one.name for one in self._scripts if PurePosixPath(one.name).name.startswith(usual) and one.is_program
        ]
        makers = [source] if source in makers else makers
        return f": run {self._python()} {makers[0]} first" if makers else ": make it before the first run"

    def _note_untracked(self, genome: Sequence[str]) -> None:
        for name in genome:
            if _is_tracked(self._project.root, name) is False:
                self._notes.append(f"{name} is not tracked by git: commit it, so that results can be applied to it.")


def _no_metric(metrics: Sequence[Metric], reporter: Module) -> str:
    if metrics:
        return (
            f"{reporter.name} logs {metrics[0].name}, but `logging` writes to the standard error, and objectives are "
            f'read from the standard output. Print it: print(f"{metrics[0].name}: {{value}}")'
        )
    return (
        f"A printed metric was expected of {reporter.name}, but none was found. Let it print a line such as "
        '`val_loss: 0.5` at its end: print(f"val_loss: {value}")'
    )


def _is_language_model(module: Module) -> bool:
    try:
        SourceGate(language_model_contract, known=lambda _: None).check(clean_source(module.text))
    except Refused:
        return False
    return True


def _is_tracked(root: Path, name: str) -> bool | None:
    """Return whether git tracks a file; None where there is no repository, or no git."""
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", name]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - an argument list, no shell
    except OSError:
        return None
    return {0: True, 1: False}.get(done.returncode)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "nothing"
