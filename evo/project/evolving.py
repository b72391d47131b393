"""Which files evolve: by the user's word, the documentation, their names, or because there is nothing else."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from evo.project.found import Given, Question, Unclear
from evo.project.modules import Module
from evo.project.sources import Sources, is_of_data, is_test, searches
from evo.project.text_genomes import files_in, may_evolve, read_by, text_genomes
from evo.text import listed
from operators.gate import SourceGate, clean_source, language_model_contract
from operators.proposal import Refused
from operators.protection.marks import marks_of
from operators.protection.units import FUNCTION
from operators.source.constants import find_constants
from trainer.errors import GenomeError
from trainer.genome import join
from trainer.languages import PYTHON, language_of

_USUAL_NAMES = ("train.py", "main.py")
_NEVER_EVOLVE = (
    *("prepare", "setup", "download", "plot", "score", "evaluate", "make_data", "__"),
    *("bench", "backtest", "harness", "measure", "judge"),
)
_MOST_PROGRAMS = 20  # that are searched for the only one that reports a metric
_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
_SETTINGS = re.compile(
    r".*\.(?:ya?ml|toml)|(?:.*/)?[^/]*(?:config|conf|param|hyper|setting)[^/]*\.(?:json|py)", re.IGNORECASE
)
_MOST_NAMED = 6  # files in notes
_ANOTHER_LANGUAGE = (
    "Most of the project is written in {0}, and no text says what evolves. Answer with the file and the command that "
    "measures it: evo init --genome FILE --command COMMAND; for {1} alone: evo init --genome {1}"
)
_FEWEST_TUNABLE = 3
"""Constants that make a file the tunable part of a program; a split of the data has one or two."""


def evolving_files(sources: Sources, wanted: Sequence[str]) -> list[Module]:
    """Return the files that evolve.

    Args:
        wanted: those that the user named, relative to the project or to the current folder; empty for none.

    Raises:
        GenomeError: a file that the user named is not a readable one of the project.
        Unclear: several could evolve, or none can.
    """
    named = [_named(sources, name) for name in dict.fromkeys(wanted)]
    return named or _permitted_together(sources) or [_genome(sources)]


def _genome(sources: Sources) -> Module:
    """Return the file that evolves: by the project's documentation, by its name, or because it is the only one."""
    chosen = _marked(sources) or _permitted_text(sources) or _first_program(sources)
    chosen = chosen or (None if _candidates(sources) else _text(sources))
    if chosen is None and not sources.scripts:
        raise Unclear(_no_script(sources))
    chosen = chosen or _permitted(sources)
    if chosen is None and (program := _usual(sources) or _only(sources)):
        language = sources.project.main_language()
        if language is not PYTHON:
            raise Unclear(Question("genome", _ANOTHER_LANGUAGE.format(language.title, program.name)))
        chosen = tunable_part(sources, program) or program
    if chosen is None:
        ranked = [(one.name, sources.reason(one)) for one in _ranked(sources)]
        raise Unclear(_several(ranked))
    return chosen


def _marked(sources: Sources) -> Module | None:
    """Return the only file with marks around what alone may evolve, or of several the one that a search starts from."""
    found = [one for one in sources.scripts if any(mark.word == "evolve" for mark in marks_of(one.text))]
    found = (found[1:] and [one for one in found if one.name == sources.first_program]) or found
    if len(found) > 1 and not _clearest(sources):
        raise Unclear(_several([(one.name, "marks what may evolve") for one in found]))
    return _utf8(sources, found[0]) if len(found) == 1 else None


def _first_program(sources: Sources) -> Module | None:
    """Return the file that a search over programs starts from, beside what evaluates it: `initial_program.rs`."""
    module = sources.project.module(sources.first_program) if sources.first_program else None
    return module and _utf8(sources, module)


def _permitted_text(sources: Sources) -> Module | None:
    """Return the file that is not Python and that alone may change according to the documentation."""
    allowed = {name: value for name, value in sources.permissions.items() if value > 0}
    most = max(allowed.values(), default=0)
    clearest = [name for name, value in allowed.items() if value == most]
    if not clearest or not all(may_evolve(name, sources.root) for name in clearest):
        return None
    if len(clearest) > 1:
        raise Unclear(_several([(name, "may change") for name in clearest]))
    return _utf8(sources, sources.module(clearest[0]))


def _text(sources: Sources) -> Module | None:
    """Return the file that is not Python and that the project's programs measure."""
    found = text_genomes(sources.root, sources.texts, sources.scripts)
    if len(found) > 1:
        raise Unclear(_several([(one.name, one.reason) for one in found]))
    return _utf8(sources, sources.module(found[0].name)) if found else None


def _several(options: Sequence[tuple[str, str]]) -> Question:
    named = listed([f"{name} ({reason})" if reason else name for name, reason in options])
    text = f"Several files could evolve: {named}. Answer: evo init --genome {options[0][0]}"
    return Question("genome", text, tuple(options))


