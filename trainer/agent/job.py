"""What a command is to edit, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trainer.errors import MachineError


@dataclass(frozen=True, slots=True)
class EditingJob:
    """One run of a command that edits files.

    Attributes:
        command: its program, as an absolute path, and its arguments.
        files: texts by name, laid out in its working folder.
        edited: the names of those that it is to edit.
        variables: of its environment beside the usual ones; they may hold secrets.
        seconds: of wall time, after which all of it is killed.
        sandbox: level of isolation, by name.
        visible: files and folders that it may read beside the system's programs and this Python's packages.
        writable: files and folders that it may also change.
        memory_mib: resident memory of its whole process tree.
        disk_mib: what it may keep in its folder.
    """

    command: tuple[str, ...]
    files: Mapping[str, str]
    edited: tuple[str, ...]
    seconds: float
    sandbox: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    visible: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    memory_mib: float = 4096.0
    disk_mib: float = 512.0

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `from_json` inverts."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EditingJob:
        """Rebuild a job from the output of `to_json`."""
        tuples = {name: tuple(data[name]) for name in ("command", "edited", "visible", "writable")}
        return cls(**{**data, **tuples})


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of a job.

    Attributes:
        ended: why it did not end well, as the end of a sentence that begins with what it was; empty if it did.
        files: the texts of the edited files by name; without those that cannot be read.
        unreadable: why not, by name.
        others: other files that it made, changed or removed, by name; the first of many.
        log_tail: the end of its output.
        seconds: of wall time.
    """

    ended: str
    files: Mapping[str, str]
    unreadable: Mapping[str, str]
    others: tuple[str, ...]
    log_tail: str
    seconds: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Edited:
        """Rebuild it from its JSON form, that of `dataclasses.asdict`."""
        return cls(**{**data, "others": tuple(data["others"])})


class EditingError(MachineError):
    """The supervisor of a command could not start it, or ended before it did."""
