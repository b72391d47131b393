"""Find what evolves in a project, what starts it, what it reports and what it needs, one question after the other."""

from __future__ import annotations

import gc
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from evo.project.choosing import Choice, Wish
from evo.project.evolving import evolving_files, is_language_model, tunable_part, used_instead, varied_constants
from evo.project.files import beside, given_files, notes_on_files, notes_on_missing, taken_apart, trusted_program
from evo.project.flags import arguments_of, fixed_time
from evo.project.found import FirstRun, Found, Given, Metric, ProtectedCode, Unclear
from evo.project.frozen import reads_of, without_parts
from evo.project.interpreter import interpreter_of
from evo.project.modules import Module
from evo.project.protected import REPORTS, protected_code
from evo.project.reporting import judged_elsewhere, notes_on_metrics, reported_metrics
from evo.project.returned import returned_values
from evo.project.seeds import Seeding, seeding_of, varied
from evo.project.sources import Sources
from evo.project.starting import command_of, completed, given_command, in_its_folder, started, words_of
from evo.project.wording import Kind, Split
from evo.text import listed
from operators.mutation.constants import movable_constants
from operators.protection import Protection, Reported
from operators.source.constants import find_constants
from trainer.errors import ConfigError
from trainer.genome import join
from trainer.languages import COMPILED, PYTHON, language_of
from trainer.script.secrets import secret_by_value

_SETS_A_KEY = re.compile(r"[a-z][\w.]*=")
"""As Hydra and OmegaConf take `optimizer.lr=0.1`."""
Runner = Callable[[Found], tuple[FirstRun, tuple[Given, ...]]]
"""Runs what was found so far once, and returns what happened and which further files it needs."""

_LEAST_FREE = 0.25
_LITTLE_FREE = (
    "Nearly everything is protected, since what is reported depends on it, so that hardly anything can evolve. Move "
    "the evaluation into functions or a file of its own, or take entries out of protect knowingly."
)
_A_PART = (
    "{genome} evolves, which holds the constants; {program} starts and measures it. To evolve that instead: evo init "
    "--genome {program}."
)
_PROTECTED_CONSTANTS = "All constants are protected: only the language model and syntax edits can vary this."
_GIVEN_CONSTANTS = (
    "The command fixes {}. To tune one, leave it out of `command`, with its value as the default in the file that "
    "evolves."
)
_MEASURES_ITSELF = (
    "{} reports {} itself, and what it measures is protected by marks alone: put comments with evo: fixed and evo: end "
    "around that, or let another program measure."
)
_UNFOUND = (
    "What reports {} was not found in {}, so that nothing it depends on is protected: name that in protect of evo.toml."
)
_UNCHECKED = (
    "{} takes logarithms of what {} returns, and nothing checks that these are probabilities: divide them by their sum "
    "where they are measured, or larger ones win."
)
_UNGIVEN_SEED = "The command gives no seed, which the program takes by {}: put {{seed}} there, or all runs are alike."
_NO_CONSTANTS = "0 constants found: only the language model and syntax edits can vary this."


