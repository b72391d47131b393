"""Genomes that are not Python: a prompt, a configuration, a kernel in a compiled language.

They evolve where the documentation says so, or where every Python program of a project measures something else: what a
documented command or a compiler is given, or what a program names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evo.files import is_file
from evo.project.instructions import FILE, Instructions, text_in
from evo.project.modules import Module
from trainer.languages import PYTHON, SHELL, is_known, language_of

_NO_GENOME = re.compile(
    r"(?:readme|program|claude|agents|license|licence|changelog|contributing|requirements|pyproject|package|evo|uv)\b.*"
    r"|.*\b(?:lock|labels?|data|dataset|answers?|questions?|test|train|valid(?:ation)?|expected|results?)\b.*",
    re.IGNORECASE,
)
_LIKELY = re.compile(r"prompt|kernel|config|conf|param|hyper|policy|template|solution|candidate|initial", re.IGNORECASE)
_COMPILER = re.compile(
    r"(?:^|[\s`$(])(?P<command>(?:\S*/)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|nvcc|rustc|hipcc|gfortran|ghc|javac|swiftc)\s[^`\n]*)"
)
_TARGETS = ("bench", "benchmark", "measure", "run", "perf", "time")
_MAKE = re.compile(r"(?:^|[\s`$(])make\s+(?:-s\s+)?([\w-]+)")
_CMAKE = re.compile(r"(?:^|[\s`$(])(?P<command>cmake\s[^`]{1,1000}?(?:&&|\n)[ \t]*(?:\$[ \t]*)?\./[^`\n>|#;&]+)")
"""A build by CMake up to the program that it makes, in one line or in several."""
_RULES = ("Makefile", "CMakeLists.txt")
_NO_TARGETS = frozenset(("all", "build", "clean", "install", "deps", "setup", "data", "help", "test", "lint", "format"))
_RUNNER = re.compile(
    r"(?:^|[\s`$(])"
    r"(?P<command>"
    r"(?:(?:go|zig|deno) run|nim r|julia|node|bun|java|Rscript|lua|luajit|perl|ruby|php|runghc|swift)\s[^`\n>|#;]*"
    r"|cargo (?:run|bench)[^`\n>|#;]*)"
)
_FILLED_IN = re.compile(r"\s(?:--\s)?(?:\{\{[^{}]*\}\}|<\S*|\$[@*\d{]\S*|\"\$@\")")
"""What a runner of tasks, a shell or a person puts into a command."""
_CARGO = ("src/main.rs", "src/lib.rs")
_USED = re.compile(
    r'^[ \t]*(?:#\s*include\s*"([^"]+)"|(?:pub\s+)?mod\s+(\w+)\s*;)|(?:\brequire\(|\bfrom\s)\s*["\'](\.[^"\']+)["\']',
    re.MULTILINE,
)
"""What a source in C, Rust or JavaScript says of the files that are compiled or loaded with it."""
_MOST_USED = 200


@dataclass(frozen=True, slots=True)
class TextGenome:
    """A file that could evolve.

    Attributes:
        build: the documented command that compiles and runs it; empty if a program of the project uses it.
    """

    name: str
    reason: str
    build: str = ""


def text_genomes(root: Path, texts: Instructions, programs: Sequence[Module]) -> list[TextGenome]:
    """Return the files that are not Python and could evolve, the likeliest alone where one is."""
    found: dict[str, TextGenome] = {}
    for build in builds_of(texts):
        for name in files_in(build, root):
            found.setdefault(name, TextGenome(name, "compiled by a documented command", build))
    for run, names in runs_of(texts, root):
        for name in names:
            found.setdefault(name, TextGenome(name, "run by a documented command", run))
    for start in texts.starts:
        for name in files_in(start.arguments, root):
            found.setdefault(name, TextGenome(name, f"given to {start.file}"))
    if not found:
        for program in programs:
            for name in read_by(program, root):
                found.setdefault(name, TextGenome(name, f"read by {program.name}"))
    candidates = [one for one in found.values() if _could_evolve(one.name)]
    likely = [one for one in candidates if _LIKELY.search(PurePosixPath(one.name).stem)]
    return likely if len(likely) == 1 else candidates


def builds_of(texts: Instructions) -> list[str]:
    """Return the documented commands that compile something, as a shell takes them."""
    return [match["command"].strip() for line in texts.text.splitlines() for match in _COMPILER.finditer(line)]


def read_by(program: Module, root: Path) -> list[str]:
    """Return the files that are not Python, could evolve, and are named by a program."""
    return [name for text in sorted(program.texts) for name in files_in(text, root) if _could_evolve(name)]


def starter_of(name: str, root: Path, texts: Instructions) -> tuple[str, ...]:
    """Return the command of the only shell script, such target of a Makefile, or documented build by CMake, for a file.

    A script that names the file starts it; a target is one that the documentation makes, or one of the usual names for
    a measurement, in a Makefile that names the file.
    """
    if language_of(name) is SHELL:
        return (_shell(root / name), name)
    stem = PurePosixPath(name).stem
    named = re.compile(rf"(?<![\w.-]){re.escape(stem)}(?![\w-])")
    scripts = [path for path in sorted(root.glob("*.sh")) if named.search(text_in(path) or "")]
    if len(scripts) == 1:
        (script,) = scripts
        return (f"./{script.name}",) if os.access(script, os.X_OK) else (_shell(script), script.name)
    rules = text_in(root / "Makefile") or ""
    documented = [match[1] for match in _MAKE.finditer(texts.text) if match[1] not in _NO_TARGETS]
    named_targets = [
        target for target in (*documented, *_TARGETS) if re.search(rf"^{target}\s*:(?!=)", rules, re.MULTILINE)
    ]
    targets = [target for target in named_targets if target != stem]  # `run: run.c` compiles a program
    if not scripts and targets and named.search(rules):
        return "make", "-s", targets[0]
    build = _CMAKE.search(texts.text)
    is_built = build is not None and not scripts and name in used_sources(["CMakeLists.txt"], root)
    return ("sh", "-c", _joined(build["command"])) if build and is_built else ()


def _joined(commands: str) -> str:
    """Return commands on several lines as one."""
    lines = (line.strip().removeprefix("$").strip() for line in commands.splitlines())
    return " && ".join(line.removesuffix("&&").strip() for line in lines if line)


def _shell(script: Path) -> str:
    return "bash" if "bash" in (text_in(script) or "").partition("\n")[0] else "sh"


def _could_evolve(name: str) -> bool:
    return not _NO_GENOME.fullmatch(PurePosixPath(name).name)


def runs_of(texts: Instructions, root: Path) -> list[tuple[str, list[str]]]:
    """Return the documented commands of other languages that run a program from its source, each with its files."""
    found = (match["command"] for line in texts.text.splitlines() for match in _RUNNER.finditer(line))
    runs = [_FILLED_IN.sub("", one).strip() for one in found]
    return [(run, _evolving_of(run, root)) for run in dict.fromkeys(runs)]


def _evolving_of(run: str, root: Path) -> list[str]:
    """Return the files that a command runs; of a program of Cargo, which holds the measurement, its modules."""
    programs = programs_of(run, root)
    return (run.startswith("cargo") and used_sources(programs, root)) or programs


def programs_of(run: str, root: Path) -> list[str]:
    """Return the files that a command runs by their names, or as Cargo does."""
    return files_in(" ".join(_CARGO) if run.startswith("cargo") else run, root)


def sources_of_cargo(root: Path) -> list[str]:
    """Return the files of a package of Cargo."""
    return [path.relative_to(root).as_posix() for path in sorted(root.glob("src/**/*.rs"))[:_MOST_USED]]


def used_sources(names: Sequence[str], root: Path) -> list[str]:
    """Return the files of a project that are compiled with others: what Make or CMake names, includes, modules of Rust.

    Args:
        names: of the others, relative to `root`.
    """
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting and len(found) < _MOST_USED:
        name = waiting.pop()
        folder = PurePosixPath(name).parent
        text = text_in(root / name) or ""
        inner = [one for one in FILE.findall(text) if name in _RULES]
        for match in _USED.finditer(text) if language_of(name) is not PYTHON else ():
            inner += [f"{match[2]}.rs", f"{match[2]}/mod.rs"] if match[2] else [match[1] or match[3]]
            inner += [f"{match[3]}{PurePosixPath(name).suffix}"] if match[3] else []
        for one in dict.fromkeys(os.path.normpath(folder / part) for part in inner):
            if one not in found and one not in names and not one.startswith("..") and is_file(root / one):
                found[one] = None
                waiting.append(one)
    return list(found)


def may_evolve(name: str, root: Path) -> bool:
    """Return whether a name is that of a file of the project in a language other than Python."""
    is_inside = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
    return is_inside and is_known(name) and language_of(name) is not PYTHON and is_file(root / name)


def files_in(text: str, root: Path) -> list[str]:
    """Return the files of a project that a text names, in languages other than Python and the shell's."""
    words = (word.removeprefix("./") for word in FILE.findall(text))
    # A shell script starts what evolves, unless a text says that it does itself.
    return [word for word in dict.fromkeys(words) if may_evolve(word, root) and language_of(word) is not SHELL]
