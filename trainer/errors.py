"""The exception tree of the whole product.

What a *candidate* does wrong is a `trainer.evaluation.Status`; what the *user* or the *machine* does wrong is an
exception below. The command line catches `EvoError` once, prints its message, and exits with its `exit_code`.

    EvoError                 exit 1   the run cannot go on; the message says why and what to do
    ├── UsageError           exit 2   the input is wrong; nothing was written
    │   ├── GenomeError               a genome file that cannot be generation 0
    │   ├── DatasetError              a dataset that cannot be prepared or was not found
    │   └── ConfigError               a flag or a key of the configuration (raised in `evo`)
    └── MachineError         exit 1   a device, a disk or a child process failed

Messages say what was expected, what came, and the next step.
"""

import errno
import os

_ADVICE = {
    errno.EMFILE: "`ulimit -n` allows too few open files; raise it.",
    errno.ENFILE: "The system has too many open files; close programs.",
    errno.ENOSPC: "Free some disk space.",
    errno.EDQUOT: "Free some disk space; the quota is used up.",
    errno.EROFS: "Work in a folder that you can write.",
    errno.EAGAIN: "`ulimit -u`, or the limit of this container, allows too few processes and threads; raise it.",
    errno.EACCES: "Work in a folder that you can write, or change the permissions.",
}


def refusal(error: OSError) -> str:
    """Return what the system refused and what to do, in a line."""
    if error.errno == errno.ENOENT and error.filename is None:
        # No path was asked for: the current folder, or (from the standard library, in a sentence) a temporary one.
        if error.strerror == os.strerror(errno.ENOENT):
            return "The current folder does not exist any more; change into another one."
        return f"{error.strerror}. Name a folder that you can write in TMPDIR."
    subject = f"{error.filename}: " if error.filename is not None else ""
    advice = _ADVICE.get(error.errno or 0, "")
    return f"{subject}{error.strerror or error}. {advice}".rstrip()


def counted(count: float, noun: str) -> str:
    """Return so many of a thing: `1 seed`, `1,200 seeds`, `0.5 seeds`."""
    return f"{count:,.12g} {noun}{'' if count == 1 else 's'}"


class EvoError(Exception):
    """Root of every error that a user may see."""

    exit_code = 1


class UsageError(EvoError):
    """The user's input is wrong; nothing has been written."""

    exit_code = 2


class GenomeError(UsageError):
    """A genome file is missing, unreadable, or breaks the contract of its task."""


class DatasetError(UsageError):
    """A dataset is missing, empty, too small, or damaged."""


class ConfigError(UsageError):
    """A flag or a configuration key has a wrong name, type or value."""


class MachineError(EvoError):
    """A device, a disk or a trusted child process failed."""