def _no_script(sources: Sources) -> Question:
    for name, problem in sources.project.problems().items():
        return Question("genome", f"{name} cannot be read as {_PYTHON}: {problem}. Correct it: evo init")
    if notebooks := sources.project.notebooks():
        return Question(
            "genome",
            f"{notebooks[0]} is a notebook, and scripts evolve. Convert it with `jupyter nbconvert --to script "
            f"{shlex.quote(notebooks[0])}`, then: evo init",
        )
    return Question(
        "genome",
        f"There is no Python file in {sources.root}, and no other file that a documented command compiles. Run evo "
        "init in a project's folder, name it with --from, or name what evolves: evo init --genome FILE --command "
        "COMMAND",
    )


def _ranked(sources: Sources) -> list[Module]:
    """Return the files that could evolve, the likeliest first."""
    candidates = _candidates(sources) or sources.scripts

    def rank(module: Module) -> tuple[bool | int, ...]:
        is_documented = any(start.starts(module) for start in sources.texts.starts)
        best = sources.best_reported(module)
        reported = (False, best.kind, best.split) if best else (True, 0, 0)
        is_permitted = sources.permissions[module.name] > 0
        return not is_permitted, not is_documented, *reported, not sources.runs(module), is_of_data(module)

    return sorted(candidates[:_MOST_PROGRAMS], key=rank)


def _named(sources: Sources, name: str) -> Module:
    path = Path(os.path.normpath(sources.root / name))
    if not path.exists() and Path(name).exists():
        path = Path(name).resolve()  # relative to the current folder
    if not path.is_relative_to(sources.root):
        raise GenomeError(f"--genome must be in the project {sources.root}, but {name} is not.")
    if not path.is_file():
        raise GenomeError(f"--genome must name a file in {sources.root}, but there is no file {name}.")
    relative = path.relative_to(sources.root).as_posix()
    module = sources.project.module(relative)
    if module is None:
        problem = sources.project.problem(relative)
        reason = f": {problem}" if problem else ""
        kind = _PYTHON if language_of(relative) is PYTHON else "text"
        raise GenomeError(f"Expected a file to evolve, but {name} cannot be read as {kind}{reason}.")
    return _utf8(sources, module)


