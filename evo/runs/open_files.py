"""How many files a driver may have open: as many as it needs, or the run does not begin."""

from __future__ import annotations

import resource

from trainer.errors import UsageError

_OF_THE_DRIVER = 24
_OF_A_WORKER = 8


def allow_open_files(workers: int) -> None:
    """Raise this process's limit of open files to what a driver of so many workers needs.

    Raises:
        UsageError: the system allows less.
    """
    needed = _OF_THE_DRIVER + workers * _OF_A_WORKER
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed >= needed or allowed == resource.RLIM_INFINITY:
        return
    if most < needed and most != resource.RLIM_INFINITY:
        raise UsageError(
            f"A run with --workers {workers} needs {needed} open files, but `ulimit -n` allows {most}. "
            "Raise it, or use fewer workers."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