def examine(
    root: Path,
    genome: Sequence[str] = (),
    metric: str | None = None,
    command: str | None = None,
    home: Path | None = None,
    run: Runner | None = None,
    smoke: str | None = None,
) -> Found:
    """Examine a project.

    What is not clear becomes the `question` of the result.

    Args:
        genome: the files that evolve, if the user named them; relative to `root`.
        metric: the metric that decides, if the user named it: `NAME[=PATTERN][:max|min]`.
        command: what starts the program, if the user named it.
        run: runs the program once; None to look at the source alone.
        smoke: what shows in a moment that the program runs, if the user named it.

    Raises:
        ConfigError: `root` is not a folder, or `metric`, `command` or `smoke` cannot be read.
        GenomeError: `genome` is not a readable file in the project.
    """
    if not root.is_dir():
        raise ConfigError(f"Expected the folder of a project, but {root} is not a folder.")
    wish = Wish.parse(metric) if metric is not None else None
    commands = words_of("--command", command), words_of("--smoke", smoke)
    with _uncollected():
        return _Examination(Sources(root.resolve()), genome, wish, *commands, home or Path.home()).found(run)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep garbage from being collected: it looks again and again through all syntax trees, which hold none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Examination:
    def __init__(
        self,
        sources: Sources,
        genome: Sequence[str],
        wish: Wish | None,
        command: tuple[str, ...],
        smoke: tuple[str, ...],
        home: Path,
    ) -> None:
        self._sources = sources
        self._wanted_genome = genome
        self._wish = wish
        self._wanted_command = command
        self._wanted_smoke = smoke
        self._home = home
        self._interpreter = interpreter_of(sources.root, os.environ, home)

    def found(self, run: Runner | None) -> Found:
        """Return what was found, with a question if something is open."""
        smoke = given_command(self._wanted_smoke, self._interpreter.word)
        found = Found(self._sources.root, program=self._sources.texts.program, smoke=smoke)
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
        genomes = evolving_files(self._sources, self._wanted_genome)
        texts = {one.name: one.text for one in genomes}
        names = tuple(texts)
        notes = [
            f"{name} is not tracked by git. Commit it, so that results can be applied to it."
            for name in names
            if _is_tracked(self._sources.root, name) is False
        ]
        if is_language_model(genomes[0]):
            return replace(found, genome=names[:1], is_language_model=True, notes=tuple(notes))
        notes += [
            f"{one.name} contains what looks like {what}: candidates and language models see it."
            for one in genomes
            if (what := secret_by_value(one.text))
        ]
        constants = tuple(one for name, text in texts.items() for one in varied_constants(name, text))
        return replace(found, genome=names, constants=constants, notes=tuple(notes))

    def _with_command(self, found: Found) -> Found:
        sources = self._sources
        genomes = [sources.module(name) for name in found.genome]
        genome = genomes[0]
        self._entry = entry = started(sources, genome, self._wanted_command)
        modules = sources.project.closure(entry, genome)
        notes: list[str] = []
        command = given_command(self._wanted_command, self._interpreter.word)
        if not command:
            command, notes = command_of(sources, entry, genome, self._interpreter.word)
        starts = [one for one in sources.texts.starts if one.starts(entry)]
        others = [one.name for one in sources.project.closure(genome) if one is not genome]
        has_fixed = any(name.startswith("prepare") or sources.permissions[name] < 0 for name in others)
        return replace(
            found,
            is_autoresearch=has_fixed and sources.texts.program is not None,
            command=command,
            fixed=fixed_time([*(one for one in modules if one is not genome), genome], genomes),
            processes=next((one.processes for one in starts if one.processes), None),
            notes=(*found.notes, *notes),
        )

    def _with_files(self, found: Found) -> Found:
        sources = self._sources
        score = trusted_program(sources, found.genome, self._entry)
        self._reporter = score or self._entry
        written = {one.json_file for one in sources.metrics(self._reporter) if one.json_file}
        reads = reads_of(sources.project, self._entry, found.genome, self._home)
        frozen, held_out = given_files(sources, found, reads, score, written)
        seeding = self._seeding(found, frozen)
        changing = [*found.genome, *(place.rpartition(":")[0] for place in seeding.places)]
        parts = taken_apart(frozen, changing, sources.root)
        frozen = tuple(one for one in parts if one.name not in found.genome)
        command = found.command
        if not self._wanted_command:
            command = completed(command, seeding, found.fixed)
            is_elsewhere = any(beside(sources, self._entry))
            command = in_its_folder(command, self._entry) if is_elsewhere else command
        has_seed = "{seed}" in " ".join(found.command)
        takes_seed = bool(seeding.words or seeding.variable or seeding.position)
        is_ungiven = takes_seed and bool(self._wanted_command) and not has_seed
        return replace(
            found,
            command=command,
            seed="{seed} in the command" if has_seed else None if is_ungiven else seeding.how or None,
            seeds=seeding.places,
            score=(self._interpreter.word, score.name) if score else (),
            frozen=frozen,
            held_out=held_out,
            suggested=reads.suggested,
            notes=(
                *found.notes,
                *([_UNGIVEN_SEED.format(seeding.how)] if is_ungiven else []),
                *self._notes_on_constants(found, frozen),
                *notes_on_files(frozen, reads),
            ),
        )

    def _notes_on_constants(self, found: Found, frozen: Sequence[Given]) -> list[str]:
        genomes = [self._sources.module(name) for name in found.genome]
        if found.constants:
            by_a_word = self._wanted_genome or self._sources.permissions[genomes[0].name] > 0
            is_a_part = not by_a_word and tunable_part(self._sources, self._entry) in genomes
            return [_A_PART.format(genome=genomes[0].name, program=self._entry.name)] if is_a_part else []
        return [" ".join([_NO_CONSTANTS, *used_instead(self._sources, genomes, frozen)])]

    def _seeding(self, found: Found, frozen: Sequence[Given]) -> Seeding:
        """Return how the program takes its seed."""
        sources = self._sources
        started = list(dict.fromkeys((self._entry, *map(sources.module, found.genome))))
        modules = sources.project.closure(*started)
        given = [*found.genome, *(one.name for one in frozen)]
        return seeding_of(sources.root, started, modules, found.genome, given)

    def _with_objectives(self, found: Found) -> Found:
        sources = self._sources
        run = found.run if self._reporter is self._entry else None
        metrics = reported_metrics(sources, self._reporter, run)
        choice = Choice(metrics, self._reporter.name, sources.texts, found.run, is_trusted=bool(found.score))
        first = choice.first(self._wish) if metrics or self._wish else None
        if self._wish is None and not found.score and (question := judged_elsewhere(sources, self._entry, first)):
            raise Unclear(question, [first] if first else [])
        first = first or choice.first(None)
        objectives = (first, *choice.others(first, found.fixed))
        others = tuple(one for one in metrics if one not in objectives and (one.is_sure or not one.is_guessed))
        notes = [
            *found.notes,
            *notes_on_metrics(found, first, metrics),
            *notes_on_missing(sources, found, self._entry, self._interpreter.word),
            *filter(None, [self._interpreter.note]),
        ]
        others = tuple(one for one in others if one.name != first.name)
        found = replace(found, objectives=objectives, others=others, notes=tuple(notes))
        # A quality that is recorded beside it and is no validation would tie up the code that it depends on.
        beside = (one for one in objectives[1:] if one.kind is not Kind.QUALITY or one.split is Split.VALIDATION)
        return self._with_protection(found, [first, *beside])

    def _with_protection(self, found: Found, metrics: Sequence[Metric]) -> Found:
        sources = self._sources
        genomes = [sources.module(name) for name in found.genome]
        given = {word.partition("=")[0] for word in found.command if word.startswith("-") or _SETS_A_KEY.match(word)}
        given |= {name for one in genomes for each in arguments_of(one) if given & {*each.names} for name in each.names}
        reported = () if found.score else metrics
        returned = returned_values(sources.project, self._entry, genomes, reported)
        protect = partial(
            protected_code, sources.project, metrics=reported, instructions=sources.texts.text, given=given
        )
        protected = protect(genomes, returned=returned, entry=self._entry if reported else None)
        unchecked = sorted(protected.unchecked)
        itself = [one.name for one in genomes if reported and _reports_itself(one, reported[0])]
        shared = (*protected.shared, *returned, *unchecked, *itself)
        source = join({one.name: one.text for one in genomes})
        read = [Reported(one.name, one.pattern, one.json_file) for one in reported]
        keys = frozenset[tuple[str, ...]]()
        if reported and not any(language_of(one.name) is PYTHON for one in genomes):
            keys = protect(sources.project.closure(self._entry)).keys
        entries = (*protected.entries, *_given_keys(genomes, given, keys))
        guard = Protection(source, found.genome, [one.name for one in entries], read)
        movable = movable_constants(source, guard)
        constants = tuple(name for name in found.constants if name in movable and name not in given)
        # A seed in another file may make what is scored, too.
        places = (place.rpartition(":")[0] for place in found.seeds if place.rpartition(":")[0].endswith(".py"))
        others = [sources.module(name) for name in dict.fromkeys(places) if name not in found.genome]
        scored = protect([*genomes, *others]).scored if others else protected.scored
        seeds = varied(found.seeds, [*genomes, *others], scored)
        notes = [_LITTLE_FREE] if protected.free_share <= _LEAST_FREE and not constants else []
        if fixed := [name for name in found.constants if name in given]:
            notes.append(_GIVEN_CONSTANTS.format(listed(fixed)))
        elif found.constants and not constants and not notes:
            notes = [" ".join([_PROTECTED_CONSTANTS, *used_instead(sources, genomes, found.frozen)])]
        notes += [_UNCHECKED.format(reported[0].name, listed(unchecked))] if unchecked else []
        notes += [_MEASURES_ITSELF.format(name, reported[0].name) for name in itself]
        is_found = any(one.reason.startswith(REPORTS) for one in entries)
        if reported and self._entry in genomes and not is_found:
            notes.append(_UNFOUND.format(reported[0].name, found.genome[0]))
        return replace(
            found,
            protect=entries,
            shared=tuple(dict.fromkeys(shared)),
            constants=constants,
            seeds=seeds,
            seed=found.seed if seeds == found.seeds else ", ".join(seeds) or None,
            notes=(*found.notes, *notes),
        )


