"""What a program reads: modules of the project, files and folders that it names, and its caches.

What lies outside the project is given to candidates only if it is a known cache of datasets or models, or one that the
project's own program for preparing data names; anything else is suggested in a comment, and secrets not even that.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath

from evo.files import exists, is_private
from evo.project.found import Given
from evo.project.modules import Module, Project
from evo.project.reach import reached_calls
from trainer.script.secrets import secret_by_name, secret_by_value, secrets_in

_WRITTEN_FOLDERS = re.compile(
    r"(?:out|outputs?|logs?|log_?dir|runs?|results?|artifacts?|checkpoints?|ckpts?|saved?|saved_?models|wandb|mlruns|plots|"
    r"figures|tmp|temp|lightning_logs|tensorboard)",
    re.IGNORECASE,
)
_WRITERS = frozenset(
    {"save", "savez", "savez_compressed", "savefig", "savetxt", "to_csv", "to_parquet", "to_json", "to_pickle", "dump"}
    | {"write_text", "write_bytes", "write_csv", "save_model", "save_pretrained", "save_file", "save_weights", "imsave"}
)
_DATA = re.compile(r"(?![/~])[\w./-]*\w\.(?:npz|npy|csv|tsv|parquet|arrow|jsonl|pkl|pickle|pt|pth|bin|h5|safetensors)")
_READERS = re.compile(
    r"open|load|loadtxt|genfromtxt|fromfile|memmap|imread|load_file|loadmat|load_data|scan_(?:csv|parquet)"
    r"|read_(?:csv|table|parquet|json|excel|feather|pickle|hdf|text|bytes)"
)
_DATASET_CACHES = re.compile(
    r"\.cache/(?:autoresearch[\w.-]*|huggingface/(?:hub|datasets)|torch|kagglehub|tiktoken|whisper|clip|openml|tfds|mlx)(?:/.*)?"
    r"|(?:\.keras/datasets|scikit_learn_data|nltk_data|tensorflow_datasets|\.torch/datasets)(?:/.*)?"
)
MAKERS = ("prepare", "download")
"""Programs that make data, by the beginnings of their names."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_HUB = ".cache/huggingface/hub"
_HOME = "~"
_JOINING = ("join", "joinpath")
_PASSING = ("Path", "str", "expanduser", "resolve", "absolute", "abspath", "realpath")
_MOST_NAMES = 8  # defined by each other


@dataclass(frozen=True, slots=True)
class Reads:
    """What a program reads.

    Attributes:
        given: may not change, and is given to candidates.
        suggested: lies outside the project, and is given only if the user says so.
        withheld: secrets that the program names, or that lie in a folder that it names: never given.
    """

    given: tuple[Given, ...]
    suggested: tuple[Given, ...] = ()
    withheld: tuple[Given, ...] = ()


def reads_of(project: Project, entry: Module, genome: Sequence[str], home: Path) -> Reads:
    """Return what a program reads and may not change: its modules, what they name, and caches.

    Args:
        entry: the file that is started.
        genome: the files that evolve, which are not frozen.
    """
    modules = project.closure(entry, *(module for name in genome if (module := project.module(name))))
    written = _written(project, entry)
    found = [Given(one.name, "imported" if one is not entry else "started by the command") for one in modules]
    outside: list[Given] = []
    for module in modules:
        found += _named(project, module, written)
        outside += _cached(module, home)
    found = [one for one in found if one.name not in genome]
    known = [one for one in outside if _is_dataset_cache(one)]
    given, withheld = without_secrets([*found, *known], project.root, home)
    others = without_parts([one for one in outside if one not in known and not secret_by_name(_place(one))])
    suggested = without_secrets(others, project.root, home)[0]
    withheld += [replace(one, reason=what) for one in outside if (what := secret_by_name(_place(one)))]
    withheld += _secrets_named(modules)
    return Reads(tuple(given), tuple(suggested), tuple(without_parts(withheld)))


