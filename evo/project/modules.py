"""The Python files of a project, parsed but never run, and their imports of each other."""

from __future__ import annotations

import ast
import os
import re
import stat
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path, PurePosixPath

from evo.files import is_private
from trainer.genome import source_lines
from trainer.languages import COMPILED, PYTHON, Language, language_of
from trainer.source_text import UNREADABLE, parse

_DEEPEST = 3  # folders below the root that are searched for scripts
_LARGEST_BYTES = 2 * 2**20
_MOST_SCRIPTS = 1000
_CLEARLY = 4  # times as many files
_MOST_MODULES = 500  # of one program
_SET_UP_OWNERS = frozenset(
    {"sys", "os", "logging", "warnings", "matplotlib", "mpl", "plt", "sns", "mimetypes", "locale"}
)
_SET_UP = re.compile(
    r"(?:manual_)?seed(?:_all)?|(?:set|add|use|register|enable|disable|config|insert|append|update|extend).*"
)


@dataclass(frozen=True, eq=False)
class Module:
    """One file: a Python file, or another one that evolves, whose tree is empty.

    Attributes:
        name: path relative to the project, with slashes.
    """

    name: str
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)

    @property
    def folder(self) -> PurePosixPath:
        """Its folder, relative to the project."""
        return PurePosixPath(self.name).parent

    @property
    def dotted(self) -> str:
        """Its name as `python -m` takes it."""
        return ".".join(PurePosixPath(self.name).with_suffix("").parts)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The nodes of its tree: nearly every question asks for them, and walking takes longer than asking."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def docstring(self) -> str:
        """Its docstring, or the comments at its beginning."""
        before_code = takewhile(lambda line: line.startswith("#") or not line.strip(), source_lines(self.text))
        return ast.get_docstring(self.tree) or "\n".join(line.lstrip("# ") for line in islice(before_code, 10))

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        """The values that the module assigns to names; those of the top level override those in functions."""
        return dict(self._assigned)

    @cached_property
    def _assigned(self) -> list[tuple[str, ast.expr]]:
        """The names and values of its plain assignments, those of the top level once more behind the others."""
        found: list[tuple[str, ast.expr]] = []
        for statement in (*self.nodes, *self.tree.body):
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    found.append((name, value))
        return found

    @cached_property
    def dictionaries(self) -> dict[str, ast.expr]:
        """The dictionaries that the module writes out and gives a name, where that is given once."""
        names = Counter(one.id for one in self.nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
        return {name: value for name, value in self._assigned if isinstance(value, ast.Dict) and names[name] == 1}

    @cached_property
    def texts(self) -> frozenset[str]:
        """Its string literals."""
        return frozenset(
            node.value for node in self.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )

    @property
    def is_program(self) -> bool:
        """Whether it has a main guard, or calls or loops at its top level."""
        return any(is_main_guard(node) or _acts(node) for node in self.tree.body)

    @property
    def imports_relatively(self) -> bool:
        """Whether it can only run as part of its package."""
        return any(isinstance(node, ast.ImportFrom) and node.level for node in self.nodes)


class Project:
    """A folder with Python files, each read once.

    Args:
        root: an existing folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._modules: dict[str, Module | None] = {}
        self._problems: dict[str, str] = {}
        self._imports: dict[str, list[tuple[str, Module, str | None]]] = {}
        self._imported: dict[str, dict[str, tuple[Module, str | None]]] = {}
        self._used: dict[str, list[Module]] = {}

    def module(self, name: str) -> Module | None:
        """Return a file of the project by its relative path, None if it is not readable Python."""
        if name not in self._modules:
            self._modules[name] = None
            try:
                self._modules[name] = _parsed(self.root, name)
            except UNREADABLE as error:
                self._problems[name] = _problem(error)
        return self._modules[name]

    def problem(self, name: str) -> str:
        """Return why a Python file cannot be read, in a few words; empty if it can."""
        self.module(name)
        return self._problems.get(name, "")

    def problems(self) -> dict[str, str]:
        """Return the Python files that cannot be read, each with the reason."""
        return dict(self._problems)

    def scripts(self) -> list[Module]:
        """Return the Python files, those nearest to the root first."""
        names = _files(self.root, PYTHON.suffixes)[:_MOST_SCRIPTS]
        return [module for name in names if (module := self.module(name))]

    def notebooks(self) -> list[str]:
        """Return the notebooks, those nearest to the root first."""
        return _files(self.root, (".ipynb",))

    def main_language(self) -> Language:
        """Return the compiled language in which most of the project is written, Python where none clearly leads."""
        compiled = [suffix for one in COMPILED for suffix in language_of(f"a{one}").suffixes]  # headers, too
        count = Counter(language_of(name) for name in _files(self.root, (*PYTHON.suffixes, *compiled)))
        return next((one for one, number in count.most_common(1) if number > _CLEARLY * count[PYTHON]), PYTHON)

    def imported(self, module: Module) -> dict[str, tuple[Module, str | None]]:
        """Return what a module imports from the project: by bound name, the source module and the name in it.

        The name in it is None if the module itself is bound. Of a name that is bound twice, the first one counts.
        """
        if module.name not in self._imported:
            found = reversed(self.imports(module))
            self._imported[module.name] = {bound: (source, inner) for bound, source, inner in found}
        return self._imported[module.name]

    def imports(self, module: Module) -> list[tuple[str, Module, str | None]]:
        """Return each binding of a name to a module of the project or to something in one, `*` among the names."""
        if module.name not in self._imports:
            found = self._imports[module.name] = []  # what imports in a circle sees what is there so far
            found += self._bound(module)
        return self._imports[module.name]

    def _bound(self, module: Module) -> Iterator[tuple[str, Module, str | None]]:
        for node in module.nodes:
            match node:
                case ast.Import(names=names):
                    for one in names:
                        if source := self._resolve(module, one.name, 0):
                            yield one.asname or one.name, source, None
                case ast.ImportFrom():
                    yield from self._imports_from(module, node)

    def _imports_from(self, module: Module, node: ast.ImportFrom) -> Iterator[tuple[str, Module, str | None]]:
        package = node.module or ""
        outer = self._resolve(module, package, node.level)
        for one in node.names:
            bound = one.asname or one.name
            if inner := self._resolve(module, f"{package}.{one.name}", node.level):
                yield bound, inner, None
            elif outer:
                yield bound, outer, one.name
                if one.name == "*":
                    yield from ((name, outer, name) for name in self._public(outer))

    def _public(self, module: Module) -> Iterator[str]:
        """Yield the names that `from module import *` binds, as far as they are the project's."""
        for node in module.tree.body:
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            yield from (name for name in names if not name.startswith("_"))
        yield from (
            bound for bound, _, _ in [*self.imports(module)] if bound.isidentifier() and not bound.startswith("_")
        )

    def closure(self, *entries: Module) -> list[Module]:
        """Return modules with everything that they import from the project, including `__init__` files."""
        found = {entry.name: entry for entry in entries}
        waiting = list(entries)
        while waiting and len(found) < _MOST_MODULES:
            module = waiting.pop()
            for other in self._all_imported(module):
                if other.name not in found:
                    found[other.name] = other
                    waiting.append(other)
        return list(found.values())

    def _all_imported(self, module: Module) -> Sequence[Module]:
        if module.name not in self._used:
            others = dict.fromkeys(other for _, other, _ in self.imports(module))
            packages = ([other, *self._packages(other)] for other in others)
            self._used[module.name] = list(dict.fromkeys(one for several in packages for one in several))
        return self._used[module.name]

    def _packages(self, module: Module) -> Iterator[Module]:
        """Yield the packages around a module."""
        for folder in PurePosixPath(module.name).parents:
            if package := self.module(str(folder / "__init__.py")):
                yield package

    def _resolve(self, module: Module, dotted: str, level: int) -> Module | None:
        """Return the project's module with a dotted name, as imported in another module."""
        parts = [part for part in dotted.split(".") if part]
        if not parts:
            return None
        places = [module.folder, PurePosixPath(), PurePosixPath("src")]
        if level:
            places = [[module.folder, *module.folder.parents][min(level, len(module.folder.parts) + 1) - 1]]
        paths = (place.joinpath(*parts) for place in places)
        found = (self.module(name) for path in paths for name in (f"{path}.py", f"{path}/__init__.py"))
        return next((one for one in found if one is not None and one.name != module.name), None)


def is_main_guard(node: ast.stmt) -> bool:
    """Return whether a statement is `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
    )


def _acts(node: ast.stmt) -> bool:
    """Return whether a top-level statement loops, or calls something for its effect."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call) and not _sets_up(node.value.func)
    if isinstance(node, ast.If | ast.With | ast.Try):
        return any(map(_acts, node.body))
    return isinstance(node, ast.For | ast.While)


def _sets_up(function: ast.expr) -> bool:
    """Return whether a call such as `sys.path.insert` or `torch.manual_seed` is as common in modules as in programs."""
    if not isinstance(function, ast.Attribute):
        return False
    owner = ast.unparse(function.value).partition(".")[0].partition("(")[0]
    return owner in _SET_UP_OWNERS or _SET_UP.fullmatch(function.attr) is not None


def _files(root: Path, suffixes: tuple[str, ...]) -> list[str]:
    """Return the files with some endings, those nearest to the root first."""
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [] if len(here.parts) >= _DEEPEST else sorted(name for name in folders if not is_private(name))
        found += [(here / file).as_posix() for file in files if file.endswith(suffixes) and not is_private(file)]
    return sorted(found, key=lambda name: (name.count("/"), name))


def _parsed(root: Path, name: str) -> Module | None:
    """Return a file as Python reads it, also in another encoding that it declares; raise one of UNREADABLE if not.

    None for what is not there, or is a folder.
    """
    path = root / name
    if not os.path.lexists(path):
        return None
    try:
        if path.is_dir():
            return None
        if not stat.S_ISREG((status := path.stat()).st_mode):
            raise ValueError("it is no ordinary file")
        if status.st_size > _LARGEST_BYTES:
            raise ValueError(f"it has {status.st_size:,} bytes, more than {_LARGEST_BYTES:,}")
        if language_of(name) is not PYTHON:
            return Module(name, path.read_text(encoding="utf-8"), ast.Module([], []))
        with tokenize.open(path) as file:
            text = file.read()
        return Module(name, text, parse(text))
    except OSError as error:
        raise ValueError(error.strerror) from error


def _problem(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: {error.msg}"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {error.start})"
    return str(error) or type(error).__name__
