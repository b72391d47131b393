"""Frozen files: what every genome of a script task is given, under the same names, with the same content."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from trainer.errors import ConfigError
from trainer.script.secrets import secrets_in

_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER_BYTES = 1024  # as git-LFS itself has it
_CACHES = frozenset(("__pycache__", ".git", ".ipynb_checkpoints"))


@dataclass(frozen=True, slots=True)
class Frozen:
    """One frozen file or folder.

    Attributes:
        name: where a command finds it, relative to its working folder; outside of it, an absolute path or one that
            begins with `..`.
        path: where it is; absolute, without links.
        signature: changes whenever the file system saw it written to; cheap to compare.
    """

    name: str
    path: Path
    sha256: str
    signature: str

    @property
    def is_outside(self) -> bool:
        """Whether its place is not in the working folder."""
        return is_outside(self.name)

    def looked_at_again(self) -> Frozen | None:
        """Return it with the signature of today; None if it has not the content any more that it was frozen with."""
        try:
            # The signature first: what is written in between shows as a change.
            signature = _signature(self.path)
            if signature == self.signature:
                return self
            return replace(self, signature=signature) if digest_of(self.path) == self.sha256 else None
        except OSError:
            return None

    def with_text(self, text: str, folder: Path) -> Frozen:
        """Return a copy with another content, under the same name in another folder."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.path, path)  # keeps the mode: a program stays executable
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
        path.write_text(text, encoding="utf-8", newline="")
        return Frozen(self.name, path, digest_of(path), _signature(path))

    def stands_in(self, folder: Path) -> bool:
        """Return whether a working folder still has it under its name: itself, a link to it, or an equal copy."""
        place = folder / self.name
        try:
            if place.resolve() == self.path:
                return True
            return not place.is_symlink() and place.is_file() and digest_of(place) == self.sha256
        except (OSError, RuntimeError):  # RuntimeError: links in a circle
            return False


def freeze(names: Iterable[str], root: Path, key: str = "frozen") -> tuple[Frozen, ...]:
    """Return files and folders as they are now.

    Args:
        names: relative to `root`, or to the home folder with a leading `~/`, or absolute.
        key: of the task that names them, for messages.

    Raises:
        ConfigError: one is missing, cannot be read, or is or holds a secret.
    """
    return tuple(_freeze(name, root, key) for name in names)


def _freeze(name: str, root: Path, key: str) -> Frozen:
    try:
        named, base = _place(name, root)
        path = named.resolve()
        if not (path.is_file() or path.is_dir()):
            raise ConfigError(f"`task.{key}` names {name!r}, but there is no file or folder {path}.")
        if root.resolve().is_relative_to(path):
            raise ConfigError(f"`task.{key}` must leave out what evolves, but {name!r} holds the project {root}.")
        _refuse_secrets(name, named, base, key)
        _refuse_pointers(name, path, root, key)
        # The signature first: what is written in between shows as a change.
        signature = _signature(path)
        return Frozen(name.removeprefix("~/"), path, digest_of(path), signature)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a ring, or no home folder
        raise ConfigError(f"`task.{key}` names {name!r}, which cannot be read: {error}.") from error


def _place(name: str, root: Path) -> tuple[Path, Path]:
    """Return the path of a name, and the folder below which its parts tell what it is."""
    if name.startswith("~/"):
        return Path.home() / name.removeprefix("~/"), Path.home()
    root = Path(os.path.abspath(root))  # noqa: PTH100 - Path.resolve would follow links
    path = Path(os.path.normpath(root / name))
    return path, Path("/") if Path(name).is_absolute() else Path(os.path.commonpath([path, root]))


def _refuse_secrets(name: str, path: Path, base: Path, key: str) -> None:
    """Raise ConfigError if a file is a secret, or a folder holds one: candidates are untrusted."""
    secret = next(secrets_in(path, base), None)
    if secret is None:
        return
    if secret.path == path:
        raise ConfigError(
            f"`task.{key}` must not hand a secret to candidate code, but {name} looks like {secret.what}. Leave it out."
        )
    raise ConfigError(
        f"`task.{key}` must not hand a secret to candidate code, but {name!r} holds "
        f"{secret.path.relative_to(path)}, which looks like {secret.what}. Name the parts of {name!r} that the program "
        "reads, or move the secret elsewhere."
    )


def is_outside(name: str) -> bool:
    """Return whether a name leads out of the folder that it is relative to."""
    path = PurePosixPath(name)
    return path.is_absolute() or path.parts[:1] == ("..",)


def _refuse_pointers(name: str, path: Path, root: Path, key: str) -> None:
    """Raise ConfigError where the content of a file is still to be fetched with git-LFS."""
    for file in content_files(path):
        if file.is_file() and file.stat().st_size <= _LARGEST_POINTER_BYTES:
            with file.open("rb") as content:
                if content.read(len(_POINTER)) != _POINTER:
                    continue
            place = os.path.relpath(file, root)
            raise ConfigError(
                f"`task.{key}` names {name!r}, but {place} is a git-LFS pointer in place of the data. Fetch it: "
                f"git lfs pull --include {shlex.quote(place)}"
            )


def content_files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files and links in a folder in a fixed order; Python's caches are no content."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_fail):
        inner = [Path(folder, name) for name in sorted(set(folders) - _CACHES)]
        # A link to a folder counts as a link: what stands in there is not always to be seen, and it may lead in a ring.
        yield from (one for one in inner if one.is_symlink())
        folders[:] = [one.name for one in inner if not one.is_symlink()]
        yield from (Path(folder, name) for name in sorted(names))


def _fail(error: OSError) -> None:
    raise error


def _status(file: Path) -> os.stat_result:
    """Return the status of a file or of what a link leads to; of the link itself where that is nothing or a folder."""
    try:
        found = file.stat()
    except OSError:
        return file.lstat()
    return file.lstat() if stat.S_ISDIR(found.st_mode) else found


def _signature(path: Path) -> str:
    digest = hashlib.sha256()
    for file in content_files(path):
        status = _status(file)
        # The time of change, which no program can set back.
        facts = (file.relative_to(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        digest.update(repr(tuple(map(str, facts))).encode())
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """Return the sha256 of a file or folder by which its copies are known to be equal; raise OSError if unreadable."""
    digest = hashlib.sha256()
    for file in content_files(path):
        digest.update(f"{file.relative_to(path)}\0{_content(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content(file: Path) -> str:
    mode = _status(file).st_mode
    if stat.S_ISREG(mode):
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    # Reading a pipe or a device would wait for ever.
    return f"link {file.readlink()}" if stat.S_ISLNK(mode) else f"no file ({stat.filemode(mode)[0]})"
