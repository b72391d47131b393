"""Errors of the house `evo`, below the roots of `trainer.errors`.

UsageError               exit 2
├── NewerStore                    the store was written by a newer version
├── RunFolderError                a folder that cannot hold, or does not hold, a run
│   └── DamagedConfig                  its config.toml is missing or damaged
├── RunLocked                     another driver works in the folder
└── ChangedExperiment             results exist, but the experiment has changed since
MachineError             exit 1
├── StoreError                    the store is damaged or foreign, or the disk refused a write
│   └── UnfinishedStore                its creation was interrupted
├── LineageError                  the git repository of the family tree cannot be written
└── ReportError                   the report cannot be written
"""

from pathlib import Path

from trainer.errors import MachineError, UsageError


class RunFolderError(UsageError):
    """A folder cannot hold a new run, or does not hold a run."""


class DamagedConfig(RunFolderError):  # noqa: N818 - a state
    """The `config.toml` of a run is missing or damaged."""


class RunLocked(UsageError):  # noqa: N818 - a state, not an error of the program
    """Another driver holds the run folder."""


class ChangedExperiment(UsageError):  # noqa: N818 - likewise
    """An experiment is no longer what its results belong to."""


class StoreError(MachineError):
    """The store cannot be read or written; nothing that was acknowledged is lost by this."""


class UnfinishedStore(StoreError):  # noqa: N818 - a state
    """The store was being made when its driver ended; it holds nothing."""


class NewerStore(UsageError):  # noqa: N818 - a state
    """The store was written by a newer version, which alone can read it."""


class LineageError(MachineError):
    """The git projection cannot be written; the store still holds everything."""


class ReportError(MachineError):
    """The report cannot be written; the run is complete without it."""


def unwritten(path: Path, error: OSError) -> str:
    """Return that a file or folder of a run could not be written, why, and what to do."""
    if not path.parent.exists():
        return f"The folder {path.parent} was moved or removed. If it was moved, continue there with `evo resume`."
    return (
        f"{path} could not be written: {error}. The store still holds everything: make room or make the folder "
        "writable, then continue with `evo resume`."
    )
