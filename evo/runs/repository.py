"""The user's own git repository: read, and written to beside its work tree.

No file of the work tree, no HEAD and no index changes, whatever the user's settings, and no hook runs.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from evo.text import visible
from operators.gate import clean_source
from trainer.errors import MachineError, UsageError

_LINE_END = re.compile(r"\r\n|\r|\n")
SHORT = 7
"""Digits of a commit's name that are shown."""

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "i18n.commitEncoding=UTF-8",
)
"""Whatever the user's settings say: nothing runs, nothing is written beside the objects and the ref."""

_KEPT = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""Variables of the identity and the settings; others of git's could name another repository."""

_DEFAULT_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "evo"), ("EMAIL", "evo@localhost"))
}
"""For commits where git has no name and address."""


def ignore(folder: Path) -> None:
    """Have git ignore a folder, by the exclude file that is no part of the repository it lies in, if it lies in one.

    Nothing happens where git ignores it already, or where that file cannot be written: it is a convenience.
    """
    around = folder.absolute().parent
    if (
        shutil.which("git") is None
        or _git(around, "--no-literal-pathspecs", "check-ignore", "--quiet", f"{folder.name}/").returncode != 1
    ):
        return
    done = _git(around, "rev-parse", "--git-path", "info/exclude", "--show-prefix")
    path, prefix, *_ = [*done.stdout.decode("utf-8", "surrogateescape").split("\n"), "", ""]
    if done.returncode or not path:
        return
    exclude = around / path
    line = f"/{prefix}{folder.name}/\n".encode("utf-8", "surrogateescape")
    with contextlib.suppress(OSError):
        exclude.parent.mkdir(exist_ok=True)
        known = exclude.read_bytes() if exclude.exists() else b""
        with exclude.open("ab") as file:
            file.write((b"" if known.endswith(b"\n") or not known else b"\n") + line)


@dataclass(frozen=True, slots=True)
class CommittedFile:
    """A file of a commit."""

    mode: str
    content: bytes

    def holding(self, source: str) -> CommittedFile:
        """Return the file with another text, with the byte order mark and the line ends that it has.

        Where these are mixed, lines that stay keep theirs, and others get the most frequent one.
        """
        old = self.content.decode("utf-8", "replace").removeprefix("\ufeff")
        ends = _LINE_END.findall(old)
        usual, _ = Counter(ends or ["\n"]).most_common(1)[0]
        lines = source.removesuffix("\n").split("\n")
        found = [usual] * len(lines)
        if len({*ends}) > 1:
            before = _LINE_END.split(old)[: len(ends)]
            for kept in SequenceMatcher(None, before, lines, autojunk=False).get_matching_blocks():
                found[kept.b : kept.b + kept.size] = ends[kept.a : kept.a + kept.size]
        mark = codecs.BOM_UTF8 if self.content.startswith(codecs.BOM_UTF8) else b""
        return CommittedFile(self.mode, mark + "".join(map("".join, zip(lines, found, strict=True))).encode())

    @property
    def source(self) -> str:
        """The text as a genome has it."""
        return clean_source(self.content.decode("utf-8", "replace"))