def without_secrets(given: Sequence[Given], root: Path, home: Path) -> tuple[list[Given], list[Given]]:
    """Return what is given, each name once and a folder that holds secrets as its other parts; and these secrets."""
    allowed: list[Given] = []
    withheld: list[Given] = []
    for one in without_parts(given):
        base = home if one.is_outside else root
        path = base / one.name.removeprefix(f"{_HOME}/")
        secrets = {secret.path: secret.what for secret in secrets_in(path, base)} if exists(path) else {}
        prefix = f"{_HOME}/" if one.is_outside else ""
        withheld += [
            replace(one, name=f"{prefix}{secret.relative_to(base).as_posix()}", reason=what)
            for secret, what in secrets.items()
        ]
        allowed += [
            replace(one, name=f"{prefix}{part.relative_to(base).as_posix()}") for part in _around(path, secrets)
        ]
    return allowed, withheld


def _around(path: Path, secrets: Collection[Path]) -> Iterator[Path]:
    """Yield a file or folder, or the parts of a folder that hold no secret."""
    if not any(secret.is_relative_to(path) for secret in secrets):
        yield path
    elif path.is_dir() and path not in secrets:
        for part in sorted(path.iterdir()):
            if not is_private(part.name):
                yield from _around(part, secrets)


def _is_dataset_cache(given: Given) -> bool:
    """Return whether a place in the home folder is a known cache, or one that the project's own preparation names."""
    place = _place(given)
    own = (
        PurePosixPath(given.source).name.startswith(MAKERS) and place.parts[:1] == (".cache",) and len(place.parts) > 1
    )
    return not secret_by_name(place) and (own or _DATASET_CACHES.fullmatch(str(place)) is not None)


def _place(given: Given) -> PurePosixPath:
    return PurePosixPath(given.name.removeprefix(f"{_HOME}/"))


def _secrets_named(modules: Sequence[Module]) -> Iterator[Given]:
    """Yield the modules with a key or a token in their text."""
    for module in modules:
        if what := secret_by_value(module.text):
            yield Given(module.name, what, source=module.name)


def overlaps(name: str, other: str) -> bool:
    """Return whether two paths are the same or one contains the other."""
    first, second = PurePosixPath(name.removeprefix("~/")), PurePosixPath(other.removeprefix("~/"))
    return first.is_relative_to(second) or second.is_relative_to(first)


def named_files(project: Project, module: Module) -> set[str]:
    """Return the existing files and folders that a program names and does not write."""
    named = (one.name for one in _named(project, module, _written(project, module)))
    return {name for name in named if not secret_by_name(PurePosixPath(name))}


def missing_files(project: Project, entry: Module) -> list[str]:
    """Return the data files that a program opens for reading, that do not exist and that it does not write."""
    written = _written(project, entry)
    names = {PurePosixPath(name).name for name in written}
    found: dict[str, None] = {}
    guarded = {*_guarded(entry)}
    for reached in reached_calls(project, entry):
        if reached.module is not entry or reached.call in guarded:
            continue
        for text in _read_by(reached.call, reached.module):
            if _DATA.fullmatch(text) and PurePosixPath(text).name not in names and not _is_output(text):
                found[text] = None
    return [name for name in found if not any(exists(project.root / folder / name) for folder in ("", entry.folder))]


