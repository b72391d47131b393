"""The environments of the trainer's processes: short allow-lists, so that no secret gets into them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

PATH_VARIABLES = ("LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH")
"""Variables whose folders a candidate must be able to read."""

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", *PATH_VARIABLES)

# By default glibc gives the memory of every larger tensor back to the kernel and gets zeroed pages for the next one.
# Kept instead, generation 0 takes half as many steps again in the same CPU seconds.
_KEEP_FREED_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this package without the working directory on its path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def library_paths() -> dict[str, str]:
    """Return the variables by which a process finds libraries, those of a GPU's driver among them."""
    return _inherited(PATH_VARIABLES)


def trusted_environment(threads: int) -> dict[str, str]:
    """Return the environment of the supervisor and the scorer: what Python and the device need, and no secret."""
    allowed = (*_PASSED_ON, "HOME", "TMPDIR", "USER", "CUDA_VISIBLE_DEVICES", "RUSTUP_HOME")
    return _inherited(allowed) | _thread_limits(threads)


def candidate_environment(home: Path, device_id: str, threads: int) -> dict[str, str]:
    """Return the environment of a candidate: its own scratch folder as home and temporary folder."""
    return (
        _inherited(_PASSED_ON)
        | _thread_limits(threads)
        | _KEEP_FREED_MEMORY
        | {
            "HOME": str(home),
            "TMPDIR": str(home),
            # Without a readable list of users, programs that ask for their user's name need it from here.
            "USER": "candidate",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "CUDA_VISIBLE_DEVICES": device_id,
        }
    )


def _inherited(names: Iterable[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _thread_limits(threads: int) -> dict[str, str]:
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
