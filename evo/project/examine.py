"""Find what evolves in a project, what starts it, what it reports and what it needs."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from evo.project.choosing import Choice, Unclear, Wish, reported, with_documented_directions
from evo.project.flags import fixed_time
from evo.project.found import FirstRun, Found, Given, Metric, Question
from evo.project.frozen import MAKERS, Reads, missing_files, named_files, overlaps, reads_of, without_parts
from evo.project.instructions import Instructions, Start
from evo.project.interpreter import interpreter_of
from evo.project.modules import Module, Project, last_name
from evo.project.output import values_of
from evo.project.printed import line_pattern, metrics_of
from evo.project.protected import protected_code
from evo.project.returned import returned_values
from evo.project.seeds import Seeding, seeding_of
from evo.project.text_genomes import builds_of, may_evolve, read_by, runs_of, starter_of, text_genomes
from evo.project.wording import Kind, Split, identifier
from operators.gate import SourceGate, clean_source, language_model_contract
from operators.proposal import Refused
from operators.source.constants import find_constants
from trainer.errors import ConfigError, GenomeError
from trainer.genome import join
from trainer.languages import PYTHON, language_of
from trainer.script.secrets import secret_by_value

Runner = Callable[[Found], tuple[FirstRun, tuple[Given, ...]]]
"""Runs what was found so far once, and returns what happened and which further files it needs."""

_USUAL_NAMES = ("train.py", "main.py")
_NEVER_EVOLVE = (
    *("prepare", "setup", "conftest", "test_", "download", "plot", "score", "evaluate", "make_data", "__"),
    *("bench", "backtest", "harness"),
)
_MOST_PROGRAMS = 20  # that are searched for the only one that reports a metric
_MOST_NAMED = 6  # options in a message
_ARTIFACTS = "EVO_ARTIFACTS"
_FILE_FLAG = re.compile(
    r"--(?:(?:program|candidate|solution|submission|prompt|config|kernel)(?:[-_](?:path|file))?|path|file)"
)
_RANK_VARIABLES = frozenset({"RANK", "LOCAL_RANK", "WORLD_SIZE"})
_LOADERS = frozenset({"importlib", "runpy", "exec", "spec_from_file_location", "__import__"})


def examine(
    root: Path,
    genome: Sequence[str] = (),
    metric: str | None = None,
    command: str | None = None,
    home: Path | None = None,
    run: Runner | None = None,
) -> Found:
    """Examine a project.

    What is not clear becomes the `question` of the result.

    Args:
        root: its folder.
        genome: the files that evolve, if the user named them; relative to `root`.
        metric: the metric that decides, if the user named it: `NAME[=PATTERN][:max|min]`.
        command: what starts the program, if the user named it.
        home: the user's home folder.
        run: runs the program once; None to look at the source alone.

    Raises:
        ConfigError: `root` is not a folder, or `metric` or `command` cannot be read.
        GenomeError: `genome` is not a readable file in the project.
    """
    if not root.is_dir():
        raise ConfigError(f"Expected the folder of a project, but {root} is not a folder.")
    wish = Wish.parse(metric) if metric is not None else None
    return _Examination(Project(root.resolve()), genome, wish, _words(command), home or Path.home()).found(run)


def _words(command: str | None) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command or ""))
    except ValueError as error:
        raise ConfigError(f"--command cannot be split into arguments: {error}.") from None
    if command is not None and not words:
        raise ConfigError("--command must be a program and its arguments, but it was empty.")
    return words


class _Examination:
    def __init__(
        self, project: Project, genome: Sequence[str], wish: Wish | None, command: tuple[str, ...], home: Path
    ) -> None:
        self._project = project
        self._root = project.root
        self._wanted_genome = genome
        self._wish = wish
        self._wanted_command = command
        self._home = home
        self._texts = Instructions(project.root)
        self._scripts = project.scripts()
        self._permissions = self._texts.permissions({one.name: one.docstring for one in self._scripts})
        self._interpreter = interpreter_of(project.root, os.environ, home)
        self._python = self._interpreter.word

    def found(self, run: Runner | None) -> Found:
        """Return what was found, with a question if something is open."""
        found = Found(self._root, program=self._texts.program)
        try:
            for step in (self._with_genome, self._with_command, self._with_files):
                found = step(found)
                if found.is_language_model:
                    return found
            if run is not None:
                happened, needed = run(found)
                found = replace(found, run=happened, frozen=tuple(without_parts([*found.frozen, *needed])))
            return self._with_objectives(found)
        except Unclear as unclear:
            found = replace(found, question=unclear.question, choices=unclear.choices)
            return self._with_protection(found, found.choices) if found.choices else found

    def _with_genome(self, found: Found) -> Found:
        genomes = [self._named(name) for name in dict.fromkeys(self._wanted_genome)] or [self._genome()]
        texts = {one.name: one.text for one in genomes}
        names = tuple(texts)
        notes = [
            f"{name} is not tracked by git. Commit it, so that results can be applied to it."
            for name in names
            if _is_tracked(self._root, name) is False
        ]
        if _is_language_model(genomes[0]):
            return replace(found, genome=names[:1], is_language_model=True, notes=tuple(notes))
        notes += [
            f"{one.name} contains what looks like {what}: candidates and language models see it."
            for one in genomes
            if (what := secret_by_value(one.text))
        ]
        constants = tuple(one for name, text in texts.items() for one in _constants(name, text))
        if not constants:
            notes.append(" ".join([_NO_CONSTANTS, *self._with_constants(genomes)]))
        return replace(found, genome=names, constants=constants, notes=tuple(notes))

    def _with_constants(self, genomes: Sequence[Module]) -> Iterator[str]:
        """Yield a sentence for each file that the genome uses and that holds constants: it could evolve instead."""
        used = [one.name for one in self._project.closure(*genomes) if one not in genomes]
        used += [name for one in genomes for name in read_by(one, self._root)]
        for name in used[:_MOST_NAMED]:
            module = self._project.module(name)
            if module is not None and (count := len(_constants(name, module.text))):
                yield f"{name}, which it uses, has {count}: to evolve that, evo init --genome {name}."

    def _with_command(self, found: Found) -> Found:
        genome = self._module(found.genome[0])
        self._entry = entry = self._started(genome)
        modules = self._project.closure(entry, genome)
        fixed = fixed_time([*(one for one in modules if one is not genome), genome])
        start = next((one for one in self._texts.starts if one.starts(entry)), None)
        command, notes = self._command(entry, genome, start)
        processes = next((one.processes for one in self._texts.starts if one.processes and one.starts(entry)), None)
        return replace(
            found,
            is_autoresearch=self._is_autoresearch(genome),
            command=command,
            fixed=fixed,
            processes=processes,
            notes=(*found.notes, *notes),
        )

    def _with_files(self, found: Found) -> Found:
        score = self._score(found.genome, self._entry)
        self._reporter = score or self._entry
        files = {one.json_file for one in metrics_of(self._project, self._reporter) if one.json_file}
        reads = reads_of(self._project, self._entry, found.genome, self._home)
        frozen, held_out = self._given(found, reads, score, files)
        withheld = [
            f"{one.name} looks like {one.reason}: candidates never get it."
            + (" Move it out of the module, for a run refuses to start with it." if one.source == one.name else "")
            for one in reads.withheld
        ]
        outside = [
            f"Outside the project, {one.name} is readable for candidates: a cache that {one.source} names."
            for one in frozen
            if one.is_outside
        ]
        suggested = [
            f"{one.source} names {one.name}, outside the project: candidates get it only if you add it to frozen."
            for one in reads.suggested
        ]
        seeding = self._seeding(found, frozen)
        return replace(
            found,
            command=self._completed(found, seeding),
            seed="{seed} in the command" if "{seed}" in " ".join(found.command) else seeding.how or None,
            seeds=seeding.places,
            score=(self._python, score.name) if score else (),
            frozen=frozen,
            held_out=held_out,
            suggested=reads.suggested,
            notes=(*found.notes, *outside, *suggested, *withheld),
        )

    def _with_objectives(self, found: Found) -> Found:
        metrics = self._metrics(found.run)
        choice = Choice(metrics, self._reporter.name, self._texts, found.run, is_trusted=bool(found.score))
        first = choice.first(self._wish)
        objectives = (first, *choice.others(first, found.fixed))
        others = tuple(one for one in metrics if one not in objectives and (one.is_sure or not one.is_guessed))
        others = tuple(one for one in others if one.name != first.name)
        notes = self._notes(found, objectives, metrics)
        found = replace(found, objectives=objectives, others=others, notes=(*found.notes, *notes))
        return self._with_protection(found, objectives)

    def _with_protection(self, found: Found, metrics: Sequence[Metric]) -> Found:
        genomes = [self._module(name) for name in found.genome]
        given = {word.partition("=")[0] for word in found.command if word.startswith("--")}
        reported = () if found.score else metrics
        protected = protected_code(self._project, genomes, reported, self._texts.text, given)
        shared = (*protected.shared, *returned_values(self._project, self._entry, genomes, reported))
        fixed = {one.name.rpartition(": ")[2] for one in protected.entries} | given
        constants = tuple(name for name in found.constants if not {name, name.partition(".")[0]} & fixed)
        notes = [_LITTLE_FREE] if protected.free_share <= _LEAST_FREE and not constants else []
        return replace(
            found,
            protect=protected.entries,
            shared=tuple(dict.fromkeys(shared)),
            constants=constants,
            notes=(*found.notes, *notes),
        )

    def _seeding(self, found: Found, frozen: Sequence[Given]) -> Seeding:
        """Return how the program takes its seed."""
        started = list(dict.fromkeys((self._entry, *(self._module(name) for name in found.genome))))
        given = [*found.genome, *(one.name for one in frozen)]
        return seeding_of(self._root, started, self._project.closure(*started), given)

    def _completed(self, found: Found, seeding: Seeding) -> tuple[str, ...]:
        """Return the command with the places of the seed and of the run time; a command of the user's as it is."""
        if self._wanted_command:
            return found.command
        words = list(found.command)
        if len(seeding.words) == 1:
            words = [word for word in words if word.partition("=")[0] != seeding.words[0].partition("=")[0]]
            words += seeding.words
        elif seeding.words:
            words = _filled(words, *seeding.words)
        if found.fixed and found.fixed.flag:
            words = _filled(words, found.fixed.flag, "{seconds}")
        return (*(("env", f"{seeding.variable}={{seed}}") if seeding.variable else ()), *words)

    def _module(self, name: str) -> Module:
        module = self._project.module(name)
        assert module is not None  # noqa: S101 - found before
        return module

    def _genome(self) -> Module:
        """Return the file that evolves: by the project's documentation, by its name, or because it is the only one."""
        chosen = self._permitted_text() or (None if self._candidates() else self._text())
        if chosen is None and not self._scripts:
            raise Unclear(self._no_script())
        chosen = chosen or self._permitted() or self._usual() or self._only()
        if chosen is None:
            ranked = [(one.name, self._reason(one)) for one in self._ranked()]
            names = _listed([f"{name} ({reason})" if reason else name for name, reason in ranked])
            raise Unclear(
                Question(
                    "genome",
                    f"Several files could evolve: {names}. Answer: evo init --genome {ranked[0][0]}",
                    tuple(ranked),
                )
            )
        return chosen

    def _permitted_text(self) -> Module | None:
        """Return the file that is not Python and that alone may change according to the documentation."""
        allowed = {name: value for name, value in self._permissions.items() if value > 0}
        most = max(allowed.values(), default=0)
        clearest = [name for name, value in allowed.items() if value == most]
        is_text = len(clearest) == 1 and may_evolve(clearest[0], self._root)
        return self._utf8(self._module(clearest[0])) if is_text else None

    def _text(self) -> Module | None:
        """Return the file that is not Python and that the project's programs measure."""
        found = text_genomes(self._root, self._texts, self._scripts)
        if len(found) > 1:
            options = tuple((one.name, one.reason) for one in found)
            named = _listed([f"{one.name} ({one.reason})" for one in found])
            raise Unclear(
                Question(
                    "genome",
                    f"Several files could evolve: {named}. Answer: evo init --genome {found[0].name}",
                    options,
                )
            )
        return self._utf8(self._module(found[0].name)) if found else None

    def _no_script(self) -> Question:
        for name, problem in self._project.problems().items():
            return Question("genome", f"{name} cannot be read as {_PYTHON}: {problem}. Correct it: evo init")
        notebooks = sorted(path.name for path in self._root.glob("*.ipynb"))
        if notebooks:
            return Question(
                "genome",
                f"{notebooks[0]} is a notebook, and scripts evolve. Convert it with `jupyter nbconvert --to script "
                f"{notebooks[0]}`, then: evo init",
            )
        return Question(
            "genome",
            f"There is no Python file in {self._root}, and no other file that a documented command compiles. Run evo "
            "init in a project's folder, name it with --from, or name what evolves: evo init --genome FILE --command "
            "COMMAND",
        )

    def _ranked(self) -> list[Module]:
        """Return the files that could evolve, the likeliest first."""
        candidates = self._candidates() or self._scripts
        return sorted(candidates[:_MOST_PROGRAMS], key=lambda one: (not self._prints(one), not self._runs(one)))

    def _reason(self, module: Module) -> str:
        """Return what speaks for a file, in a few words."""
        if metrics := metrics_of(self._project, module):
            return f"prints {metrics[0].name}"
        users = [one.name for one in self._scripts if module in self._project.closure(one) and one is not module]
        if users:
            return f"imported by {users[0]}"
        return "starts something" if self._runs(module) else ""

    def _named(self, name: str) -> Module:
        path = Path(os.path.normpath(self._root / name))
        if not path.exists() and Path(name).exists():
            path = Path(name).resolve()  # relative to the current folder
        if not path.is_relative_to(self._root):
            raise GenomeError(f"--genome must be in the project {self._root}, but {name} is not.")
        if not path.is_file():
            raise GenomeError(f"--genome must name a file in {self._root}, but there is no file {name}.")
        relative = path.relative_to(self._root).as_posix()
        module = self._project.module(relative)
        if module is None:
            problem = self._project.problem(relative)
            reason = f": {problem}" if problem else ""
            kind = _PYTHON if language_of(relative) is PYTHON else "text"
            raise GenomeError(f"Expected a file to evolve, but {name} cannot be read as {kind}{reason}.")
        return self._utf8(module)

    def _utf8(self, module: Module) -> Module:
        """Return a file that evolves; raise Unclear if it is not UTF-8, as genomes are."""
        try:
            (self._root / module.name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise Unclear(
                Question(
                    "genome",
                    f"{module.name} is not UTF-8 (byte {error.start}), and genomes are UTF-8. Save it as UTF-8, "
                    "then: evo init",
                )
            ) from None
        return module

    def _permitted(self) -> Module | None:
        """Return the file that may change according to the documentation, if it is a single one."""
        most = max(self._permissions[one.name] for one in self._scripts)
        clearest = [one for one in self._scripts if self._permissions[one.name] == most]
        return self._utf8(clearest[0]) if most > 0 and len(clearest) == 1 else None

    def _usual(self) -> Module | None:
        """Return the file with a usual name, in the root or as the only one below it."""
        by_name = {one.name: one for one in self._scripts}
        for name in _USUAL_NAMES:
            if name in by_name:
                return self._utf8(by_name[name])
            if problem := self._project.problem(name):
                raise Unclear(
                    Question(
                        "genome",
                        f"{name} cannot be read as {_PYTHON}: {problem}. Correct it, or choose another file: "
                        "evo init --genome FILE",
                    )
                )
        for name in _USUAL_NAMES:
            if deeper := [one for one in self._scripts if PurePosixPath(one.name).name == name]:
                return self._utf8(deeper[0]) if len(deeper) == 1 else None
        return None

    def _only(self) -> Module | None:
        """Return the only program that reports a metric, else the only program, else the only candidate."""
        candidates = self._candidates()
        programs = [one for one in candidates[:_MOST_PROGRAMS] if self._runs(one)]
        for several in (
            [one for one in programs if self._prints(one)],
            programs,
            [one for one in candidates if _is_language_model(one)],
            candidates,
            self._scripts,
        ):
            if several:
                return self._utf8(several[0]) if len(several) == 1 else None
        return None

    def _candidates(self) -> list[Module]:
        return [
            one
            for one in self._scripts
            if not PurePosixPath(one.name).name.startswith(_NEVER_EVOLVE)
            and "tests" not in one.folder.parts
            and self._permissions[one.name] >= 0
            and one is not self._evaluator
        ]

    def _prints(self, module: Module) -> bool:
        return bool(metrics_of(self._project, module))

    def _runs(self, module: Module) -> bool:
        """Return whether a file does something when it is started: by its form, its output, or the documentation."""
        if module.is_program or any(start.starts(module) for start in self._texts.starts):
            return True
        return module.name not in self._imported and self._prints(module)

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The files that others import."""
        return frozenset(other.name for one in self._scripts for other, _ in self._project.imported(one).values())

    def _started(self, genome: Module) -> Module:
        """Return the file that is started: what the user's command names, the genome, or the program that uses it."""
        if self._wanted_command:
            words = [word.removeprefix("./") for word in self._wanted_command]
            named = [one for one in self._scripts if {one.name, one.dotted} & set(words)]
            return named[0] if named else genome
        if (evaluator := self._evaluator) and evaluator is not genome:
            return evaluator
        runs = self._runs(genome)
        if genome.is_program or (runs and not self._users(genome)):
            return genome
        users = self._users(genome)
        if not users and (self._build(genome) or self._run(genome) or self._starter(genome)):
            return genome
        if not users:
            raise Unclear(Question("command", _STARTS_NOTHING[language_of(genome.name) is PYTHON].format(genome.name)))
        users = [one for one in users if any(start.starts(one) for start in self._texts.starts)] or users
        users = [one for one in users if self._prints(one)] or users
        if len(users) > 1:
            options = tuple((f"python {one.name}", self._reason(one)) for one in users)
            raise Unclear(
                Question(
                    "command",
                    f"Several programs run {genome.name}: {_listed([one.name for one in users])}. Write the command "
                    f"that measures it into program.md, or answer: evo init --command 'python {users[0].name}'",
                    options,
                )
            )
        return users[0]

    @cached_property
    def _evaluator(self) -> Module | None:
        """The only file with a function that evaluates a program by its path, as OpenEvolve calls it."""
        found = [one for one in self._scripts if _evaluates_paths(one)]
        return found[0] if len(found) == 1 else None

    def _users(self, genome: Module) -> list[Module]:
        """Return the programs that use a file: by import, by its name, or as an argument."""
        programs = [
            one for one in self._scripts if one is not genome and not one.name.startswith("test") and self._runs(one)
        ]
        users = [one for one in programs if genome in self._project.closure(one)]
        names = {genome.name, genome.dotted} if language_of(genome.name) is PYTHON else {genome.name}
        users = users or [one for one in programs if one.texts & names]
        given = [start for start in self._texts.starts if genome.name in start.arguments.replace("./", "").split()]
        users = users or [one for one in programs if any(start.starts(one) for start in given)]
        return users or [one for one in programs if self._is_given(genome, one)]

    def _score(self, genome: Sequence[str], entry: Module) -> Module | None:
        """Return the trusted program: the one that reads what the command wrote."""
        found = [one for one in self._scripts if _ARTIFACTS in one.text and one.is_program]
        found = [one for one in found if one.name not in (*genome, entry.name)]
        return found[0] if len(found) == 1 else None

    def _metrics(self, run: FirstRun | None) -> list[Metric]:
        """Return what the program reports: by its source, by its first run, and by its documentation."""
        metrics = reported(
            metrics_of(self._project, self._reporter), None if self._reporter is not self._entry else run
        )
        if not metrics:
            metrics = [
                Metric(identifier(name), name, f"{self._texts.program}", "", line_pattern(name), "last", is_sure=False)
                for name in self._texts.wanted
            ]
        return with_documented_directions(metrics, self._texts)

    def _given(
        self, found: Found, reads: Reads, score: Module | None, files: set[str]
    ) -> tuple[tuple[Given, ...], tuple[str, ...]]:
        """Return what every command can read, and what only the trusted one can read."""
        given = [*reads.given, *self._named_by_command(found)]
        given += [Given(one.name, "scores") for one in self._project.closure(score)] if score else []
        frozen = without_parts([one for one in given if not any(overlaps(one.name, file) for file in files)])
        seen = [*found.genome, *(one.name for one in frozen)]
        named = sorted(named_files(self._project, score)) if score else []
        return tuple(frozen), tuple(name for name in named if not any(overlaps(name, other) for other in seen))

    def _named_by_command(self, found: Found) -> list[Given]:
        """Return the files of the project that the command has among its arguments, such as a configuration."""
        words = [part for word in found.command for part in (word.split() if " " in word else [word])]
        words += ["Makefile"] if found.command[0] == "make" else []
        names = [str(PurePosixPath(word)) for word in words if word and not word.startswith("-")]
        return [
            Given(name, "named in the command")
            for name in names
            if name not in found.genome
            and not PurePosixPath(name).is_absolute()
            and ".." not in PurePosixPath(name).parts
            and (self._root / name).is_file()
        ]

    def _command(self, entry: Module, genome: Module, start: Start | None) -> tuple[tuple[str, ...], list[str]]:
        """Return the command, with the arguments of the documentation, and what the user should know of it."""
        if self._wanted_command:
            first, *others = self._wanted_command
            return (self._python if first in ("python", "python3") else first, *others), []
        notes = []
        if entry is genome and (build := self._build(genome)):
            others = [name for name in build.split() if name != genome.name and may_evolve(name, self._root)]
            return ("sh", "-c", build), [] if others else [_MEASURES_ITSELF.format(genome.name)]
        if entry is self._evaluator and entry is not genome:
            return (self._python, "-c", _EVALUATE.format(entry.dotted, genome.name)), []
        if entry is genome and (words := self._run(genome)):
            return words, [_MEASURES_ITSELF.format(genome.name)]
        if entry is genome and (words := self._starter(genome)):
            return words, []
        arguments = shlex.split(start.arguments) if start else []
        if start and start.has_more:
            notes.append(f"The documentation starts {entry.name} with arguments of your choice: add them to `command`.")
        if entry is not genome and not arguments and self._is_given(genome, entry):
            arguments = [*_file_flag(entry), genome.name]
        is_module = any(one.is_module and one.starts(entry) for one in self._texts.starts)
        program = ("-m", entry.dotted) if is_module or entry.imports_relatively else (entry.name,)
        command = (*self._launcher(entry), *program, *arguments)
        return command, notes

    def _is_given(self, genome: Module, entry: Module) -> bool:
        """Return whether a program takes the file that evolves as an argument."""
        if language_of(genome.name) is not PYTHON:
            return genome.name not in entry.texts and _reads_arguments(entry)
        return _takes_file(entry) and genome not in self._project.closure(entry)

    def _build(self, genome: Module) -> str:
        """Return the documented command that compiles and runs a file; empty if there is none."""
        if language_of(genome.name) is PYTHON:
            return ""
        return next((one for one in builds_of(self._texts) if genome.name in one and "&&" in one), "")

    def _run(self, genome: Module) -> tuple[str, ...]:
        """Return the documented command that runs a program in another language from its source."""
        if language_of(genome.name) is PYTHON:
            return ()
        commands = (run for run, names in runs_of(self._texts, self._root) if genome.name in names)
        return tuple(shlex.split(next(commands, "")))

    def _starter(self, genome: Module) -> tuple[str, ...]:
        """Return the shell script or the target of the Makefile that measures a file that is not Python."""
        return () if language_of(genome.name) is PYTHON else starter_of(genome.name, self._root)

    def _launcher(self, entry: Module) -> tuple[str, ...]:
        """Return what starts the program: Python, or torchrun if it cannot do without the variables of that."""
        modules = self._project.closure(entry)
        if any(start.processes is not None and start.starts(entry) for start in self._texts.starts) and any(
            _demands_ranks(module) for module in modules
        ):
            return ("torchrun", "--standalone", "--nproc_per_node=1")
        return (self._python,)

    def _is_autoresearch(self, genome: Module) -> bool:
        """Return whether there is a program.md, and the genome imports a file that may not change."""
        others = [one.name for one in self._project.closure(genome) if one is not genome]
        fixed = any(name.startswith("prepare") or self._permissions[name] < 0 for name in others)
        return fixed and self._texts.program is not None

    def _notes(self, found: Found, objectives: Sequence[Metric], metrics: Sequence[Metric]) -> list[str]:
        first = objectives[0]
        notes = []
        if first.is_guessed:
            notes.append(f"Lower {first.name} is better: this is a guess. Correct `direction` if it is wrong.")
        unnamed = [one.name for one in metrics if one.is_guessed and one.is_sure and one is not first]
        if first.kind is Kind.RESOURCE and unnamed and not self._wish and not self._texts.importance(first.label):
            notes.append(
                f"{_listed(unnamed)} is reported too. If that should decide, and not {first.name}: evo init --metric "
                f"{unnamed[0]}"
            )
        if first.split is Split.TRAINING:
            notes.append(f"{first.name} is measured on the training data, so overfitting wins.")
        if first.split is Split.TEST and not found.score:
            notes.append(
                f"{first.name} is measured on the test set: after a search it is no estimate of generalization."
            )
        elif tested := [one.name for one in metrics if one.split is Split.TEST and one is not first]:
            notes.append(f"Measured on the test set, and so not selected on: {_listed(tested)}.")
        notes += self._notes_on_run(found, first)
        notes += self._notes_on_data(found)
        notes += filter(None, [self._interpreter.note])
        return notes

    def _notes_on_run(self, found: Found, first: Metric) -> list[str]:
        run = found.run
        if run is None:
            return []
        if run.problem:
            return [f"The first run failed: {run.problem}. What follows is from the source alone."]
        is_seen = first.pattern is None or bool(values_of(first.pattern, run.lines))
        if not run.is_complete:
            seen = "printed" if is_seen else "had not printed"
            return [f"The first run was stopped after {run.seconds:.0f} s; until then it {seen} {first.name}."]
        return []

    def _notes_on_data(self, found: Found) -> list[str]:
        if found.run is not None and found.run.is_complete:
            return []  # everything that it needs is there
        missing = [one for one in found.frozen if one.is_missing]
        notes = [f"{one.name} ({one.reason}) does not exist yet{self._maker(one.source)}." for one in missing]
        for name in missing_files(self._project, self._entry):
            maker = self._maker(self._entry.name)
            notes.append(f"{self._entry.name} reads {name}, which does not exist yet{maker}; add it to frozen.")
        return notes

    def _maker(self, source: str) -> str:
        """Return how missing data can be made, as the end of a sentence."""
        makers = [one.name for one in self._scripts if one.is_program and one.name.split("/")[-1].startswith(MAKERS)]
        makers = [source] if source in makers else makers
        return f": run {self._python} {makers[0]} first" if makers else ": make it before the first run"


_EVALUATE = (
    'import {0}; found = {0}.evaluate("{1}"); [print(name, value, sep=": ") for name, value in '
    'getattr(found, "metrics", found).items() if isinstance(value, (int, float))]'
)
"""Python that prints what an evaluator returns: a dictionary of metrics, or an object that holds one."""
_MEASURES_ITSELF = (
    "{} holds its own measurement: put `evo: fixed` and `evo: end`, as comments on lines of their own, around what "
    "measures it, or measure it in another program."
)
_LEAST_FREE = 0.25
_LITTLE_FREE = (
    "Nearly everything is protected, since what is reported depends on it, so that hardly anything can evolve. Move "
    "the evaluation into functions or a file of its own, or take entries out of protect knowingly."
)
_STARTS_NOTHING = {
    True: "{0} starts nothing, and no program of the project uses it. Start its work under "
    "`if __name__ == \"__main__\":`, or tell how it is measured: evo init --command 'python {0}'",
    False: "No program, shell script or documented command of the project measures {0}. Tell how it is measured: "
    "evo init --genome {0} --command COMMAND",
}
"""By whether it is Python."""
_NO_CONSTANTS = "0 constants found: only the language model and syntax edits can vary this."
_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"


def _constants(name: str, text: str) -> list[str]:
    """Return the names of the constants in a file that can be varied without a language model."""
    found = find_constants(join({name: text})).values()
    return [one.name for one in found if one.choices or not isinstance(one.value, str)]


def _evaluates_paths(module: Module) -> bool:
    """Return whether a module has a function `evaluate(program_path)` and does nothing by itself."""
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == "evaluate"
        and len(node.args.args) - len(node.args.defaults) == 1
        and re.search(r"path|file", node.args.args[0].arg)
        for node in module.tree.body
    )


