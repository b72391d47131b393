"""Where a command's program is, and what belongs to its installation."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import ConfigError
from trainer.sandbox import program_folders

_NODE_MODULES = "node_modules"


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this machine.

    Attributes:
        path: of the file to run.
        installation: what it needs to be read.
    """

    path: Path
    installation: tuple[Path, ...]


def found_program(name: str, path: str | None = None) -> Program:
    """Return a program by its name on the PATH or by its path.

    A package of npm is run where it lies, for it looks for its parts beside itself, and with the Node that is on the
    PATH.

    Args:
        path: the PATH to look on; that of this process by default.

    Raises:
        ConfigError: there is none.
    """
    found = shutil.which(str(Path(name).expanduser()) if "/" in name else name, path=path)
    if found is None:
        reason = " on the PATH"
        if "/" in name:
            is_file = Path(name).expanduser().is_file()
            reason = ": it may not be executed (chmod +x)" if is_file else ": there is no such file"
        raise ConfigError(f"The command of the coding agent was not found: {name!r} is no program{reason}.")
    program = Path(found).absolute()
    real = program.resolve()
    if _NODE_MODULES not in real.parts:
        return Program(program, tuple(program_folders(program)))
    packages = Path(*real.parts[: real.parts.index(_NODE_MODULES) + 1])
    node = shutil.which("node", path=path)
    runtime = () if node is None else (Path(node), Path(node).resolve())
    return Program(real, (packages, *runtime))
