"""What a program reads: modules of the project, files and folders that it names, and its caches."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from evo.project.found import Given
from evo.project.lines import literal_text
from evo.project.modules import Module, Project, is_private
from evo.project.reach import reached_calls

_WRITTEN_FOLDERS = re.compile(
    r"(?:out|outputs?|logs?|log_?dir|runs?|results?|artifacts?|checkpoints?|ckpts?|saved?|saved_?models|wandb|mlruns|plots|"
    r"figures|tmp|temp|lightning_logs|tensorboard)",
    re.IGNORECASE,
)
_WRITERS = frozenset(
    {"save", "savez", "savez_compressed", "savefig", "savetxt", "to_csv", "to_parquet", "to_json", "to_pickle", "dump"}
    | {"write_text", "write_bytes", "write_csv", "save_model", "save_pretrained", "save_file", "save_weights", "imsave"}
)
_SECRET = re.compile(r"\.env.*|.*\.(?:pem|key|p12|pfx)|id_[a-z0-9]+|.*(?:credential|secret|password).*", re.IGNORECASE)
_DATA = re.compile(r"(?![/~])[\w./-]*\w\.(?:npz|npy|csv|tsv|parquet|arrow|jsonl|pkl|pickle|pt|pth|bin|h5|safetensors)")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_HUB = ".cache/huggingface/hub"
_LONGEST_NAME = 200
_HOME = "~"
_JOINING = ("join", "joinpath")
_PASSING = ("Path", "str", "expanduser", "resolve", "absolute", "abspath", "realpath")
_MOST_NAMES = 8  # defined by each other


def frozen_of(project: Project, entry: Module, genome: Sequence[str], home: Path) -> list[Given]:
    """Return what a program reads and may not change: its modules, what they name, and caches.

    Args:
        project: of the program.
        entry: the file that is started.
        genome: the files that evolve, which are not frozen.
        home: the user's home folder.
    """
    modules = project.closure(entry, *(module for name in genome if (module := project.module(name))))
    written = _written(project, entry)
    found = [Given(one.name, "imported" if one is not entry else "started by the command") for one in modules]
    for module in modules:
        found += _named(project, module, written)
        found += _cached(module, home)
    return without_parts(
        [one for one in found if not any(PurePosixPath(file).is_relative_to(one.name) for file in genome)]
    )


def overlaps(name: str, other: str) -> bool:
    """Return whether two paths are the same or one contains the other."""
    first, second = PurePosixPath(name.removeprefix("~/")), PurePosixPath(other.removeprefix("~/"))
    return first.is_relative_to(second) or second.is_relative_to(first)


def named_files(project: Project, module: Module) -> set[str]:
    """Return the existing files and folders that a program names and does not write."""
    return {one.name for one in _named(project, module, _written(project, module))}


def missing_files(project: Project, entry: Module, module: Module) -> list[str]:
    """Return the data files that a module names, that do not exist and that it does not write."""
    written = _written(project, entry)
    names = sorted(text for text in module.texts if _DATA.fullmatch(text) and text not in written)
    return [
        name for name in names if not any((project.root / folder / name).exists() for folder in ("", module.folder))
    ]


def _named(project: Project, module: Module, written: Collection[str]) -> Iterator[Given]:
    docstrings = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            for name in _within(project, module, node.value):
                is_hidden = any(is_private(part) or _SECRET.fullmatch(part) for part in PurePosixPath(name).parts)
                if not is_hidden and not _is_output(name) and name not in written:
                    yield Given(name, f"named in {module.name}")


def _within(project: Project, module: Module, text: str) -> Iterator[str]:
    """Yield the path of an existing file that a text names, relative to the root or to the module."""
    if not text or len(text) > _LONGEST_NAME or "\0" in text or "\n" in text or text.startswith(("/", "~")):
        return
    for folder in dict.fromkeys([PurePosixPath(), module.folder]):
        path = folder / PurePosixPath(text)
        if path.parts and ".." not in path.parts and (project.root / path).exists():
            yield str(path)
            return


def _written(project: Project, entry: Module) -> set[str]:
    """Return the names of the files that the program writes, if they are literals."""
    found: set[str] = set()
    for reached in reached_calls(project, entry):
        call, constants = reached.call, reached.module.constants
        name = ast.unparse(call.func).rpartition(".")[2]
        mode = call.args[1] if len(call.args) > 1 else None
        opens = name == "open" and isinstance(mode, ast.Constant) and str(mode.value)[:1] in ("w", "a", "x")
        if opens or name in _WRITERS:
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            places = [*call.args, *(keyword.value for keyword in call.keywords)]
            places += owner.args if isinstance(owner, ast.Call) else []  # Path("log.txt").write_text(…)
            texts = (literal_text(place, constants) for place in places)
            found |= {str(PurePosixPath(text)) for text in texts if text}
    return found


def _cached(module: Module, home: Path) -> Iterator[Given]:
    """Yield what a module names in the home folder: paths, and models in the Hugging Face cache."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.expr):
            continue
        path = _path(node, module.constants)
        if path and path.startswith(f"{_HOME}/.") and len(PurePosixPath(path).parts) > 2 and not _is_output(path):
            place = home / path.removeprefix(f"{_HOME}/")
            yield Given(path, f"named in {module.name}", not place.exists(), module.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _HUB_NAME.fullmatch(node.value):
            for kind in ("models", "datasets"):
                cache = f"{_HUB}/{kind}--{node.value.replace('/', '--')}"
                if (home / cache).is_dir():
                    yield Given(f"~/{cache}", f"{node.value}, used in {module.name}")


def _is_output(path: str) -> bool:
    return any(_WRITTEN_FOLDERS.fullmatch(part) for part in PurePosixPath(path).parts)


def _path(node: ast.expr, constants: Mapping[str, ast.expr], depth: int = 0) -> str | None:
    """Return the path that an expression computes, in the home folder as `~/…`; None if it is not known."""
    if depth > _MOST_NAMES:
        return None

    def inner(part: ast.expr) -> str | None:
        return _path(part, constants, depth + 1)

    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in constants:
            return inner(constants[name])
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _joined([inner(left), inner(right)])
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return _path_of_call(node, name, inner)
    return None


def _path_of_call(call: ast.Call, name: str, inner: Callable[[ast.expr], str | None]) -> str | None:
    """Return the path that a call of `os`, `os.path` or `pathlib` returns."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_method = owner is not None and ast.unparse(owner) not in ("os.path", "path", "os", "os.environ", "pathlib")
    parts = [*([owner] if owner is not None and is_method else []), *call.args]
    if name == "home":
        return _HOME
    if name in _JOINING:
        return _joined([inner(part) for part in parts])
    if name in _PASSING and len(parts) == 1:
        return inner(parts[0])
    if name in ("get", "getenv") and len(call.args) == 2:
        return inner(call.args[1])  # the default of an environment variable
    return None


def _joined(parts: Sequence[str | None]) -> str | None:
    """Join parts up to the first unknown one: the folder that contains the rest."""
    known = list(takewhile(lambda part: part is not None, parts))
    return str(PurePosixPath(*filter(None, known))) if known else None


def without_parts(given: Sequence[Given]) -> list[Given]:
    """Return each name once, without the contents of folders that are given as a whole."""
    first: dict[str, Given] = {}
    for one in given:
        first.setdefault(one.name, one)
    return [
        one
        for name, one in first.items()
        if not any(other != name and PurePosixPath(name).is_relative_to(other) for other in first)
    ]