class Repository:
    """A repository of the user's.

    Args:
        prefix: the project's folder in it, empty or with a slash at its end.
    """

    def __init__(self, top: Path, prefix: str) -> None:
        self.top = top
        self._prefix = prefix

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """Return the repository whose work tree `folder` is in; raise UsageError where there is none."""
        done = _git(folder, "rev-parse", "--is-inside-work-tree", "--show-toplevel", "--show-prefix")
        if done.returncode == 0:
            inside, top, prefix, *_ = [*done.stdout.decode("utf-8", "surrogateescape").split("\n"), ""]
            if inside == "true":
                return cls(Path(top), prefix)
        problem = _problem(done)
        if done.returncode and "not a git repository" not in problem and "work tree" not in problem:
            raise MachineError(f"git could not look at {folder}: {problem}. `git status` there says more.")
        what = (
            "in no git repository" if "not a git repository" in problem else "in a git repository without a work tree"
        )
        raise UsageError(f"{folder.resolve()} is {what}, so there is no branch to commit on. Take the file: evo export")

    def commit(self, name: str) -> str | None:
        """Return the hexadecimal name of a commit, None where there is none of that name."""
        done = _git(self.top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def refuse_checked_out(self, branch: str) -> None:
        """Raise UsageError where a work tree stands on a branch: moving that would make all its files look changed."""
        folder = ""
        for line in self._run("worktree", "list", "--porcelain").decode("utf-8", "surrogateescape").splitlines():
            folder = line.removeprefix("worktree ") if line.startswith("worktree ") else folder
            if line == f"branch refs/heads/{branch}":
                raise UsageError(
                    f"The branch {branch} is checked out in {folder}, whose files a commit from here would contradict. "
                    f"Switch to another one first: git -C {shlex.quote(folder)} switch -"
                )

    def file(self, commit: str, name: str) -> CommittedFile:
        """Return a file of a commit; raise UsageError where it is none."""
        path = self._prefix + name
        entry = self._run("ls-tree", "-z", "--full-tree", commit, "--", path).decode("utf-8", "surrogateescape")
        if not entry:
            raise UsageError(
                f"{path} is not in the commit {commit[:SHORT]} of {self.top}: it was never committed, or not there. "
                "Commit it as it was when the run began, then try again."
            )
        mode, kind, blob = entry.partition("\t")[0].split()
        if kind != "blob" or mode == "120000":
            what = "a symbolic link" if mode == "120000" else "a folder or a submodule"
            raise UsageError(f"{path} is {what} in the commit {commit[:SHORT]}, but a genome is a file.")
        return CommittedFile(mode, self._run("cat-file", "blob", blob))

    def work_tree_source(self, name: str) -> str | None:
        """Return a file of the work tree as a genome has it, None where it cannot be read."""
        try:
            return clean_source((self.top / f"{self._prefix}{name}").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

    def tree(self, base: str, files: Mapping[str, CommittedFile]) -> str:
        """Write the tree of the commit `base` with some files of the project replaced, and return its name."""
        entries = []
        for name, file in files.items():
            blob = self._run("hash-object", "-w", "--stdin", "--no-filters", stdin=file.content).decode().strip()
            entries.append(f"{file.mode} {blob}\t{self._prefix}{name}\0".encode("utf-8", "surrogateescape"))
        with tempfile.TemporaryDirectory(prefix="evo-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", base, added=index)
            self._run("update-index", "-z", "--index-info", stdin=b"".join(entries), added=index)
            return self._run("write-tree", added=index).decode().strip()

    def commit_tree(self, tree: str, parent: str, text: str) -> str:
        """Write a commit in the user's name, and return its name."""
        known = all(_git(self.top, "var", f"GIT_{role}_IDENT").returncode == 0 for role in ("AUTHOR", "COMMITTER"))
        arguments = ("commit-tree", tree, "-p", parent, "-F", "-")
        return self._run(*arguments, stdin=text.encode(), added={} if known else _DEFAULT_IDENTITY).decode().strip()

    def move(self, branch: str, commit: str, tip: str | None, why: str) -> None:
        """Move a branch from `tip` to a commit; make it where there is none."""
        self._run("update-ref", "-m", why, f"refs/heads/{branch}", commit, tip or "")

    def _run(self, *arguments: str, stdin: bytes = b"", added: Mapping[str, str] | None = None) -> bytes:
        done = _git(self.top, *arguments, stdin=stdin, added=added)
        if done.returncode:
            raise MachineError(f"git could not commit in {self.top}: `git {arguments[0]}` says: {_problem(done)}")
        return done.stdout


def _git(
    folder: Path, *arguments: str, stdin: bytes = b"", added: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a git command with the user's settings but `_SETTINGS`."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(_KEPT) or name[:4] != "GIT_"}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", **(added or {})}
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = ["git", *settings, "--literal-pathspecs", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False)  # noqa: S603 - no argument comes from a model
    except FileNotFoundError:
        raise MachineError("git was expected on PATH, but it was not found. Install git.") from None


def _problem(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = visible(done.stderr.decode("utf-8", "replace")).strip().splitlines()
    return (lines[0] if lines else f"exit code {done.returncode}").removeprefix("fatal: ")
