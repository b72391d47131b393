"""`evo init --example`: copies a worked example into a folder, to start from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from evo.config.reading import suggest
from trainer import genome
from trainer.errors import MachineError, UsageError

_SUFFIXES = (".py", ".toml", ".md", ".tsv", ".ipynb", ".txt", ".c", ".yaml", ".sh")
"""Of the files of an example; what it makes when it is run in place has others."""
_PREPARE = "prepare.py"
_INSTALLED_AS = {"sklearn": "scikit-learn", "yaml": "PyYAML"}


def example_names() -> tuple[str, ...]:
    """Return the names of the examples."""
    return tuple(sorted(one.name for one in _examples().iterdir() if one.joinpath("evo.toml").is_file()))


def copy_example(name: str, folder: Path) -> tuple[str, ...]:
    """Copy the files of an example into a folder and return their names.

    Raises:
        UsageError: there is no such example, or one of its files would replace another; nothing was written.
        MachineError: a file cannot be written.
    """
    if name not in example_names():
        raise UsageError(f"There is no example {name!r}; {suggest(name, example_names())}")
    files = _files(name)
    if present := [file for file in files if (folder / file).exists() or (folder / file).is_symlink()]:
        raise UsageError(
            f"The example {name} has {', '.join(present)}, which this folder has already; nothing was written. "
            "Go to an empty folder."
        )
    for file, content in files.items():
        try:
            with (folder / file).open("xb") as target:
                target.write(content)
        except OSError as error:
            raise MachineError(f"{folder / file} could not be written: {error.strerror}.") from error
    return tuple(files)


def next_commands(folder: Path, files: tuple[str, ...]) -> str:
    """Return what to run after an example was copied, an installation of what its programs import among it."""
    missing = sorted({_INSTALLED_AS.get(name, name) for name in _imported(folder, files) if find_spec(name) is None})
    first = [f"pip install {' '.join(missing)}"] if missing else []
    first += [f"python {_PREPARE}"] if _PREPARE in files else []
    return f"{', '.join(first)}, then evo run" if first else "evo run"


def _imported(folder: Path, files: tuple[str, ...]) -> Iterator[str]:
    """Yield the packages that programs import, without the programs themselves."""
    for file in files:
        if file.endswith(".py"):
            for node in ast.walk(ast.parse((folder / file).read_bytes())):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
                yield from {name.partition(".")[0] for name in names if f"{name.partition('.')[0]}.py" not in files}


def _files(name: str) -> dict[str, bytes]:
    """Return the content of an example's files by their names."""
    folder = _examples().joinpath(name)
    found = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file() and one.name.endswith(_SUFFIXES)}
    if name in genome.BUILT_IN:
        found["train.py"] = genome.built_in(name).encode()
    return dict(sorted(found.items()))


def _examples() -> Traversable:
    return resources.files("evo").joinpath("project", "examples")
