"""What starts the program that measures a genome: the file, and the command with its arguments."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from evo.project.flags import arguments_of
from evo.project.found import FixedTime, Question, Unclear
from evo.project.modules import Module
from evo.project.seeds import Seeding
from evo.project.sources import Sources, is_test
from evo.project.text_genomes import builds_of, may_evolve, programs_of, runs_of, starter_of, used_sources
from evo.text import listed
from operators.protection.units import FUNCTION
from populations.descriptors import last_name
from trainer.errors import ConfigError
from trainer.languages import PYTHON, language_of

_FILE_FLAG = re.compile(
    r"--(?:(?:program|candidate|solution|submission|prompt|config|kernel)(?:[-_](?:path|file))?|path|file)"
)
_FOLDER_FLAG = re.compile(r"--(?:results?|outputs?|out|logs?|save)(?:[-_]?(?:dir|folder|path))")
_RANK_VARIABLES = frozenset({"RANK", "LOCAL_RANK", "WORLD_SIZE"})
_RESULTS = "results"
_LOADERS = frozenset({"importlib", "runpy", "exec", "spec_from_file_location", "__import__"})
_EVALUATE = (
    'import {0}; found = {1}; [print(name, value, sep=": ") for name, value in '
    'getattr(found, "metrics", found).items() if isinstance(value, (int, float))]'
)
"""Python that prints what an evaluator returns: a dictionary of metrics, or an object that holds one."""
_CONSOLE_SCRIPT = "import sys; from {0} import {1}; sys.exit({1}())"
"""Python that does what an installed console script does."""
_MEASURES_ITSELF = (
    "{} holds its own measurement: put `evo: fixed` and `evo: end`, as comments on lines of their own, around what "
    "measures it, or measure it in another program."
)
_COMPILED_ONLY = (
    "{0} is compiled by a documented command, and no text says in the same line how its program is run and measured. "
    'Answer: evo init --genome {0} --command "{1}"'
)
_STARTS_NOTHING = {
    True: "{0} starts nothing, and no program of the project uses it. Start its work under "
    "`if __name__ == \"__main__\":`, or tell how it is measured: evo init --command 'python {0}'",
    False: "No program, shell script or documented command of the project measures {0}. Tell how it is measured: "
    "evo init --genome {0} --command COMMAND",
}
"""By whether it is Python."""


def started(sources: Sources, genome: Module, wanted: Sequence[str]) -> Module:
    """Return the file that is started: what the user's command names, the genome, or the program that uses it."""
    if wanted:
        words = [word.removeprefix("./") for word in wanted]
        named = [one for one in sources.scripts if {one.name, one.dotted} & set(words)]
        inner = [word.removeprefix("./") for word in wanted[-1].split()]
        last = max(sources.scripts, key=lambda one: _last_place(inner, one.name), default=genome)
        return named[0] if named else last if last.name in inner else genome
    if (evaluator := sources.evaluator) and evaluator is not genome:
        return evaluator
    runs = sources.runs(genome)
    if genome.name == sources.first_program and (judge := sources.judge) and _judges(sources, judge, genome):
        return judge
    if genome.is_program or (runs and not _users(sources, genome)):
        return genome
    users = _users(sources, genome)
    if not users and (_build(sources, genome) or _run(sources, genome) or _starter(sources, genome)):
        return genome
    if not users and (build := _compiled_by(sources, genome)):
        command = f"sh -c '{build} && ./PROGRAM'"
        text = _COMPILED_ONLY.format(genome.name, command)
        raise Unclear(Question("command", text, ((command, "with the documented build"),)))
    if not users:
        raise Unclear(Question("command", _STARTS_NOTHING[language_of(genome.name) is PYTHON].format(genome.name)))
    users = [one for one in users if any(start.starts(one) for start in sources.texts.starts)] or users
    users = [one for one in users if sources.prints(one)] or users
    if len(users) > 1:
        options = tuple((f"python {one.name}", sources.reason(one)) for one in users)
        raise Unclear(
            Question(
                "command",
                f"Several programs run {genome.name}: {listed([one.name for one in users])}. Write the command "
                f"that measures it into program.md, or answer: evo init --command 'python {users[0].name}'",
                options,
            )
        )
    return users[0]


