"""Errors of the house `evo`, below the roots of `trainer.errors`.

UsageError               exit 2
├── RunFolderError                a folder that cannot hold, or does not hold, a run
├── RunLocked                     another driver works in the folder
└── ChangedExperiment             results exist, but the experiment has changed since
MachineError             exit 1
├── StoreError                    the store is damaged, foreign, too new, or the disk refused a write
├── LineageError                  the git repository of the family tree cannot be written
└── ReportError                   the report cannot be written
"""

from trainer.errors import MachineError, UsageError


class RunFolderError(UsageError):
    """A folder cannot hold a new run, or does not hold a run."""


class RunLocked(UsageError):  # noqa: N818 - a state, not an error of the program
    """Another driver holds the run folder."""


class ChangedExperiment(UsageError):  # noqa: N818 - likewise
    """An experiment is no longer what its results belong to."""


class StoreError(MachineError):
    """The store cannot be read or written; nothing that was acknowledged is lost by this."""


class LineageError(MachineError):
    """The git projection cannot be written; the store still holds everything."""


class ReportError(MachineError):
    """The report cannot be written; the run is complete without it."""