def _reports_itself(module: Module, metric: Metric) -> bool:
    """Return whether a file of a compiled language has the metric in a text, as what prints it does."""
    quoted = rf"[\"'][^\"'\n]*{re.escape(metric.label)}"
    return module.name.endswith(COMPILED) and bool(re.search(quoted, module.text, re.IGNORECASE))


def _given_keys(genomes: Sequence[Module], given: Set[str], measured: Set[tuple[str, ...]]) -> Iterator[ProtectedCode]:
    """Yield the lines of settings that the command replaces, or by which what is measured is made.

    Args:
        measured: the keys of the latter, of which outer ones may be missing.
    """
    ends = tuple(f".{'.'.join(keys)}" for keys in measured)
    for one in genomes:
        text = join({one.name: one.text})
        keys = find_constants(text).items() if language_of(one.name) is not PYTHON else ()
        for name, constant in keys:
            line = text.split("\n")[constant.line - 1].strip()
            reason = "the command gives it" if name in given else "the evaluation reads it"
            if name in given or f".{name}".endswith(ends):
                yield ProtectedCode(line if len(genomes) == 1 else f"{one.name}: {line}", reason)


def _is_tracked(root: Path, name: str) -> bool | None:
    """Return whether git tracks a file; None without a repository or without git."""
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", name]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - an argument list, no shell
    except OSError:
        return None
    return {0: True, 1: False}.get(done.returncode)
