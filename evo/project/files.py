"""What candidates are given to read, what the trusted program alone reads, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath

from evo.files import exists, is_file, is_private
from evo.project.found import Found, Given
from evo.project.frozen import MAKERS, Reads, missing_files, named_files, overlaps, without_parts
from evo.project.modules import Module
from evo.project.sources import Sources
from evo.project.text_genomes import sources_of_cargo, used_sources

_ARTIFACTS = "EVO_ARTIFACTS"
_INPUT_FLAG = re.compile(
    r"--?(?!.*(?:out|save|log|result|dest|write|new))[\w-]*(?:data|file|path|input|corpus|vocab|train|load)[\w-]*"
)
_FILE = re.compile(r"(?:\.?[\w-][\w.-]*/)*[\w-][\w.-]*\.[A-Za-z]\w{1,6}")
_PATH = re.compile(r"(?=[^\s]*\w[/.])(?:\.\.?/)*[\w-][\w.-]*(?:/[\w.-]+)*/?")


def trusted_program(sources: Sources, genome: Sequence[str], entry: Module) -> Module | None:
    """Return the program that scores: the one that reads what the command wrote."""
    found = [one for one in sources.scripts if _ARTIFACTS in one.text and one.is_program]
    found = [one for one in found if one.name not in (*genome, entry.name)]
    return found[0] if len(found) == 1 else None


def given_files(
    sources: Sources, found: Found, reads: Reads, score: Module | None, written: Collection[str]
) -> tuple[tuple[Given, ...], tuple[str, ...]]:
    """Return what every command can read, and what only the trusted one can read.

    Args:
        found: its genome and command.
        reads: what the program reads.
        written: files that hold metrics after a run.
    """
    given = [*reads.given, *_named_by_command(sources.root, found)]
    given += [Given(one.name, "scores") for one in sources.project.closure(score)] if score else []
    frozen = without_parts([one for one in given if not any(overlaps(one.name, file) for file in written)])
    seen = [*found.genome, *(one.name for one in frozen)]
    named = sorted(named_files(sources.project, score)) if score else []
    return tuple(frozen), tuple(name for name in named if not any(overlaps(name, other) for other in seen))


def taken_apart(frozen: Sequence[Given], names: Sequence[str], root: Path) -> tuple[Given, ...]:
    """Return what is frozen with folders as their parts, where files in them evolve or hold seeds."""
    parts: list[Given] = []
    for one in frozen:
        within = [name for name in names if name != one.name and PurePosixPath(name).is_relative_to(one.name)]
        inner = sorted((root / one.name).iterdir()) if within else []
        others = [replace(one, name=path.relative_to(root).as_posix()) for path in inner if not is_private(path.name)]
        parts += taken_apart(others, names, root) if within else [one]
    return tuple(parts)


def _named_by_command(root: Path, found: Found) -> list[Given]:
    """Return the files of the project that the command has among its arguments, such as a configuration."""
    words = [part for word in found.command for part in (word.split() if " " in word else [word])]
    words += ["Makefile"] if found.command[0] == "make" else []
    words += ["CMakeLists.txt"] if "cmake" in words else []
    words += ["Cargo.toml", "Cargo.lock", *sources_of_cargo(root)] if found.command[0] == "cargo" else []
    built = {after for word, after in pairwise(words) if word in ("-B", "--build")}
    names = [str(PurePosixPath(word)) for word in words if word and not word.startswith("-")]
    names = [name for name in names if PurePosixPath(name).parts[:1] not in {(folder,) for folder in built}]
    named = [name for name in dict.fromkeys(names) if _is_in(root, name)]
    used = [name for name in used_sources([*named, *found.genome], root) if name not in named]
    given = {**dict.fromkeys(named, "named in the command"), **dict.fromkeys(used, "compiled with the others")}
    return [Given(name, reason) for name, reason in given.items() if name not in found.genome]


def _is_in(root: Path, name: str) -> bool:
    """Return whether a name is that of a file of the project, and none of an environment such as `.venv/bin/python`."""
    path = PurePosixPath(name)
    is_inside = not path.is_absolute() and ".." not in path.parts and not any(map(is_private, path.parts))
    return is_inside and is_file(root / name)


def notes_on_files(frozen: Sequence[Given], reads: Reads) -> Iterator[str]:
    """Yield what the user should know of what lies outside the project, and of secrets."""
    for one in frozen:
        if one.is_outside:
            yield f"Outside the project, {one.name} is readable for candidates: a cache that {one.source} names."
    for one in reads.suggested:
        yield f"{one.source} names {one.name}, outside the project: candidates get it only if you add it to frozen."
    for one in reads.withheld:
        yield f"{one.name} looks like {one.reason}: candidates never get it." + (
            " Move it out of the module, for a run refuses to start with it." if one.source == one.name else ""
        )


def notes_on_missing(sources: Sources, found: Found, entry: Module, python: str) -> Iterator[str]:
    """Yield what the program needs that does not exist yet; nothing if it ran to its end."""
    if found.run is not None and found.run.is_complete:
        return
    for one in found.frozen:
        if one.is_missing:
            yield f"{one.name} ({one.reason}) does not exist yet{_maker(sources, one.source, python)}."
    maker = _maker(sources, entry.name, python)
    for name in missing_files(sources.project, entry):
        yield f"{entry.name} reads {name}, which does not exist yet{maker}; add it to frozen."
    for name in _named_inputs(found):
        yield f"The command reads {name}, which does not exist yet{maker}; add it to frozen."
    if (named := next(beside(sources, entry), None)) and found.command[:1] != ("sh",):
        command = f"sh -c 'cd {entry.folder} && {python} {entry.name.rpartition('/')[2]}'"
        seen = f"{named} is there as seen from {entry.folder}"
        yield f'{seen}. Where the program starts there: evo init --command "{command}"'


def _named_inputs(found: Found) -> Iterator[str]:
    """Yield the files that flags of the command name, and that do not exist, without those that it writes."""
    words = [part for word in found.command for part in (word.split("=", 1) if word.startswith("-") else [word])]
    for flag, name in pairwise(words):
        if _INPUT_FLAG.fullmatch(flag) and _FILE.fullmatch(name) and not exists(found.root / name):
            yield name


def beside(sources: Sources, entry: Module) -> Iterator[str]:
    """Yield the paths in a program that exist as seen from its own folder, and not from the project's."""
    modules = sources.project.closure(entry) if entry.folder.parts else []
    for text in sorted({text for module in modules for text in module.texts if _PATH.fullmatch(text)}):
        if exists(sources.root / entry.folder / text) and not exists(sources.root / text):
            yield text


def _maker(sources: Sources, source: str, python: str) -> str:
    """Return how missing data can be made, as the end of a sentence."""
    makers = [one.name for one in sources.scripts if one.is_program and one.name.split("/")[-1].startswith(MAKERS)]
    makers = [source] if source in makers else makers
    return f": run {python} {makers[0]} first" if makers else ": make it before the first run"