def command_of(sources: Sources, entry: Module, genome: Module, python: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the command, with the arguments of the documentation, and what the user should know of it."""
    notes = []
    if entry is genome and (build := _build(sources, genome)):
        others = [name for name in build.split() if name != genome.name and may_evolve(name, sources.root)]
        return ("sh", "-c", build), [] if others else [_MEASURES_ITSELF.format(genome.name)]
    if entry is sources.evaluator and entry is not genome:
        call = f'{entry.dotted}.evaluate("{genome.name}")'
        is_async = any(isinstance(one, ast.AsyncFunctionDef) and one.name == "evaluate" for one in entry.tree.body)
        call = f'__import__("asyncio").run({call})' if is_async else call
        return (python, "-c", _EVALUATE.format(entry.dotted, call)), []
    if entry is genome and (words := _run(sources, genome)):
        is_run = genome.name in programs_of(" ".join(words), sources.root)
        return words, [_MEASURES_ITSELF.format(genome.name)] if is_run else []
    if entry is genome and (words := _starter(sources, genome)):
        return words, []
    start = next((one for one in sources.texts.starts if one.starts(entry)), None)
    arguments = shlex.split(start.arguments) if start else []
    if start and start.subcommand:
        arguments = [start.subcommand, *arguments] if _has_subcommand(entry, start.subcommand) else []
    if start and start.has_more:
        notes.append(f"The documentation starts {entry.name} with arguments of your choice: add them to `command`.")
    is_given = _is_given(sources, genome, entry) or (genome.name == sources.first_program and _file_flag(entry))
    if entry is not genome and not arguments and is_given:
        arguments = [*_file_flag(entry), genome.name, *_folder_flags(entry)]
    return (*_launcher(sources, python, entry), *_program(sources, entry), *arguments), notes


def _judges(sources: Sources, judge: Module, genome: Module) -> bool:
    """Return whether a program measures a file: it is started, and uses that or takes it by a flag."""
    return sources.runs(judge) and (judge in _users(sources, genome) or bool(_file_flag(judge)))


def _has_subcommand(entry: Module, word: str) -> bool:
    """Return whether a program takes a word by its place, maybe as one of its commands, as argparse and fire do."""
    functions = (node.name for node in entry.nodes if isinstance(node, FUNCTION))
    takes_words = any(not name.startswith("-") for one in arguments_of(entry) for name in one.names)
    return takes_words or word in entry.texts or word.replace("-", "_") in functions


def _last_place(words: Sequence[str], name: str) -> int:
    """Return where a name stands last among words; -1 if it is none of them."""
    return max((place for place, word in enumerate(words) if word == name), default=-1)


def _program(sources: Sources, entry: Module) -> tuple[str, ...]:
    """Return how an interpreter is told a program: as a file, as a module, or as a function of a console script."""
    documented = [one for one in sources.texts.starts if one.is_module and one.starts(entry)]
    # `src` is a place of imports; a package `src` is imported by its own name.
    is_root = entry.name.startswith("src/") and not (sources.root / "src/__init__.py").exists()
    dotted = entry.dotted.removeprefix("src.") if is_root else entry.dotted
    function = next((one.function for one in documented if one.function), "")
    if function and not entry.is_program:
        return ("-c", _CONSOLE_SCRIPT.format(dotted, function))
    if documented and not function:
        return ("-m", documented[0].file)
    return ("-m", dotted) if documented or entry.imports_relatively else (entry.name,)


def in_its_folder(command: tuple[str, ...], entry: Module) -> tuple[str, ...]:
    """Return a command that starts a program in the folder where it lies; as it is where it names no such file."""
    if entry.name not in command:
        return command
    up = "../" * len(entry.folder.parts)
    words = [f"{up}{word}" if word.startswith(".") and "/" in word else word for word in command]  # its interpreter
    words[command.index(entry.name)] = entry.name.rpartition("/")[2]
    return "sh", "-c", f"cd {shlex.quote(str(entry.folder))} && {shlex.join(words)}"


def completed(command: Sequence[str], seeding: Seeding, fixed: FixedTime | None) -> tuple[str, ...]:
    """Return a command with the places of the seed and of the run time."""
    words = list(command)
    if len(seeding.words) == 1:
        words = [word for word in words if word.partition("=")[0] != seeding.words[0].partition("=")[0]]
        words += seeding.words
    elif seeding.words:
        words = _filled(words, *seeding.words)
    elif seeding.position:
        words = _placed(words, seeding.position)
    if fixed and fixed.flag:
        words = _filled(words, fixed.flag, "{seconds}")
    return (*(("env", f"{seeding.variable}={{seed}}") if seeding.variable else ()), *words)


def _users(sources: Sources, genome: Module) -> list[Module]:
    """Return the programs that use a file: by import, by its name, or as an argument."""
    programs = [one for one in sources.scripts if one is not genome and not is_test(one) and sources.runs(one)]
    users = [one for one in programs if genome in sources.project.closure(one)]
    names = {genome.name, genome.dotted}
    if language_of(genome.name) is not PYTHON:  # or its folder is named, as by Hydra
        names = {genome.name, *(str(folder) for folder in PurePosixPath(genome.name).parents[:-1])}
    users = users or [one for one in programs if one.texts & names]
    users = users or [one for one in programs if any(each.texts & names for each in sources.project.closure(one))]
    given = [start for start in sources.texts.starts if genome.name in start.arguments.replace("./", "").split()]
    users = users or [one for one in programs if any(start.starts(one) for start in given)]
    is_compiled = bool(_compiled_by(sources, genome))
    return users or [one for one in programs if not is_compiled and _is_given(sources, genome, one)]


def _is_given(sources: Sources, genome: Module, entry: Module) -> bool:
    """Return whether a program takes the file that evolves as an argument."""
    if language_of(genome.name) is not PYTHON:
        return genome.name not in entry.texts and _reads_arguments(entry)
    return _takes_file(entry) and genome not in sources.project.closure(entry)


def _compiled_by(sources: Sources, genome: Module) -> str:
    """Return the first documented command that compiles a file; empty if there is none."""
    if language_of(genome.name) is PYTHON:
        return ""
    return next((one for one in builds_of(sources.texts) if genome.name in one), "")


def _build(sources: Sources, genome: Module) -> str:
    """Return the documented command that compiles and runs a file; empty if there is none."""
    if language_of(genome.name) is PYTHON:
        return ""
    return next((one for one in builds_of(sources.texts) if genome.name in one and "&&" in one), "")


def _run(sources: Sources, genome: Module) -> tuple[str, ...]:
    """Return the documented command that runs a program in another language from its source."""
    if language_of(genome.name) is PYTHON:
        return ()
    found = runs_of(sources.texts, sources.root)
    commands = [run for run, names in found if genome.name in names]
    commands += [run for run, names in found if genome.name in used_sources(names, sources.root)]
    return tuple(shlex.split(next(iter(commands), "")))


def _starter(sources: Sources, genome: Module) -> tuple[str, ...]:
    """Return the shell script or the target of the Makefile that measures a file that is not Python."""
    return () if language_of(genome.name) is PYTHON else starter_of(genome.name, sources.root, sources.texts)


def _launcher(sources: Sources, python: str, entry: Module) -> tuple[str, ...]:
    """Return what starts the program: Python, or torchrun if it cannot do without the variables of that."""
    modules = sources.project.closure(entry)
    if any(start.processes is not None and start.starts(entry) for start in sources.texts.starts) and any(
        _demands_ranks(module) for module in modules
    ):
        return ("torchrun", "--standalone", "--nproc_per_node=1")
    return (python,)


def given_command(wanted: Sequence[str], python: str) -> tuple[str, ...]:
    """Return the user's command, if there is one, with the project's interpreter where it says `python`."""
    return tuple(python if not place and word in ("python", "python3") else word for place, word in enumerate(wanted))


def words_of(flag: str, command: str | None) -> tuple[str, ...]:
    """Return the words of a command that the user gave with a flag; raise ConfigError if it has none."""
    try:
        words = tuple(shlex.split(command or ""))
    except ValueError as error:
        raise ConfigError(f"{flag} cannot be split into arguments: {error}.") from None
    if command is not None and not words:
        raise ConfigError(f"{flag} must be a program and its arguments, but it was empty.")
    return words


def _takes_file(module: Module) -> bool:
    """Return whether a program loads a Python file that its command line names."""
    loads = any(isinstance(node, ast.Name | ast.Attribute) and last_name(node) in _LOADERS for node in module.nodes)
    return loads and _reads_arguments(module)


def _file_flag(module: Module) -> list[str]:
    """Return the flag by which a program takes the file that it measures; nothing where it takes that by its place."""
    names = [name for one in arguments_of(module) for name in one.names]
    if any(not name.startswith("-") for name in names):
        return []
    return next(([name] for name in names if _FILE_FLAG.fullmatch(name)), [])


def _folder_flags(module: Module) -> list[str]:
    """Return the required flags by which a program takes the folder of its results, each with one."""
    required = [one.names for one in arguments_of(module) if "required" in one.options]
    flags = (next(filter(_FOLDER_FLAG.fullmatch, names), None) for names in required)
    return [word for flag in flags if flag for word in (flag, _RESULTS)]


def _reads_arguments(module: Module) -> bool:
    return "argv" in module.text or "argparse" in module.text


def _demands_ranks(module: Module) -> bool:
    """Return whether a module reads the variables of a launcher, and never asks whether they are there."""
    read: set[object] = set()
    for node in module.nodes:
        match node:
            case ast.Subscript(value=environ, slice=ast.Constant(value=name)) if _is_environ(environ):
                read.add(name)
            case (
                ast.Call(func=ast.Attribute(attr="get" | "getenv"), args=[ast.Constant(value=name), *_])
                | ast.Compare(left=ast.Constant(value=name))
            ) if name in _RANK_VARIABLES:
                return False
    return bool(read & _RANK_VARIABLES)


def _is_environ(node: ast.expr) -> bool:
    return ast.unparse(node).endswith("environ")


def _placed(words: Sequence[str], position: int) -> list[str]:
    """Return a command with the place of the seed among its arguments, if those before it are there."""
    program = next((place for place, word in enumerate(words) if word.endswith(".py")), None)
    if program is None or len(words) < program + position:
        return list(words)
    return [*words[: program + position], "{seed}", *words[program + position + 1 :]]


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
