"""The Python that a project runs with: of its environment, not of evo's."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_OWN = (".venv", "venv", "env", ".pixi/envs/default")
_CONDA_HOMES = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba", ".conda", "opt/miniconda3")
_CONDA_NAME = re.compile(r"^name:\s*[\"']?([\w.-]+)", re.MULTILINE)
_CONDA_FILES = ("environment.yml", "environment.yaml")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of a project.

    Attributes:
        word: the first of its command.
        note: what the user should know; empty for nothing.
    """

    word: str
    note: str = ""


def interpreter_of(root: Path, environment: Mapping[str, str], home: Path, prefix: str = sys.prefix) -> Interpreter:
    """Return the Python of the active environment, else of one in the project, else of evo.

    Args:
        environment: that evo was started in.
        prefix: of the Python that runs evo; that environment says nothing of a project.
    """
    if active := _active(environment, prefix):
        return Interpreter(_word(active, root))
    for name in _OWN:
        if _python(root / name):
            return Interpreter(f"{name}/bin/python")
    for folder in _conda_environments(root, environment, home):
        if _python(folder):
            return Interpreter(str(_python(folder)))
    return Interpreter("python", _missing(root))


def _active(environment: Mapping[str, str], prefix: str) -> Path | None:
    """Return the active environment unless it is evo's own or conda's base, in which one starts without any choice."""
    variables = (
        ["VIRTUAL_ENV"] if environment.get("CONDA_DEFAULT_ENV") in (None, "base") else ["VIRTUAL_ENV", "CONDA_PREFIX"]
    )
    for name in variables:
        folder = Path(environment.get(name) or "/nowhere")
        if folder.is_absolute() and _python(folder) and folder.resolve() != Path(prefix).resolve():
            return folder
    return None


def _word(folder: Path, root: Path) -> str:
    python = folder / "bin/python"
    return str(python.relative_to(root)) if python.is_relative_to(root) else str(python)


def _python(folder: Path) -> Path | None:
    python = folder / "bin/python"
    return python if python.exists() else None


def _conda_environments(root: Path, environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield where the environment that `environment.yml` names may lie."""
    for file in _CONDA_FILES:
        try:
            named = _CONDA_NAME.search((root / file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        if named and (named[1] not in (".", "..")):
            program = environment.get("CONDA_EXE")
            yield from (Path(place) / "envs" / named[1] for place in ([Path(program).parents[1]] if program else []))
            yield from (home / place / "envs" / named[1] for place in _CONDA_HOMES)
            yield Path("/opt/conda/envs") / named[1]


def _missing(root: Path) -> str:
    """Return how to make an environment that the project describes and does not have."""
    for file, command in (
        ("uv.lock", "uv sync"),
        ("pixi.toml", "pixi install"),
        *((file, f"conda env create -f {file}") for file in _CONDA_FILES),
    ):
        if (root / file).is_file():
            return (
                f"The environment that {file} describes was not found, so `python` is the interpreter of evo, with its "
                f"packages. Make it with `{command}`, or activate it, and write `command` again: evo init --force."
            )
    if (root / "pyproject.toml").exists():
        return "The project has no .venv, so `python` is the interpreter of evo, with its packages."
    return ""
