"""Finding the programs that a script task names."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from trainer.errors import ConfigError

_SETTING = re.compile(r"[A-Za-z_]\w*=")


def without_environment(command: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables that a command sets with `env NAME=VALUE …`, and what it runs with them."""
    if not command or PurePosixPath(command[0]).name != "env":
        return {}, tuple(command)
    words = list(takewhile(_SETTING.match, command[1:]))
    rest = tuple(command[1 + len(words) :])
    if not rest or rest[0].startswith("-"):
        return {}, tuple(command)
    return dict(word.split("=", 1) for word in words), rest


def find_program(name: str, root: Path, key: str = "command") -> Path:
    """Return the absolute path of a program, with its links: they tell Python which environment it is in.

    Programs beside the running interpreter go before those on the PATH, and `python` is that interpreter.

    Args:
        name: of a program, or its path relative to `root`.
        key: of the task that names it, for messages.

    Raises:
        ConfigError: there is no such program.
    """
    if name in ("python", "python3"):
        return Path(sys.executable)
    found = shutil.which(str(root / name) if "/" in name else name, path=search_path())
    if found is None:
        where = f"in {root}" if "/" in name else "on the PATH"
        raise ConfigError(f"`task.{key}` runs {name!r}, but there is no such program {where}.")
    return Path(os.path.abspath(found))  # noqa: PTH100 - Path.resolve would follow links


def search_path() -> str:
    """Return where programs are looked for, by shell scripts and Makefiles too: beside the running interpreter first.

    An environment that the user activated, and that is not evo's own, goes before.
    """
    own, path = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    active = os.environ.get("VIRTUAL_ENV")
    is_others = active is not None and Path(active).resolve() != Path(sys.prefix).resolve()
    return os.pathsep.join((path, own) if is_others else (own, path))


def toolchains() -> dict[str, Path]:
    """Return the folders in which compilers look for each other, by the variable that names each to them."""
    rustup = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    return {"RUSTUP_HOME": rustup} if shutil.which("rustup") and rustup.is_dir() else {}


def toolchain_folders() -> list[Path]:
    """Return what compilers and Java need to read beside their own programs."""
    # The programs of rustup are one, by other names; the settings of Java lie in /etc, behind links.
    rustup = shutil.which("rustup")
    return [*toolchains().values(), *([Path(rustup).parent] if rustup else []), *sorted(Path("/etc").glob("java*"))]