def _takes_file(module: Module) -> bool:
    """Return whether a program loads a Python file that its command line names."""
    loads = any(
        isinstance(node, ast.Name | ast.Attribute) and last_name(node) in _LOADERS for node in ast.walk(module.tree)
    )
    return loads and _reads_arguments(module)


def _file_flag(module: Module) -> list[str]:
    """Return the flag by which a program takes the file that it measures; nothing where it takes that by its place."""
    names = [
        node.args[0].value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "add_argument"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]
    if any(not name.startswith("-") for name in names):
        return []
    return next(([name] for name in names if _FILE_FLAG.fullmatch(name)), [])


def _reads_arguments(module: Module) -> bool:
    return "argv" in module.text or "argparse" in module.text


def _demands_ranks(module: Module) -> bool:
    """Return whether a module reads the variables of a launcher without a default."""
    return any(
        isinstance(node, ast.Subscript)
        and ast.unparse(node.value).endswith("environ")
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in _RANK_VARIABLES
        for node in ast.walk(module.tree)
    )


def _filled(arguments: Sequence[str], flag: str, placeholder: str) -> list[str]:
    """Return arguments with a placeholder as the value of a flag, which is added if it is not there."""
    found = list(arguments)
    for number, word in enumerate(found):
        if word == flag and number + 1 < len(found):
            found[number + 1] = placeholder
            return found
        if word.startswith(f"{flag}="):
            found[number] = f"{flag}={placeholder}"
            return found
    return [*found, flag, placeholder]


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


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "nothing"
