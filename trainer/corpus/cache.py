"""Where prepared corpora are kept, and how a folder comes into being there at once and only once.

A corpus is written into a hidden sibling folder and renamed when it is complete and on disk. The writing process holds
a lock that the kernel drops with it, so a partial folder whose lock is free was left by a killed process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

VARIABLE = "EVO_CACHE"


def default_cache() -> Path:
    """Return the folder of everything prepared: $EVO_CACHE, or else the user's cache folder."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("evo")


@contextmanager
def locked(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on `folder` (which need not exist); `waiting` is called once when another process holds it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock(folder)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into, which becomes `folder` if the block ends well and vanishes if not.

    The caller holds the lock on `folder`. What stood there is removed; processes that have its files open keep them.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        for path in [*partial.iterdir(), partial]:
            _flush_to_disk(path)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        _flush_to_disk(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove_abandoned(corpora: Path) -> None:
    """Remove the partial folders that killed processes left in `corpora`, and none that is being written."""
    for partial in corpora.glob(".*.partial"):
        folder = partial.with_name(partial.name.removeprefix(".").removesuffix(".partial"))
        with suppress(Timeout), _lock(folder).acquire(blocking=False):
            shutil.rmtree(partial, ignore_errors=True)


def _lock(folder: Path) -> FileLock:
    return FileLock(folder.with_name(f".{folder.name}.lock"))


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