def _utf8(sources: Sources, module: Module) -> Module:
    """Return a file that evolves; raise Unclear if it is not UTF-8, as genomes are."""
    try:
        (sources.root / module.name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unclear(
            Question(
                "genome",
                f"{module.name} is not UTF-8 (byte {error.start}), and genomes are UTF-8. Save it as UTF-8, "
                "then: evo init",
            )
        ) from None
    return module


def _permitted(sources: Sources) -> Module | None:
    """Return the file that may change according to the documentation, if it is a single one."""
    clearest = _clearest(sources)
    return _utf8(sources, clearest[0]) if len(clearest) == 1 else None


def _permitted_together(sources: Sources) -> list[Module]:
    """Return the files that alone may change according to the documentation, where one program uses them together."""
    clearest = [one for one in _clearest(sources) if sources.permissions[one.name] > 1]
    if len(clearest) < 2 or _marked(sources):
        return []
    if users := [one for one in clearest if set(clearest) <= {one, *sources.project.closure(one)}]:
        return [_utf8(sources, one) for one in dict.fromkeys((users[0], *clearest))]
    # Another program may measure some of them, and a third one use the rest for what is no part of that.
    measuring = [one for one in sources.scripts if one not in clearest and not is_test(one) and sources.measures(one)]
    used = {tuple(one for one in sources.project.closure(each) if one in clearest) for each in measuring}
    together = [names for names in used if names]
    return [_utf8(sources, one) for one in sorted(together[0], key=clearest.index)] if len(together) == 1 else []


def _clearest(sources: Sources) -> list[Module]:
    """Return the files that may change according to the clearest words of the documentation."""
    candidates = _candidates(sources)
    allowed = [one for one in sources.scripts if sources.permissions[one.name] > (0 if one in candidates else 1)]
    most = max((sources.permissions[one.name] for one in allowed), default=0)
    return [one for one in allowed if sources.permissions[one.name] == most]


def _usual(sources: Sources) -> Module | None:
    """Return the file with a usual name, in the root or as the only one below it."""
    by_name = {one.name: one for one in sources.scripts}
    for name in _USUAL_NAMES:
        if name in by_name:
            return _utf8(sources, by_name[name])
        if problem := sources.project.problem(name):
            raise Unclear(
                Question(
                    "genome",
                    f"{name} cannot be read as {_PYTHON}: {problem}. Correct it, or choose another file: "
                    "evo init --genome FILE",
                )
            )
    folders = sorted(path.parent.name for path in sources.root.glob("*/program.md"))
    if len(folders) > 1:
        text = f"Several folders hold projects with a program.md: {listed(folders)}. Answer: cd {folders[0]}; evo init"
        raise Unclear(Question("genome", text, tuple((one, "has a program.md") for one in folders)))
    reporting = any(sources.prints(one) for one in sources.scripts[:_MOST_PROGRAMS])
    for name in _USUAL_NAMES:
        deeper = [one for one in sources.scripts if PurePosixPath(one.name).name == name]
        if deeper := [one for one in deeper if sources.prints(one) or not reporting]:
            return _utf8(sources, deeper[0]) if len(deeper) == 1 else None
    return None


def _only(sources: Sources) -> Module | None:
    """Return the only program that reports a metric, else the only program, else the only candidate."""
    candidates = _candidates(sources)
    programs = [one for one in candidates[:_MOST_PROGRAMS] if sources.runs(one)]
    for several in (
        [one for one in programs if sources.prints(one)],
        programs,
        [one for one in candidates if is_language_model(one)],
        [one for one in candidates if not is_of_data(one)],
        candidates,
        sources.scripts,
    ):
        if several:
            return _utf8(sources, several[0]) if len(several) == 1 else None
    return None


def tunable_part(sources: Sources, program: Module) -> Module | None:
    """Return the file that a program without constants takes from: what it does itself is to start and to measure."""
    start = next((one for one in sources.texts.starts if one.starts(program)), None)
    arguments = start.arguments if start else ""
    own = {*varied_constants(program.name, program.text)} - {word.partition("=")[0] for word in arguments.split()}
    if is_language_model(program) or own:
        return None
    candidates = _candidates(sources)
    used = [one for one in sources.project.closure(program) if one is not program and one in candidates]
    read = [name for one in (program, *used) for name in read_by(one, sources.root)] + files_in(arguments, sources.root)
    read = [name for name in read if _SETTINGS.fullmatch(name)]
    settings = [one for name in dict.fromkeys(read) if (one := sources.project.module(name)) is not None]
    used = [*(one for one in used if not any(_overrides(each, one) for each in settings)), *settings]
    counts = sorted(((len(_settings_of(one)), one.name) for one in used), reverse=True)
    (most, name), (second, _) = [*counts, (0, ""), (0, "")][:2]
    return _utf8(sources, sources.module(name)) if most >= max(_FEWEST_TUNABLE, 2 * second) else None


def _overrides(settings: Module, module: Module) -> bool:
    """Return whether a file of settings gives a value to everything for which a module has a default."""
    keys, defaults = ({name.rpartition(".")[2] for name in _settings_of(one)} for one in (settings, module))
    return bool(defaults) and defaults <= keys


def _settings_of(module: Module) -> list[str]:
    """Return the constants of a file without the defaults of its functions, which say little of what is searched."""
    functions = {node.name for node in module.nodes if isinstance(node, FUNCTION)}
    names = ((name, name.split(".")) for name in varied_constants(module.name, module.text))
    return [name for name, parts in names if all(map(_is_word, parts)) and not functions & set(parts)]


def _is_word(part: str) -> bool:
    """Return whether a part of a name is one of a setting, unlike `<|endoftext|>` in a table."""
    return re.fullmatch(r"[\w-]+(?:#\d+)?", part) is not None


def _candidates(sources: Sources) -> list[Module]:
    return [
        one
        for one in sources.scripts
        if not PurePosixPath(one.name).name.startswith(_NEVER_EVOLVE)
        and not is_test(one)
        and sources.permissions[one.name] >= 0
        and one is not sources.evaluator
        and not searches(one)
        and not sources.judges(one)
    ]


def is_language_model(module: Module) -> bool:
    """Return whether a file fits the built-in task."""
    try:
        SourceGate(language_model_contract, known=lambda _: None).check(clean_source(module.text))
    except Refused:
        return False
    return True


def varied_constants(name: str, text: str) -> list[str]:
    """Return the names of the constants in a file that can be varied without a language model."""
    found = find_constants(join({name: text})).values()
    return [one.name for one in found if one.choices or not isinstance(one.value, str)]


def _files_of(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


def used_instead(sources: Sources, genomes: Sequence[Module], frozen: Sequence[Given]) -> Iterator[str]:
    """Yield a sentence for each file that the genome uses and that holds constants: it could evolve instead."""
    used = [one.name for one in sources.project.closure(*genomes) if one not in genomes]
    used += [name for one in genomes for name in read_by(one, sources.root)]
    settings = (path for one in frozen for path in _files_of(sources.root / one.name))
    files = (path.relative_to(sources.root).as_posix() for path in settings)
    used += filter(_SETTINGS.fullmatch, files)
    for name in dict.fromkeys(used[:_MOST_NAMED]):
        module = sources.project.module(name)
        if module is not None and (count := len(varied_constants(name, module.text))):
            yield f"{name}, which it uses, has {count}: to evolve that, evo init --genome {name}."
