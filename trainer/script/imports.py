"""Whether a program runs the files that evolve, or an installed copy of them that nothing here changes.

The files that evolve stand before installed packages on Python's path. That they are what runs is verified with
generation 0: a statement in the copy of each one leaves a file when it is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from trainer.source_text import UNREADABLE, SourceText, Splice, parse, spliced

_MARK = ".evo-ran-{}"


_SOURCES = PurePosixPath("src")


def import_roots(root: Path, files: Iterable[str], frozen: Iterable[str] = ()) -> list[PurePosixPath]:
    """Return the folders from which Python imports some files of a project, relative to it; the project's own first.

    Args:
        root: of the project, whose `__init__.py` files tell packages from other folders.
        files: that evolve, relative to `root`.
        frozen: what else the program reads; `src` counts where it is below that, as an installed project has it.
    """
    roots = [PurePosixPath()]
    for file in files:
        folder = PurePosixPath(file).parent
        while folder.parts and (root / folder / "__init__.py").is_file():
            folder = folder.parent
        roots.append(folder)
    is_package = (root / _SOURCES / "__init__.py").exists()
    if not is_package and any(PurePosixPath(name).is_relative_to(_SOURCES) for name in frozen):
        roots.append(_SOURCES)
    return list(dict.fromkeys(roots))


def marked(files: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return files of which each Python file leaves a mark when it is executed.

    Args:
        files: texts by name.
        home: the working folder, as the program sees it.
    """
    return {
        name: _with_statement(text, f"open({str(home / _MARK.format(number))!r}, 'w').close()")
        if name.endswith(".py")
        else text
        for number, (name, text) in enumerate(files.items())
    }


def take_marks(names: Iterable[str], folder: Path) -> list[str]:
    """Return the Python files that left no mark in the working folder of a program; remove the marks."""
    missing = []
    for number, name in enumerate(names):
        mark = folder / _MARK.format(number)
        if name.endswith(".py") and not mark.exists():
            missing.append(name)
        mark.unlink(missing_ok=True)
    return missing


def _with_statement(text: str, statement: str) -> str:
    """Return a program with a statement before its first one that may have another before it, on the same line."""
    try:
        body = parse(text).body
    except UNREADABLE:
        return text
    first = next((one for index, one in enumerate(body) if not _comes_first(one, index)), None)
    if first is None:
        return f"{text}\n{statement}\n"
    source = SourceText(text)
    if isinstance(first, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.Expr):
        place, ending = source.start(first), "; "
    else:
        line = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))])
        place, ending = source.line_start(line), "\n"
    return spliced(text, [Splice(place, place, statement + ending)])


def _comes_first(node: ast.stmt, index: int) -> bool:
    """Return whether a statement must stand at the beginning: a docstring, or an import from `__future__`."""
    is_docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
