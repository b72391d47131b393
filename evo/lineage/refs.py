"""Refs of the lineage: hexadecimal names only, one small file each, packed now and then.

The driver holds the lock of the run folder, so any `.lock` file found on opening is the leftover of a kill.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from evo.errors import LineageError

INDIVIDUALS = "refs/individuals"
NOTES = "refs/notes/evaluations"
BEST = "refs/heads/best"

_LOCK_PATIENCE_SECONDS = 2.0

_INDIVIDUAL = re.compile(rf"{INDIVIDUALS}/[0-9a-f]{{2}}/(?P<digits>[0-9a-f]{{8}})")
_PACKED = re.compile(r"(?P<target>[0-9a-f]{40}) (?P<ref>refs/\S+)")
_OTHER_LINE = re.compile(r"#.*|\^[0-9a-f]{40}")
_TARGET = re.compile(rb"([0-9a-f]{40})\n")


def individual_ref(individual: int) -> str:
    """Return the ref of an individual: its number in eight hexadecimal digits, in one of 256 folders."""
    digits = f"{individual:08x}"
    return f"{INDIVIDUALS}/{digits[-2:]}/{digits}"


def individual_of(ref: str) -> int | None:
    """Return the individual whose ref this is, or None."""
    match = _INDIVIDUAL.fullmatch(ref)
    return int(match["digits"], 16) if match else None


def unreadable(repository: Path) -> Iterator[Path]:
    """Return each pipe, socket, device and broken link in a repository, at which git could wait for ever."""
    for folder, _, others in os.walk(repository):
        for path in (Path(folder, name) for name in others):
            # A live driver removes its lock files meanwhile.
            if not path.is_file() and os.path.lexists(path):
                yield path


class Refs:
    """Reads and writes the refs of one repository; `written` counts what `write` has changed."""

    def __init__(self, repository: Path) -> None:
        self.written = 0
        self._repository = repository

    def read(self) -> dict[str, str]:
        """Return every ref with the object it names; a damaged ref is left out."""
        # A loose ref overrides a packed one, also when it is damaged.
        merged: dict[str, str | None] = {**self._packed(), **self._loose()}
        return {ref: target for ref, target in merged.items() if target is not None}

    def loose_count(self) -> int:
        """Return how many refs are not packed."""
        return len(self._loose())

    def write(self, ref: str, target: str) -> None:
        """Point `ref` at an object, atomically, under git's own lock file."""
        path = self._repository / ref
        lock = path.with_name(f"{path.name}.lock")
        try:
            with _opened_new(lock) as file:
                file.write(f"{target}\n")
            lock.replace(path)
        except FileExistsError:  # the lock of another program
            raise
        except OSError:
            lock.unlink(missing_ok=True)
            raise
        self.written += 1

    def remove_stale_locks(self) -> None:
        """Remove the lock files that a killed driver or its git left behind."""
        # Git writes the next `packed-refs` into a file of its own, which it refuses to overwrite.
        for pattern in ("*.lock", "packed-refs.new", "refs/**/*.lock"):
            for leftover in list(self._repository.glob(pattern)):
                leftover.unlink()

    def remove_damaged(self) -> None:
        """Remove what git could not read; it is then written again from the store."""
        for path in unreadable(self._repository):
            path.unlink()
        for ref, target in self._loose().items():
            if target is None:
                (self._repository / ref).unlink()
        if not all(_PACKED.fullmatch(line) or _OTHER_LINE.fullmatch(line) for line in self._packed_lines()):
            (self._repository / "packed-refs").unlink()

    def pack(self) -> None:
        """Move all loose refs into `packed-refs`, so that their number does not slow anything down."""
        run_git(self._repository, "pack-refs", "--all")

    def _loose(self) -> dict[str, str | None]:
        loose: dict[str, str | None] = {}
        for path in (self._repository / "refs").rglob("*"):
            if path.is_file() and path.suffix != ".lock":
                content = path.read_bytes()
                match = _TARGET.fullmatch(content)
                # Symbolic refs are none of ours, but a person may have made some.
                if not content.startswith(b"ref: "):
                    loose[path.relative_to(self._repository).as_posix()] = match[1].decode() if match else None
        return loose

    def _packed(self) -> dict[str, str]:
        matches = filter(None, map(_PACKED.fullmatch, self._packed_lines()))
        return {match["ref"]: match["target"] for match in matches}

    def _packed_lines(self) -> list[str]:
        path = self._repository / "packed-refs"
        try:
            return path.read_bytes().decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []


def _opened_new(lock: Path) -> TextIO:
    """Create a lock file, after the git command that a person may be running in the repository has let go of it."""
    deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
    while True:
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            return lock.open("x", encoding="ascii")
        except (FileExistsError, FileNotFoundError):
            # Packing also removes folders that have become empty.
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def run_git(repository: Path, *arguments: str) -> str:
    """Run a git command on a repository and return what it printed; nothing of the user's settings reaches it.

    Raises:
        LineageError: git is not installed or the command failed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    command = ["git", f"--git-dir={repository.absolute()}", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - no argument comes from a model or a file
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # a message about a damaged repository can quote any bytes
            check=True,
        )
    except FileNotFoundError:
        raise LineageError("git was expected on PATH, but it was not found. Install git.") from None
    except subprocess.CalledProcessError as error:
        raise LineageError(
            f"`git {' '.join(arguments)}` failed on {repository}: {error.stderr.strip()} "
            f"The store still holds everything; `evo resume` writes the repository again."
        ) from error
    return done.stdout