def _read_by(call: ast.Call, module: Module) -> Iterator[str]:
    """Yield the names of files that a call reads, as far as they are known."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if not _READERS.fullmatch(name) or (name == "open" and _opens_for_writing(call)):
        return
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    for place in (*call.args[:1], owner):
        if place is not None and (text := _path(place, module.constants)):
            yield str(PurePosixPath(text))


def _guarded(module: Module) -> Iterator[ast.AST]:
    """Yield what runs only if some file exists."""
    for node in module.nodes:
        if isinstance(node, ast.If):
            test = ast.unparse(node.test)
            if any(word in test for word in ("exists", "is_file", "resume")):
                yield from ast.walk(node)


def _opens_for_writing(call: ast.Call) -> bool:
    """Return whether a call of `open` or `Path.open` has a mode that writes."""
    place = (
        0 if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) not in ("io", "gzip", "bz2") else 1
    )
    modes = [*call.args[place : place + 1], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and str(mode.value)[:1] in ("w", "a", "x") for mode in modes)


def _named(project: Project, module: Module, written: Collection[str]) -> Iterator[Given]:
    docstrings = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in docstrings:
            for name in _within(project, module, _path(node, module.constants) or ""):
                path = PurePosixPath(name)
                is_hidden = any(map(is_private, path.parts)) and not secret_by_name(path)  # secrets are told, not given
                if not is_hidden and not _is_output(name) and name not in written:
                    yield Given(name, f"named in {module.name}")


def _within(project: Project, module: Module, text: str) -> Iterator[str]:
    """Yield the path of an existing file that a text names, relative to the root or to the module."""
    if not text or text.startswith(("/", "~")):
        return
    for folder in dict.fromkeys([PurePosixPath(), module.folder]):
        path = PurePosixPath(os.path.normpath(folder / text))
        if path.parts and ".." not in path.parts and exists(project.root / path):
            yield str(path)
            return


def _written(project: Project, entry: Module) -> set[str]:
    """Return the names of the files that the program writes, as far as they are known."""
    found: set[str] = set()
    for reached in reached_calls(project, entry):
        call, constants = reached.call, reached.module.constants
        name = ast.unparse(call.func).rpartition(".")[2]
        if (name == "open" and _opens_for_writing(call)) or name in _WRITERS:
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            places = [*call.args, *(keyword.value for keyword in call.keywords)]
            places += [owner] if owner is not None else []  # Path("log.txt").write_text(…)
            texts = (_path(place, constants) for place in places)
            found |= {str(PurePosixPath(text)) for text in texts if text}
    return found


def _cached(module: Module, home: Path) -> Iterator[Given]:
    """Yield what a module names in the home folder: paths, and models in the Hugging Face cache."""
    inner: set[int] = set()
    for node in module.nodes:
        if not isinstance(node, ast.expr) or id(node) in inner:
            continue
        path = _path(node, module.constants)
        if path and path.startswith(f"{_HOME}/") and _is_specific(path) and not _is_output(path):
            inner |= {id(part) for part in ast.walk(node)}  # in `home / ".cache" / "x"`, not `home / ".cache"`
            place = home / path.removeprefix(f"{_HOME}/")
            yield Given(path, f"named in {module.name}", not exists(place), module.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _HUB_NAME.fullmatch(node.value):
            for kind in ("models", "datasets"):
                cache = f"{_HUB}/{kind}--{node.value.replace('/', '--')}"
                if exists(home / cache):
                    yield Given(f"~/{cache}", f"{node.value}, used in {module.name}", source=module.name)


def _is_specific(path: str) -> bool:
    """Return whether a path in the home folder is more than `~/.cache`, from which others start."""
    place = PurePosixPath(path.removeprefix(f"{_HOME}/"))
    return len(place.parts) > 1 or not place.name.startswith(".") or bool(secret_by_name(place))


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
        case ast.Name(id="__file__"):
            return "a program in this folder"
        case ast.Name(id=name) if name in constants:
            return inner(constants[name])
        case ast.JoinedStr(values=values):
            parts = [inner(one.value if isinstance(one, ast.FormattedValue) else one) for one in values]
            return "".join(filter(None, parts)) if None not in parts else None
        case ast.Attribute(value=value, attr="parent"):
            return _folder(inner(value))
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
    if name == "dirname" and parts:
        return _folder(inner(parts[0]))
    if name in _PASSING and len(parts) == 1:
        return inner(parts[0])
    if name in ("get", "getenv") and len(call.args) == 2:
        return inner(call.args[1])  # the default of an environment variable
    return None


def _folder(path: str | None) -> str | None:
    return path and str(PurePosixPath(path).parent)


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
